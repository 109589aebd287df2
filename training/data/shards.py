"""Groups on disk: compressed JSON Lines in shards, each there whole or not at all."""

import gzip
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from common.files import records, whole_file
from training.data.group import GroupRecord

MANIFEST_FILE = "manifest.json"
"""Says of what is prepared that it is finished, and what it is known by."""
_SUFFIX = ".jsonl.gz"


class Storable(Protocol):
    """What a shard holds."""

    def as_json(self) -> dict[str, Any]:
        """It as one JSON object."""


def begin(folder: Path, fingerprint: str) -> None:
    """Throw away shards that were made from other files or settings."""
    mark = folder / "fingerprint"
    if not mark.is_file() or mark.read_text() != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with whole_file(mark) as path:
            path.write_text(fingerprint)


def shard_path(folder: Path, name: str) -> Path:
    """Where the shard of this name lies."""
    return folder / f"{name}{_SUFFIX}"


def write_shard(path: Path, groups: Iterable[Storable]) -> None:
    """Write a shard; the same groups give the same bytes."""
    with (
        whole_file(path) as unfinished,
        unfinished.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as file,
    ):
        for group in groups:
            file.write(json.dumps(group.as_json(), ensure_ascii=False).encode() + b"\n")


def read_shard(path: Path) -> Iterator[GroupRecord]:
    """The groups of a shard, in order."""
    return map(GroupRecord.of_json, records(path))


def shards(folder: Path, prefix: str) -> list[Path]:
    """The shards whose names begin so, in order."""
    return sorted(folder.glob(f"{prefix}*{_SUFFIX}"))
