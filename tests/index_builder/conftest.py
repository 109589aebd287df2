"""Builds of small files of documents."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.generation_writer import Report
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings
from retriever.types import Document


def write(path: Path, documents: Sequence[Document]) -> Path:
    lines = [{"id": d.doc_id, "title": d.title, "text": d.text, "url": d.url} for d in documents]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8", newline="")
    return path


@pytest.fixture
def source(tmp_path, documents) -> Path:
    return write(tmp_path / "documents.jsonl", documents)


@pytest.fixture
def run_build(tmp_path, quiet):
    def run(*sources: Path, encoder=None, strict=False, words=14, together=512) -> Report:
        return build_index(
            [open_corpus(str(source)) for source in sources],
            tmp_path / "index",
            encoder=encoder or HashingEncoder(),
            settings=PassageSettings(words=words, continuation_words=20),
            strict=strict,
            console=quiet,
            embedded_together=together,
        )

    return run
