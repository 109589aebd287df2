"""Encoders turn texts into unit vectors whose inner product is the cosine similarity."""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from common.errors import ModelUnusableError
from common.hub import model_folder, weights_sha256
from common.packaged import MINILM, minilm_folder
from retriever.text.folding import fold

if TYPE_CHECKING:  # they take seconds to load
    import torch
    from sentence_transformers import SentenceTransformer

    from retriever.bert.packed_bert import PackedBert

FloatArray = npt.NDArray[np.float32]

DEFAULT_ENCODER = MINILM.name
INT8 = "int8"
"""The number format of passages that are embedded in 8-bit integers."""

_ENCODED_AT_ONCE = 16
_PASSAGE_PROMPTS = ("document", "passage", "corpus")  # as sentence-transformers looks for them
_QUERY_PROMPTS = ("query",)


class Encoder(Protocol):
    """What indexing and searching need of an encoder. Rows of every result have length 1 (L2)."""

    @property
    def name(self) -> str:
        """The name or path it was loaded by."""

    @property
    def sha256(self) -> str:
        """Hex digest of the weights."""

    @property
    def precision(self) -> str:
        """The number format it computes in; vectors cached in another one are not reused."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int | None:
        """Tokens of a passage input that it reads, special ones aside; None: all of them."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, special ones aside."""

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        """Vectors of questions, read folded, float32, shape (queries, dimension)."""

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passage inputs (see ``passage_input``), float32, shape (texts, dimension)."""


def passage_input(heading: str, text: str) -> str:
    """What an encoder is given of a passage: title and headings say what the text is about. Both are folded."""
    return fold(f"{heading}\n{text}" if heading else text).text


def encode_in_turn(encoder: Encoder, inputs: Sequence[str], check: Callable[[], object]) -> FloatArray:
    """The vectors of passage inputs, (inputs, dimension); ``check`` is called before every few.

    Inputs of about one length are encoded together: a batch is padded to its longest.
    """
    vectors: FloatArray = np.empty((len(inputs), encoder.dimension), dtype=np.float32)
    by_length = sorted(range(len(inputs)), key=lambda row: len(inputs[row]))
    for first in range(0, len(inputs), _ENCODED_AT_ONCE):
        check()
        rows = by_length[first : first + _ENCODED_AT_ONCE]
        vectors[rows] = encoder.encode_passages([inputs[row] for row in rows])
    return vectors


class SentenceEncoder:
    """Any sentence-transformers model, in bfloat16 where the CPU multiplies matrices of it faster.

    A plain BERT, such as the default encoder, computes without padding (see ``packed_bert``).
    """

    def __init__(self, name: str, folder: Path, *, sha256: str, batch_size: int = 32) -> None:
        # heavy, and of no use to whoever never encodes
        from common.torch_runtime import native_dtype
        from retriever.bert.packed_bert import PackedBert

        dtype = native_dtype()
        self.name, self.sha256, self._folder, self._batch_size = name, sha256, folder, batch_size
        self.precision = str(dtype).removeprefix("torch.")
        model = self._load(dtype)
        dimension = model.get_embedding_dimension()
        if dimension is None:
            raise ModelUnusableError(f"The encoder {name!r} does not say how long its vectors are.")
        self.dimension: int = dimension
        self._longest: int | None = model.max_seq_length
        self._prompts: dict[str, str] = {name: prompt or "" for name, prompt in (model.prompts or {}).items()}
        self._usual_prompt: str | None = model.default_prompt_name
        self._tokenizer = _whole_tokenizer(model)
        self._packed = None if self._tokenizer is None else PackedBert.of(model, dtype=dtype)
        self._model = model if self._packed is None else None  # else its weights would be there twice
        self._turn = threading.Lock()  # the tokenizer cannot be asked by two threads at once

    def _load(self, dtype: "torch.dtype") -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer

        from common.torch_runtime import no_progress_bar

        try:
            with no_progress_bar():
                return SentenceTransformer(
                    str(self._folder),
                    device="cpu",
                    local_files_only=True,
                    trust_remote_code=False,
                    model_kwargs={"dtype": dtype, "use_safetensors": True},
                )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnusableError(
                f"The encoder {self.name!r} cannot be loaded ({error}); give a sentence-transformers model."
            ) from error

    @property
    def max_tokens(self) -> int | None:
        if self._longest is None or self._tokenizer is None:
            return None
        return self._longest - self._tokenizer.num_special_tokens_to_add(is_pair=False) - self._prompt_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if self._tokenizer is None:
            raise ModelUnusableError(f"The encoder {self.name!r} has no fast tokenizer to count tokens with.")
        # one by one: waking the threads of a batch takes longer than the few texts of a document
        encode = self._tokenizer.encode
        return [len(encode(text, add_special_tokens=False)) for text in texts]

    def in_int8(self) -> "Int8Encoder":
        """The same encoder, passages in 8-bit integers.

        Raises:
            ModelUnusableError: when it is no plain BERT, or the CPU has no fast 8-bit products.
        """
        return Int8Encoder(self)

    def packed_in_int8(self) -> "PackedBert":
        """What computes its vectors in 8-bit integers; ModelUnusableError when it is no plain BERT."""
        import torch

        from common.torch_runtime import native_dtype
        from retriever.bert.int8 import int8_bert

        packed = None
        if self._packed is not None:
            packed = int8_bert(self._load(torch.float32), dtype=native_dtype())
        if packed is None:
            raise ModelUnusableError(
                f"The encoder {self.name!r} cannot compute in 8-bit integers: it is no plain BERT with mean or "
                f"first-token pooling, as {DEFAULT_ENCODER} is. Embed in the CPU's usual format."
            )
        return packed

    @cached_property
    def _cutting_tokenizer(self) -> Tokenizer:
        """A copy of the tokenizer that cuts off what the model does not read."""
        if self._tokenizer is None:
            raise ModelUnusableError(f"The encoder {self.name!r} has no fast tokenizer.")
        tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        if self._longest is not None:
            tokenizer.enable_truncation(self._longest)
        return tokenizer

    @cached_property
    def _prompt_tokens(self) -> int:
        """Tokens of what the model's makers put before every passage."""
        before = (self._prompts.get(name) for name in _PASSAGE_PROMPTS)
        return self.count_tokens([next(filter(None, before), "")])[0]

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        texts = [fold(query).text for query in queries]
        with self._turn:
            if self._model is not None:
                return _unit(self._model.encode_query(texts, batch_size=self._batch_size))
            return self._encode(self._packed, texts, _QUERY_PROMPTS)

    def encode_passages(self, texts: Sequence[str], *, packed: "PackedBert | None" = None) -> FloatArray:
        """See ``Encoder``. ``packed``: what computes them; unless given, the encoder's own."""
        with self._turn:
            if self._model is not None:
                return _unit(self._model.encode_document(list(texts), batch_size=self._batch_size))
            return self._encode(packed or self._packed, texts, _PASSAGE_PROMPTS)

    def _encode(
        self, packed: "PackedBert | None", texts: Sequence[str], prompts: Sequence[str]
    ) -> FloatArray:
        if packed is None:
            raise ValueError("Only a plain BERT computes without padding.")
        name = next((name for name in prompts if name in self._prompts), self._usual_prompt)
        before = "" if name is None else self._prompts.get(name, "")
        encodings = self._cutting_tokenizer.encode_batch_fast([before + text for text in texts])
        return _unit(packed.encode([encoding.ids for encoding in encodings]).numpy())


