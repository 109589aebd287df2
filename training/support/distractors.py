"""Answers to other questions: what a wrong claim is made of."""

from collections.abc import Callable, Sequence
from random import Random

from app.answering.text.answer_match import has_answer
from app.answering.text.normalise import normalise_answer
from retriever.store import DocumentStore
from retriever.text.sentences import sentence_spans
from training.data.group import Group, GroupRecord
from training.support.answering_passage import quote as sentences_of
from training.support.corruption import ValueKind, kind_of, others_of_kind, same, varied
from training.support.kinds import SupportSettings

_NEAR = 5
_TRIES = 4


class OtherAnswers:
    """Knows the answers of many groups, which stand in the order of their documents."""

    def __init__(self, records: Sequence[GroupRecord]) -> None:
        self._records = [record for record in records if record.answers and record.answerable]
        self._places = {record.id: place for place, record in enumerate(self._records)}
        self._of_kind: dict[ValueKind, list[str]] = {kind: [] for kind in ValueKind}
        self._asked: dict[str, list[int]] = {}
        for place, record in enumerate(self._records):
            answer = record.answers[0]
            self._of_kind[kind_of(answer)].append(answer)
            self._asked.setdefault(normalise_answer(answer), []).append(place)

    def instead(
        self, answer: str, answers: Sequence[str], text: str, record: GroupRecord, rng: Random
    ) -> str | None:
        """Another answer of the same kind that shares no words' run with the right ones; None when there is none.

        Taken from ``text``, a question beside the group's, the answer with a change to it, or from anywhere.
        """
        kind = kind_of(answer)
        sources: list[Callable[[], list[str | None]]] = [
            lambda: [*others_of_kind(text, answer, answers)],
            lambda: [other for other in self.near(record) if kind_of(other) is kind],
            lambda: [varied(answer, rng)],
            lambda: [self.of_kind(kind, rng) for _ in range(_TRIES)],
        ]
        rng.shuffle(sources)
        for source in sources:
            found = [
                other
                for other in source()
                if other is not None and not any(same(other, right) for right in (answer, *answers))
            ]
            if found:
                return rng.choice(found)
        return None

    def near(self, record: GroupRecord) -> list[str]:
        """Answers to the questions next to the group's, mostly about the same paragraph; none when it is not known."""
        place = self._places.get(record.id)
        if place is None:
            return []
        around = range(max(0, place - _NEAR), min(len(self._records), place + _NEAR + 1))
        return [self._records[other].answers[0] for other in around if other != place]

    def of_kind(self, kind: ValueKind, rng: Random) -> str | None:
        """Any answer of this kind; None when there is none."""
        answers = self._of_kind[kind]
        return rng.choice(answers) if answers else None

    def with_answer(self, answer: str, record: GroupRecord, rng: Random) -> GroupRecord | None:
        """A group whose different question has this answer from another passage; None when there is none."""
        rows = {row for row, _ in record.rows}
        places = self._asked.get(normalise_answer(answer), [])
        for place in rng.sample(places, min(len(places), 4)):
            found = self._records[place]
            if found.question != record.question and not rows & {row for row, spans in found.rows if spans}:
                return found
        return None

    def any(self, rng: Random) -> GroupRecord | None:
        """Any group; None when there is none."""
        return rng.choice(self._records) if self._records else None


class Elsewhere:
    """Quotes where a group's question is not answered."""

    def __init__(self, store: DocumentStore, others: OtherAnswers, settings: SupportSettings) -> None:
        self._store, self._others, self._settings = store, others, settings

    def quote(
        self, group: Group, answers: tuple[str, ...], rng: Random, *, whole: bool = False
    ) -> tuple[str, str] | None:
        """(title, quote) of a passage that does not answer, one of the group's or any; None when there is none.

        ``whole``: the quote is always the whole passage.
        """
        passages = [labelled.passage for labelled in group.negatives]
        if not passages:
            other = self._others.any(rng)
            passages = (
                [] if other is None else [labelled.passage for labelled in other.group(self._store).positives]
            )
        for passage in rng.sample(passages, min(_TRIES, len(passages))):
            sentences = sentence_spans(passage.text)
            if not sentences:
                continue
            at = rng.randrange(len(sentences))
            last = min(at + 1, len(sentences) - 1) if rng.random() < self._settings.wider else at
            whole_passage = whole or rng.random() < self._settings.whole
            text = passage.text if whole_passage else sentences_of(passage.text, sentences, at, last)
            if not has_answer(text, answers):
                return passage.title, text
        return None
