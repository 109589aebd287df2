"""Answers from readings: written by a language model, taken from the reader, or both."""

import math
from collections.abc import Sequence
from typing import Protocol

from app.answering.answer_kind import AnswerKind
from app.answering.broad_answers import broad_candidates
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.language_models.protocol import Completion, LanguageModel
from app.answering.limits import EVIDENCE_TOKENS, QUESTION_TOKENS, TITLE_TOKENS
from app.answering.text.identity import answer_identity
from app.answering.types import Candidate, CandidateSource, Reading, ScoredSpan
from common.deadline import Deadline
from retriever.text.folding import fold, shown
from retriever.types import Passage

ANSWER_TOKENS = 32
TEMPERATURE = 0.7
SPANS_EXTRACTED = (3, 3, 1, 1, 1)
"""How many of the reader's spans are answers: of the best passage, of the second, and so on."""
LEAST_SCORE = 1e-9  # keeps the logarithm finite
QUOTE_MARKS = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"))


class Generator(Protocol):
    """Writes candidates, each from a single passage (GopherCite, section 2.3: one document per sample).

    A generator that looks further passages up while it writes, as RETRO does, is made with the retriever: see
    ``Writing`` in ``app.service.generation``.
    """

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        """``n`` at most are written by a language model.

        ``readings``: best first. ``kind``: of the answer; another than a short one is asked for only where a reading
        is ``broad``. ``deadline``: when it is over, what there is by then is handed over.
        """


class LMGenerator:
    """The language model reads one passage at a time, as the prompt shows it, and writes a short answer.

    ``evidence_tokens``: how much of a passage's window it reads, from the beginning. ``temperature``: of the
    further samples that are drawn when more candidates are wanted than there are passages.
    """

    def __init__(
        self,
        lm: LanguageModel,
        *,
        evidence_tokens: int = EVIDENCE_TOKENS,
        max_answer_tokens: int = ANSWER_TOKENS,
        temperature: float = TEMPERATURE,
    ) -> None:
        self._lm = lm
        self._evidence_tokens = evidence_tokens
        self._max_answer_tokens = max_answer_tokens
        self._temperature = temperature
        self._prefix = prompt.prefix()

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,  # noqa: ARG002 - it writes short answers alone
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        """The best ``n`` passages' greedy answers; when ``n`` exceeds them, rounds of sampled ones follow.

        A passage whose answer is empty, cut off or "not in the passage" gives no candidate.
        """
        passages = [reading.hit.passage for reading in readings[:n]]
        if not passages:
            return []
        prompts = [self._prompt(question, passage) for passage in passages]
        candidates: list[Candidate] = []
        for sample in range(math.ceil(n / len(passages))):
            written = self._lm.complete(
                self._prefix,
                prompts[: n - sample * len(passages)],
                max_tokens=self._max_answer_tokens,
                stop=prompt.STOP,
                temperature=self._temperature if sample else 0.0,
                seed=seed + sample,
                deadline=deadline,
            )
            candidates += _candidates(passages, written, sample)
        return candidates

    def _prompt(self, question: str, passage: Passage) -> str:
        head = self._lm.head
        return prompt.prompt(
            head(fold(passage.heading).text, max_tokens=TITLE_TOKENS),
            head(fold(passage.window).text, max_tokens=self._evidence_tokens),
            head(fold(question).text, max_tokens=QUESTION_TOKENS),
        )


class ReaderGenerator:
    """The reader alone: its best spans in the best passages are answers, their scores the probability.

    ``spans``: how many of the best passage, of the second, and so on.
    """

    def __init__(self, *, spans: Sequence[int] = SPANS_EXTRACTED) -> None:
        self._spans = tuple(spans)

    def generate(
        self,
        question: str,  # noqa: ARG002
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,  # noqa: ARG002 - the language model's number alone
        seed: int,  # noqa: ARG002
        deadline: Deadline,  # noqa: ARG002
    ) -> list[Candidate]:
        """Passage by passage, each one's best span first; for another kind of answer, see ``broad_candidates``."""
        if kind is not AnswerKind.SHORT:
            return broad_candidates(kind, readings)
        return [
            _extracted(reading, span)
            for reading, count in zip(readings, self._spans, strict=False)
            for span in reading.spans[:count]
        ]


class JointGenerator:
    """Reader and language model each propose answers, the reader's first; ``n`` of them the language model's.

    Where more than a few words are asked for, the reader answers alone.
    """

    def __init__(self, reader: ReaderGenerator, lm: LMGenerator) -> None:
        self._reader, self._lm = reader, lm

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        found = self._reader.generate(question, readings, kind=kind, n=n, seed=seed, deadline=deadline)
        if kind is not AnswerKind.SHORT:
            return found
        return [*found, *self._lm.generate(question, readings, n=n, seed=seed, deadline=deadline)]


def tidied(answer: str) -> str:
    """The answer without outer white space, one final full stop and the quotation marks around it.

    The full stop of an abbreviation (``U.S.``) or of an ellipsis stays.
    """
    answer = answer.strip()
    if answer.endswith(".") and "." not in answer.split()[-1][:-1]:
        answer = answer[:-1].rstrip()
    for opening, closing in QUOTE_MARKS:
        inner = answer[1:-1]
        if len(answer) > 1 and answer[0] == opening and answer[-1] == closing and closing not in inner:
            return inner.strip()
    return answer


def written_candidate(passage: Passage, completion: Completion, *, sample: int = 0) -> Candidate:
    """What a language model wrote, as an answer from this passage."""
    return Candidate(
        answer=tidied(completion.text),
        passage=passage,
        source=CandidateSource.LM,
        logprob=0.0 if completion.logprob is None else completion.logprob,
        tokens=0 if completion.logprob is None else completion.tokens,
        sample=sample,
    )


def _candidates(passages: Sequence[Passage], written: Sequence[Completion], sample: int) -> list[Candidate]:
    return [
        written_candidate(passage, completion, sample=sample)
        for passage, completion in zip(passages, written, strict=False)
        if completion.finished and answers(completion.text, no_answer=prompt.NO_ANSWER)
    ]


def answers(text: str, *, no_answer: str) -> bool:
    """Whether what was written is an answer: not nothing, and not ``no_answer``, which is said for want of one."""
    return answer_identity(text) not in ("", answer_identity(no_answer))


def _extracted(reading: Reading, scored: ScoredSpan) -> Candidate:
    passage = reading.hit.passage
    return Candidate(
        answer=shown(scored.span.shifted(-passage.span.start).of(passage.window)),
        passage=passage,
        source=CandidateSource.READER,
        logprob=math.log(max(scored.score, LEAST_SCORE)),
        tokens=1,
        pointer=scored.span,
    )
