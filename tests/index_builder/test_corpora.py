import errno
import gzip
import json
import lzma
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import CorpusError
from index_builder.corpora import Corpus, Malformed, Record, SourceKind, open_corpus, vital_articles
from index_builder.corpora.jsonl import document_of
from index_builder.corpora.markdown import first_heading
from index_builder.corpora.vital_articles import page_url
from retriever.types import Document

GOOD = {"id": "a/b", "title": "Äther", "text": "One.\r\nTwo \U0001f600", "url": "https://e.org", "year": 1698}
GOOD_DOCUMENT = Document("a/b", "Äther", "One.\r\nTwo \U0001f600", "https://e.org", {"year": 1698})


def written(path: Path, *lines: object) -> Path:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join([*encoded, b""]))
    return path


def read(path: Path) -> list[Record | Malformed]:
    return list(open_corpus(str(path)))


def documents(corpus: Corpus) -> list[Document]:
    return [item.document for item in corpus if isinstance(item, Record)]


def only_problem(path: Path) -> Malformed:
    (item,) = read(path)
    assert isinstance(item, Malformed)
    return item


# --- JSONL ---


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


# --- text files ---


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    for name in ("b.txt", "a/z.md", "a.md", "B.TXT", ".hidden.md", ".git/x.md", "a/.x/y.txt", "skip.pdf"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"text of {name}".encode())
    return folder


def test_a_folder_is_read_recursively_in_order_of_paths_without_hidden_files(folder):
    found = documents(open_corpus(str(folder)))
    assert [document.doc_id for document in found] == ["B.TXT", "a.md", "a/z.md", "b.txt"]
    assert [document.text for document in found][2] == "text of a/z.md"


def test_a_folder_that_is_itself_hidden_is_read(folder):
    assert [document.doc_id for document in documents(open_corpus(str(folder / ".git")))] == ["x.md"]


def test_locations_and_sources_do_not_tell_where_the_folder_lies(folder, monkeypatch):
    assert [item.location for item in read(folder)] == ["B.TXT:1", "a.md:1", "a/z.md:1", "b.txt:1"]
    assert open_corpus(str(folder)).source.name == "notes"
    monkeypatch.chdir(folder)
    assert open_corpus(".").source.name == "notes"
    assert open_corpus("a.md").source.kind is SourceKind.TEXT_FILES


