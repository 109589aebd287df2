"""Answers by a language model behind a server: it claims and quotes, and only what is located goes on."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from app.answering.answer_kind import AnswerKind
from app.answering.generators.written_answers import TEMPERATURE, answers, tidied
from app.answering.language_models import claims_prompt
from app.answering.language_models.claims_prompt import Shown
from app.answering.language_models.few_shot_prompt import NO_ANSWER
from app.answering.language_models.written_claims import WrittenClaim, written_claims
from app.answering.limits import EVIDENCE_TOKENS, PASSAGES_SHOWN
from app.answering.text.identity import answer_identity
from app.answering.types import Candidate, CandidateSource, Reading
from common.deadline import Check, Deadline, go_on
from common.errors import DeadlineExceededError, GivenUpError
from retriever.types import Document, Passage, Span

CLAIM_TOKENS = 512
"""Written at most for one sample, in the server's tokens."""

_LOG = logging.getLogger(__name__)


class ChatModel(Protocol):
    """What the generator needs of a language model: ``OpenAIServer`` is one."""

    def texts(
        self,
        messages: Sequence[dict[str, str]],
        *,
        schema: Any,  # noqa: ANN401 - a JSON schema
        max_tokens: int,
        temperatures: Sequence[float],
        seed: int,
        deadline: Deadline,
    ) -> list[str]:
        """What was written for each temperature, as much as came in time."""


@dataclass(frozen=True, slots=True)
class LocatedQuote:
    """Where a written quote stands in its document.

    ``span``: characters of the document. ``likeness``: 0-1, of what was written to what stands there; 1 where they
    differ in looks at most. ``verbatim``: whether no letter differs.
    """

    span: Span
    likeness: float
    verbatim: bool


class QuoteLocator(Protocol):
    """What finds quotes in documents."""

    def locate(
        self, quote: str, document: Document, within: Span, check: Check = go_on
    ) -> LocatedQuote | None:
        """Where the quote stands within this part of the document, or nearly does; None where it does not.

        ``check``: asked on the way, so that the search ends with what it raises.
        """


class Documents(Protocol):
    """What has the documents that passages are of: a ``Retriever`` does."""

    def document(self, doc_id: str) -> Document:
        """The document of this id."""


class ClaimGenerator:
    """Shows the server's model the best passages and asks for claims, each with a quote.

    A quote is located in the passage that is named, or else in another one that was shown. From then on the characters
    that stand there are the quote; what the model wrote is not. A claim whose quote stands nowhere is dropped.
    ``passages``: how many are shown. ``evidence_tokens``: of each, by estimate.
    """

    def __init__(
        self,
        model: ChatModel,
        locator: QuoteLocator,
        documents: Documents,
        *,
        passages: int = PASSAGES_SHOWN,
        evidence_tokens: int = EVIDENCE_TOKENS,
        max_tokens: int = CLAIM_TOKENS,
    ) -> None:
        self._model, self._locator, self._documents = model, locator, documents
        self._passages, self._evidence_tokens = passages, evidence_tokens
        self._max_tokens = max_tokens

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
        """The claims of ``n`` samples, the first one greedy; in each sample in the order they were written.

        A claim that a sample repeats counts once. So does one that two samples share where a few words are asked for.

        Raises:
            LanguageModelServerError: when the server gave nothing for any sample.
            DeadlineExceededError, GivenUpError: when nothing came by the deadline.
        """
        shown = [
            claims_prompt.shown_of(reading.hit.passage, tokens=self._evidence_tokens)
            for reading in readings[: self._passages]
        ]
        if not shown:
            return []
        _log_cuts(shown)
        texts = self._model.texts(
            claims_prompt.messages(question, shown, kind),
            schema=claims_prompt.SCHEMA,
            max_tokens=self._max_tokens,
            temperatures=[0.0, *[TEMPERATURE] * (n - 1)],
            seed=seed,
            deadline=deadline,
        )
        places = ShownPlaces([each.passage for each in shown], self._locator, self._documents)
        candidates: dict[tuple[str, int, Span, int], Candidate] = {}
        for sample, text in enumerate(texts):
            if deadline.over:
                break
            for candidate in _candidates(written_claims(text), places, sample, deadline):
                assert candidate.pointer is not None  # it was located
                # a longer answer is made of one sample's claims, so each sample keeps its own
                of = 0 if kind is AnswerKind.SHORT else sample
                key = (answer_identity(candidate.answer), candidate.passage.row, candidate.pointer, of)
                candidates.setdefault(key, candidate)
        return list(candidates.values())


class ShownPlaces:
    """The passages that were shown, to look for quotes in; each document is fetched once."""

    def __init__(self, passages: Sequence[Passage], locator: QuoteLocator, documents: Documents) -> None:
        self._passages, self._locator, self._documents = passages, locator, documents
        self._fetched: dict[str, Document] = {}

    def of(self, written: WrittenClaim, check: Check = go_on) -> tuple[Passage, LocatedQuote] | None:
        """Where the quote stands best: of equal places in the passage that is named, or in the best passage."""
        found: list[tuple[Passage, LocatedQuote]] = []
        for passage in self._in_turn(written.passage):
            document = self._document(passage.doc_id)
            located = self._locator.locate(written.quote, document, passage.window_span, check)
            if located is not None and located.verbatim:
                return passage, located
            if located is not None:
                found.append((passage, located))
        return max(found, key=lambda place: place[1].likeness, default=None)

    def _in_turn(self, named: int | None) -> Iterator[Passage]:
        if named is not None and 1 <= named <= len(self._passages):
            yield self._passages[named - 1]
        yield from (passage for number, passage in enumerate(self._passages, start=1) if number != named)

    def _document(self, doc_id: str) -> Document:
        if doc_id not in self._fetched:
            self._fetched[doc_id] = self._documents.document(doc_id)
        return self._fetched[doc_id]


def _candidates(
    written: Sequence[WrittenClaim], places: ShownPlaces, sample: int, deadline: Deadline
) -> Iterator[Candidate]:
    """Those whose quotes are located by the deadline."""
    check = partial(deadline.check, "generate")
    for claim in written:
        try:
            check()
            place = places.of(claim, check) if answers(claim.claim, no_answer=NO_ANSWER) else None
        except (DeadlineExceededError, GivenUpError):
            return
        if place is not None:
            passage, located = place
            yield Candidate(
                answer=tidied(claim.claim),
                passage=passage,
                source=CandidateSource.CLAIM,
                logprob=0.0,
                tokens=0,
                pointer=located.span,
                sample=sample,
            )


def _log_cuts(shown: Sequence[Shown]) -> None:
    cuts = [each.cut for each in shown if each.cut]
    if cuts:
        _LOG.info(
            "Of %d passages that the language model is shown, %d are cut: %d characters at their ends are left out.",
            len(shown),
            len(cuts),
            sum(cuts),
        )
