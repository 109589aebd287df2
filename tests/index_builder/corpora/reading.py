"""Corpora as tests write and read them."""

import json
from pathlib import Path

from index_builder.corpora import Corpus, Malformed, Record, open_corpus
from retriever.types import Document

GOOD = {"id": "a/b", "title": "Äther", "text": "One.\r\nTwo \U0001f600", "url": "https://e.org", "year": 1698}
GOOD_DOCUMENT = Document("a/b", "Äther", "One.\r\nTwo \U0001f600", "https://e.org", {"year": 1698})


def written(path: Path, *lines: object) -> Path:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join([*encoded, b""]))
    return path


def read(path: Path) -> list[Record | Malformed]:
    return list(open_corpus(str(path)))


def documents(corpus: Corpus) -> list[Document]:
    return [item.document for item in corpus if isinstance(item, Record)]


def only_problem(path: Path) -> Malformed:
    (item,) = read(path)
    assert isinstance(item, Malformed)
    return item


Seen = tuple[str, str, tuple[str, ...], str | None]
"""A block as tests write it: its kind, its text, the headings above, and its locator's string."""


def only_document(path: Path) -> Document:
    (item,) = read(path)
    assert isinstance(item, Record), item
    return item.document


def blocks(path: Path) -> list[Seen]:
    document = only_document(path)
    return [
        (block.kind, block.span.of(document.text), block.path, block.locator and str(block.locator))
        for block in document.blocks
    ]


def texts(path: Path) -> list[str]:
    return [text for _, text, _, _ in blocks(path)]
