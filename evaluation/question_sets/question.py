"""The question of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from app.answering.checked_input import GivenDocument

ANSWERABLE = "answerable"
UNANSWERABLE = "unanswerable"
ADDED_FIELDS = frozenset({"selected_sentences"})
"""Fields of a question that predictions and digests of before do not have."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and what would be right.

    ``answers`` is empty where abstaining is right; ``kind`` says why or what sort it is.
    ``title``: the article that answers. ``gold_document_id``: the document of the index that answers.
    ``long_answer``: the text that an annotator marked as backing the answer.
    ``selected_sentences``: where the answers are long ones, the sentences of the gold document that annotators chose
    for them, in its order, as they stand in it.
    ``wrong_answers``: what a misled answerer says (TruthfulQA).
    ``documents``: answer from these alone (single-document mode: SQuAD, ClapNQ), not from an index.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    kind: str = ANSWERABLE
    title: str | None = None
    gold_document_id: str | None = None
    long_answer: str | None = None
    wrong_answers: tuple[str, ...] = ()
    documents: tuple[GivenDocument, ...] = ()
    selected_sentences: tuple[str, ...] = ()


class GivenDocumentJson(TypedDict):
    """A document that comes with a question, as prediction files keep it."""

    text: str
    document_id: str | None
    title: str
    url: str | None


class QuestionJson(TypedDict):
    """A question as prediction files keep it."""

    id: str
    question: str
    answers: Sequence[str]
    kind: str
    title: str | None
    gold_document_id: str | None
    long_answer: str | None
    wrong_answers: Sequence[str]
    documents: Sequence[GivenDocumentJson]
    selected_sentences: Sequence[str]


def question_as_json(question: Question) -> QuestionJson:
    """The question with all its fields."""
    return {
        "id": question.id,
        "question": question.question,
        "answers": list(question.answers),
        "kind": question.kind,
        "title": question.title,
        "gold_document_id": question.gold_document_id,
        "long_answer": question.long_answer,
        "wrong_answers": list(question.wrong_answers),
        "documents": [_document_as_json(document) for document in question.documents],
        "selected_sentences": list(question.selected_sentences),
    }


def _document_as_json(document: GivenDocument) -> GivenDocumentJson:
    return {
        "text": document.text,
        "document_id": document.document_id,
        "title": document.title,
        "url": document.url,
    }


def kind_of(answers: tuple[str, ...]) -> str:
    """The kind of a question whose set gives none: unanswerable where there is no answer."""
    return ANSWERABLE if answers else UNANSWERABLE
