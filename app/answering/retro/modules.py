"""What a retrofit adds: chunked cross-attention that begins as the model's own attention (Borgeaud et al. 2022)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.answering.retro.own_attention import OwnAttention
from app.answering.retro.settings import RetroSettings

_GATE_SPEED = 50.0
"""A gate is tanh of so many times its weight: Adam moves every weight by about the same, and a gate has far to go."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The neighbours of consecutive chunks, as the language model itself read them.

    ``read``: keys and values by layer, each (rows, chunks, key heads, neighbours * tokens, head width): all tokens of a
    chunk's neighbours side by side. ``there``: which of them are tokens, (rows, chunks, neighbours * tokens).
    ``tokens``: of one neighbour.
    """

    read: Mapping[int, tuple[Tensor, Tensor]]
    there: Tensor
    tokens: int

    def last(self) -> "Encoded":
        """Those of the last chunk alone."""
        read = {layer: (keys[:, -1:], values[:, -1:]) for layer, (keys, values) in self.read.items()}
        return Encoded(read, self.there[:, -1:], self.tokens)

    def after(self, before: "Encoded | None") -> "Encoded":
        """These behind those of the chunk before."""
        if before is None:
            return self
        read = {
            layer: tuple(torch.cat(both, dim=1) for both in zip(before.read[layer], its, strict=True))
            for layer, its in self.read.items()
        }
        return Encoded(read, torch.cat([before.there, self.there], dim=1), self.tokens)  # type: ignore[arg-type]


class LowRank(nn.Module):
    """A change to a projection, zero at first (Hu et al. 2021)."""

    def __init__(self, wide_in: int, wide_out: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(wide_in, rank, bias=False)
        self.up = nn.Linear(rank, wide_out, bias=False)
        nn.init.normal_(self.down.weight, std=wide_in**-0.5)
        nn.init.zeros_(self.up.weight)

    def forward(self, states: Tensor) -> Tensor:
        found: Tensor = self.up(self.down(states))
        return found


class ChunkedCrossAttention(nn.Module):
    """CCA(H, E): the last token of chunk u and the first m - 1 of chunk u + 1 attend to E[u], behind gates.

    With positions from 0, position p >= m - 1 attends to E[(p - (m - 1)) // m], by one softmax over the tokens of all
    neighbours; the first m - 1 positions are left as they are. A bias per head depends on how far token j of a
    neighbour is from token i of the group, i - j. Each head has a gate, tanh, zero at first (Alayrac et al. 2022).

    What asks and what writes are the projections of the layer's self-attention, with low-rank changes; what is
    attended to are its keys and values. Every neighbour stands at the positions right before the group.
    """

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self._chunk, self._value = settings.chunk, settings.value
        self._heads, self._head_width = settings.heads, settings.head_width
        wide = settings.heads * settings.head_width
        self.asked = LowRank(settings.hidden, wide, settings.rank)
        self.written = LowRank(wide, settings.hidden, settings.rank)
        self.bias = nn.Parameter(torch.zeros(settings.heads, settings.chunk + settings.value - 1))
        self.gate = nn.Parameter(torch.zeros(settings.heads))

    def forward(
        self, states: Tensor, own: OwnAttention, encoded: Encoded, *, past: int, first: int, layer: int
    ) -> Tensor:
        """What is added to what self-attention gave: (rows, tokens, hidden).

        ``states``: what entered self-attention, same shape. ``past``: positions before these. ``first``: which chunk
        ``encoded`` begins with.
        """
        tokens, length = states.shape[1], self._chunk
        group = (past - (length - 1)) // length
        skipped = max(0, (first - group) * length - (past - (length - 1) - group * length))
        if skipped >= tokens:
            return torch.zeros_like(states)
        asking = states[:, skipped:]
        at = past + skipped - (length - 1)  # from here on, a group is ``length`` positions
        group, before = at // length, at % length
        groups = -(-(before + tokens - skipped) // length)
        places = slice(before, before + tokens - skipped) if groups == 1 else slice(0, length)
        asked = own.ask(asking) + self.asked(asking)
        if groups > 1:
            asked = functional.pad(asked, (0, 0, before, groups * length - before - (tokens - skipped)))
        asked = asked.reshape(len(asked), groups, -1, self._heads, self._head_width)
        told = slice(group - first, group - first + groups)
        found = self._attend(asked, own, encoded, told, places, layer)  # (rows, groups, places, width)
        found = found.flatten(1, 2)
        if groups > 1:
            found = found[:, before : before + tokens - skipped]
        return functional.pad(own.write(found) + self.written(found), (0, 0, skipped, 0))

    def _attend(
        self, asked: Tensor, own: OwnAttention, encoded: Encoded, told: slice, places: slice, layer: int
    ) -> Tensor:
        """What each head found, behind its gate."""
        keys, values = (states[:, told] for states in encoded.read[layer])
        there = encoded.there[:, told]  # (rows, groups, neighbours * tokens)
        positions = self._value + torch.arange(places.start, places.stop, device=asked.device)
        queries = own.queries(asked, positions)  # (rows, groups, heads, places, head width)
        shared = queries.shape[2] // keys.shape[2]  # heads that share a head of keys
        scores = _parted(queries, 2, (-1, shared)).flatten(3, 4) @ keys.transpose(-1, -2)
        scores = _parted(scores, 3, (shared, -1)).flatten(2, 3) * own.scaling
        scores = scores + self._biases(encoded, places)
        scores = scores.float().masked_fill(~there[:, :, None, None], torch.finfo(torch.float32).min)
        weights = scores.softmax(-1).to(values.dtype) * there.any(-1)[:, :, None, None, None]
        found = _parted(weights, 2, (-1, shared)).flatten(3, 4) @ values
        found = _parted(found, 3, (shared, -1)).flatten(2, 3)
        gates = torch.tanh(_GATE_SPEED * self.gate)[:, None, None]
        return (found * gates).transpose(-3, -2).flatten(-2)

    def _biases(self, encoded: Encoded, places: slice) -> Tensor:
        """(heads, places, neighbours * tokens): the same for every neighbour."""
        device = self.bias.device
        i = torch.arange(places.start, places.stop, device=device)[:, None]
        j = torch.arange(encoded.tokens, device=device)[None]
        one: Tensor = self.bias[:, i - j + self._value - 1]
        return one.repeat(1, 1, encoded.there.shape[-1] // encoded.tokens)


class RetroModules(nn.Module):
    """All that a retrofit adds."""

    def __init__(self, settings: RetroSettings) -> None:
        super().__init__()
        self.settings = settings
        self.attention = nn.ModuleList(ChunkedCrossAttention(settings) for _ in settings.layers)


def _parted(states: Tensor, axis: int, sizes: tuple[int, int]) -> Tensor:
    """The states with this axis in two, one of which may be -1."""
    return states.reshape(*states.shape[:axis], *sizes, *states.shape[axis + 1 :])
