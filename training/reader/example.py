"""A group as the model sees it once: some of its passages, tokenised, with the answers' tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from app.answering.cross_encoders.reader_input import ReaderInput, ReaderTokenizer
from retriever.types import Span
from training.data.group import Group, GroupRecord, titled_windows


@dataclass(frozen=True, slots=True)
class PresentationSettings:
    """How a group is shown."""

    squad_passages: int = 2
    """So many passages of a SQuAD or QED group are shown."""
    squad_alone: float = 0.5
    """The share of SQuAD and QED groups of which one passage is shown, so that time goes to answers."""
    distant_passages: int = 4
    """So many passages of an NQ or TriviaQA group are shown."""
    unanswerable: float = 0.1
    """The share of groups that are shown without their positives; at 0 none is."""
    without_continuation: float = 0.3
    """The share of groups whose passages are shown alone, as inserted documents are."""


@dataclass(frozen=True, slots=True)
class Example:
    """``inputs``: one sequence per passage. ``answers``: for each, (first, last) of its tokens, both included."""

    inputs: tuple[ReaderInput, ...]
    answers: tuple[tuple[tuple[int, int], ...], ...]


def chosen(record: GroupRecord, settings: PresentationSettings, rng: Random) -> GroupRecord:
    """The group with the passages that are shown this time: a positive or two, and negatives."""
    positives = [row for row in record.rows if row[1]]
    negatives = [row for row in record.rows if not row[1]]
    alone = 1 if rng.random() < settings.squad_alone else settings.squad_passages
    marked = record.source.marked
    size = alone if marked else settings.distant_passages
    if rng.random() < settings.unanswerable and negatives:
        positives = []
    shown = rng.sample(positives, min(len(positives), 1 if marked else rng.choice((1, 2))))
    shown += rng.sample(negatives, min(len(negatives), max(0, size - len(shown))))
    return replace(record, rows=tuple(shown))


def example(group: Group, tokenizer: ReaderTokenizer, settings: PresentationSettings, rng: Random) -> Example:
    """The group's passages as sequences. An answer that the sequence is too short for does not count."""
    passages = group.passages
    if rng.random() < settings.without_continuation:
        alone = tuple(labelled.without_continuation for labelled in passages)
        if any(labelled.answers for labelled in alone) or not group.positives:
            passages = alone
    inputs = tokenizer.inputs(group.question, titled_windows(passages))
    answers = tuple(
        _tokens(sequence, labelled.answers) for sequence, labelled in zip(inputs, passages, strict=True)
    )
    return Example(tuple(inputs), answers)


def _tokens(sequence: ReaderInput, answers: Sequence[Span]) -> tuple[tuple[int, int], ...]:
    found = (sequence.tokens(span) for span in answers)
    return tuple((sequence.first + tokens[0], sequence.first + tokens[1]) for tokens in found if tokens)
