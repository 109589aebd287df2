import gzip
import json
import lzma
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import CorpusError
from index_builder.corpora import Malformed, Record, SourceKind, open_corpus
from index_builder.corpora.files.jsonl import document_of
from retriever.types import Block, BlockKind, Document, Locator, Span
from tests.index_builder.corpora.reading import GOOD, GOOD_DOCUMENT, documents, only_problem, read, written


def test_a_jsonl_line_becomes_a_document_with_its_other_keys_as_metadata(tmp_path):
    path = written(tmp_path / "notes.jsonl", GOOD)
    assert read(path) == [Record(GOOD_DOCUMENT, "notes.jsonl:1")]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_jsonl_reads_like_plain_jsonl(tmp_path, suffix, pack):
    plain = written(tmp_path / "n.jsonl", GOOD, {"id": "c", "text": "x"})
    packed = tmp_path / f"n.jsonl{suffix}"
    packed.write_bytes(pack(plain.read_bytes()))
    assert documents(open_corpus(str(packed))) == documents(open_corpus(str(plain)))
    assert [item.location for item in read(packed)] == [f"n.jsonl{suffix}:1", f"n.jsonl{suffix}:2"]


def test_a_corpus_can_be_read_twice(tmp_path):
    corpus = open_corpus(str(written(tmp_path / "n.jsonl", GOOD)))
    assert list(corpus) == list(corpus) != []


def test_a_jsonl_file_is_read_line_by_line_and_not_whole(tmp_path):
    path = written(tmp_path / "n.jsonl", GOOD, *[{"id": n, "text": "x" * 1000} for n in range(1000)])
    items = iter(open_corpus(str(path)))
    next(items)
    with path.open("ab") as file:
        file.write(b'{"id": "late", "text": ""}\n')
    assert [item.document.doc_id for item in items if isinstance(item, Record)][-1] == "late"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_a_jsonl_text_is_kept_character_for_character(text, as_ascii):
    line = json.dumps({"id": "a", "text": text}, ensure_ascii=as_ascii)
    assert document_of(json.loads(line)).text == text


def test_line_separators_inside_a_json_string_do_not_end_its_line(tmp_path):
    path = tmp_path / "n.jsonl"
    path.write_bytes(json.dumps({"id": "a", "text": "x\u2028y\x85z"}, ensure_ascii=False).encode() + b"\r\n")
    assert [document.text for document in documents(open_corpus(str(path)))] == ["x\u2028y\x85z"]


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path):
    path = tmp_path / "n.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": ""}\r\n \r\n\n{"id": "b", "text": ""}')
    assert read(path) == [
        Record(Document("a", "a", ""), "n.jsonl:1"),
        Record(Document("b", "b", ""), "n.jsonl:4"),
    ]


@pytest.mark.parametrize("title", [{}, {"title": None}, {"title": ""}, {"title": " "}])
def test_a_missing_title_is_the_id(title):
    assert document_of({"id": "a", "text": "x", **title}).title == "a"


@pytest.mark.parametrize("url", [{}, {"url": None}, {"url": ""}])
def test_a_missing_url_is_none(url):
    assert document_of({"id": "a", "text": "x", **url}).url is None


def test_metadata_may_nest_32_deep():
    m = json.loads("[" * 31 + "]" * 31)
    assert document_of({"id": "a", "text": "x", "m": m}).metadata == {"m": m}


