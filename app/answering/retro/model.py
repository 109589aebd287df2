"""A causal language model of the transformers library that attends to the neighbours of each chunk it has finished.

The model's own code and weights stay as they are. Hooks on its layers add chunked cross-attention to self-attention,
FFW(H + ATTN(H) + CCA(H, E)), where RETRO has FFW(CCA(ATTN(H), E)) (Borgeaud et al. 2022, section 2.4). E are the keys
and values that the same layer's self-attention has for the neighbours, each read by itself.
"""

from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import DynamicCache, PreTrainedModel

from app.answering.retro.modules import Encoded, RetroModules
from app.answering.retro.own_attention import OwnAttention
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

    ``columns``: read so far, padding included. ``encoded``: the neighbours of the last chunk finished.
    """

    columns: int = 0
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
        rotary = getattr(base.base_model, "rotary_emb", None)
        for place, layer in enumerate(self.settings.layers):
            attention = getattr(layers[layer], "self_attn", None)
            if not isinstance(attention, nn.Module) or not isinstance(rotary, nn.Module):
                raise ModelUnusableError(
                    "The language model's layers have no self-attention that is known here."
                )
            _install(self, OwnAttention(attention, rotary), place)

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
        some: Tensor = next(one for one in inputs.values() if isinstance(one, Tensor))
        tokens = some.shape[1] - lead
        current = self._pass(neighbours, attention_mask, state or RetroState(), lead, tokens)
        token = _CURRENT.set(current)
        try:
            return self.base(attention_mask=attention_mask, **inputs)
        finally:
            _CURRENT.reset(token)

    def _pass(
        self, neighbours: Tensor, mask: Tensor | None, state: RetroState, lead: int, tokens: int
    ) -> "_Pass":
        """What the hooks need in a call with so many tokens; ``state`` becomes that after it."""
        length, past, before = self.settings.chunk, state.columns, state.encoded
        chunks, given = self.chunks(tokens, state), neighbours.shape[1]
        if given > chunks or (given < chunks and past):
            raise ValueError(f"These tokens finish {chunks} chunks, but neighbours of {given} were given.")
        finished = (past + tokens) // length
        encoded, first = before, past // length - (before is not None)
        if given:
            there = neighbours != NO_TOKEN
            if mask is not None:
                columns = mask[:, lead:][:, (finished - given) * length : finished * length].bool()
                # a chunk of padding alone was not looked up by anything
                there = there & columns.reshape(-1, given, length).any(-1)[..., None, None]
            first += chunks - given
            encoded = self._read(neighbours, there).after(before)
        state.columns = past + tokens
        state.encoded = None if encoded is None else encoded.last()
        return _Pass(self, encoded, past=past, first=first, lead=lead)

    @torch.no_grad()
    def _read(self, neighbours: Tensor, there: Tensor) -> Encoded:
        """The language model's keys and values of neighbours, each read by itself from position 0 on."""
        rows, chunks, count, tokens = neighbours.shape
        # without its config, so that sliding layers keep all
        cache = DynamicCache()
        reading = _READING.set(self)
        try:
            self.base.base_model(
                input_ids=neighbours.clamp(min=0).reshape(-1, tokens), cache=cache, use_cache=True
            )
        except _ReadError:
            pass
        finally:
            _READING.reset(reading)

        def beside(states: Tensor) -> Tensor:
            """(neighbours of all rows, heads, tokens, width) -> (rows, chunks, heads, neighbours * tokens, width)."""
            apart = states.reshape(rows, chunks, count, *states.shape[1:])
            return apart.transpose(2, 3).flatten(3, 4)

        layers = [cache.layers[layer] for layer in self.settings.layers]
        read = {place: (beside(its.keys), beside(its.values)) for place, its in enumerate(layers)}  # type: ignore[union-attr,arg-type]
        return Encoded(read, there.flatten(2, 3), tokens)


class _ReadError(Exception):
    """Neighbours are read up to the last layer with cross-attention; no more is needed."""


@dataclass(slots=True)
class _Pass:
    """One call of the model: its neighbours, and what entered the self-attention of the layer it is in."""

    model: RetroModel
    encoded: Encoded | None
    _: KW_ONLY
    past: int
    first: int
    lead: int
    states: Tensor | None = None

    def added(self, place: int, own: OwnAttention, attended: Tensor) -> Tensor:
        """What the self-attention of a layer gave, with what cross-attention adds to it."""
        if self.states is None:
            raise RuntimeError("A layer's attention gave something before anything entered it.")
        if self.encoded is None:
            return attended
        update: Tensor = self.model.modules.attention[place](
            self.states[:, self.lead :], own, self.encoded, past=self.past, first=self.first, layer=place
        )
        return attended + functional.pad(update, (0, 0, self.lead, 0))


_CURRENT: ContextVar[_Pass | None] = ContextVar("retro_pass", default=None)
_READING: ContextVar[RetroModel | None] = ContextVar("reading_neighbours", default=None)


def decoder_layers(base: PreTrainedModel) -> nn.ModuleList:
    """The layers of a decoder, where transformers' models of the kind of Llama and Gemma have them."""
    layers = getattr(base.base_model, "layers", None)
    return layers if isinstance(layers, nn.ModuleList) else nn.ModuleList()


def _install(model: RetroModel, own: OwnAttention, place: int) -> None:
    """Add cross-attention to what a layer's self-attention gives, in the model's own calls."""
    last = place + 1 == len(model.settings.layers)

    def enter(_: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        if (current := _CURRENT.get()) is not None and current.model is model:
            current.states = inputs[0] if inputs else named["hidden_states"]

    def leave(_: nn.Module, __: object, output: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if last and _READING.get() is model:
            raise _ReadError
        current = _CURRENT.get()
        if current is None or current.model is not model:
            return output
        return (current.added(place, own, output[0]), *output[1:])

    own.attention.register_forward_pre_hook(enter, with_kwargs=True)
    own.attention.register_forward_hook(leave)


def as_tensor(values: Integers, device: torch.device) -> Tensor:
    """Token values as the model takes them."""
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)
