"""A causal language model that completes prompts which share a prefix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model wrote after a prompt, up to the stop string (not included).

    ``logprob``: natural logarithm of the probability of the written tokens, the one that ended it included
    (always at temperature 1, so that sampled and greedy ones compare).
    ``tokens``: how many tokens ``logprob`` sums over.
    ``finished``: it ended by itself; False when the token limit or the deadline cut it off.
    """

    text: str
    logprob: float
    tokens: int
    finished: bool


class LanguageModel(Protocol):
    """What generators need of a language model. ``ScriptedLM`` in the tests follows it too."""

    @property
    def name(self) -> str:
        """The name or path it was loaded by."""

    @property
    def sha256(self) -> str:
        """Hex digest of the weights (for a GGUF: of the GGUF)."""

    def head(self, text: str, *, max_tokens: int) -> str:
        """The longest beginning of ``text`` that is at most ``max_tokens`` tokens."""

    def complete(
        self,
        prefix: str,
        prompts: Sequence[str],
        *,
        max_tokens: int,
        stop: str = "\n",
        temperature: float = 0.0,
        seed: int = 0,
        deadline: float | None = None,
    ) -> list[Completion]:
        """One completion of ``prefix + prompt`` per prompt, in order, decoded as one batch.

        The key-value cache of ``prefix`` is computed once and reused between calls. Prefix and prompts become
        tokens apart, so a prefix should end where a token does (a line end). Control tokens spelt out in
        either are read as plain text.
        ``temperature`` 0 is greedy; above it, sampled with ``seed`` and the prompt's place in the batch.
        ``deadline`` is a ``time.monotonic()`` value; past it, what is written so far comes back unfinished.
        """
