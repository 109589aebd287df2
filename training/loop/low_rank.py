"""Low-rank changes under training, by peft: matrices beside the projections of a model that stays as it is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from app.answering.cross_encoders.low_rank import SCALE


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What begins at random within the block follows from the seed; the process's own randomness is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def with_low_rank(model: nn.Module, projections: Sequence[str], *, rank: int) -> dict[str, nn.Parameter]:
    """Freeze the model and put changes beside these projections that change nothing yet; what is to learn, by name."""
    from peft import LoraConfig, inject_adapter_in_model  # not installed where only whole models are trained

    model.requires_grad_(requires_grad=False)
    config = LoraConfig(r=rank, lora_alpha=round(SCALE * rank), target_modules=list(projections))
    inject_adapter_in_model(config, model)
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def shipped_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that serving knows: without peft's name of the adapter."""
    return {name.replace(".default.", "."): one for name, one in tensors.items()}
