"""The lexical index: BM25 over titles and texts (tantivy)."""

import fcntl
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import tantivy

from common.errors import IndexUnusableError
from retriever.fusion import top_k
from retriever.text.folding import fold
from retriever.types import ScoredRow

_ANALYZER = "english"
_TEXT_FIELDS = ("title", "text")
_HEAP_BYTES = 128 * 1024 * 1024
_LINKS = "loccit-lexical-"
_YOUNG_S = 2.0  # within it, a folder may be there and not be held yet
_TRIES = 20
_BETWEEN_TRIES_S = 0.05


def _schema() -> tantivy.Schema:
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field("row", indexed=True, fast=True)
    for name in _TEXT_FIELDS:
        schema.add_text_field(name, tokenizer_name=_ANALYZER)
    return schema.build()


def _english_analyzer() -> tantivy.TextAnalyzer:
    """Words, lower-cased, accents folded, stemmed (Snowball English)."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(40),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


class LexicalIndex:
    """BM25 with tantivy's constants (k1 = 1.2, b = 0.75), title and text added up."""

    def __init__(self, folder: Path | None = None) -> None:
        """A new, empty index in an empty folder, or in memory."""
        self._schema, self._analyzer = _schema(), _english_analyzer()
        path = None if folder is None else str(folder)
        self._index = tantivy.Index(self._schema, path=path, reuse=False)
        # else a thread looks for changes, and leaves its lock file there
        self._index.config_reader("manual", 0)
        self._index.register_tokenizer(_ANALYZER, self._analyzer)
        self._searcher = self._index.searcher()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The index in this folder, which may be read-only.

        tantivy writes a lock file beside what it opens, so it is shown a folder of links instead. What it needs
        it holds open from then on, so the links are gone when this returns.

        Raises:
            IndexUnusableError: when the folder holds no such index, or temporary files cannot be written anywhere.
        """
        index = cls.__new__(cls)
        index._schema, index._analyzer = _schema(), _english_analyzer()
        with _links_folder() as links:
            try:
                for file in folder.iterdir():
                    (links / file.name).symlink_to(file.resolve())
                index._index = tantivy.Index.open(str(links))
                index._index.config_reader("manual", 0)
                index._index.reload()
                index._searcher = index._index.searcher()
            except (OSError, ValueError) as error:
                raise IndexUnusableError(
                    f"{folder} is not a readable lexical index; build it again."
                ) from error
        return index

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def rows(self) -> npt.NDArray[np.int64]:
        """Every row it holds, ascending."""
        hits = self._searcher.search(tantivy.Query.all_query(), limit=max(1, len(self))).hits
        return np.sort(np.asarray(self._rows_of(hits), dtype=np.int64))

    def add(self, passages: Iterable[tuple[int, str, str]]) -> None:
        """Index (row, title, text) triples and make them searchable."""
        # one thread and one commit: the same passages give the same segments
        writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        for row, title, text in passages:
            document = tantivy.Document()
            document.add_unsigned("row", row)
            document.add_text("title", fold(title).text)
            document.add_text("text", fold(text).text)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def terms(self, text: str) -> list[str]:
        """The folded text's words as the index sees them: lower-cased, accents folded, stemmed, in order."""
        return list(self._analyzer.analyze(fold(text).text))

    def idf(self, term: str) -> float:
        """Inverse document frequency of an analysed term in the texts, as BM25 weighs it.

        ``ln(1 + (N - n + 0.5) / (n + 0.5))`` for n of N passages; never below 0.
        """
        total, containing = len(self), self._searcher.doc_freq("text", term)
        return math.log(1 + (total - containing + 0.5) / (containing + 0.5))

    def search(
        self, question: str, *, k: int, within: npt.NDArray[np.int64] | None = None
    ) -> list[ScoredRow]:
        """The best k rows by BM25; none when no word of the question occurs.

        ``within``: only these rows are looked at, before any is ranked. None: all that it holds. How rare a word is
        is counted over all rows in both cases, so a row's score does not depend on it.
        """
        terms = sorted(set(self.terms(question)))
        if not terms:
            return []
        query = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, field, term))
                for term in terms
                for field in _TEXT_FIELDS
            ]
        )

        if within is None:
            return top_k(lambda limit: self._best(query, limit), k=k)
        return top_k(lambda limit: self._best_within(query, limit, within), k=k)

    def _best(self, query: tantivy.Query, limit: int) -> list[ScoredRow]:
        hits = self._searcher.search(query, limit=limit, count=False).hits
        scores = [float(score) for score, _ in hits]
        return list(map(ScoredRow, self._rows_of(hits), scores))

    def _best_within(self, query: tantivy.Query, limit: int, rows: npt.NDArray[np.int64]) -> list[ScoredRow]:
        """The best of these rows: what ``_only`` finds, but sooner where they are many.

        Naming each of them to the engine takes its time. A longer ranking of all rows holds enough of them in most
        cases; where it does not, and there may be more, it says nothing.
        """
        longer = 2 * limit * len(self) // max(1, len(rows))
        if longer < len(rows):
            ranked = self._best(query, longer)
            chosen = np.isin([row for row, _ in ranked], rows)
            kept = [scored for scored, is_chosen in zip(ranked, chosen, strict=True) if is_chosen]
            if len(kept) >= limit or len(ranked) < longer:
                return kept[:limit]
        return self._best(self._only(rows, query), limit)

    def _only(self, rows: npt.NDArray[np.int64], query: tantivy.Query) -> tantivy.Query:
        """The query for these rows alone; a row's score stays what it was."""
        among = tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._schema, "row", rows.tolist()), 0.0
        )
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, among)])

    def _rows_of(self, hits: Sequence[tuple[float, tantivy.DocAddress]]) -> list[int]:
        values = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [int(value) for value in values if value is not None]


@contextmanager
def _links_folder() -> Iterator[Path]:
    """An empty temporary folder, gone at the end; those of processes that were killed go, too."""
    _remove_abandoned()
    try:
        folder = Path(tempfile.mkdtemp(prefix=_LINKS))
    except OSError as error:
        raise IndexUnusableError(
            f"Opening an index takes a folder for temporary files, and none can be written to ({error}); set "
            "TMPDIR to one."
        ) from error
    with _descriptor(folder) as owned:
        fcntl.flock(owned, fcntl.LOCK_EX)  # the system lets go of it however the process ends
        try:
            yield folder
        finally:
            _remove(folder)


def _remove_abandoned() -> None:
    """Remove the folders that nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_LINKS}*"):
        with suppress(OSError), _descriptor(folder) as left:  # another's, or gone by now
            if time.time() - folder.stat().st_mtime > _YOUNG_S:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)


@contextmanager
def _descriptor(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(links: Path) -> None:
    """Remove the folder, again where tantivy's own thread has just put its lock file into it."""
    for _ in range(_TRIES):
        shutil.rmtree(links, ignore_errors=True)
        if not links.exists():
            return
        time.sleep(_BETWEEN_TRIES_S)
