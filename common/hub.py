"""Models by name or path: a local folder, or the hub's cache, downloaded only when the user asked for it."""

import hashlib
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from common.errors import ModelUnusableError
from common.packaged import sha256_of

# safetensors only: pickled weights can run code
_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
_DECIDING = frozenset({".safetensors", ".json", ".model", ".txt", ".jinja"})
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt"})


def model_folder(name_or_path: str, *, allow_download: bool) -> Path:
    """The folder of a model: the path itself, or the copy of the hub's repository of this name.

    Raises:
        ModelUnusableError: when there is neither, or a download fails.
    """
    path = Path(name_or_path)
    if path.is_dir():
        return path
    try:
        return Path(
            snapshot_download(name_or_path, allow_patterns=_FILES, local_files_only=not allow_download)
        )
    except HFValidationError as error:
        raise ModelUnusableError(
            f"{name_or_path!r} is neither a folder nor a model name on the hub; give one of them."
        ) from error
    except LocalEntryNotFoundError as error:
        raise ModelUnusableError(
            f"The model {name_or_path!r} is not on this machine; give a local folder, or allow the download "
            "with --allow-download where there is a network."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ModelUnusableError(f"The model {name_or_path!r} cannot be downloaded: {error}") from error


def weights_sha256(folder: Path) -> str:
    """One digest of everything in a model folder that decides its output: weights, configs, tokenizer.

    Of the names and digests of all safetensors, JSON, text and tokenizer files, so that two models that differ
    only in how they pool or tokenise are two models.

    Raises:
        ModelUnusableError: when there is no safetensors file, or pickled weights lie there besides.
    """
    if not any(folder.rglob("*.safetensors")):
        raise ModelUnusableError(
            f"{folder} holds no .safetensors file; give a model saved with save_pretrained (pickled weights "
            "are not read)."
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pickled = next((path for path in files if path.suffix in _PICKLED), None)
    if pickled is not None and not any(pickled.parent.glob("*.safetensors")):
        raise ModelUnusableError(
            f"{pickled} holds pickled weights, which are not read; save the model again as safetensors."
        )
    lines = [
        f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n"
        for path in files
        if path.suffix in _DECIDING
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
