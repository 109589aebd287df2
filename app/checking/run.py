"""A run of `loccit check`: answers read from files, each checked against documents or an index."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from app.answering.shipped_weights import weights_folders
from app.answering.support import SupportScorer
from app.checking.report import CheckedEntry
from app.service.check import Checker
from app.service.claim_support import lazy_claim_scorer
from common.errors import LoccitError
from common.progress import Advance, progress
from index_builder.corpora import open_corpus
from index_builder.corpora.types import Malformed, Record
from quote_check.answers_file import STANDARD_INPUT, read_records
from quote_check.check import find_holders
from quote_check.check_answer import AnswerToCheck, read
from quote_check.corpus import IndexCorpus
from retriever.generations import current_generation
from retriever.manifest import Manifest
from retriever.types import Document

_RECORDS = (".json", ".jsonl", ".ndjson")
_PACKED = (".gz", ".xz")
_MANY = 20  # answers from which on progress is told


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer of a file. ``id``: see ``CheckedEntry``."""

    file: str
    id: str | None
    answer: AnswerToCheck


def read_entries(files: Sequence[str], *, documents: tuple[Document, ...] | None) -> list[Entry]:
    """The answers of these files: of JSON Lines each line, of any other file its text.

    ``documents``: what answers are checked against that bring none of their own.

    Raises:
        LoccitError: when a file cannot be read, or a line is no answer.
    """
    return [
        entry
        if documents is None or entry.answer.documents is not None
        else replace(entry, answer=replace(entry.answer, documents=documents))
        for file in files
        for entry in _entries(file)
    ]


def read_documents(paths: Sequence[str]) -> tuple[Document, ...]:
    """The documents of these files and folders, of any format that can be indexed.

    Raises:
        LoccitError: when one cannot be read, or two have the same id.
    """
    documents: dict[str, Document] = {}
    for path in paths:
        for item in open_corpus(path):
            if isinstance(item, Malformed):
                raise LoccitError(f"{item.location}: {item.problem}")
            if isinstance(item, Record):
                if item.document.doc_id in documents:
                    raise LoccitError(
                        f"{item.location}: another document has the id {item.document.doc_id!r}; check against fewer "
                        "paths at once, or index them under names."
                    )
                documents[item.document.doc_id] = item.document
    return tuple(documents.values())


def open_checker(directory: Path | None, *, claims: bool, weights: Path | None) -> Checker:
    """The checker over the index in this folder; None: answers come with documents.

    ``claims``: whether claims are scored. ``weights``: a folder whose scorer is preferred to the shipped one.

    Raises:
        IndexUnusableError: when the index is missing, damaged or of another format version.
    """
    scorer = lazy_claim_scorer(weights_folders(weights), _load_support) if claims else None
    if directory is None:
        return Checker(scorer=scorer)
    folder = current_generation(directory)
    return Checker(IndexCorpus.open(directory), scorer, Manifest.load(folder), folder.name)


def check_entries(entries: Sequence[Entry], checker: Checker, console: Console) -> list[CheckedEntry]:
    """What became of each answer. Every document of the index is read once for quotes that no cited one holds.

    So that such a quote stands verbatim nowhere is a fact, not a guess of the search.
    """
    holders = _holders(entries, checker, console)
    with _progress(console, "Checking answers", len(entries), shown=len(entries) >= _MANY) as advance:
        checked = []
        for entry in entries:
            response = checker.check(
                entry.answer, holders=None if entry.answer.documents is not None else holders
            )
            checked.append(CheckedEntry(entry.file, entry.id, response))
            advance()
    return checked


def _load_support(*, folder: Path, reader_folder: Path) -> SupportScorer:
    from app.answering.cross_encoders.trained_support import load_support  # loads torch

    return load_support(folder=folder, reader_folder=reader_folder)


def _holders(entries: Sequence[Entry], checker: Checker, console: Console) -> dict[str, str]:
    if checker.corpus is None:
        return {}
    waiting: set[str] = set()
    for entry in entries:
        if entry.answer.documents is None:
            found = read(entry.answer, checker.corpus)
            waiting |= find_holders((quote for quote in found.quotes if not quote.too_short), checker.corpus)
    if not waiting:
        return {}
    with _progress(console, "Reading documents", len(checker.corpus), shown=True) as advance:
        return checker.corpus.holders(waiting, advance)


def _progress(console: Console, what: str, total: int, *, shown: bool) -> AbstractContextManager[Advance]:
    return progress(console, what, total=total) if shown else nullcontext(lambda _=1: None)


def _entries(file: str) -> Iterator[Entry]:
    if _holds_records(file):
        yield from (Entry(file, record.id, record.answer) for record in read_records(file))
    else:
        yield Entry(file, None, AnswerToCheck(text=_text(file)))


def _holds_records(file: str) -> bool:
    """Whether a file has answers as JSON objects: its name says so. Standard input has them."""
    name = Path(file).name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return file == STANDARD_INPUT or name.endswith(_RECORDS)


def _text(file: str) -> str:
    try:
        with Path(file).open(encoding="utf-8", newline="") as opened:
            return opened.read().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise LoccitError(
            f"{file}: the byte 0x{error.object[error.start]:02x} at position {error.start + 1} is not UTF-8; save the "
            "file as UTF-8."
        ) from error
    except OSError as error:
        raise LoccitError(
            f"The answer {file!r} cannot be read ({error.strerror}); give a file of text or JSON Lines."
        ) from error
