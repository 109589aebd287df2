"""Compressed files read whole: every stream of them, and word of what is none.

Python's own readers of .xz and .bz2 end without a word at the first bytes that are no stream, padding included.
"""

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE = 1 << 16  # bytes read at a time
_PADDING_UNIT = 4  # xz pads its streams with zeros, so many at a time


class TrailingBytesError(Exception):
    """What follows the end of a compressed file is no part of it."""


DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, TrailingBytesError)
"""What reading a compressed file raises where it is damaged or cut short; bz2 raises OSError as well."""


class _Stream(Protocol):
    """One stream being decompressed: ``lzma.LZMADecompressor`` or ``bz2.BZ2Decompressor``."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Streams(io.RawIOBase):
    """The content of a file's streams, one after the other. It closes the file."""

    def __init__(self, file: BinaryIO, kind: type[lzma.LZMADecompressor] | type[bz2.BZ2Decompressor]) -> None:
        self._file, self._kind = file, kind
        self._stream: _Stream = kind()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        within = memoryview(buffer).cast("B")
        piece = self._next(len(within))
        within[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _next(self, most: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        piece = b""
        while not piece:
            if self._stream.eof:
                following = self._following()
                if not following:
                    break
                self._stream = self._kind()
                try:
                    piece = self._stream.decompress(following, most)
                except (lzma.LZMAError, OSError) as error:
                    raise TrailingBytesError("what follows its end is no part of it") from error
            else:
                read = self._file.read(_PIECE) if self._stream.needs_input else b""
                if self._stream.needs_input and not read:
                    raise EOFError("Compressed data ended before the end-of-stream marker was reached")
                piece = self._stream.decompress(read, most)
        return piece

    def _following(self) -> bytes:
        """What follows the stream that is over, without padding; nothing at the end of the file."""
        padding, following = 0, self._stream.unused_data or self._file.read(_PIECE)
        while self._kind is lzma.LZMADecompressor and following.startswith(b"\0"):
            bare = following.lstrip(b"\0")
            padding += len(following) - len(bare)
            following = bare or self._file.read(_PIECE)
        if padding % _PADDING_UNIT:
            raise TrailingBytesError("what follows its end is no part of it")
        return following


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes as a stream, decompressed where its name ends in .gz, .xz or .bz2.

    Raises:
        OSError: when it cannot be had.

    Reading it raises one of ``DAMAGE`` where it is damaged, is cut short, or has bytes behind its end.
    """
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]  # it reads as one
    if name.endswith((".xz", ".bz2")):
        kind = lzma.LZMADecompressor if name.endswith(".xz") else bz2.BZ2Decompressor
        return io.BufferedReader(_Streams(path.open("rb"), kind))
    return path.open("rb")


def from_xz(content: bytes) -> bytes:
    """The content of an .xz file's bytes; raises one of ``DAMAGE``."""
    return io.BufferedReader(_Streams(io.BytesIO(content), lzma.LZMADecompressor)).read()
