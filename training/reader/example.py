"""A group as the model sees it once: some of its passages, tokenised, with the answers' tokens."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.reader_input import ReaderInput, ReaderTokenizer
from retriever.text.sentences import sentence_spans
from retriever.types import Span
from training.data.evidence import EvidenceGroup
from training.data.group import Group, GroupRecord, LabelledPassage, titled_windows

BESIDE = 0.4
"""The share of groups with evidence that are shown with a passage of the same text that does not answer."""
MISSES_BESIDE = 2
"""Passages that were found and do not answer, which are shown with one of a manual: three are read together."""
SILENT = 0.12
"""The share of the groups of manuals that are shown without what answers."""


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


TokenRange = tuple[int, int]
"""First and last token of a sequence, both included."""


@dataclass(frozen=True, slots=True)
class Example:
    """``inputs``: one sequence per passage; the other tuples have as many items.

    ``answers``: tokens that are a short answer. ``answerable``: whether the passage answers. ``pointed``: whether
    the pointer learns from it; where no short answer is known it cannot. ``sentences``: tokens of each sentence with
    whether it is evidence; none where nobody knows. ``verdict``: whether the passages say yes, where that was asked.
    """

    inputs: tuple[ReaderInput, ...]
    answers: tuple[tuple[TokenRange, ...], ...]
    answerable: tuple[bool, ...]
    sentences: tuple[tuple[tuple[TokenRange, bool], ...], ...]
    kind: AnswerKind
    pointed: bool = True
    verdict: bool | None = None


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
    return Example(
        tuple(inputs),
        answers,
        answerable=tuple(map(bool, answers)),
        sentences=tuple(
            _sentences(sequence, labelled) if group.source.marked else ()
            for sequence, labelled in zip(inputs, passages, strict=True)
        ),
        kind=AnswerKind.SHORT,
    )


def evidence_example(group: EvidenceGroup, tokenizer: ReaderTokenizer, rng: Random) -> Example:
    """One passage of the group with others that do not answer, as sequences.

    Where an index was searched two others stand beside it, elsewhere sometimes one.
    """
    positives = [passage for passage in group.passages if passage.answers_question]
    negatives = [passage for passage in group.passages if not passage.answers_question]
    if group.searched:
        silent = rng.random() < SILENT and negatives
        shown = [] if silent or not positives else [rng.choice(positives)]
        shown += rng.sample(negatives, min(len(negatives), MISSES_BESIDE + (not shown)))
    else:
        shown = [rng.choice(positives)] if positives else []
        if negatives and (not shown or rng.random() < BESIDE):
            shown.append(rng.choice(negatives))
    inputs = tokenizer.inputs(group.question, [(passage.title, passage.window) for passage in shown])
    answers = tuple(
        _tokens(sequence, passage.answers) for sequence, passage in zip(inputs, shown, strict=True)
    )
    return Example(
        tuple(inputs),
        answers,
        answerable=tuple(passage.answers_question for passage in shown),
        sentences=tuple(
            _labelled(sequence, passage.sentences or ())
            for sequence, passage in zip(inputs, shown, strict=True)
        ),
        kind=group.kind,
        pointed=any(answers) or not any(passage.answers_question for passage in shown),
        verdict=group.verdict,
    )


def _tokens(sequence: ReaderInput, answers: Iterable[Span]) -> tuple[TokenRange, ...]:
    found = (sequence.tokens(span) for span in answers)
    return tuple((sequence.first + tokens[0], sequence.first + tokens[1]) for tokens in found if tokens)


def _sentences(sequence: ReaderInput, labelled: LabelledPassage) -> tuple[tuple[TokenRange, bool], ...]:
    """Those sentences are evidence that hold a marked answer."""
    spans = sentence_spans(sequence.window)
    return _labelled(
        sequence, ((span, any(answer.touches(span) for answer in labelled.answers)) for span in spans)
    )


def _labelled(
    sequence: ReaderInput, sentences: Iterable[tuple[Span, bool]]
) -> tuple[tuple[TokenRange, bool], ...]:
    """The sentences that the sequence holds whole."""
    return tuple(
        (tokens, is_evidence) for span, is_evidence in sentences for tokens in _tokens(sequence, [span])
    )