class Int8Encoder:
    """A ``SentenceEncoder`` that embeds passages in 8-bit integers; questions stay in the number format it has."""

    precision = INT8

    def __init__(self, encoder: SentenceEncoder) -> None:
        from common.int8_linear import computes_in_int8

        if not computes_in_int8():
            raise ModelUnusableError(
                "This CPU has no fast products of 8-bit integers (AVX2); embed in its usual format."
            )
        self._encoder = encoder
        self._packed = encoder.packed_in_int8()
        self.name, self.sha256, self.dimension = encoder.name, encoder.sha256, encoder.dimension

    @property
    def max_tokens(self) -> int | None:
        return self._encoder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        return self._encoder.encode_queries(queries)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        return self._encoder.encode_passages(texts, packed=self._packed)


def _whole_tokenizer(model: "SentenceTransformer") -> Tokenizer | None:
    """A copy of the model's tokenizer that cuts nothing off; None where it has none that is fast."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _unit(vectors: npt.NDArray[np.floating]) -> FloatArray:
    # (texts, dimension); normalised in float32, whatever the model computed in
    wide: FloatArray = vectors.astype(np.float32)
    norms = np.linalg.norm(wide, axis=1, keepdims=True).clip(1e-12)
    unit: FloatArray = np.divide(wide, norms, dtype=np.float32)
    return unit


class HashingEncoder:
    """Words hashed into a bag-of-words vector: needs no weights, finds shared words, nothing more.

    For tests and dry runs: it follows the same protocol and is deterministic everywhere.
    """

    name = "hashing"
    precision = "float32"
    max_tokens = None

    def __init__(self, dimension: int = 256) -> None:
        self.dimension = dimension
        self.sha256 = hashlib.sha256(f"hashing-{dimension}".encode()).hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+", text)) for text in texts]

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        return self.encode_passages([fold(query).text for query in queries])

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        vectors: FloatArray = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for position, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                vectors[position, int.from_bytes(digest) % self.dimension] += 1.0
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: FloatArray = np.divide(vectors, norms, dtype=np.float32)
        return unit


def load_encoder(name: str = DEFAULT_ENCODER, *, allow_download: bool = False, int8: bool = False) -> Encoder:
    """The encoder of this name: a packaged one, ``hashing``, a local folder, or a name on the hub.

    ``int8``: whether it embeds passages in 8-bit integers.

    Raises:
        ModelUnusableError: when there is none, its weights are not the published ones, or it cannot compute so.
    """
    encoder: Encoder
    if name == HashingEncoder.name:
        encoder = HashingEncoder()
    elif name == MINILM.name:
        encoder = SentenceEncoder(name, minilm_folder(), sha256=MINILM.sha256)
    else:
        folder = model_folder(name, allow_download=allow_download)
        encoder = SentenceEncoder(name, folder, sha256=weights_sha256(folder))
    return in_precision(encoder, INT8) if int8 else encoder


def in_precision(encoder: Encoder, precision: str) -> Encoder:
    """The encoder as it embeds passages for an index that records this precision: in 8-bit integers, or as it does.

    Of other precisions, those of an index and of the CPU may differ: their vectors are alike.

    Raises:
        ModelUnusableError: when it cannot compute in 8-bit integers here.
    """
    if precision != INT8 or encoder.precision == INT8:
        return encoder
    if not isinstance(encoder, SentenceEncoder):
        raise ModelUnusableError(
            f"The encoder {encoder.name!r} has no weights to hold in 8-bit integers; embed in its usual format."
        )
    return encoder.in_int8()
