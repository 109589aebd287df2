"""Parquet with the columns ``id``, ``url``, ``title`` and ``text``, as Wikipedia is published: a row is a document."""

import math
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from reprlib import repr as shortened
from typing import TYPE_CHECKING

from extraction.extras import missing_package
from index_builder.corpora.files.jsonl import OWN_KEYS, document_of
from index_builder.corpora.names import printable
from index_builder.corpora.types import Item, Malformed, PassedOver, Record

if TYPE_CHECKING:
    import pyarrow

_ROWS_TOGETHER = 256


def read_parquet(path: Path, name: str) -> Iterator[Item]:
    """The rows of the file, some hundreds in memory at a time; every other column is metadata, but one of bytes."""
    shown = printable(name)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        yield Malformed(f"{shown}:1", str(missing_package("pyarrow", "dumps")))
        return
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            if "text" not in file.schema_arrow.names:
                columns = ", ".join(file.schema_arrow.names)
                yield Malformed(f"{shown}:1", f"The file has no column text, only {columns}; name one so.")
                return
            kept = [
                field.name
                for field in file.schema_arrow
                if field.name in OWN_KEYS or not _is_binary(field.type)
            ]
            yield from [PassedOver("binary columns")] * (len(file.schema_arrow) - len(kept))
            for batch in file.iter_batches(batch_size=_ROWS_TOGETHER, columns=kept):
                values = [_values(column) for column in batch.columns]
                for row in zip(*values, strict=True):
                    number += 1
                    yield _read_row(dict(zip(batch.schema.names, row, strict=True)), f"{shown}:{number}")
    except (pyarrow.ArrowException, OSError) as error:
        yield Malformed(
            f"{shown}:{number + 1}",
            f"The file is damaged here, or no Parquet file ({_first_line(error)}); copy it again.",
        )


def _is_binary(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _values(column: "pyarrow.Array") -> list[object]:
    """The column's values; as texts where Python has none for them, such as times to the nanosecond."""
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return list(column.cast("string").to_pylist())


def _plain(value: object) -> object:
    """The value as JSON can keep it: times and decimals as texts, what is no number as null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | str() | bool() | int():
            return value
        case bytes():
            return _text_of(value)
        case dict():
            return {str(key): _plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry) for entry in value]
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The line holds bytes that are no UTF-8 ({shortened(value)}); store them as text, or leave them out."
        ) from error


def _read_row(row: dict[str, object], location: str) -> Record | Malformed:
    try:
        return Record(document_of(_plain(row)), location)
    except (ValueError, TypeError) as error:
        return Malformed(location, str(error).replace("The line", "The row"))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
