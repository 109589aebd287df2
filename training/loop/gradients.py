"""Gradients of a batch, computed in parts side by side: one thread for each, which beats many threads on one part."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from common.torch_runtime import use_threads


class Part(Protocol):
    """Some of a step's examples, packed for the model."""

    @property
    def size(self) -> int:
        """How many examples it holds."""


class Losses(Protocol):
    """Means over a part's examples."""

    @property
    def total(self) -> Tensor:
        """What is minimised: a scalar."""

    def by_name(self) -> dict[str, Tensor]:
        """The terms of ``total``, for the log: scalars."""


class Step(NamedTuple):
    """``gradients``: of every parameter by name, float32. ``losses``: by name, means over the batch's examples."""

    gradients: dict[str, Tensor]
    losses: dict[str, float]


P = TypeVar("P", bound=Part)


class GradientWorkers(Generic[P]):
    """``workers`` threads that take a batch's parts in turn."""

    def __init__(
        self, losses: Callable[[P], Losses], parameters: Mapping[str, nn.Parameter], workers: int
    ) -> None:
        self._losses, self._parameters = losses, parameters
        self._pool = ThreadPoolExecutor(workers, initializer=use_threads, initargs=(1,))

    def step(self, parts: Sequence[P]) -> Step:
        """The gradients of the mean loss over all examples; the sum is taken in the parts' order."""
        examples = sum(part.size for part in parts)
        gradients: dict[str, Tensor] = {}
        losses: dict[str, float] = {}
        for found, terms in self._pool.map(lambda part: self._part(part, part.size / examples), parts):
            for name, gradient in zip(self._parameters, found, strict=True):
                gradients[name] = gradients[name].add_(gradient) if name in gradients else gradient.float()
            for name, value in terms.items():
                losses[name] = losses.get(name, 0.0) + value
        return Step(gradients, losses)

    def _part(self, part: P, share: float) -> tuple[tuple[Tensor, ...], dict[str, float]]:
        losses = self._losses(part)
        gradients = torch.autograd.grad(
            losses.total * share, list(self._parameters.values()), materialize_grads=True
        )
        return gradients, {name: float(loss.detach()) * share for name, loss in losses.by_name().items()}
