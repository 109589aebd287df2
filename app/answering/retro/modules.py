"""What a retrofit adds: the neighbour encoder and chunked cross-attention (Borgeaud et al. 2022, section 2.4)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.answering.retro.settings import RetroSettings

_GATE_SPEED = 10.0
"""A gate is tanh of so many times its weight: Adam moves every weight by about the same, and a gate has far to go."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoded neighbours of consecutive chunks.

    ``states``: all tokens of a chunk's neighbours side by side, (rows, chunks, neighbours * tokens, width). ``there``:
    which of them are tokens. ``tokens``: of one neighbour. ``projected``: keys and values, by layer, once computed.
    """

    states: Tensor
    there: Tensor
    tokens: int
    projected: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def last(self) -> "Encoded":
        """Those of the last chunk alone."""
        projected = {
            layer: (keys[:, -1:], values[:, -1:]) for layer, (keys, values) in self.projected.items()
        }
        return Encoded(self.states[:, -1:], self.there[:, -1:], self.tokens, projected)

    def after(self, before: "Encoded | None") -> "Encoded":
        """These behind those of the chunk before."""
        if before is None:
            return self
        return Encoded(
            torch.cat([before.states, self.states], dim=1),
            torch.cat([before.there, self.there], dim=1),
            self.tokens,
        )


class _Heads(nn.Module):
    """Attention of many heads from one sequence to another, without positions."""

    def __init__(self, asking: int, told: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(asking, width, bias=False)
        self.key = nn.Linear(told, width, bias=False)
        self.value = nn.Linear(told, width, bias=False)

    def split(self, states: Tensor) -> Tensor:
        """(..., tokens, width) -> (..., heads, tokens, width / heads)."""
        return states.reshape(*states.shape[:-1], self.heads, -1).transpose(-3, -2)


class ChunkedCrossAttention(nn.Module):
    """CCA(H, E): the last token of chunk u and the first m - 1 of chunk u + 1 attend to E[u], behind a gate.

    With positions from 0, position p >= m - 1 attends to E[(p - (m - 1)) // m], by one softmax over the tokens of all
    neighbours; the first m - 1 positions are left as they are. A bias per head depends on how far token j of a
    neighbour is from token i of the group, i - j. The gate, tanh, is zero at first (Alayrac et al. 2022).
    """

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self._chunk = settings.chunk
        self.norm = nn.RMSNorm(settings.hidden)
        self.attention = _Heads(settings.hidden, settings.width, settings.width, settings.heads)
        self.out = nn.Linear(settings.width, settings.hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(settings.heads, settings.chunk + settings.value - 1))
        self.gate = nn.Parameter(torch.zeros(1))
        self._value = settings.value

    def forward(self, hidden: Tensor, encoded: Encoded, *, past: int, first: int, layer: int) -> Tensor:
        """What is added to the hidden states: (rows, tokens, hidden).

        ``past``: positions before these. ``first``: which chunk ``encoded`` begins with.
        """
        tokens, length = hidden.shape[1], self._chunk
        group = (past - (length - 1)) // length
        skipped = max(0, (first - group) * length - (past - (length - 1) - group * length))
        added = torch.zeros_like(hidden)
        if skipped >= tokens:
            return added
        at = past + skipped - (length - 1)  # from here on, a group is ``length`` positions
        group, before = at // length, at % length
        queries = self.attention.query(self.norm(hidden[:, skipped:]))
        groups = -(-(before + tokens - skipped) // length)
        if groups == 1:
            queries = queries[:, None]
            places = slice(before, before + tokens - skipped)
        else:
            after = groups * length - before - (tokens - skipped)
            queries = functional.pad(queries, (0, 0, before, after))
            queries = queries.reshape(len(queries), groups, length, -1)
            places = slice(0, length)
        told = slice(group - first, group - first + groups)
        found = self._attend(queries, encoded, told, places, layer)  # (rows, groups, places, width)
        found = found.flatten(1, 2)
        if groups > 1:
            found = found[:, before : before + tokens - skipped]
        update = torch.tanh(_GATE_SPEED * self.gate) * self.out(found)
        return functional.pad(update, (0, 0, skipped, 0))

    def _attend(self, queries: Tensor, encoded: Encoded, told: slice, places: slice, layer: int) -> Tensor:
        if layer not in encoded.projected:
            split = self.attention.split
            encoded.projected[layer] = (
                split(self.attention.key(encoded.states)),
                split(self.attention.value(encoded.states)),
            )
        keys, values = (states[:, told] for states in encoded.projected[layer])
        there = encoded.there[:, told]  # (rows, groups, neighbours * tokens)
        scores = self.attention.split(queries) @ keys.transpose(-1, -2)
        scores = scores * keys.shape[-1] ** -0.5 + self._biases(encoded, places)
        scores = scores.float().masked_fill(~there[:, :, None, None], torch.finfo(torch.float32).min)
        weights = scores.softmax(-1).to(values.dtype) * there.any(-1)[:, :, None, None, None]
        found: Tensor = weights @ values
        return found.transpose(-3, -2).flatten(-2)

    def _biases(self, encoded: Encoded, places: slice) -> Tensor:
        """(heads, places, neighbours * tokens): the same for every neighbour."""
        device = self.bias.device
        i = torch.arange(places.start, places.stop, device=device)[:, None]
        j = torch.arange(encoded.tokens, device=device)[None]
        one: Tensor = self.bias[:, i - j + self._value - 1]
        return one.repeat(1, 1, encoded.states.shape[2] // encoded.tokens)


class _EncoderLayer(nn.Module):
    """A bidirectional layer; ``conditioned``: it also attends to the chunk that the neighbours were found by."""

    def __init__(self, settings: RetroSettings, *, conditioned: bool) -> None:
        super().__init__()
        width, heads = settings.width, settings.heads
        self.norm = nn.RMSNorm(width)
        self.attention = _Heads(width, width, width, heads)
        self.out = nn.Linear(width, width, bias=False)
        self.chunk: _ChunkAttention | None = _ChunkAttention(settings) if conditioned else None
        self.inner_norm = nn.RMSNorm(width)
        self.inner = nn.Sequential(
            nn.Linear(width, 2 * width, bias=False), nn.GELU(), nn.Linear(2 * width, width, bias=False)
        )

    def forward(self, states: Tensor, there: Tensor, chunk: Tensor, chunk_there: Tensor) -> Tensor:
        """``states``: (chunks, neighbours, tokens, width). ``chunk``: (chunks, tokens, hidden)."""
        flat = self.norm(states).flatten(0, 1)
        heads = self.attention
        found = functional.scaled_dot_product_attention(
            heads.split(heads.query(flat)),
            heads.split(heads.key(flat)),
            heads.split(heads.value(flat)),
            attn_mask=_not_nothing(there.flatten(0, 1))[:, None, None],
        )
        states = states + self.out(found.transpose(-3, -2).flatten(-2)).reshape(states.shape)
        if self.chunk is not None:
            states = states + self.chunk(states, chunk, chunk_there)
        update: Tensor = self.inner(self.inner_norm(states))
        return states + update


class _ChunkAttention(nn.Module):
    """Every token of a neighbour attends to the chunk that it was found by."""

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(settings.width)
        self.chunk_norm = nn.RMSNorm(settings.hidden)
        self.attention = _Heads(settings.width, settings.hidden, settings.width, settings.heads)
        self.out = nn.Linear(settings.width, settings.width, bias=False)

    def forward(self, states: Tensor, chunk: Tensor, chunk_there: Tensor) -> Tensor:
        heads = self.attention
        asking = self.norm(states).flatten(1, 2)  # (chunks, neighbours * tokens, width)
        told = self.chunk_norm(chunk)
        found = functional.scaled_dot_product_attention(
            heads.split(heads.query(asking)),
            heads.split(heads.key(told)),
            heads.split(heads.value(told)),
            attn_mask=_not_nothing(chunk_there)[:, None, None],
        )
        update: Tensor = self.out(found.transpose(-3, -2).flatten(-2))
        return update.reshape(states.shape)


class NeighbourEncoder(nn.Module):
    """A small bidirectional encoder over the language model's own token embeddings, so that words can be copied."""

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self.down = nn.Linear(settings.hidden, settings.width, bias=False)
        self.positions = nn.Embedding(settings.value, settings.width)
        self.layers = nn.ModuleList(
            _EncoderLayer(settings, conditioned=place == 0) for place in range(settings.encoder_layers)
        )
        self.norm = nn.RMSNorm(settings.width)

    def forward(self, embedded: Tensor, there: Tensor, chunk: Tensor, chunk_there: Tensor) -> Encoded:
        """Encode the neighbours of chunks.

        ``embedded``: (rows, chunks, neighbours, tokens, hidden). ``there``: which are tokens. ``chunk``: the chunks'
        own states, (rows, chunks, chunk tokens, hidden), and which of them are tokens.
        """
        rows, chunks, neighbours, tokens, hidden = embedded.shape
        states = functional.rms_norm(embedded, (hidden,)).to(self.down.weight.dtype)
        states = self.down(states) + self.positions.weight[:tokens]
        states = states.flatten(0, 1)
        for layer in self.layers:
            states = layer(states, there.flatten(0, 1), chunk.flatten(0, 1), chunk_there.flatten(0, 1))
        states = self.norm(states).reshape(rows, chunks, neighbours * tokens, -1)
        return Encoded(states, there.flatten(2, 3), tokens)


class RetroModules(nn.Module):
    """All that a retrofit adds."""

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = NeighbourEncoder(settings)
        self.attention = nn.ModuleList(ChunkedCrossAttention(settings) for _ in settings.layers)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def cross_attention(self) -> list[ChunkedCrossAttention]:
        """The layers' cross-attention, in their order."""
        return [layer for layer in self.attention if isinstance(layer, ChunkedCrossAttention)]


def _not_nothing(there: Tensor) -> Tensor:
    """The mask, all true where nothing is: what comes of nothing is masked later, and must be a number till then."""
    return there | ~there.any(-1, keepdim=True)
