"""The project's own form: the fields of Question, one object a line."""

from collections.abc import Iterator

from app.answering.checked_input import GivenDocument
from evaluation.question_sets.form import Form, check_answerable, id_of
from evaluation.question_sets.question import ANSWERABLE, UNANSWERABLE, Question, kind_of
from evaluation.question_sets.record import Record


def _questions(record: Record) -> Iterator[Question]:
    answers = record.texts("answers")
    kind = record.optional_text("kind") or kind_of(answers)
    if kind in (ANSWERABLE, UNANSWERABLE):
        check_answerable(record, "kind", answers, answerable=kind == ANSWERABLE)
    yield Question(
        id=id_of(record),
        question=record.text("question"),
        answers=answers,
        kind=kind,
        title=record.optional_text("title") or record.optional_text("gold_title"),
        gold_document_id=record.optional_id("gold_document_id"),
        long_answer=record.optional_text("long_answer"),
        wrong_answers=record.optional_texts("wrong_answers"),
        documents=tuple(map(_document, record.records("documents"))) if record.has("documents") else (),
        selected_sentences=record.optional_texts("selected_sentences"),
    )


def _document(record: Record) -> GivenDocument:
    return GivenDocument(
        text=record.text("text"),
        document_id=record.optional_id("document_id"),
        title=record.optional_text("title") or "",
        url=record.optional_text("url"),
    )


OWN_FORM = Form("Loccit's own", frozenset({"question", "answers"}), _questions)
