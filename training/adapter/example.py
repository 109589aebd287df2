"""A group as a language model sees it once: a prompt with some of its passages, and answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.evidence_model.evidence_input import NO_ANSWER, EvidenceInput, EvidenceTokenizer
from app.answering.limits import EVIDENCE_TOKENS
from app.answering.text.answer_match import answer_spans
from app.answering.text.answer_score import exact_match, f1
from app.answering.text.normalise import normalise_answer
from retriever.store import DocumentStore
from retriever.text.sentences import sentence_spans
from retriever.types import Span
from training.data.group import GroupRecord, GroupRow, LabelledPassage, drawn_rows, titled_windows


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How a group is shown to the language model, and which answers to it are judged."""

    passages: tuple[float, ...] = (0.35, 0.65)
    """How often one passage is shown, two passages, and so on: a weight for each number."""
    unanswerable: float = 0.12
    """The share of groups that are shown without a passage that answers."""
    quoted: float = 0.1
    """The share answered in GopherCite's syntax, with the sentence that holds the answer and no other answer beside."""
    alone: float = 0.8
    """The share of single passages that are shown without their continuation. Several passages always are."""
    hardest: int = 5
    """Negatives are drawn from so many of the hardest, both those shown and those hidden."""
    spans: int = 3
    """So many of the reader's answers are judged from each passage that is shown."""
    hidden: int = 3
    """The reader's best answer is judged, too, from at most so many passages that are not shown."""
    evidence_tokens: int = EVIDENCE_TOKENS
    """So many tokens of each window are read, from its beginning."""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer to a prompt, with what the citation head should make of it."""

    ids: tuple[int, ...]
    """Its tokens after the prompt, the stop last."""
    pairs: tuple[tuple[int, int], ...] | None
    """The first and last evidence token of each occurrence; empty when nothing backs it, None when it is not asked."""
    right: float | None
    """How right it is, 0-1; None when that is not asked."""


@dataclass(frozen=True, slots=True)
class EvidenceExample:
    """``prompt``, and ``answers`` to it, of which the first is learnt to be written."""

    prompt: EvidenceInput
    answers: tuple[ShownAnswer, ...]

    @property
    def tokens(self) -> int:
        """How many tokens prompt and answers have together."""
        return len(self.prompt.ids) + sum(len(answer.ids) for answer in self.answers)


def evidence_example(
    record: GroupRecord,
    store: DocumentStore,
    tokenizer: EvidenceTokenizer,
    settings: EvidenceSettings,
    reader: ReaderModel,
    rng: Random,
) -> EvidenceExample:
    """The group as it is shown once.

    ``reader``: whose answers are judged. It reads the passages shown and hidden with their continuations, as when
    serving.
    """
    shown, hidden = _drawn_rows(record, settings, rng)
    passages = replace(record, rows=(*shown, *hidden)).group(store).passages
    read = _cut(passages[: len(shown)], settings.alone, rng)
    prompt = tokenizer.input(record.question, titled_windows(read))
    standing = _standing(prompt, read)
    if standing and rng.random() < settings.quoted:
        example = _quoting(record.question, read, prompt, standing[0], tokenizer)
        if example is not None:
            return example
    written = standing[0].text if standing else NO_ANSWER
    first = ShownAnswer(
        tuple(tokenizer.answer(written)),
        tuple(answer.pair for answer in standing),
        1.0 if standing else None,
    )
    windows = titled_windows(passages)
    spans = [settings.spans] * len(shown) + [1] * len(hidden)
    others = best_answers(reader.judge(record.question, windows), windows, spans, besides=written)
    judged = [_judged(answer, record.answers, prompt, tokenizer) for answer in others]
    return EvidenceExample(prompt, (first, *judged))


def _drawn_rows(
    record: GroupRecord, settings: EvidenceSettings, rng: Random
) -> tuple[list[GroupRow], list[GroupRow]]:
    """The rows that are shown, in their order, and those hidden, whose answers are judged all the same."""
    positives = [row for row in record.rows if row[1]]
    negatives = [row for row in record.rows if not row[1]][: settings.hardest]
    size = rng.choices(range(1, len(settings.passages) + 1), settings.passages)[0]
    shown = drawn_rows(positives, negatives, size, unanswerable=settings.unanswerable, rng=rng)
    others = [row for row in (*positives, *negatives) if row not in shown]
    hidden = rng.sample(others, min(len(others), settings.hidden))
    rng.shuffle(shown)
    return shown, hidden


class _Standing(NamedTuple):
    """A labelled answer where it stands in what was read."""

    passage: int
    """The number of its passage in the prompt."""
    span: Span
    """Its characters in that passage's window."""
    text: str
    """The characters themselves."""
    pair: tuple[int, int]
    """Its first and last evidence token."""


