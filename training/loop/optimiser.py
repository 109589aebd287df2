"""AdamW on float32 masters of weights that compute in another number format."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

LEARNING_RATE = 2.5e-4
WEIGHT_DECAY = 0.01
WARM_UP = 0.06
_LARGEST_GRADIENT = 1.0


Schedule = Callable[[float], float]


def linear(done: float) -> float:
    """What is left of the peak after this share of the fall: a line down to 0."""
    return 1 - done


def cosine(done: float) -> float:
    """What is left of the peak after this share of the fall: half a wave down to 0 (Loshchilov & Hutter 2017)."""
    return (1 + math.cos(math.pi * done)) / 2


def learning_rate(step: int, steps: int, *, peak: float = LEARNING_RATE, fall: Schedule = linear) -> float:
    """The rate of step ``step`` (0 is the first) of ``steps``: up to ``peak`` in a line, then down to 0."""
    rising = max(1, round(steps * WARM_UP))
    if step < rising:
        return peak * (step + 1) / rising
    return peak * fall((step - rising) / max(1, steps - rising))


class MasterAdamW:
    """Decoupled weight decay (Loshchilov & Hutter 2019) on matrices, none on biases and norms; clipped gradients.

    The model's parameters become copies, in ``dtype``, of float32 masters kept here.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], dtype: torch.dtype) -> None:
        """``parameters``: float32 when they come, the masters' beginnings; in ``dtype`` from then on."""
        masters = {name: parameter.detach().clone().float() for name, parameter in parameters.items()}
        for parameter in parameters.values():
            parameter.data = parameter.data.to(dtype)
        self._parameters = parameters
        self._masters = masters
        matrices = [master for master in masters.values() if master.dim() > 1]
        others = [master for master in masters.values() if master.dim() <= 1]
        self._adam = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=0.0,
            betas=(0.9, 0.999),
            fused=True,
        )

    def step(self, gradients: Mapping[str, Tensor], *, rate: float) -> None:
        """Take a step with these gradients, float32, by the parameters' names; they are clipped in place."""
        for name, master in self._masters.items():
            master.grad = gradients[name]
        nn.utils.clip_grad_norm_(self._masters.values(), _LARGEST_GRADIENT)
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        self._to_model()

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next step depends on: masters and moments, by name."""
        found = {f"weight.{name}": master for name, master in self._masters.items()}
        for name, master in self._masters.items():
            for key, value in self._adam.state.get(master, {}).items():
                found[f"{key}.{name}"] = value
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what ``tensors`` gave."""
        for name, master in self._masters.items():
            master.copy_(tensors[f"weight.{name}"])
            suffix = f".{name}"
            self._adam.state[master] = {
                key: tensors[f"{key}{suffix}"].to(master.device)
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{key}{suffix}" in tensors
            }
        self._to_model()

    def _to_model(self) -> None:
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(self._masters[name])
