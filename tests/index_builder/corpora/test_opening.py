import gzip
import os
from pathlib import Path

import pytest

from common.errors import CorpusError
from index_builder.corpora import Malformed, Record, SourceKind, open_corpus
from retriever.types import Document
from tests.index_builder.corpora.reading import GOOD, written


@pytest.mark.parametrize("name", ["nowhere", "nowhere.jsonl", "a\x00b", "file.txt/inside"])
def test_a_missing_corpus_is_refused_with_what_is_accepted(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_bytes(b"x")
    with pytest.raises(
        CorpusError,
        match=r"no corpus .*: give vital-articles, hub:DATASET, a folder with \.txt, \.md, .* or \.docx",
    ):
        open_corpus(name)


@pytest.mark.parametrize("name", ["paper.odt", "notes.json", "jsonl", "data.csv.gz"])
def test_an_unknown_kind_of_file_is_refused_with_what_is_accepted(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"of no kind .*: give .*\.jsonl, \.jsonl\.gz, \.jsonl\.xz"):
        open_corpus(str(tmp_path / name))


def test_the_case_of_an_ending_does_not_matter(tmp_path):
    assert open_corpus(str(written(tmp_path / "N.JSONL", GOOD))).source.kind is SourceKind.JSONL


@pytest.mark.parametrize("name", [b"x\xff.jsonl", b"x\xff.jsonl.gz", b"x\xff.txt", b"x\xff.md"])
def test_a_file_whose_name_is_not_utf_8_has_a_name_that_can_be_shown(tmp_path, name):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    content = b'{"id": "a", "text": "b"}'
    try:
        path.write_bytes(gzip.compress(content) if name.endswith(b".gz") else content)
    except OSError:
        pytest.skip("this file system refuses such names")
    corpus = open_corpus(str(path))
    shown = name.decode(errors="backslashreplace")
    assert corpus.source.name == shown
    (item,) = corpus
    assert item.location == f"{shown}:1"
    if b".jsonl" in name:
        assert item == Record(Document("a", "a", "b"), f"{shown}:1")
    else:
        assert item == Malformed(
            f"{shown}:1", "The file's name is not UTF-8, so it cannot be an id; rename the file."
        )
