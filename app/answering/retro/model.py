"""A causal language model of the transformers library that attends to the neighbours of each chunk it has finished.

The model's own code and weights stay as they are. Hooks on its layers add chunked cross-attention after
self-attention and before the feed-forward, RETRO(H, E) = FFW(CCA(ATTN(H), E)) (Borgeaud et al. 2022, section 2.4).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from app.answering.retro.modules import Encoded, RetroModules
from common.errors import ModelUnusableError
from retriever.chunk_database import NO_TOKEN, Integers


class NeighbourSource(Protocol):
    """Where the neighbours of finished chunks come from: an index, or a list made before."""

    def neighbours(self, chunks: Integers) -> Integers:
        """The neighbours of finished chunks of every row, in order.

        ``chunks``: tokens, (rows, chunks, chunk length), below 0 for what is none. The result: (rows, chunks, k, tokens
        of a value), ``NO_TOKEN`` where there is none; k and the tokens are the same at every call. Of the chunks that
        a prompt finishes it may be of the last ones alone.
        """


@dataclass(slots=True)
class RetroState:
    """What a text that is read in parts needs of its earlier parts, beside the model's own cache.

    ``columns``: read so far, padding included. ``recent``: the states of the unfinished chunk at the first layer with
    cross-attention, (rows, tokens, hidden), and which of them are tokens. ``encoded``: of the last chunk finished.
    """

    columns: int = 0
    recent: Tensor | None = None
    recent_there: Tensor | None = None
    encoded: Encoded | None = None


class RetroModel:
    """A base model with what a retrofit added. It may be called from several threads at once."""

    def __init__(self, base: PreTrainedModel, modules: RetroModules) -> None:
        """The hooks stay on ``base``, which is called through this from now on, or as it was.

        Raises:
            ModelUnusableError: when the base model's layers are not where transformers' decoders have them.
        """
        self.base, self.modules, self.settings = base, modules, modules.settings
        layers = decoder_layers(base)
        if len(layers) <= self.settings.layers[-1]:
            raise ModelUnusableError(
                f"The language model has no layer {self.settings.layers[-1] + 1} to put cross-attention in."
            )
        for place, layer in enumerate(self.settings.layers):
            _install(self, layers[layer], place)

    def chunks(self, tokens: int, state: RetroState | None = None) -> int:
        """How many chunks are finished by so many more tokens."""
        past = 0 if state is None else state.columns
        return (past + tokens) // self.settings.chunk - past // self.settings.chunk

    def __call__(
        self,
        *,
        neighbours: Tensor | None = None,
        attention_mask: Tensor | None = None,
        state: RetroState | None = None,
        lead: int = 0,
        **inputs: Any,  # noqa: ANN401 - the base model's own
    ) -> Any:  # noqa: ANN401
        """The base model's output for these inputs.

        ``neighbours``: tokens of the neighbours of every chunk that these inputs finish, (rows, chunks, k, tokens),
        ``NO_TOKEN`` where there is none. In a text's first part they may be of its last chunks alone; those before
        have none then. None: the base model alone. ``attention_mask``: (rows, columns so far), 0 for
        padding, which stands on the left. ``state``: what earlier parts left, updated. ``lead``: columns before the
        first chunk, such as a token that begins every text; they belong to none.
        """
        if neighbours is None:
            return self.base(attention_mask=attention_mask, **inputs)
        with self._pass(neighbours, attention_mask, state, lead):
            return self.base(attention_mask=attention_mask, **inputs)

    @contextmanager
    def _pass(
        self, neighbours: Tensor, mask: Tensor | None, state: RetroState | None, lead: int
    ) -> Iterator[None]:
        token = _CURRENT.set(_Pass(self, neighbours, mask, state, lead))
        try:
            yield
        finally:
            _CURRENT.reset(token)


class _Pass:
    """One call of the model: the neighbours, and what of them is encoded once the first layer is reached."""

    def __init__(
        self,
        model: RetroModel,
        neighbours: Tensor,
        mask: Tensor | None,
        state: RetroState | None,
        lead: int,
    ) -> None:
        self.model, self._neighbours, self._mask, self._state = model, neighbours, mask, state
        self._lead = lead
        self._past = 0 if state is None else state.columns
        self._encoded: Encoded | None = None
        self._first = 0
        self.residual: Tensor | None = None

    def added(self, place: int, attended: Tensor) -> Tensor:
        """What the self-attention of a layer gave, with what cross-attention adds to it."""
        if self.residual is None:
            raise RuntimeError("A layer's attention ran outside its layer.")
        hidden = (self.residual + attended)[:, self._lead :]
        if place == 0:
            self._encode(hidden)
        if self._encoded is None:
            return attended
        update: Tensor = self.model.modules.attention[place](
            hidden, self._encoded, past=self._past, first=self._first, layer=place
        )
        return attended + functional.pad(update, (0, 0, self._lead, 0))

    def _encode(self, hidden: Tensor) -> None:
        length, state = self.model.settings.chunk, self._state
        there = self._there(hidden)
        if state is not None and state.recent is not None and state.recent_there is not None:
            hidden = torch.cat([state.recent, hidden], dim=1)
            there = torch.cat([state.recent_there, there], dim=1)
        chunks, given = hidden.shape[1] // length, self._neighbours.shape[1]
        before = None if state is None else state.encoded
        if given > chunks or (given < chunks and self._past):
            raise ValueError(f"These tokens finish {chunks} chunks, but neighbours of {given} were given.")
        rest = chunks * length
        self._encoded, self._first = before, self._past // length - (before is not None)
        if given:
            self._first += chunks - given
            told = slice(rest - given * length, rest)
            found = self._encoder(
                hidden[:, told].reshape(len(hidden), given, length, -1),
                there[:, told].reshape(len(there), given, length),
            )
            self._encoded = found.after(before)
        if state is not None:
            state.recent, state.recent_there = hidden[:, rest:], there[:, rest:]
            state.encoded = None if self._encoded is None else self._encoded.last()
            state.columns = self._past + self._columns

    def _encoder(self, chunk: Tensor, chunk_there: Tensor) -> Encoded:
        tokens = self._neighbours
        # a chunk of padding alone was not looked up by anything
        there = (tokens != NO_TOKEN) & chunk_there.any(-1)[..., None, None]
        embedded = self.model.base.get_input_embeddings()(tokens.clamp(min=0))
        found: Encoded = self.model.modules.encoder(embedded, there, chunk, chunk_there)
        return found

    def _there(self, hidden: Tensor) -> Tensor:
        """Which of this call's columns are tokens, (rows, columns)."""
        self._columns = hidden.shape[1]
        if self._mask is None:
            return torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        return self._mask[:, -hidden.shape[1] :].bool()


