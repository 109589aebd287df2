"""States of the frozen layers below the first cross-attention: computed once for each window, then read from disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from app.answering.retro.model import decoder_layers

_SKIPPING: ContextVar[bool] = ContextVar("skipping_lower_layers", default=False)
_STOPPING: ContextVar[bool] = ContextVar("stopping_at_the_first_layer", default=False)


class LowerStates:
    """What enters the first layer with cross-attention, for each window, in a scratch file that is mapped.

    The file belongs to the process that made it: a run that is gone on with fills a new one.
    """

    def __init__(self, base: PreTrainedModel, first: int, path: Path, lengths: Sequence[int]) -> None:
        """``first``: the first layer with cross-attention. ``lengths``: of the windows, in tokens.

        The layers below it are wrapped on ``base`` so that they can be skipped.
        """
        layers = decoder_layers(base)
        for place in range(first):
            layers[place] = _Skippable(layers[place])
        layers[first].register_forward_pre_hook(_stop, with_kwargs=True)
        self._base = base
        self._starts = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        self._known = [False] * len(lengths)
        hidden = base.config.get_text_config().hidden_size
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        held: Tensor = torch.from_file(
            str(path), shared=True, size=self._starts[-1] * hidden, dtype=base.dtype
        )
        self._states = held.view(-1, hidden)
        path.unlink()  # it lives as long as it is mapped

    def of(self, window: int, ids: Tensor) -> Tensor:
        """The states of a window whose tokens are these: (1, tokens, hidden)."""
        held = self._states[self._starts[window] : self._starts[window + 1]]
        if not self._known[window]:
            held.copy_(self._computed(ids)[0])
            self._known[window] = True
        return held.to(ids.device)[None]

    @torch.no_grad()
    def _computed(self, ids: Tensor) -> Tensor:
        token = _STOPPING.set(True)  # in this thread: others may be past this layer
        try:
            self._base(input_ids=ids, use_cache=False)
        except _ReachedError as reached:
            return reached.states
        finally:
            _STOPPING.reset(token)
        raise RuntimeError("The base model did not reach its first layer with cross-attention.")


@contextmanager
def lower_layers_skipped() -> Iterator[None]:
    """Within the block, the layers below pass on what they are given, in this thread."""
    token = _SKIPPING.set(True)
    try:
        yield
    finally:
        _SKIPPING.reset(token)


def _stop(_: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
    if _STOPPING.get():
        raise _ReachedError(inputs[0] if inputs else named["hidden_states"])


class _Skippable(nn.Module):
    """A layer, or nothing."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, hidden_states: Tensor, *others: object, **named: object) -> Any:  # noqa: ANN401 - the layer's own
        return hidden_states if _SKIPPING.get() else self.layer(hidden_states, *others, **named)


class _ReachedError(Exception):
    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states
