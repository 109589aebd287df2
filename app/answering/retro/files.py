"""A retrofit on disk: its weights and its shape, and the hash of the base model that it belongs to."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.retro.model import RetroModel
from app.answering.retro.modules import RetroModules
from app.answering.retro.settings import RetroSettings
from common.errors import ModelUnusableError
from common.files import whole_file

RETROFIT_KIND = "retrofit"
WEIGHTS_FILE = "retrofit.safetensors"
CONFIG_FILE = "retrofit.json"


def write_config(folder: Path, settings: RetroSettings, *, base_name: str, base_sha256: str) -> None:
    """Write the shape beside the weights."""
    about = {"base": base_name, "base_sha256": base_sha256, **asdict(settings)}
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / CONFIG_FILE) as unfinished:
        unfinished.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def load_retrofit(folder: Path, base: LoadedModel) -> RetroModel:
    """The base model with the retrofit in this folder, in the base model's number format.

    Raises:
        ModelUnusableError: when there is no retrofit, it is damaged, or belongs to another base model.
    """
    modules = load_weights(RetroModules(load_settings(folder, base)), folder)
    return RetroModel(base.model, modules.to(base.model.device, base.model.dtype).eval())


def load_weights(modules: RetroModules, folder: Path) -> RetroModules:
    """The modules, with the weights in this folder.

    Raises:
        ModelUnusableError: when there are none, or they are of another shape.
    """
    try:
        modules.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise _unusable(folder, error) from error
    return modules


def load_settings(folder: Path, base: LoadedModel) -> RetroSettings:
    """The shape of the retrofit in this folder.

    Raises:
        ModelUnusableError: when there is no retrofit, or it belongs to another base model.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise ModelUnusableError(f"There is no retrofit in {folder}; train one with `loccit train retrofit`.")
    try:
        about = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        belongs_to, name = about.pop("base_sha256"), about.pop("base")
        settings = RetroSettings(**about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(folder, error) from error
    if belongs_to != base.sha256:
        raise ModelUnusableError(
            f"The retrofit in {folder} belongs to {name}, but {base.name} has other weights; give its own."
        )
    return settings


def _unusable(folder: Path, error: Exception) -> ModelUnusableError:
    return ModelUnusableError(
        f"{folder} holds no whole retrofit ({error}); train one with `loccit train retrofit`."
    )
