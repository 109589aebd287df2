"""The question of an evaluation."""

from dataclasses import dataclass

from app.answering.accepted import GivenDocument

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


def kind_of(answers: tuple[str, ...]) -> str:
    """The kind of a question whose set gives none: unanswerable where there is no answer."""
    return ANSWERABLE if answers else UNANSWERABLE
