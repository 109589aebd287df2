"""The protocol of composers: what makes a long answer of a short one."""

from collections.abc import Sequence
from typing import Protocol

from app.answering.types import CitedAnswer, CitedCandidate, ScoredSpan
from common.deadline import Deadline
from retriever.types import Document


class Composer(Protocol):
    """What the pipeline needs of a composer."""

    def compose(
        self,
        question: str,
        answer: CitedAnswer,
        document: Document,
        *,
        cited: Sequence[CitedCandidate] = (),
        evidence: Sequence[ScoredSpan] = (),
        deadline: Deadline,
    ) -> CitedAnswer:
        """The short answer in several sentences. ``document``: the one that ``answer.passage`` is of.

        ``cited``: the candidates that are sure enough to be given, in the order they were made.
        ``evidence``: sentences of the passage with how likely (0-1) each is among what answers, where a reader says
        so. ``deadline``: when it is over, what backs the short answer is all there is.
        """
