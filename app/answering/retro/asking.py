"""Questions for a retrofitted language model: evidence in the prompt, through cross-attention, both, or a prefix."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from app.answering.retro.evidence_mode import EvidenceMode
from app.answering.retro.generation import write
from app.answering.retro.model import RetroModel
from app.answering.retro.passage_neighbours import PassageNeighbours
from common.deadline import NO_DEADLINE, Deadline
from retriever.encoder import Encoder, FloatArray, passage_input
from retriever.text.folding import fold

PROMPT_PASSAGES = 2
NEIGHBOURS = 20
"""RETRO's number of passages that a question's neighbours are (section 4.3)."""
PREFIX_TOKENS = 2
"""So many positions stand for a passage in a soft prefix."""

Titled = tuple[str, str]
"""Title and window of a passage."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``prompt``: tokens up to "Answer:". ``neighbours``: the tokens of each passage attended to. ``vectors``: of each
    passage of a soft prefix, (passages, dimension); None without one.
    """

    prompt: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]
    vectors: FloatArray | None = None


class SoftPrefix(nn.Module):
    """Positions made of passages' vectors, as Frozen makes them of pictures (Tsimpoukelli et al. 2021, section 3)."""

    def __init__(self, dimension: int, hidden: int, *, scale: float) -> None:
        """``scale``: the root mean square of the language model's own embeddings."""
        super().__init__()
        self.norm = nn.RMSNorm(dimension)
        self.up = nn.Linear(dimension, PREFIX_TOKENS * hidden, bias=False)
        nn.init.normal_(self.up.weight, std=scale * dimension**-0.5)

    def forward(self, vectors: Tensor) -> Tensor:
        """(passages, dimension) -> (passages * positions of each, hidden)."""
        found: Tensor = self.up(self.norm(vectors))
        return found.reshape(len(vectors) * PREFIX_TOKENS, -1)


class Asker:
    """Makes what the model is asked of a question and passages, best first."""

    def __init__(
        self,
        tokenizer: EvidenceTokenizer,
        mode: EvidenceMode,
        *,
        value: int,
        neighbours: int = NEIGHBOURS,
        encoder: Encoder | None = None,
    ) -> None:
        """``value``: tokens read of a neighbour. ``encoder``: of a soft prefix's vectors, needed by that mode alone."""
        if mode is EvidenceMode.PREFIX and encoder is None:
            raise ValueError("A soft prefix is made of passages' vectors, so it needs an encoder.")
        self._tokenizer, self.mode, self._encoder = tokenizer, mode, encoder
        self._value, self._neighbours = value, neighbours

    def ask(self, question: str, passages: Sequence[Titled]) -> Asked:
        """The question with as many of the passages as the mode takes."""
        shown = passages[:PROMPT_PASSAGES] if self.mode.in_prompt else []
        attended = passages[: self._neighbours] if self.mode.attended else []
        return Asked(
            self._tokenizer.input(question, shown).ids,
            tuple(self._neighbour(title, window) for title, window in attended),
            self._vectors(passages[: self._neighbours]),
        )

    def evidence_tokens(self, question: str, passages: Sequence[Titled]) -> int:
        """How many tokens, or positions of a prefix, the model reads of the passages."""
        asked = self.ask(question, passages)
        in_prompt = len(asked.prompt) - len(self._tokenizer.input(question, []).ids)
        in_prefix = 0 if asked.vectors is None else PREFIX_TOKENS * len(asked.vectors)
        return in_prompt + sum(map(len, asked.neighbours)) + in_prefix

    def answer(self, text: str) -> list[int]:
        """The tokens that an answer adds, the stop included."""
        return self._tokenizer.answer(text)

    def text(self, ids: Sequence[int]) -> str:
        """The text of an answer's tokens."""
        return self._tokenizer.text(ids).strip()

    @property
    def stop(self) -> frozenset[int]:
        """The token that ends an answer."""
        return frozenset(self._tokenizer.answer("a")[-1:])

    def _neighbour(self, title: str, window: str) -> tuple[int, ...]:
        head = f"{self._tokenizer.title(title)}: " if title else ""
        return tuple(self._tokenizer.ids(head + fold(window).text)[: self._value])

    def _vectors(self, passages: Sequence[Titled]) -> FloatArray | None:
        if self.mode is not EvidenceMode.PREFIX or self._encoder is None:
            return None
        return self._encoder.encode_passages([passage_input(title, window) for title, window in passages])


class RetroAnswers:
    """A model with what it is asked by."""

    def __init__(self, model: RetroModel, asker: Asker, prefix: SoftPrefix | None = None) -> None:
        self._model, self._asker, self._prefix = model, asker, prefix

    @torch.inference_mode()
    def answer(
        self,
        question: str,
        passages: Sequence[Titled],
        *,
        max_tokens: int,
        deadline: Deadline = NO_DEADLINE,
    ) -> str:
        """The greedy answer; empty where it was cut off."""
        asked = self._asker.ask(question, passages)
        attended = self._asker.mode.attended
        value = self._model.settings.value
        [written] = write(
            self._model,
            [asked.prompt],
            PassageNeighbours([asked.neighbours], value=value, last=True) if attended else None,
            max_tokens=max_tokens,
            end=self._asker.stop,
            prefix=None if self._prefix is None else [prefix_of(self._prefix, asked)],
            deadline=deadline,
        )
        return self._asker.text(written.ids) if written.ended else ""


def prefix_of(prefix: SoftPrefix, asked: Asked) -> Tensor:
    """The positions that stand for the passages, (positions, hidden)."""
    if asked.vectors is None:
        raise ValueError("The question was asked without vectors for a soft prefix.")
    weight = prefix.up.weight
    found: Tensor = prefix(torch.from_numpy(asked.vectors).to(weight.device, weight.dtype))
    return found
