import pytest

from common.errors import CorpusError
from index_builder.corpora import Record, SourceKind, open_corpus
from index_builder.corpora.formats import FORMATS, Format, format_of
from retriever.types import Document


def test_a_row_of_the_table_is_all_that_a_new_format_needs(tmp_path, monkeypatch):
    def read_upper(path, name):
        yield Record(Document(name, path.stem, path.read_text().upper()), f"{name}:1")

    for name in ("a.up", "b.txt"):
        (tmp_path / name).write_text("text")
    assert open_corpus(str(tmp_path)).source.passed_over == {".up": 1}
    monkeypatch.setitem(FORMATS, ".up", Format(read_upper, SourceKind.TEXT_FILES, in_folders=True))
    corpus = open_corpus(str(tmp_path))
    assert corpus.source.passed_over == {}
    assert [item.document.text for item in corpus] == ["TEXT", "text"]
    assert [item.document.doc_id for item in open_corpus(str(tmp_path / "a.up"))] == ["a.up"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_suffix_of_the_table_is_read_and_named_where_a_file_is_refused(tmp_path, suffix):
    assert format_of(f"NAME{suffix.upper()}") is FORMATS[suffix]
    assert format_of(f"name{suffix}y") is None
    (tmp_path / "a.odt").write_bytes(b"x")
    with pytest.raises(
        CorpusError, match=r"^The file '.*a\.odt' is of no kind that can be read: give "
    ) as caught:
        open_corpus(str(tmp_path / "a.odt"))
    assert suffix in str(caught.value).split("a file whose name ends in ")[1]


def test_an_error_that_a_reader_did_not_foresee_costs_the_rest_of_its_file_alone(tmp_path):
    def read(path, name):
        yield Record(Document("a", "A", "Text."), "a:1")
        raise AttributeError("no such tag")

    form = Format(read, SourceKind.TEXT_FILES, in_folders=True)
    first, second = form.items(tmp_path / "a.md", "a.md")
    assert first.document.doc_id == "a"
    assert second.location == "a.md:2"
    assert second.problem.startswith("The file cannot be read any further (AttributeError: no")


def test_what_a_reader_refuses_as_a_whole_is_raised(tmp_path):
    def read(path, name):
        raise CorpusError("Give another.")
        yield

    with pytest.raises(CorpusError, match="Give another"):
        list(Format(read, SourceKind.TEXT_FILES, in_folders=True).items(tmp_path / "a.md", "a.md"))