def test_an_id_may_be_a_whole_number():
    assert document_of({"id": 17, "text": "x"}).doc_id == "17"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"id": "a", "text": ', "not JSON"),
        (b"{'id': 'a'}", "not JSON"),
        (b'{"id": "a"} {"id": "b"}', "not JSON"),
        (["a", "text"], "must be a JSON object"),
        (None, "must be a JSON object"),
        ({"text": "x"}, "id is missing, but it must be a string"),
        ({"id": None, "text": "x"}, "id is None"),
        ({"id": "", "text": "x"}, "id is ''"),
        ({"id": " ", "text": "x"}, "id is ' '"),
        ({"id": True, "text": "x"}, "id is True"),
        ({"id": 1.5, "text": "x"}, "id is 1.5"),
        ({"id": "a"}, "text is missing, but it must be a string"),
        ({"id": "a", "text": ["x"]}, r"text is \['x'\]"),
        ({"id": "a", "text": "x", "title": 5}, "title is 5, but it must be a string or left out"),
        ({"id": "a", "text": "x", "url": {}}, "url is {}, but it must be a string or left out"),
        (b'{"id": "a", "text": "x\\ud83d"}', r"'text' .*half a surrogate pair, '\\ud83d'"),
        (b'{"id": "a\\uDE00", "text": "x"}', "'id' .*half a surrogate pair"),
        (b'{"id": "a", "text": "x", "m": [{"n": "\\ud83d"}]}', "'m' .*half a surrogate pair"),
        (b'{"id": "a", "text": "x", "\\ud83d": 1}', r"'\\ud83d' .*half a surrogate pair"),
        (b'{"id": "a", "text": "x", "m": NaN}', "holds NaN"),
        (b'{"id": "a", "text": "x", "m": -Infinity}', "holds -Infinity"),
        (b'{"id": "a", "text": "x", "m": 1e999}', "number 1e999, which is too large"),
        (b'{"id": "a", "text": "x", "m": ' + b"9" * 5000 + b"}", "number of 5000 digits"),
        (b'{"id": "a", "text": "x", "m": ' + b"[" * 9999 + b"]" * 9999 + b"}", "too deeply"),
        (
            b'{"id": "a", "text": "x", "m": ' + b"[" * 32 + b"]" * 32 + b"}",
            "^The line's metadata nests lists or objects more than 32 deep; keep it flat.$",
        ),
        (b'{"id": "a", "text": "caf\xe9"}', "byte 0xe9 at position 25, which is not UTF-8"),
        (b'{"id": "a", "text": "\xed\xa0\xbd"}', "not UTF-8"),
    ],
)
def test_a_malformed_line_is_reported_where_it_stands_and_the_rest_is_read(tmp_path, line, problem):
    before, malformed, after = read(written(tmp_path / "n.jsonl", GOOD, line, {**GOOD, "id": "later"}))
    assert isinstance(before, Record)
    assert isinstance(malformed, Malformed)
    assert malformed.location == "n.jsonl:2"
    assert re.search(problem, malformed.problem)
    assert isinstance(after, Record)
    assert after.document.doc_id == "later"


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_a_truncated_archive_is_reported_after_the_lines_that_could_be_read(tmp_path, suffix, pack):
    lines = [{"id": n, "text": os.urandom(300).hex()} for n in range(2000)]
    packed = pack(written(tmp_path / "whole.jsonl", *lines).read_bytes())
    path = tmp_path / f"n.jsonl.{suffix}"
    path.write_bytes(packed[: len(packed) // 2])
    *records, last = read(path)
    assert [item.document.doc_id for item in records] == [str(n) for n in range(len(records))]
    assert len(records) > 100
    assert isinstance(last, Malformed)
    assert last.location == f"n.jsonl.{suffix}:{len(records) + 1}"
    assert "damaged or cut short" in last.problem


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_a_file_that_only_claims_to_be_compressed_is_reported(tmp_path, suffix):
    problem = only_problem(written(tmp_path / f"n.jsonl.{suffix}", GOOD))
    assert problem.location == f"n.jsonl.{suffix}:1"
    assert "damaged" in problem.problem


def test_a_jsonl_file_that_cannot_be_read_is_refused_with_its_name(tmp_path):
    path = written(tmp_path / "n.jsonl", GOOD)
    corpus = open_corpus(str(path))
    path.unlink()
    with pytest.raises(CorpusError, match=r"'n\.jsonl' cannot be read \(No such file"):
        list(corpus)


def test_a_jsonl_source_is_named_without_the_folders_it_lies_in(tmp_path):
    source = open_corpus(str(written(tmp_path / "n.jsonl", GOOD))).source
    assert (source.name, source.kind) == ("n.jsonl", SourceKind.JSONL)
    assert (source.licence, source.snapshot, source.attribution) == (None, None, None)


def test_a_line_may_give_the_structure_of_its_text(tmp_path):
    blocks = [
        {"kind": "heading", "start": 0, "end": 1},
        {"kind": "row", "start": 2, "end": 3, "path": ["A"], "locator": "page 2"},
    ]
    line = {"id": "a", "text": "A\nb\n", "blocks": blocks}
    (document,) = documents(open_corpus(str(written(tmp_path / "n.jsonl", line))))
    assert document.blocks == (
        Block(BlockKind.HEADING, Span(0, 1)),
        Block(BlockKind.ROW, Span(2, 3), ("A",), Locator.page(2)),
    )
    assert document.metadata == {}


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ("none", "The line's blocks are 'none', but they must be a list."),
        ([{"kind": "row", "start": 0, "end": 1}], "The blocks leave out 'b' between 1 and 4."),
    ],
)
def test_blocks_that_do_not_fit_make_a_line_malformed(tmp_path, blocks, problem):
    path = written(tmp_path / "n.jsonl", {"id": "a", "text": "A\nb\n", "blocks": blocks})
    assert only_problem(path) == Malformed("n.jsonl:1", problem)
