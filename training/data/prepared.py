"""Prepared training data, opened: its groups, the passages they name, and what it is known by."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from common.digest import json_digest
from common.errors import LoccitError
from retriever.store import DocumentStore
from training.data.corpus import open_store
from training.data.evidence_shards import PreparedEvidence
from training.data.group import GroupRecord
from training.data.prepare import CORPUS_FOLDER, DEVELOPMENT, GROUPS_FOLDER, TRAIN
from training.data.question import Source
from training.data.shards import MANIFEST_FILE, read_shard, shards


class PreparedData:
    """``store``: the passages. ``development``: the groups held out. ``fingerprint``: of the groups of ``Source``."""

    def __init__(self, folder: Path) -> None:
        """Raises: LoccitError, when ``folder`` holds no finished data."""
        manifest = folder / MANIFEST_FILE
        if not manifest.is_file():
            raise LoccitError(f"{folder} holds no finished training data; make it with `loccit train data`.")
        made = json.loads(manifest.read_text(encoding="utf-8"))
        self.fingerprint = json_digest(made["shards"])
        self.store: DocumentStore = open_store(folder / CORPUS_FOLDER)
        self._folder = folder
        self.development = self._records(DEVELOPMENT)

    @cached_property
    def evidence(self) -> PreparedEvidence:
        """The groups with evidence, which lie beside the others. Raises as ``PreparedEvidence`` does."""
        return PreparedEvidence(self._folder)

    def training(self) -> dict[Source, list[GroupRecord]]:
        """The groups to learn from."""
        return {source: self._records(f"{TRAIN}-{source}") for source in Source}

    def _records(self, prefix: str) -> list[GroupRecord]:
        return [
            record
            for path in shards(self._folder / GROUPS_FOLDER, f"{prefix}-")
            for record in read_shard(path)
        ]


def first_of_each(records: Sequence[GroupRecord], count: int) -> list[GroupRecord]:
    """The first answerable groups of each source."""
    return [
        record
        for source in Source
        for record in [one for one in records if one.source is source and one.answerable][:count]
    ]
