import json
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from index_builder.corpora import Malformed, PassedOver, Record, open_corpus
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


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("us")), "2020-01-02T03:04:05"),
        (pa.array([1_577_934_245_000_000_001], pa.timestamp("ns")), "2020-01-02 03:04:05.000000001"),
        (pa.array([date(2020, 1, 2)]), "2020-01-02"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([float("nan")]), None),
        (pa.array([float("-inf")]), None),
        (pa.array([0.5]), 0.5),
        (pa.array([["a", "b"]]), ["a", "b"]),
        (pa.array([[Decimal("1.5"), None]]), ["1.5", None]),
        (pa.array([{"on": date(2020, 1, 2), "n": [float("nan")]}]), {"on": "2020-01-02", "n": [None]}),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [["k", 1]]),
        (pa.array([timedelta(hours=1)]), "1:00:00"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([True]), True),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_metadata_is_what_json_can_keep(tmp_path, values, kept):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": ["1"], "text": ["Text."], "more": values}), path)
    (item,) = read(path)
    assert isinstance(item, Record), item
    assert item.document.metadata == {"more": kept}
    assert json.loads(json.dumps(item.document.metadata, allow_nan=False)) == {"more": kept}


def test_columns_of_bytes_are_passed_over_and_text_of_bytes_must_be_utf_8(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"id": ["1", "2"], "text": [b"Text.", b"\xff"], "picture": [b"\xff\xd8", b""], "n": [1, 2]}
    parquet.write_table(pa.table(columns), path)
    passed, first, second = read(path)
    assert passed == PassedOver("binary columns")
    assert (first.document.text, first.document.metadata) == ("Text.", {"n": 1})
    assert second.problem.startswith("The row holds bytes that are no UTF-8 (b'\\xff');")


@pytest.mark.parametrize("depth", [31, 32])
def test_a_row_whose_metadata_nests_too_deeply_is_left_out(tmp_path, depth):
    value, kind = 1, pa.int64()
    for _ in range(depth):
        value, kind = [value], pa.list_(kind)
    table = pa.table({"id": ["a"], "text": ["Text."], "m": pa.array([value], kind)})
    parquet.write_table(table, tmp_path / "a.parquet")
    (item,) = read(tmp_path / "a.parquet")
    if depth < 32:
        assert item.document.metadata == {"m": value}
    else:
        problem = "The row's metadata nests lists or objects more than 32 deep; keep it flat."
        assert item == Malformed("a.parquet:1", problem)