def _standing(prompt: EvidenceInput, passages: Sequence[LabelledPassage]) -> list[_Standing]:
    """The labelled answers that the prompt holds whole."""
    return [
        _Standing(number, span, span.of(labelled.passage.window), pair)
        for number, labelled in enumerate(passages)
        for span in labelled.answers
        if (pair := prompt.tokens(number, span)) is not None
    ]


def _quoting(
    question: str,
    passages: Sequence[LabelledPassage],
    prompt: EvidenceInput,
    answer: _Standing,
    tokenizer: EvidenceTokenizer,
) -> EvidenceExample | None:
    """The answer in GopherCite's syntax, with its sentence; None when not all of the sentence was read."""
    sentence = _sentence(prompt, answer.passage, answer.span)
    if sentence is None:
        return None
    asking = tokenizer.input(question, titled_windows(passages), quoted=True)
    tokens = tokenizer.quoted_answer(answer.text, asking, *sentence)
    return EvidenceExample(asking, (ShownAnswer(tuple(tokens), None, None),))


def best_answers(
    judgements: Sequence[Judgement],
    windows: Sequence[tuple[str, str]],
    spans: Sequence[int],
    *,
    besides: str = "",
) -> list[str]:
    """The reader's best answers from each (title, window), at most so many as ``spans`` says of it.

    Likeliest first, each once, and not ``besides``.
    """
    found = [
        (probability, span.of(window))
        for judgement, (_, window), count in zip(judgements, windows, spans, strict=True)
        for span, probability in judgement.spans[:count]
    ]
    found.sort(key=lambda pair: -pair[0])
    different: dict[str, str] = {}
    for _, answer in found:
        different.setdefault(normalise_answer(answer), answer)
    return [answer for key, answer in different.items() if key not in ("", normalise_answer(besides))]


def _judged(
    answer: str, known: Sequence[str], prompt: EvidenceInput, tokenizer: EvidenceTokenizer
) -> ShownAnswer:
    """A known answer: right, pointing at where it stands. None of a known one's words: wrong, pointing at nothing.
    Else as right as its F1, and where it points is not asked.
    """
    ids = tuple(tokenizer.answer(answer))
    if exact_match(answer, known):
        return ShownAnswer(ids, _occurrences(answer, prompt), 1.0)
    right = f1(answer, known)
    return ShownAnswer(ids, None if right else (), right)


def _occurrences(answer: str, prompt: EvidenceInput) -> tuple[tuple[int, int], ...] | None:
    """Where a right answer stands in what was read, as whole words; None when nowhere."""
    found = [
        prompt.tokens(number, span)
        for number, window in enumerate(prompt.windows)
        for span in answer_spans(window, [answer])
    ]
    return tuple(pair for pair in found if pair is not None) or None


def _sentence(prompt: EvidenceInput, passage: int, answer: Span) -> tuple[int, int] | None:
    """The evidence tokens of the sentence that holds the answer; None when not all of it was read."""
    for span in sentence_spans(prompt.windows[passage]):
        if span.start <= answer.start and answer.end <= span.end:
            return prompt.tokens(passage, span)
    return None


def _cut(passages: Sequence[LabelledPassage], alone: float, rng: Random) -> list[LabelledPassage]:
    """The passages without their continuations, when there are several or by chance; never without the answer."""
    if len(passages) == 1 and rng.random() >= alone:
        return list(passages)
    return [
        labelled
        if labelled.answers and not labelled.without_continuation.answers
        else labelled.without_continuation
        for labelled in passages
    ]
