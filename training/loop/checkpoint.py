"""Checkpoints: one safetensors file, there whole or not at all."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from common.errors import LoccitError
from common.files import whole_file

_KEY = "loccit"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``step``: steps taken. ``seconds``: of training so far. ``fingerprint``: of settings and data."""

    step: int
    seconds: float
    fingerprint: str
    tensors: dict[str, Tensor]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put it in the place of the one before."""
    about = {"step": checkpoint.step, "seconds": checkpoint.seconds, "fingerprint": checkpoint.fingerprint}
    with whole_file(path) as unfinished:
        save_file(checkpoint.tensors, unfinished, metadata={_KEY: json.dumps(about)})


def load_checkpoint(path: Path, fingerprint: str) -> Checkpoint | None:
    """The checkpoint; None when there is none.

    Raises:
        LoccitError: when it is damaged or belongs to other settings or data.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, Any] = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LoccitError(
            f"{path} is not a checkpoint of a training ({error}); remove it to start anew."
        ) from error
    if about["fingerprint"] != fingerprint:
        raise LoccitError(
            f"{path} belongs to a training with other settings or data; remove it to start anew, or train "
            "with the settings it was begun with."
        )
    return Checkpoint(about["step"], about["seconds"], fingerprint, tensors)