def test_a_single_text_file_is_a_corpus_of_one_document(folder):
    assert read(folder / "a" / "z.md") == [Record(Document("z.md", "z", "text of a/z.md"), "z.md:1")]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_file_is_kept_character_for_character(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("verbatim") / "a.txt"
    path.write_bytes(text.encode())
    (document,) = documents(open_corpus(str(path)))
    assert document.text == text.removeprefix("\ufeff")


def test_line_ends_are_kept_and_a_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfOne\r\nTwo\rThree\n")
    assert [document.text for document in documents(open_corpus(str(path)))] == ["One\r\nTwo\rThree\n"]


def test_a_file_that_is_not_utf_8_is_reported_with_its_line(folder):
    (folder / "a.md").write_bytes(b"one\r\ncaf\xe9\n")
    _, malformed, *rest = read(folder)
    assert malformed == Malformed(
        "a.md:2", "The file has the byte 0xe9 here, which is not UTF-8; save it as UTF-8."
    )
    assert len(rest) == 2


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_is_read(folder, monkeypatch):
    read_bytes = Path.read_bytes

    def refuse(path):
        if path.name == "a.md":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    _, malformed, *rest = read(folder)
    assert malformed == Malformed(
        "a.md:1", "The file cannot be read (Permission denied); make it readable or remove it."
    )
    assert len(rest) == 2


def test_a_folder_that_cannot_be_listed_is_reported(folder, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    first, *rest = read(folder)
    assert first == Malformed(
        "a:1", "The folder cannot be listed (Permission denied); make it readable or move it."
    )
    assert len(rest) == 3


def test_circles_of_links_do_not_hang(folder):
    (folder / "a" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.md").symlink_to("self.md")
    *records, malformed = read(folder)
    assert [item.location for item in records] == ["B.TXT:1", "a.md:1", "a/z.md:1", "b.txt:1"]
    assert isinstance(malformed, Malformed)
    assert malformed.location == "self.md:1"


def test_a_link_to_a_file_is_read_and_a_broken_one_reported(folder):
    (folder / "y.md").symlink_to(folder / "b.txt")
    (folder / "z.md").symlink_to(folder / "nowhere.txt")
    *_, linked, broken = read(folder)
    assert linked == Record(Document("y.md", "y", "text of b.txt"), "y.md:1")
    assert isinstance(broken, Malformed)


def test_a_pipe_named_like_a_text_file_does_not_hang(folder):
    os.mkfifo(folder / "z.txt")
    *_, malformed = read(folder)
    assert malformed == Malformed("z.txt:1", "This is not a regular file; put a text file in its place.")


def test_a_name_that_is_not_utf_8_is_reported_in_characters_that_can_be_stored(folder):
    path = os.fsencode(folder) + b"/caf\xe9.md"
    try:
        Path(os.fsdecode(path)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses such names")
    malformed = next(item for item in read(folder) if isinstance(item, Malformed))
    assert malformed.location == r"caf\xe9.md:1"


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


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The tower\n", "The tower"),
        ("intro\n\n## A lamp ##\r\ntext", "A lamp"),
        ("#hashtag\n# C#", "C#"),
        ("# \n# Second", "Second"),
        ("The tower\n====\n", "The tower"),
        ("The lamp\n---\n", "The lamp"),
        ("--\n---\n", None),
        ("```sh\n# a comment\n```\n# Real", "Real"),
        ("~~~~\n```\n# no\n~~~~\n# Real", "Real"),
        ("---\r\n# settings\r\ntitle: x\r\n---\r\n# Real", "Real"),
        ("---\n# After a rule that nothing closes", "After a rule that nothing closes"),
        ("no heading\n\n---\n", None),
        ("    # code", None),
        ("", None),
    ],
)
def test_the_title_of_markdown_is_its_first_heading(tmp_path, text, title):
    assert first_heading(text) == title
    path = tmp_path / "the-file.md"
    path.write_bytes(text.encode())
    assert [document.title for document in documents(open_corpus(str(path)))] == [title or "the-file"]


def test_a_heading_of_millions_of_spaces_is_read_in_no_time():
    assert first_heading("# a" + " " * 5_000_000 + "#") == "a"


def test_the_title_of_plain_text_is_its_name_without_the_ending(tmp_path):
    path = tmp_path / "log.2020.txt"
    path.write_bytes(b"# no heading")
    assert [document.title for document in documents(open_corpus(str(path)))] == ["log.2020"]


# --- vital articles ---


@pytest.fixture
def articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """The packaged corpus, its file replaced by one of two articles, the second without text."""
    path = tmp_path / "summaries.json"
    tower = {"title": "The Tower", "extract": "A\u00a0tower.\nTwo.", "description": "", "topic": "Arts"}
    path.write_text(json.dumps({"The Tower": tower, "Gone": {"title": "Gone"}}), encoding="utf-8")
    monkeypatch.setattr(vital_articles, "vital_articles_path", lambda: path)
    return open_corpus("vital-articles")


def test_a_vital_article_is_a_document_with_its_page_name_as_id(articles):
    record, malformed = articles
    assert record == Record(
        Document(
            "The_Tower",
            "The Tower",
            "A\u00a0tower.\nTwo.",
            "https://en.wikipedia.org/wiki/The_Tower",
            {"description": "", "topic": "Arts"},
        ),
        "vital-articles:The Tower",
    )
    assert isinstance(malformed, Malformed)
    assert malformed.location == "vital-articles:Gone"


def test_vital_articles_carry_their_licence_and_attribution(articles):
    assert articles.source.name == "vital-articles"
    assert articles.source.licence == "CC BY-SA 4.0"
    assert "Wikipedia contributors" in articles.source.attribution


@pytest.mark.parametrize(
    ("title", "page"),
    [
        ("Aesop's Fables", "Aesop%27s_Fables"),
        ("AT&T", "AT%26T"),
        ("HIV/AIDS", "HIV/AIDS"),
        ("2001: A Space Odyssey", "2001:_A_Space_Odyssey"),
        ("Sagittarius A*", "Sagittarius_A*"),
        ("Les Misérables", "Les_Mis%C3%A9rables"),
        ("Dune (novel)", "Dune_(novel)"),
        ("What? 100% #1+1", "What%3F_100%25_%231%2B1"),
    ],
)
def test_a_page_address_is_written_as_wikipedia_writes_it(title, page):
    assert page_url(title) == f"https://en.wikipedia.org/wiki/{page}"


def test_an_uninstalled_package_is_said_when_its_corpus_is_opened(monkeypatch):
    def missing():
        raise CorpusError("vital-articles is not installed: install it.")

    monkeypatch.setattr(vital_articles, "vital_articles_path", missing)
    with pytest.raises(CorpusError, match="not installed"):
        open_corpus("vital-articles")


# --- opening ---


@pytest.mark.parametrize("name", ["nowhere", "nowhere.jsonl", "a\x00b", "file.txt/inside"])
def test_a_missing_corpus_is_refused_with_what_is_accepted(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"no corpus .*: give vital-articles, a folder with \.txt or \.md"):
        open_corpus(name)


@pytest.mark.parametrize("name", ["paper.pdf", "notes.json", "jsonl", "data.csv.gz"])
def test_an_unknown_kind_of_file_is_refused_with_what_is_accepted(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"of no kind .*: give .*\.jsonl, \.jsonl\.gz, \.jsonl\.xz"):
        open_corpus(str(tmp_path / name))


def test_the_case_of_an_ending_does_not_matter(tmp_path):
    assert open_corpus(str(written(tmp_path / "N.JSONL", GOOD))).source.kind is SourceKind.JSONL


def test_a_folder_without_text_files_is_refused(folder):
    (folder / "empty").mkdir()
    (folder / "empty" / "x.jsonl").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"'empty' holds no \.txt or \.md file"):
        open_corpus(str(folder / "empty"))


def test_a_folder_that_cannot_be_listed_at_all_says_so(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"cannot be listed \(Permission denied\)"):
        open_corpus(str(folder))
