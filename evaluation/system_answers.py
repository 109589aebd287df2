"""Answers of any system, as a file of JSON Lines gives them: to be scored beside Loccit's own."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened

from common.errors import DocumentNotFoundError, LoccitError
from evaluation.question_sets.file import records_of
from evaluation.question_sets.record import Record
from evaluation.questions import Question
from retriever.generations import current_generation
from retriever.index import STORE_FILE
from retriever.store import DocumentStore
from retriever.types import Document

FindDocument = Callable[[str], Document | None]
"""The document of an id; None when there is none."""


@dataclass(frozen=True, slots=True)
class SystemQuote:
    """What a system quotes. ``place``: start and end in its document, where the system says so."""

    quote: str
    document_id: str
    place: tuple[int, int] | None = None

    def stands(self, document: Document | None) -> bool:
        """Whether it stands in the document word for word: at its place, or anywhere where it names none."""
        if document is None:
            return False
        if self.place is None:
            return self.quote in document.text
        start, end = self.place
        return document.text[start:end] == self.quote


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """A line: what a system answered to one question.

    ``answer``: None where it has none. ``abstained``: it does not give the answer, if it has one. ``confidence``: 0 to
    1; None where the system tells none. ``documents``: what the quotes are from, by id, where the line brings them.
    ``seconds``: what the answer took, by what is measured.
    """

    question: Question
    answer: str | None
    abstained: bool
    confidence: float | None
    quotes: tuple[SystemQuote, ...]
    documents: Mapping[str, Document]
    seconds: Mapping[str, float]

    def find(self, doc_id: str, elsewhere: FindDocument | None) -> Document | None:
        """The document of this id: of the line, or else of what all quotes are looked up in, if anything is."""
        if doc_id in self.documents or elsewhere is None:
            return self.documents.get(doc_id)
        return elsewhere(doc_id)


def read_answers(path: Path, questions: Sequence[Question]) -> list[SystemAnswer]:
    """The answers of a file, in its order. Blank lines are passed over, and so are keys that are not known.

    A line names its question by ``id``, or else by ``question``, as the questions have it.

    Raises:
        LoccitError: naming the line that is no answer to one of the questions, or answers one a second time.
    """
    by_id = {question.id: question for question in questions}
    by_text: dict[str, list[Question]] = {}
    for question in questions:
        by_text.setdefault(question.question, []).append(question)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LoccitError(
            f"The answers {str(path)!r} cannot be read ({error.strerror}); give a file of JSON Lines."
        ) from error
    answers: dict[str, SystemAnswer] = {}
    for record in records_of(content, str(path)):
        answer = _answer(record, _question(record, by_id, by_text))
        if answer.question.id in answers:
            raise record.malformed(
                f"the question {answer.question.id!r} has been answered above; leave one answer to each"
            )
        answers[answer.question.id] = answer
    if not answers:
        raise LoccitError(f"{path} holds no answer; write one JSON object a line.")
    return list(answers.values())


def documents_in(path: Path) -> FindDocument:
    """What finds documents in an index, or in JSON Lines with ``id``, ``title`` and ``text``.

    Raises:
        LoccitError: when it is neither.
    """
    if path.is_dir():
        return _stored(DocumentStore.open(current_generation(path) / STORE_FILE))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LoccitError(
            f"The documents {str(path)!r} cannot be read ({error.strerror}); give an index, or JSON Lines with id, "
            "title and text."
        ) from error
    documents = {document.doc_id: document for document in map(_document, records_of(content, str(path)))}
    return documents.get


def _stored(store: DocumentStore) -> FindDocument:
    def find(doc_id: str) -> Document | None:
        try:
            return store.document(doc_id)
        except DocumentNotFoundError:
            return None

    return find


def _question(
    record: Record, by_id: Mapping[str, Question], by_text: Mapping[str, Sequence[Question]]
) -> Question:
    named = record.optional_id("id")
    text = record.optional_text("question")
    if named is None and text is None:
        raise record.malformed(
            "it has neither an id nor a question; give the one that the file of questions has"
        )
    found = by_text.get(text or "", ()) if named is None else [by_id[named]] if named in by_id else ()
    what = f"the question {shortened(text)}" if named is None else f"the id {shortened(named)}"
    if not found:
        raise record.malformed(f"{what} is none of the questions; give --questions the file that it is of")
    if len(found) > 1:
        ids = ", ".join(question.id for question in found)
        raise record.malformed(f"{what} is asked more than once; give the id of the one that is meant: {ids}")
    return found[0]


def _answer(record: Record, question: Question) -> SystemAnswer:
    if "answer" not in record.fields:
        raise record.malformed("answer is missing, but it must be a string, or null for an abstention")
    answer = record.optional_text("answer")
    documents = record.records("documents") if record.has("documents") else []
    return SystemAnswer(
        question=question,
        answer=answer,
        abstained=answer is None or record.flag("abstained", default=False),
        confidence=_confidence(record),
        quotes=tuple(map(_quote, record.records("quotes"))) if record.has("quotes") else (),
        documents={document.doc_id: document for document in map(_document, documents)},
        seconds={name: _seconds(record, name) for name in ("wall_s", "cpu_s") if record.has(name)},
    )


def _confidence(record: Record) -> float | None:
    if not record.has("confidence"):
        return None
    return _number(record, "confidence", most=1, wanted="from 0 to 1")


def _seconds(record: Record, name: str) -> float:
    return _number(record, name, most=sys.float_info.max, wanted="seconds, 0 or more")


def _number(record: Record, name: str, *, most: float, wanted: str) -> float:
    value = record.fields[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise record.malformed(f"{name} is {shortened(value)}, but it must be a number")
    if not 0 <= value <= most:  # before it is made a float, which not every whole number can be
        raise record.malformed(f"{name} is {shortened(value)}, but it must be {wanted}")
    return float(value)


def _quote(record: Record) -> SystemQuote:
    document_id = record.optional_id("document_id")
    if document_id is None:
        raise record.malformed("document_id is missing, but it must say which document the quote is of")
    start, end = record.fields.get("start"), record.fields.get("end")
    if start is None and end is None:
        return SystemQuote(record.text("quote"), document_id)
    if type(start) is not int or type(end) is not int:
        raise record.malformed(
            f"start is {shortened(start)} and end {shortened(end)}, but they must be two whole numbers, or both left "
            "out"
        )
    if not 0 <= start <= end:
        raise record.malformed(
            f"start is {shortened(start)} and end {shortened(end)}, but they count characters from 0, and the end is "
            "not before the start"
        )
    return SystemQuote(record.text("quote"), document_id, (start, end))


def _document(record: Record) -> Document:
    doc_id = record.optional_id("document_id") or record.optional_id("id")
    if doc_id is None:
        raise record.malformed("document_id is missing, but it must name the document")
    return Document(doc_id, record.optional_text("title") or "", record.text("text"))
