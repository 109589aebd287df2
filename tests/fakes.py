"""Honest fakes: they follow the real protocols, need no weights, and count their calls."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.answering.language_models.protocol import Completion
from common.deadline import NO_DEADLINE, Deadline


@dataclass(frozen=True, slots=True)
class LMCall:
    """One batch that a ``ScriptedLM`` was asked for."""

    prefix: str
    prompts: tuple[str, ...]
    temperature: float
    seed: int


class ScriptedLM:
    """A language model that writes what its script says; a token is a word and the white space before it.

    ``script``: what to write by a piece of the prompt (the first piece that occurs in it counts), or a
    function of the prompt. Where it is silent nothing is written. Every token has ``probability``.
    """

    name = "scripted"
    identity = "0" * 64

    def __init__(
        self, script: Mapping[str, str] | Callable[[str], str] | None = None, *, probability: float = 0.9
    ) -> None:
        self._script = script or {}
        self._probability = probability
        self.calls: list[LMCall] = []

    def head(self, text: str, *, max_tokens: int) -> str:
        words = re.findall(r"\s*\S+\s*\Z|\s*\S+", text)
        return text if len(words) <= max_tokens else "".join(words[:max_tokens])

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
        self.calls.append(LMCall(prefix, tuple(prompts), temperature, seed))
        limit = 0 if deadline.over else max_tokens
        return [self._completion(prompt, limit, stop) for prompt in prompts]

    def _completion(self, prompt: str, limit: int, stop: str) -> Completion:
        written = self._written(prompt).partition(stop)[0]
        tokens = len(written.split()) + 1  # one more ends it
        finished = tokens <= limit
        text = written if finished else self.head(written, max_tokens=limit)
        return Completion(
            text, min(tokens, limit) * math.log(self._probability), min(tokens, limit), finished
        )

    def _written(self, prompt: str) -> str:
        if callable(self._script):
            return self._script(prompt)
        return next((text for piece, text in self._script.items() if piece in prompt), "")


class TextOnlyLM:
    """A language model behind a server: text goes in and text comes out, by a function that plays the server.

    It has no tokenizer, so lengths are estimated in characters. It has no weights, so it is known by what the server
    says of itself. It tells no probabilities.
    """

    name = "big-model"
    identity = "big-model-2026-11 at https://models.example"
    _CHARACTERS_PER_TOKEN = 4

    def __init__(self, serve: Callable[[dict[str, object]], str]) -> None:
        self._serve = serve

    def head(self, text: str, *, max_tokens: int) -> str:
        return text[: max_tokens * self._CHARACTERS_PER_TOKEN]

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
        asked = {"max_tokens": max_tokens, "stop": stop, "temperature": temperature, "seed": seed}
        texts = [self._serve({"prompt": prefix + prompt, **asked}) for prompt in prompts]
        return [Completion(text, logprob=None, tokens=0, finished=True) for text in texts]
