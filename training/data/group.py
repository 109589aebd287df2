"""What the reader learns from: a question with passages, and where its answer stands in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from retriever.store import DocumentStore
from retriever.types import Passage, Span
from training.data.question import Source

GroupRow = tuple[int, tuple[tuple[int, int], ...]]
"""A passage's row in the store, and the (start, end) of its window's characters that answer."""


@dataclass(frozen=True, slots=True)
class LabelledPassage:
    """``answers``: characters of ``passage.window`` that answer the question; none in a negative one."""

    passage: Passage
    answers: tuple[Span, ...]

    @property
    def without_continuation(self) -> "LabelledPassage":
        """The passage alone, with those answers that it holds itself."""
        passage: Passage = replace(self.passage, continuation="")
        return LabelledPassage(passage, tuple(span for span in self.answers if span.end <= len(passage.text)))


def drawn_rows(
    positives: Sequence[GroupRow],
    negatives: Sequence[GroupRow],
    size: int,
    *,
    unanswerable: float,
    rng: Random,
) -> list[GroupRow]:
    """At most ``size`` rows to be read together: one that answers, then some that do not.

    None that answers with probability ``unanswerable``, where there are negative ones.
    """
    silent = bool(negatives) and (rng.random() < unanswerable or not positives)
    drawn = [] if silent else rng.sample(positives, min(len(positives), 1))
    return drawn + rng.sample(negatives, min(len(negatives), size - len(drawn)))


def titled_windows(passages: Iterable[LabelledPassage]) -> list[tuple[str, str]]:
    """Title and window of each, as a reader takes them."""
    return [(labelled.passage.title, labelled.passage.window) for labelled in passages]


@dataclass(frozen=True, slots=True)
class Group:
    """A question with labelled passages, the best positives and the hardest negatives first."""

    id: str
    source: Source
    question: str
    answers: tuple[str, ...]
    passages: tuple[LabelledPassage, ...]

    @property
    def positives(self) -> tuple[LabelledPassage, ...]:
        """The passages that hold an answer."""
        return tuple(labelled for labelled in self.passages if labelled.answers)

    @property
    def negatives(self) -> tuple[LabelledPassage, ...]:
        """The passages that hold none."""
        return tuple(labelled for labelled in self.passages if not labelled.answers)


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group as stored: its passages by their rows in the document store.

    ``rows``: (row, spans of the window that answer), in the group's order.
    """

    id: str
    source: Source
    question: str
    answers: tuple[str, ...]
    rows: tuple[GroupRow, ...]

    @property
    def answerable(self) -> bool:
        """Whether any passage holds an answer."""
        return any(spans for _, spans in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The record as one JSON object."""
        return {
            "id": self.id,
            "source": self.source.value,
            "question": self.question,
            "answers": self.answers,
            "passages": self.rows,
        }

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> "GroupRecord":
        """The inverse of ``as_json``."""
        rows = tuple(
            (int(row), tuple((int(start), int(end)) for start, end in spans))
            for row, spans in record["passages"]
        )
        return cls(record["id"], Source(record["source"]), record["question"], tuple(record["answers"]), rows)

    def group(self, store: DocumentStore) -> Group:
        """The group with the texts of its passages."""
        passages = store.passages([row for row, _ in self.rows])
        return Group(
            self.id,
            self.source,
            self.question,
            self.answers,
            tuple(
                LabelledPassage(passage, tuple(Span(*span) for span in spans))
                for passage, (_, spans) in zip(passages, self.rows, strict=True)
            ),
        )


def record_of(
    group_id: str,
    source: Source,
    question: str,
    answers: Sequence[str],
    passages: Sequence[tuple[int, Sequence[Span]]],
) -> GroupRecord:
    """A record from rows and spans."""
    rows = tuple((row, tuple((span.start, span.end) for span in spans)) for row, spans in passages)
    return GroupRecord(group_id, source, question, tuple(answers), rows)
