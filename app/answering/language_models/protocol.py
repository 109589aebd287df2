"""A language model that completes prompts: one that runs here, or one behind a server that takes and gives text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from common.deadline import NO_DEADLINE, Deadline


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model wrote after a prompt, up to the stop string (not included)."""

    text: str
    logprob: float | None
    """Natural logarithm of the probability of the written tokens, the one that ended it included.

    Always at temperature 1, so that sampled and greedy ones compare. None where the model does not tell it.
    """
    tokens: int
    """How many tokens ``logprob`` sums over; 0 where it is None."""
    finished: bool
    """It ended by itself. False when the token limit or the deadline cut it off."""


class LanguageModel(Protocol):
    """What generators need of a language model.

    ``TransformersLM`` follows it with weights, and in the tests ``ScriptedLM`` and ``TextOnlyLM``. The last one knows
    no tokens and no probabilities, like a client of a server.
    """

    @property
    def name(self) -> str:
        """The name or path it is asked for by."""

    @property
    def identity(self) -> str:
        """What tells it from every other model, for prediction files and calibrators.

        The hex digest of its weights where they are here (for a GGUF: of the GGUF); else whatever the server says of
        it that changes when the model does.
        """

    def head(self, text: str, *, max_tokens: int) -> str:
        """The longest beginning of ``text`` that counts as at most ``max_tokens`` tokens.

        A model with its tokenizer at hand counts exactly. One without estimates from the number of characters.
        """

    def complete(
        self,
        prefix: str,
        prompts: Sequence[str],
        *,
        max_tokens: int,
        stop: str = "\n",
        temperature: float = 0.0,
        seed: int = 0,
        deadline: Deadline = NO_DEADLINE,
    ) -> list[Completion]:
        """One completion of ``prefix + prompt`` per prompt, in order.

        ``prefix``: what the prompts share. An implementation may read it once and keep what it made of it, so it
        should end where a token does (a line end).
        ``max_tokens``: written at most, in the model's own tokens. ``stop``: where writing ends.
        ``temperature``: 0 is greedy; above it, sampled with ``seed`` and the prompt's place among the prompts.
        ``deadline``: once it is over, what is written so far (or nothing) comes back unfinished.
        """
