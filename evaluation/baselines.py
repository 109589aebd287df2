"""Baselines: simple parts that take the place of the service's own in the same pipeline."""

import math
from collections import Counter
from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.found_answers import found_candidate
from app.answering.generators.written_answers import ANSWER_TOKENS, written_candidate
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.language_models.protocol import LanguageModel
from app.answering.text.overlap import Vocabulary
from app.answering.types import Candidate, CandidateSource, Reading, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from retriever.encoder import passage_input
from retriever.retriever import Retriever
from retriever.text.sentences import sentence_spans
from retriever.types import Document, Hit, Span


class WithoutDocument:
    """A retriever that passes over one document and fills up with what follows: its question has no answer."""

    def __init__(self, retriever: Retriever, doc_id: str) -> None:
        self._retriever, self._doc_id = retriever, doc_id

    def retrieve(self, question: str, *, k: int) -> list[Hit]:
        """The best k passages of the other documents, ranked from 1."""
        asked = k + 1
        while True:
            hits = self._retriever.retrieve(question, k=asked)
            kept = [hit for hit in hits if hit.passage.doc_id != self._doc_id][:k]
            if len(kept) == k or len(hits) < asked:
                return [Hit(hit.passage, hit.score, rank) for rank, hit in enumerate(kept, start=1)]
            asked *= 2

    def document(self, doc_id: str) -> Document:
        return self._retriever.document(doc_id)


class FirstSentenceReader:
    """Takes the first sentence of every passage for what answers; the passages stay as they are ranked."""

    def read(
        self,
        question: str,  # noqa: ARG002
        hits: Sequence[Hit],
        *,
        deadline: Deadline = NO_DEADLINE,  # noqa: ARG002
    ) -> list[Reading]:
        """One reading per hit, its answerability the reciprocal of its rank."""
        return [
            Reading(hit, 1 / hit.rank, (ScoredSpan(_sentences(hit)[0], 1 / hit.rank),))
            for hit in hits
            if _sentences(hit)
        ]


class TfidfReader:
    """Finds the sentences that are nearest to the question in words: cosine of TF-IDF vectors.

    The title counts as part of each sentence. ``gold_answer``: words to look for beside the question's.
    """

    def __init__(self, vocabulary: Vocabulary, *, gold_answer: str = "") -> None:
        self._vocabulary, self._gold_answer = vocabulary, gold_answer

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        deadline: Deadline = NO_DEADLINE,  # noqa: ARG002
    ) -> list[Reading]:
        """One reading per hit with its nearest sentence, nearest first; equal ones by rank."""
        wanted = self._vector(f"{question} {self._gold_answer}")
        readings = [self._reading(wanted, hit) for hit in hits if _sentences(hit)]
        return sorted(readings, key=lambda reading: (-reading.answerability, reading.hit.rank))

    def _reading(self, wanted: dict[str, float], hit: Hit) -> Reading:
        scored = [ScoredSpan(span, self._cosine(wanted, hit, span)) for span in _sentences(hit)]
        best = min(scored, key=lambda sentence: (-sentence.score, sentence.span))
        return Reading(hit, best.score, (best,))

    def _cosine(self, wanted: dict[str, float], hit: Hit, span: Span) -> float:
        passage = hit.passage
        given = self._vector(passage_input(passage.title, passage.text_at(span)))
        shared = sum(weight * given[term] for term, weight in wanted.items() if term in given)
        lengths = math.hypot(*wanted.values()) * math.hypot(*given.values())
        return shared / lengths if lengths else 0.0

    def _vector(self, text: str) -> dict[str, float]:
        counts = Counter(self._vocabulary.terms(text))
        return {term: count * self._vocabulary.idf(term) for term, count in counts.items()}


class GoldGenerator:
    """Answers what is right, pointing at the best reading's span: how far quoting alone carries."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def generate(
        self,
        question: str,  # noqa: ARG002
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,  # noqa: ARG002
        n: int,  # noqa: ARG002
        seed: int,  # noqa: ARG002
        deadline: Deadline,  # noqa: ARG002
    ) -> list[Candidate]:
        """The one candidate; none without a reading."""
        return [
            found_candidate(
                reading,
                self._answer,
                CandidateSource.READER,
                reading.spans[0].span,
                reading.answerability,
            )
            for reading in readings[:1]
        ]


class ClosedBookGenerator:
    """The language model answers from memory: worked examples of questions and answers, no passage.

    A candidate has to name a passage, so it names the best reading's, which the model never saw.
    """

    def __init__(self, lm: LanguageModel) -> None:
        self._lm = lm

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,  # noqa: ARG002
        n: int,  # noqa: ARG002
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        """The greedy answer; none without a reading, or when it is empty or cut off."""
        if not readings:
            return []
        (written,) = self._lm.complete(
            _CLOSED_BOOK,
            [f" {prompt.asked(question)}\nAnswer:"],
            max_tokens=ANSWER_TOKENS,
            stop=prompt.STOP,
            seed=seed,
            deadline=deadline,
        )
        candidate = written_candidate(readings[0].hit.passage, written)
        return [candidate] if written.finished and candidate.answer else []


_CLOSED_BOOK = "Question:" + "".join(
    f" {example.question}\nAnswer: {example.answer}\n\nQuestion:"
    for example in prompt.EXAMPLES
    if example.answer is not None
)


def _sentences(hit: Hit) -> list[Span]:
    """The sentences of the hit's passage and continuation, as characters of the document."""
    passage = hit.passage
    return [span.shifted(passage.span.start) for span in sentence_spans(passage.window)]
