"""Weights as they are shipped: files that a manifest describes, each checked when it is opened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from common.errors import ModelUnusableError
from common.files import whole_file
from common.packaged import sha256_of

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class ShippedWeights:
    """What the manifest says of one file."""

    file: str
    sha256: str
    kind: str
    """Which class reads it."""
    base_sha256: str
    """Digest of the model's weights that it adds to or departs from."""
    licence: str
    command: str
    """What made it."""
    data: str
    """Fingerprint of the data that it learnt from."""
    seed: int
    made_from: Mapping[str, str] = field(default_factory=dict)
    """Digests of other weights that it learnt from, as an adapter learns from a reader's."""
    quality: Mapping[str, Any] = field(default_factory=dict)
    """What was measured on development data."""
    calibrated_on: Mapping[str, Any] | None = None
    """For a calibrator, the digests that it was fitted with."""


def ships(name: str, folder: Path = WEIGHTS_FOLDER) -> bool:
    """Whether the manifest names weights of this name."""
    return name in _entries(folder)


def require_weights(folder: Path) -> None:
    """Refuse a folder that has no manifest of weights.

    Raises:
        ModelUnusableError: when it has none.
    """
    if not _entries(folder):
        raise ModelUnusableError(
            f"{folder} has no {MANIFEST_FILE} that names weights; give the folder weights in what `loccit train` wrote."
        )


def weights_folders(preferred: Path | None, shipped: Path = WEIGHTS_FOLDER) -> tuple[Path, ...]:
    """Where weights are looked for: the preferred folder, if any, then that of the shipped ones."""
    return (shipped,) if preferred is None else (preferred, shipped)


def folder_of(name: str, folders: Sequence[Path]) -> Path:
    """The first of these folders that has weights of this name. Where none has them: the last."""
    return next((folder for folder in folders if ships(name, folder)), folders[-1])


def name_of(kind: str, base_sha256: str, folder: Path = WEIGHTS_FOLDER) -> str | None:
    """The name of the weights of this kind that were trained on this base model; None when there are none."""
    for name, entry in _entries(folder).items():
        if entry.get("kind") == kind and entry.get("base_sha256") == base_sha256:
            return name
    return None


def names_of(kind: str, folder: Path = WEIGHTS_FOLDER) -> list[str]:
    """The names of all weights of this kind, in alphabetical order."""
    return sorted(name for name, entry in _entries(folder).items() if entry.get("kind") == kind)


def shipped_weights(name: str, kind: str, folder: Path = WEIGHTS_FOLDER) -> tuple[Path, ShippedWeights]:
    """The file of this name, its sha256 checked, with what the manifest says of it.

    Raises:
        ModelUnusableError: when there is none of this name and kind, or it is damaged.
    """
    entries = _entries(folder)
    if name not in entries:
        raise ModelUnusableError(
            f"{folder / MANIFEST_FILE} names no weights {name!r}, only {', '.join(sorted(entries)) or 'nothing'}; give "
            "a folder of weights as `loccit train` leaves them."
        )
    try:
        entry = ShippedWeights(**entries[name])
    except TypeError as error:
        raise ModelUnusableError(
            f"{folder / MANIFEST_FILE} does not describe {name!r} in full ({error})."
        ) from error
    if entry.kind != kind:
        raise ModelUnusableError(
            f"The weights {name!r} in {folder} are a {entry.kind}, but a {kind} is wanted."
        )
    path = folder / entry.file
    actual = sha256_of(path) if path.is_file() else "none: the file is missing"
    if actual != entry.sha256:
        raise ModelUnusableError(
            f"{path} has sha256 {actual}, but the manifest says {entry.sha256}: install or train it again."
        )
    return path, entry


def record_weights(name: str, entry: ShippedWeights, folder: Path) -> None:
    """Put the entry into the folder's manifest, in place of an earlier one of this name."""
    entries = _entries(folder) | {name: asdict(entry)}
    text = json.dumps(entries, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    with whole_file(folder / MANIFEST_FILE) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _entries(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelUnusableError(f"{path} is not JSON ({error}); install Loccit again.") from error
    if not isinstance(entries, dict):
        raise ModelUnusableError(f"{path} must be one JSON object with an entry for each file.")
    return entries
