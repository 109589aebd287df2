"""Language models as a service without an adapter loads them."""

from pathlib import Path

from app.answering.language_models.transformers_lm import TransformersLM, load_model
from common.packaged import DEFAULT_LANGUAGE_MODEL


def load_language_model(
    name_or_path: str = DEFAULT_LANGUAGE_MODEL,
    *,
    cache_dir: Path,
    offline: bool = True,
    dtype: str | None = None,
) -> TransformersLM:
    return TransformersLM.of(load_model(name_or_path, cache_dir=cache_dir, offline=offline, dtype=dtype))
