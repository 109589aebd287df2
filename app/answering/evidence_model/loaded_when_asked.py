"""An adapted language model that is loaded when it is asked first."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.answering.evidence_model.adapted_lm import PrefilledEvidence
from common.deadline import NO_DEADLINE, Deadline


class EvidenceLM(Protocol):
    """What a generator needs of an adapted language model: ``AdaptedLM`` has it."""

    def read(
        self,
        question: str,
        passages: Sequence[tuple[str, str]],
        *,
        quoted: bool = False,
        deadline: Deadline = NO_DEADLINE,
    ) -> PrefilledEvidence:
        """The model after it has read these (title, window); see ``AdaptedLM.read``."""


class LoadedWhenAsked:
    """Follows ``EvidenceLM``. ``load``: loads the model; called once, with the first question, or never."""

    def __init__(self, load: Callable[[], EvidenceLM]) -> None:
        self._load = load
        self._lm: EvidenceLM | None = None

    def read(
        self,
        question: str,
        passages: Sequence[tuple[str, str]],
        *,
        quoted: bool = False,
        deadline: Deadline = NO_DEADLINE,
    ) -> PrefilledEvidence:
        self._lm = self._lm or self._load()
        return self._lm.read(question, passages, quoted=quoted, deadline=deadline)
