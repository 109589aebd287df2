"""Answers that a language model writes, from one passage each."""

import math
from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.written_answers import ANSWER_TOKENS, TEMPERATURE, answers, written_candidate
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.language_models.protocol import Completion, LanguageModel
from app.answering.limits import EVIDENCE_TOKENS, QUESTION_TOKENS, TITLE_TOKENS
from app.answering.types import Candidate, Reading
from common.deadline import Deadline
from retriever.text.folding import fold
from retriever.types import Passage


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


def _candidates(passages: Sequence[Passage], written: Sequence[Completion], sample: int) -> list[Candidate]:
    return [
        written_candidate(passage, completion, sample=sample)
        for passage, completion in zip(passages, written, strict=False)
        if completion.finished and answers(completion.text, no_answer=prompt.NO_ANSWER)
    ]
