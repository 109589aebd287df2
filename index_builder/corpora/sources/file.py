"""One file as a corpus."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from index_builder.corpora.formats import Format
from index_builder.corpora.names import printable
from index_builder.corpora.terms import with_terms
from index_builder.corpora.types import Item, Source


class FileCorpus:
    """The documents of one file of this format."""

    def __init__(self, path: Path, form: Format) -> None:
        self._path, self._format = path, form

    @property
    def source(self) -> Source:
        """The file's name, and the terms that lie beside it."""
        return with_terms(Source(printable(self._path.name), self._format.kind), self._path)

    @property
    def ids(self) -> Collection[str]:
        """The file's name, where the file is one document."""
        return {self._path.name} if self._format.in_folders else ()

    @property
    def folders(self) -> Sequence[Path]:
        """The folders around the file, where the file is one document."""
        nearest = self._path.parent.resolve()
        return (nearest, *nearest.parents)[:-1] if self._format.in_folders else ()

    def __iter__(self) -> Iterator[Item]:
        return self._format.items(self._path, self._path.name)