_CURRENT: ContextVar[_Pass | None] = ContextVar("retro_pass", default=None)


def decoder_layers(base: PreTrainedModel) -> nn.ModuleList:
    """The layers of a decoder, where transformers' models of the kind of Llama and Gemma have them."""
    layers = getattr(base.base_model, "layers", None)
    return layers if isinstance(layers, nn.ModuleList) else nn.ModuleList()


def _install(model: RetroModel, layer: nn.Module, place: int) -> None:
    """Put cross-attention between a decoder layer's self-attention and its feed-forward, in the model's own calls."""

    def enter(_: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        if (current := _CURRENT.get()) is not None and current.model is model:
            current.residual = inputs[0] if inputs else named["hidden_states"]

    def leave(_: nn.Module, __: object, output: Any) -> Any:  # noqa: ANN401 - a tensor, or a tuple that begins with one
        current = _CURRENT.get()
        if current is None or current.model is not model:
            return output
        if isinstance(output, tuple):
            return (current.added(place, output[0]), *output[1:])
        return current.added(place, output)

    # Gemma 3 normalises what attention gave before it is added; Llama adds it as it is
    normalised = hasattr(layer, "pre_feedforward_layernorm")
    last = getattr(layer, "post_attention_layernorm" if normalised else "self_attn", None)
    if not isinstance(last, nn.Module):
        raise ModelUnusableError("The language model's layers have no self-attention that is known here.")
    layer.register_forward_pre_hook(enter, with_kwargs=True)
    last.register_forward_hook(leave)


def as_tensor(values: Integers, device: torch.device) -> Tensor:
    """Token values as the model takes them."""
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)
