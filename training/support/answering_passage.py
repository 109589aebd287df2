"""A passage that answers, cut into sentences: what quotes are taken from."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from app.answering.text.answer_match import WordIndex, has_answer
from retriever.text.sentences import sentence_spans
from retriever.types import Span
from training.data.group import Group, GroupRecord, LabelledPassage

_LEAST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class AnsweringPassage:
    """A passage that answers, with its question."""

    question: str
    answer: str
    """The answer as it stands in the passage."""
    answers: tuple[str, ...]
    """Every wording that counts as right."""
    title: str
    text: str
    place: Span
    """Where the answer stands in ``text``."""
    sentences: tuple[Span, ...]
    """The sentences of ``text``."""
    at: int
    """The number of the sentence that holds the answer."""

    def sentence(self, number: int) -> str:
        """A sentence's characters."""
        return self.sentences[number].of(self.text)

    @property
    def place_in_sentence(self) -> Span:
        """Where the answer stands in its sentence."""
        return self.place.shifted(-self.sentences[self.at].start)

    @property
    def neighbours(self) -> list[int]:
        """The sentences before and after the one with the answer."""
        return [number for number in (self.at - 1, self.at + 1) if 0 <= number < len(self.sentences)]

    def silent(self) -> list[int]:
        """The sentences that hold no answer, the neighbours first."""
        silent = (
            number
            for number in range(len(self.sentences))
            if number != self.at and not has_answer(self.sentence(number), self.answers)
        )
        return sorted(silent, key=lambda number: (abs(number - self.at), number))


def answering_passage_of(group: Group, rng: Random, *, asked: float) -> AnsweringPassage | None:
    """The group's passage that answers, or one of several; None when no sentence holds the answer whole.

    ``asked``: the share of the question's longer words that title and sentence must hold where nobody marked
    the answer (NQ, TriviaQA), so that a chance match of the answer is less likely to be shown as support.
    """
    marked = group.source.marked
    positives = group.positives[:1] if marked else rng.sample(group.positives, len(group.positives))
    for labelled in positives:
        passage = _answering_passage(group, labelled)
        if passage is not None and (marked or _share_asked(passage) >= asked):
            return passage
    return None


def quote(text: str, sentences: Sequence[Span], first: int, last: int) -> str:
    """From one sentence to another, both included."""
    return text[sentences[min(first, last)].start : sentences[max(first, last)].end]


def _answering_passage(group: Group, labelled: LabelledPassage) -> AnsweringPassage | None:
    alone = labelled.without_continuation
    chosen = alone if alone.answers else labelled
    text, place = chosen.passage.window, chosen.answers[0]
    sentences = tuple(sentence_spans(text))
    for at, span in enumerate(sentences):
        if span.start <= place.start and place.end <= span.end:
            answer = place.of(text)
            return AnsweringPassage(
                question=group.question,
                answer=answer,
                answers=(answer, *group.answers),
                title=chosen.passage.title,
                text=text,
                place=place,
                sentences=sentences,
                at=at,
            )
    return None


def _share_asked(passage: AnsweringPassage) -> float:
    words = [word for word in WordIndex.of(passage.question).joined.split() if len(word) >= _LEAST_LETTERS]
    told = WordIndex.of(f"{passage.title} {passage.sentence(passage.at)}").joined.split()
    return sum(word in told for word in words) / max(1, len(words))


class Case(NamedTuple):
    """``passage``: the passage that answers, and the question with it."""

    record: GroupRecord
    group: Group
    passage: AnsweringPassage
