"""A GGUF file: its metadata and its tensors, de-quantised one at a time.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The ``gguf`` package's own reader makes
several arrays per vocabulary entry (nine seconds for 262,144 of them); this one walks the header once.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import ModelUnusableError

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor's place. ``shape``: in torch's order. ``offset``: bytes from the file's start."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


class GGUFFile:
    """Metadata and tensors of a GGUF file (version 2 or 3, little-endian).

    Raises:
        ModelUnusableError: when the file is not one.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelUnusableError(
                    f"{path} is not a GGUF file: it does not start with the letters GGUF."
                )
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        header = _Header(path, self._bytes.data)
        self.metadata = header.metadata
        self.entries = header.entries

    @property
    def architecture(self) -> str:
        """The model family, in llama.cpp's words: ``gemma3``, ``llama``, ..."""
        return str(self.metadata["general.architecture"])

    def tensors(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Every tensor as float32, by its GGUF name."""
        for entry in self.entries:
            yield entry.name, self._dequantised(entry)

    def _dequantised(self, entry: TensorEntry) -> NDArray[np.float32]:
        # gguf is slow to import and only conversion needs it.
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

        kind = GGMLQuantizationType(entry.kind)
        values, size = GGML_QUANT_SIZES[kind]  # a block of so many values takes so many bytes
        rows = (*entry.shape[:-1], entry.shape[-1] // values * size)
        data = self._bytes[entry.offset : entry.offset + prod(rows)].reshape(rows)
        if kind is GGMLQuantizationType.F32 or kind is GGMLQuantizationType.F16:
            data = data.view(np.float32 if kind is GGMLQuantizationType.F32 else np.float16)
        return np.array(dequantize(data, kind), dtype=np.float32)


class _Header:
    """Reads the header front to back: a position that only moves on."""

    def __init__(self, path: Path, data: memoryview) -> None:
        self._data = data
        self._at = 4
        try:
            version = self._scalar("I")
            if version not in (2, 3):
                raise ModelUnusableError(f"{path} is GGUF version {version}, but only 2 and 3 can be read.")
            tensors, fields = self._scalar("Q"), self._scalar("Q")
            self.metadata: dict[str, Any] = {self._string(): self._value() for _ in range(fields)}
            entries = [self._entry() for _ in range(tensors)]
        except (struct.error, KeyError, UnicodeDecodeError) as damaged:
            raise ModelUnusableError(f"{path} is a damaged GGUF file: its header breaks off.") from damaged
        alignment = self.metadata.get("general.alignment", 32)
        start = -(-self._at // alignment) * alignment
        self.entries = tuple(TensorEntry(name, shape, kind, start + at) for name, shape, kind, at in entries)

    def _scalar(self, code: str) -> Any:  # noqa: ANN401
        return self._scalars(code, 1)[0]

    def _scalars(self, code: str, count: int) -> tuple[Any, ...]:
        layout = f"<{count}{code}"
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _string(self) -> str:
        length = self._scalar("Q")
        self._at += length
        return str(self._data[self._at - length : self._at], "utf-8")

    def _value(self) -> Any:  # noqa: ANN401
        kind = self._scalar("I")
        if kind == STRING:
            return self._string()
        if kind != ARRAY:
            return self._scalar(SCALARS[kind])
        kind, count = self._scalar("I"), self._scalar("Q")
        if kind == STRING:
            return [self._string() for _ in range(count)]
        return list(self._scalars(SCALARS[kind], count))

    def _entry(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        sizes = self._scalars("Q", self._scalar("I"))
        kind, offset = self._scalar("I"), self._scalar("Q")
        return name, tuple(reversed(sizes)), kind, offset  # ggml names the fastest-moving axis first
