"""SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018): questions about one paragraph each."""

from collections.abc import Iterator

from app.answering.checked_input import GivenDocument
from evaluation.question_sets.form import Form, check_answerable, id_of
from evaluation.question_sets.question import Question, kind_of
from evaluation.question_sets.record import Record, distinct


def _of_published(record: Record) -> Iterator[Question]:
    for article in record.records("data"):
        title = article.text("title").replace("_", " ")
        for paragraph in article.records("paragraphs"):
            given = GivenDocument(paragraph.text("context"), title=title)
            for asked in paragraph.records("qas"):
                yield _question(asked, asked.text("id"), given)


def _of_line(record: Record) -> Iterator[Question]:
    given = GivenDocument(record.text("context"), title=record.optional_text("title") or "")
    yield _question(record, id_of(record), given)


def _question(record: Record, question_id: str, given: GivenDocument) -> Question:
    answers = distinct(answer.text("text") for answer in record.records("answers"))
    impossible = record.flag("is_impossible", default=False)
    check_answerable(record, "is_impossible", answers, answerable=not impossible)
    return Question(
        id=question_id,
        question=record.text("question"),
        answers=answers,
        kind=kind_of(answers),
        title=given.title or None,
        documents=(given,),
    )


SQUAD_FORM = Form("SQuAD", frozenset({"context", "question", "answers"}), _of_line)
SQUAD_PUBLISHED_FORM = Form("SQuAD as published", frozenset({"data"}), _of_published)
