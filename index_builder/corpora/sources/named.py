"""A corpus under a name of its own, with an address where its originals are published, or as a part of another."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from common.errors import CorpusError
from index_builder.corpora.types import Corpus, Item, Record, Source


class NamedCorpus:
    """The corpus with this name, and this base address, in its source; None leaves the source's own.

    ``prefix``: what its documents' ids begin with, such as ``folder/``.
    """

    def __init__(
        self,
        corpus: Corpus,
        name: str | None = None,
        base_url: str | None = None,
        *,
        prefix: str = "",
    ) -> None:
        self._corpus, self._name, self._base_url, self._prefix = corpus, name, base_url, prefix

    @property
    def source(self) -> Source:
        """The corpus's own source but for what was given."""
        source = self._corpus.source
        return replace(source, name=self._name or source.name, base_url=self._base_url or source.base_url)

    @property
    def given(self) -> str | None:
        """The name that it was given; None where it has only its own."""
        return self._name or (self._corpus.given if isinstance(self._corpus, NamedCorpus) else None)

    @property
    def own_name(self) -> str:
        """The name that it has when none is given."""
        inner = self._corpus
        return inner.own_name if isinstance(inner, NamedCorpus) else inner.source.name

    @property
    def ids(self) -> Collection[str]:
        """Those of the corpus, with what they begin with."""
        return {f"{self._prefix}{doc_id}" for doc_id in self._corpus.ids}

    @property
    def folders(self) -> Sequence[Path]:
        """Those of the corpus."""
        return self._corpus.folders

    def __iter__(self) -> Iterator[Item]:
        for item in self._corpus:
            if isinstance(item, Record) and self._prefix:
                doc_id = f"{self._prefix}{item.document.doc_id}"
                yield replace(item, document=replace(item.document, doc_id=doc_id))
            else:
                yield item


def with_base_urls(corpora: Sequence[Corpus], given: Sequence[str]) -> list[Corpus]:
    """The corpora with their base addresses: ``NAME=URL`` each, or one ``URL`` where there is one corpus.

    Raises:
        CorpusError: when an address is none, or names no source.
    """
    by_name: dict[str, str] = {}
    names = [corpus.source.name for corpus in corpora]
    for entry in given:
        name, url = _parted(entry, names)
        if not name and len(names) == 1:
            name = names[0]
        if name not in names:
            raise CorpusError(
                f"The base address {entry!r} names no source; write NAME=URL with one of {', '.join(names)}."
            )
        if not url.startswith(_SCHEMES):
            raise CorpusError(
                f"The base address of {name} is {url!r}; it must begin with http:// or https://."
            )
        by_name[name] = url
    return [
        NamedCorpus(corpus, base_url=by_name.get(name)) for name, corpus in zip(names, corpora, strict=True)
    ]


def _parted(entry: str, names: Sequence[str]) -> tuple[str, str]:
    """Name and address of ``NAME=URL``; no name where there is none. Both may hold an equals sign."""
    if entry.startswith(_SCHEMES) or "=" not in entry:
        return "", entry
    known = [name for name in names if entry.startswith(f"{name}=")]
    name = max(known, key=len, default=entry.partition("=")[0])
    return name, entry[len(name) + 1 :]


_SCHEMES = ("http://", "https://")
