"""ClapNQ (Rosenthal et al. 2024): questions with a passage and long answers that are grounded in it."""

from collections.abc import Iterator, Sequence

from app.answering.checked_input import GivenDocument
from evaluation.question_sets.form import Form, check_answerable, id_of
from evaluation.question_sets.question import Question, kind_of
from evaluation.question_sets.record import Record, distinct


def _questions(record: Record) -> Iterator[Question]:
    passages, outputs = record.records("passages"), record.records("output")
    if not passages:
        raise record.malformed("passages is empty, but the question is about one")
    answers = distinct(output.possibly_blank("answer") for output in outputs)
    answerable = record.flag("answerable", default=bool(answers))
    check_answerable(record, "answerable", answers, answerable=answerable)
    documents = tuple(
        GivenDocument(passage.text("text"), title=passage.optional_text("title") or "")
        for passage in passages
    )
    selected = _selected(passages, outputs)
    yield Question(
        id=id_of(record),
        question=record.text("input"),
        answers=answers,
        kind=kind_of(answers),
        title=documents[0].title or None,
        long_answer=" ".join(selected) or None,
        documents=documents,
        selected_sentences=selected,
    )


def _selected(passages: Sequence[Record], outputs: Sequence[Record]) -> tuple[str, ...]:
    """The sentences that any annotator marked, in the passage's order, each once."""
    marked = {sentence for output in outputs for sentence in output.optional_texts("selected_sentences")}
    sentences = (sentence for passage in passages for sentence in passage.optional_texts("sentences"))
    return distinct(sentence for sentence in sentences if sentence in marked)


CLAPNQ_FORM = Form("ClapNQ", frozenset({"input", "passages", "output"}), _questions)
