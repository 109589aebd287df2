"""A group as a language model sees it once: a prompt with some of its passages, and answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from app.answering.cross_encoders.reader_model import Judgement
from app.answering.evidence_model.evidence_input import NO_ANSWER, EvidenceInput, EvidenceTokenizer
from app.answering.text.answer_match import answer_spans
from app.answering.text.answer_score import exact_match, f1
from app.answering.text.normalise import normalise_answer
from retriever.sentences import sentence_spans
from retriever.store import DocumentStore
from retriever.types import Span
from training.data.group import GroupRecord, LabelledPassage, titled_windows


class PassageReader(Protocol):
    """A reader: what it finds in passages."""

    def judge(self, question: str, passages: Sequence[tuple[str, str]]) -> list[Judgement]:
        """One judgement for each (title, window), in their order."""


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How a group is shown.

    ``passages``: weights of one, two, three ... passages. ``unanswerable``: the share shown without a positive.
    ``quoted``: the share answered in GopherCite's syntax, with the sentence that holds the answer, beside which
    no other answer is shown. ``alone``: the share of single passages shown without their continuation; several
    always are. ``hardest``: of how many of the hardest negatives those shown and hidden are drawn.
    ``spans``: of each passage shown, how many of the reader's answers are judged. ``hidden``: of how many passages at
    most the best answer is judged too without being shown.
    """

    passages: tuple[float, ...] = (0.35, 0.65)
    unanswerable: float = 0.12
    quoted: float = 0.1
    alone: float = 0.8
    hardest: int = 5
    spans: int = 3
    hidden: int = 3
    evidence_tokens: int = 256


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """``ids``: the tokens after the prompt, the stop last.

    ``pairs``: evidence tokens (first, last) of the answer's occurrences; empty when nothing backs it. None when
    the citation head is not asked. ``right``: how right it is, 0-1; None when that is not asked.
    """

    ids: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] | None
    right: float | None


@dataclass(frozen=True, slots=True)
class EvidenceExample:
    """``prompt``, and ``answers`` to it, of which the first is learnt to be written."""

    prompt: EvidenceInput
    answers: tuple[ShownAnswer, ...]

    @property
    def tokens(self) -> int:
        """Of prompt and answers together."""
        return len(self.prompt.ids) + sum(len(one.ids) for one in self.answers)


def evidence_example(
    record: GroupRecord,
    store: DocumentStore,
    tokenizer: EvidenceTokenizer,
    settings: EvidenceSettings,
    reader: PassageReader,
    rng: Random,
) -> EvidenceExample:
    """The group as it is shown once.

    ``reader``: whose answers are judged. It reads the passages shown and hidden with their continuations, as when
    serving.
    """
    positives = [row for row in record.rows if row[1]]
    negatives = [row for row in record.rows if not row[1]][: settings.hardest]
    size = rng.choices(range(1, len(settings.passages) + 1), settings.passages)[0]
    silent = bool(negatives) and (rng.random() < settings.unanswerable or not positives)
    shown = [] if silent else rng.sample(positives, min(len(positives), 1))
    shown += rng.sample(negatives, min(len(negatives), size - len(shown)))
    others = [row for row in (*positives, *negatives) if row not in shown]
    hidden = rng.sample(others, min(len(others), settings.hidden))
    rng.shuffle(shown)
    whole = replace(record, rows=tuple(shown + hidden)).group(store).passages
    passages = _cut(whole[: len(shown)], settings.alone, rng)
    windows = titled_windows(passages)
    prompt = tokenizer.input(record.question, windows)
    read = [
        (number, span, span.of(one.passage.window), pair)
        for number, one in enumerate(passages)
        for span in one.answers
        if (pair := prompt.tokens(number, span)) is not None
    ]
    if read and rng.random() < settings.quoted:
        number, span, answer, _ = read[0]
        sentence = _sentence(prompt, number, span)
        if sentence is not None:
            prompt = tokenizer.input(record.question, windows, quoted=True)
            tokens = tokenizer.quoted_answer(answer, prompt, *sentence)
            return EvidenceExample(prompt, (ShownAnswer(tuple(tokens), None, None),))
    if read:
        written = read[0][2]
        pairs = tuple(pair for *_, pair in read)
        first = ShownAnswer(tuple(tokenizer.answer(written)), pairs, 1.0)
    else:
        written = NO_ANSWER
        first = ShownAnswer(tuple(tokenizer.answer(written)), (), None)
    looked_at = titled_windows(whole)
    spans = [settings.spans] * len(shown) + [1] * len(hidden)
    found = best_answers(reader.judge(record.question, looked_at), looked_at, spans, besides=written)
    judged = [_judged(one, record.answers, prompt, tokenizer) for one in found]
    return EvidenceExample(prompt, (first, *judged))


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
    found.sort(key=lambda one: -one[0])
    different: dict[str, str] = {}
    for _, answer in found:
        different.setdefault(normalise_answer(answer), answer)
    return [one for key, one in different.items() if key not in ("", normalise_answer(besides))]


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
        one if one.answers and not one.without_continuation.answers else one.without_continuation
        for one in passages
    ]
