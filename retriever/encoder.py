"""Encoders turn texts into unit vectors whose inner product is the cosine similarity."""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from common.errors import ModelUnusableError
from common.hub import model_folder, weights_sha256
from common.packaged import MINILM, minilm_folder
from retriever.folding import fold

FloatArray = npt.NDArray[np.float32]

DEFAULT_ENCODER = MINILM.name
_ENCODED_AT_ONCE = 16


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
    """Any sentence-transformers model, in bfloat16 where the CPU multiplies matrices of it faster."""

    def __init__(self, name: str, folder: Path, *, sha256: str, batch_size: int = 32) -> None:
        # heavy, and of no use to whoever never encodes
        from sentence_transformers import SentenceTransformer

        from common.torch_runtime import native_dtype, no_progress_bar

        dtype = native_dtype()
        self.name, self.sha256, self._batch_size = name, sha256, batch_size
        self.precision = str(dtype).removeprefix("torch.")
        try:
            with no_progress_bar():
                self._model = SentenceTransformer(
                    str(folder),
                    device="cpu",
                    local_files_only=True,
                    trust_remote_code=False,
                    model_kwargs={"dtype": dtype, "use_safetensors": True},
                )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnusableError(
                f"The encoder {name!r} cannot be loaded ({error}); give a sentence-transformers model."
            ) from error
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ModelUnusableError(f"The encoder {name!r} does not say how long its vectors are.")
        self.dimension: int = dimension
        self._turn = threading.Lock()  # the tokenizer cannot be asked by two threads at once

    @property
    def max_tokens(self) -> int | None:
        longest: int | None = self._model.max_seq_length
        if longest is None or self._tokenizer is None:
            return None
        return longest - self._tokenizer.num_special_tokens_to_add(is_pair=False) - self._prompt_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if self._tokenizer is None:
            raise ModelUnusableError(f"The encoder {self.name!r} has no fast tokenizer to count tokens with.")
        # one by one: waking the threads of a batch takes longer than the few texts of a document
        encode = self._tokenizer.encode
        return [len(encode(text, add_special_tokens=False)) for text in texts]

    @cached_property
    def _tokenizer(self) -> Tokenizer | None:
        """A copy of the model's own that cuts nothing off; None where it has none that is fast."""
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            return None
        tokenizer = Tokenizer.from_str(backend.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _prompt_tokens(self) -> int:
        """Tokens of what the model's makers put before every passage."""
        prompts = self._model.prompts or {}
        before = (prompts.get(name) for name in ("document", "passage", "corpus"))
        return self.count_tokens([next(filter(None, before), "")])[0]

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        texts = [fold(query).text for query in queries]
        with self._turn:
            return self._unit(self._model.encode_query(texts, batch_size=self._batch_size))

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        with self._turn:
            return self._unit(self._model.encode_document(list(texts), batch_size=self._batch_size))

    @staticmethod
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


def load_encoder(name: str = DEFAULT_ENCODER, *, allow_download: bool = False) -> Encoder:
    """The encoder of this name: a packaged one, ``hashing``, a local folder, or a name on the hub.

    Raises:
        ModelUnusableError: when there is none, or its weights are not the published ones.
    """
    if name == HashingEncoder.name:
        return HashingEncoder()
    if name == MINILM.name:
        return SentenceEncoder(name, minilm_folder(), sha256=MINILM.sha256)
    folder = model_folder(name, allow_download=allow_download)
    return SentenceEncoder(name, folder, sha256=weights_sha256(folder))
