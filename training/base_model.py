"""The language model that a training begins with."""

from app.answering.language_models.transformers_lm import LoadedModel, load_model
from common.packaged import LANGUAGE_MODELS, default_cache_dir


def load_base(name_or_path: str, *, allow_download: bool, dtype: str | None = None) -> LoadedModel:
    """The model, by name or place; ``dtype`` and what is raised are as ``load_model`` has them."""
    return load_model(name_or_path, cache_dir=default_cache_dir(), offline=not allow_download, dtype=dtype)


def licence_on(name_or_path: str) -> str:
    """The licence of what is trained on this model: the model's own."""
    packaged = LANGUAGE_MODELS.get(name_or_path)
    return "that of the base model" if packaged is None else packaged.licence
