"""Where a retrofitted language model has its evidence."""

from enum import StrEnum


class EvidenceMode(StrEnum):
    """Where the passages are."""

    PROMPT = "prompt"
    ATTENTION = "attention"
    BOTH = "both"
    PREFIX = "prefix"

    @property
    def in_prompt(self) -> bool:
        """Whether the best passages are written into the prompt."""
        return self in (EvidenceMode.PROMPT, EvidenceMode.BOTH)

    @property
    def attended(self) -> bool:
        """Whether passages are neighbours."""
        return self in (EvidenceMode.ATTENTION, EvidenceMode.BOTH)
