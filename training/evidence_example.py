"""A group as a language model sees it once: a prompt with some of its passages, and the answer to write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from app.answering.evidence_input import NO_ANSWER, EvidenceInput, EvidenceTokenizer
from retriever.sentences import sentence_spans
from retriever.store import DocumentStore
from retriever.types import Span
from training.group import GroupRecord, LabelledPassage


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How a group is shown.

    ``passages``: weights of one, two, three ... passages. ``unanswerable``: the share shown without a positive.
    ``wrong``: the share whose answer is another one: the citation head learns to point at nothing, and the
    language model learns nothing. ``quoted``: the share answered in GopherCite's syntax, with the sentence that
    holds the answer. ``alone``: the share of single passages shown without their continuation;
    several always are.
    """

    passages: tuple[float, ...] = (0.6, 0.4)
    unanswerable: float = 0.12
    wrong: float = 0.08
    quoted: float = 0.12
    alone: float = 0.8
    evidence_tokens: int = 256


@dataclass(frozen=True, slots=True)
class EvidenceExample:
    """``prompt``, and ``answer``: the tokens after it, the stop last.

    ``pairs``: evidence tokens (first, last) of the answer's occurrences; none when nothing backs it. None when
    the citation head is not asked.
    ``learnt``: whether the language model learns to write it.
    """

    prompt: EvidenceInput
    answer: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] | None
    learnt: bool

    @property
    def tokens(self) -> int:
        """Of prompt and answer together."""
        return len(self.prompt.ids) + len(self.answer)


def evidence_example(
    record: GroupRecord,
    store: DocumentStore,
    tokenizer: EvidenceTokenizer,
    settings: EvidenceSettings,
    others: Sequence[str],
    rng: Random,
) -> EvidenceExample:
    """``others``: answers to other questions, from which a wrong one is drawn."""
    positives = [row for row in record.rows if row[1]]
    negatives = [row for row in record.rows if not row[1]]
    size = rng.choices(range(1, len(settings.passages) + 1), settings.passages)[0]
    if negatives and (rng.random() < settings.unanswerable or not positives):
        positives = []
    shown = rng.sample(positives, min(len(positives), 1))
    shown += rng.sample(negatives, min(len(negatives), size - len(shown)))
    rng.shuffle(shown)
    passages = _cut(replace(record, rows=tuple(shown)).group(store).passages, settings.alone, rng)
    windows = [(one.passage.title, one.passage.window) for one in passages]
    prompt = tokenizer.input(record.question, windows)
    read = [
        (number, span, span.of(one.passage.window), pair)
        for number, one in enumerate(passages)
        for span in one.answers
        if (pair := prompt.tokens(number, span)) is not None
    ]
    if not read:
        return EvidenceExample(prompt, tuple(tokenizer.answer(NO_ANSWER)), (), learnt=True)
    answer, kind = read[0][2], rng.random()
    if kind < settings.wrong:
        wrong = _wrong(answer, prompt, others, rng)
        return EvidenceExample(prompt, tuple(tokenizer.answer(wrong)), (), learnt=False)
    if kind < settings.wrong + settings.quoted:
        number, span, _, _ = read[0]
        sentence = _sentence(prompt, number, span)
        if sentence is not None:
            prompt = tokenizer.input(record.question, windows, quoted=True)
            tokens = tokenizer.quoted_answer(answer, prompt, *sentence)
            return EvidenceExample(prompt, tuple(tokens), None, learnt=True)
    return EvidenceExample(
        prompt, tuple(tokenizer.answer(answer)), tuple(pair for *_, pair in read), learnt=True
    )


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


def _wrong(answer: str, prompt: EvidenceInput, others: Sequence[str], rng: Random) -> str:
    """Other words of the passage that shows the answer, or the answer to another question."""
    if rng.random() < 0.5:
        return rng.choice(others)
    words = rng.choice(prompt.windows).split()
    first = rng.randrange(len(words))
    taken = " ".join(words[first : first + len(answer.split())])
    return rng.choice(others) if answer in taken or taken in answer else taken
