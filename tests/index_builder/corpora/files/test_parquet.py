import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from index_builder.corpora import Malformed, Record, open_corpus
from index_builder.corpora.files import parquet as reader
from tests.index_builder.corpora.reading import only_problem, read

ROWS = {
    "id": ["1", "2", "3"],
    "url": ["https://e.org/a", "https://e.org/b", None],
    "title": ["A", "", "C"],
    "text": ["Text of a.", "Text\nof b.", None],
    "views": [7, 8, 9],
}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "train-00000.parquet"
    parquet.write_table(pa.table(ROWS), path, row_group_size=2)
    return path


def test_a_row_is_a_document(written):
    first, second, third = read(written)
    assert (first.document.doc_id, first.document.title, first.document.text) == ("1", "A", "Text of a.")
    assert (first.document.url, first.document.metadata) == ("https://e.org/a", {"views": 7})
    assert (second.document.title, second.location) == ("2", "train-00000.parquet:2")
    assert third == Malformed("train-00000.parquet:3", "The row's text is None, but it must be a string.")
    assert open_corpus(str(written)).source.kind == "parquet"


def test_a_file_is_read_some_rows_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_ROWS_TOGETHER", 10)
    rows = 1000
    table = pa.table({"id": [str(n) for n in range(rows)], "text": ["text"] * rows})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    taken = []
    batches = parquet.ParquetFile.iter_batches
    monkeypatch.setattr(
        parquet.ParquetFile,
        "iter_batches",
        lambda *args, **options: (
            taken.append(batch.num_rows) or batch for batch in batches(*args, **options)
        ),
    )
    items = iter(open_corpus(str(tmp_path / "a.parquet")))
    next(items)
    assert taken == [10]
    assert sum(isinstance(item, Record) for item in items) == rows - 1


def test_a_damaged_file_and_one_without_text_are_sentences(written, tmp_path):
    written.write_bytes(written.read_bytes()[:-50])
    assert only_problem(written).problem.startswith("The file is damaged here, or no Parquet file (")
    parquet.write_table(pa.table({"body": ["x"]}), tmp_path / "b.parquet")
    problem = only_problem(tmp_path / "b.parquet").problem
    assert problem == "The file has no column text, only body; name one so."


def test_a_missing_package_is_a_sentence_that_names_the_command(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert only_problem(written).problem.endswith("run `pip install 'loccit[dumps]'`.")
