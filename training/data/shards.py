"""Groups on disk: compressed JSON Lines in shards, each there whole or not at all."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from common.files import records, whole_file
from training.data.group import GroupRecord

_SUFFIX = ".jsonl.gz"


class Storable(Protocol):
    """What a shard holds."""

    def as_json(self) -> dict[str, Any]:
        """It as one JSON object."""


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
