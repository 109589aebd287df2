"""The support scorer that has learnt what backs a claim: it sees question, claim, title and quote together."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from app.answering.cross_encoders.cross_encoder import Packed
from app.answering.cross_encoders.reader_weights import (
    PACKAGED_BASES,
    READER_KIND,
    READER_NAME,
    BaseFolders,
    reader_base,
    reader_encoder,
)
from app.answering.cross_encoders.support_input import QUOTE_TOKENS, SupportTokenizer
from app.answering.cross_encoders.support_model import SupportModel, load
from app.answering.shipped_weights import WEIGHTS_FOLDER, shipped_weights
from app.answering.support import Claim
from common.errors import ModelUnusableError
from common.torch_runtime import native_dtype

SUPPORT_KIND = SUPPORT_NAME = "support"
_PACKED_TOGETHER = 16


class TrainedSupport:
    """Follows ``SupportScorer``. ``sha256``: of its weights.

    Claims are packed one after the other, 16 at most in a forward: their scores do not depend on each other.
    """

    def __init__(self, model: SupportModel, tokenizer: SupportTokenizer, *, sha256: str = "") -> None:
        self._model, self._tokenizer, self.sha256 = model, tokenizer, sha256

    def score(self, claims: Sequence[Claim]) -> list[float]:
        inputs = self._tokenizer.inputs(claims)
        device = str(self._model.encoder.words.device)
        scores: list[float] = []
        with torch.inference_mode():
            for at in range(0, len(inputs), _PACKED_TOGETHER):
                packed = Packed.of(inputs[at : at + _PACKED_TOGETHER], device)
                scores += self._model(packed).double().sigmoid().tolist()
        return scores


def load_support(
    name: str = SUPPORT_NAME,
    folder: Path = WEIGHTS_FOLDER,
    *,
    reader: str = READER_NAME,
    reader_folder: Path | None = None,
    bases: BaseFolders = PACKAGED_BASES,
) -> TrainedSupport:
    """The shipped support scorer over the shipped reader, everything checked, in the machine's best number format.

    ``reader_folder``: where the reader's weights are, ``folder`` unless given. ``bases``: see ``reader_base``.

    Raises:
        ModelUnusableError: when a file is missing or damaged, or they do not belong together.
    """
    path, entry = shipped_weights(name, SUPPORT_KIND, folder)
    reader_path, read = shipped_weights(reader, READER_KIND, reader_folder or folder)
    if entry.base_sha256 != read.sha256:
        raise ModelUnusableError(
            f"The support scorer {name!r} was trained from a reader with sha256 {entry.base_sha256[:12]}..., but the "
            f"reader {reader!r} has {read.sha256[:12]}...; train it again."
        )
    return trained_support(path, reader_path, reader_base(reader, read, bases), sha256=entry.sha256)


def trained_support(
    weights: Path,
    reader: Path,
    base: Path,
    *,
    sha256: str = "",
    quote_tokens: int = QUOTE_TOKENS,
    dtype: torch.dtype | None = None,
) -> TrainedSupport:
    """The support scorer of this file over the reader of that file and the base model in this folder.

    Raises:
        ModelUnusableError: when a file does not hold what fits the base model's shape.
    """
    model = SupportModel(reader_encoder(reader, base))
    try:
        load(model, load_file(weights))
    except (RuntimeError, SafetensorError, OSError, KeyError, AttributeError) as error:
        raise ModelUnusableError(
            f"{weights} does not hold a support scorer for {reader} ({error})."
        ) from error
    model = model.to(dtype or native_dtype()).eval().requires_grad_(False)
    return TrainedSupport(model, SupportTokenizer(base, quote_tokens=quote_tokens), sha256=sha256)
