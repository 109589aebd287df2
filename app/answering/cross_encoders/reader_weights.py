"""From a reader's weights to its cross-encoder: the base model that they belong to, and the two put together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from app.answering.cross_encoders.cross_encoder import (
    BROAD,
    CrossEncoder,
    EncoderShape,
    base_model,
    base_words,
)
from app.answering.cross_encoders.low_rank import besides, is_low_rank, merge
from app.answering.shipped_weights import ShippedWeights
from common.errors import ModelUnusableError
from common.mpnet import MPNET, MPNET_SHA256, mpnet_folder
from common.packaged import MINILM, minilm_folder

READER_KIND = READER_NAME = "reader"

BaseFolders = Mapping[str, Callable[[], Path]]
PACKAGED_BASES: BaseFolders = MappingProxyType({MINILM.sha256: minilm_folder, MPNET_SHA256: mpnet_folder})
"""What finds the folder of each base model that a package brings, by the sha256 of its weights."""


def reader_base(name: str, reader: ShippedWeights, bases: BaseFolders = PACKAGED_BASES) -> Path:
    """The folder of the base model, one of ``bases``, that the reader of this name was trained from.

    Raises:
        ModelUnusableError: when it is none of them, not installed or damaged.
    """
    if reader.base_sha256 not in bases:
        raise ModelUnusableError(
            f"The reader {name!r} was trained from weights with sha256 {reader.base_sha256[:12]}..., but "
            f"{MINILM.name} has {MINILM.sha256[:12]}... and {MPNET.name} {MPNET_SHA256[:12]}...; train it again."
        )
    return bases[reader.base_sha256]()


def reader_encoder(weights: Path, base: Path) -> CrossEncoder:
    """The cross-encoder of this file over the base model in this folder, in float32.

    The file holds all weights of the reader, or low-rank changes to those of the base model.

    Raises:
        ModelUnusableError: when the file does not hold a reader of the base model's shape.
    """
    try:
        return _encoder(load_file(weights), base)
    except (RuntimeError, SafetensorError, OSError, KeyError, AttributeError) as error:
        raise ModelUnusableError(f"{weights} does not hold a reader for {base} ({error}).") from error


def _encoder(tensors: Mapping[str, Tensor], base: Path) -> CrossEncoder:
    broad = any(name.startswith(BROAD) for name in tensors)
    if not is_low_rank(tensors):
        shape = EncoderShape.of_config(base / "config.json")
        encoder = CrossEncoder(shape, base_words(base).float(), broad=broad)
        encoder.load_state_dict(tensors)
        return encoder
    encoder = base_model(base, broad=broad)
    merge(encoder, tensors)
    encoder.load_state_dict(encoder.state_dict() | besides(tensors))
    return encoder
