"""Parquet with the columns ``id``, ``url``, ``title`` and ``text``, as Wikipedia is published: a row is a document."""

from collections.abc import Iterator
from pathlib import Path

from extraction.extras import missing_package
from index_builder.corpora.files.jsonl import document_of
from index_builder.corpora.names import printable
from index_builder.corpora.types import Item, Malformed, Record

_ROWS_TOGETHER = 256


def read_parquet(path: Path, name: str) -> Iterator[Item]:
    """The rows of the file, some hundreds in memory at a time; every other column is metadata."""
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
            for batch in file.iter_batches(batch_size=_ROWS_TOGETHER):
                for row in batch.to_pylist():
                    number += 1
                    yield _read_row(row, f"{shown}:{number}")
    except (pyarrow.ArrowException, OSError) as error:
        yield Malformed(
            f"{shown}:{number + 1}",
            f"The file is damaged here, or no Parquet file ({_first_line(error)}); copy it again.",
        )


def _read_row(row: dict[str, object], location: str) -> Record | Malformed:
    try:
        return Record(document_of(row), location)
    except (ValueError, TypeError) as error:
        return Malformed(location, str(error).replace("The line", "The row"))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
