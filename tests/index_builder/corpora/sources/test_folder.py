import errno
import os
from pathlib import Path

import pytest

from common.errors import CorpusError
from index_builder.corpora import Malformed, SourceKind, open_corpus
from index_builder.corpora.files import content
from index_builder.corpora.sources.folder import counted_kinds
from tests.index_builder.corpora.reading import documents, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    for name in ("b.txt", "a/z.md", "a.md", "B.TXT", ".hidden.md", ".git/x.md", "a/.x/y.txt", "skip.odt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"text of {name}".encode())
    return folder


def test_a_folder_is_read_recursively_in_order_of_paths_without_hidden_files(folder):
    read_documents = documents(open_corpus(str(folder)))
    assert [document.doc_id for document in read_documents] == ["B.TXT", "a.md", "a/z.md", "b.txt"]
    assert [document.text for document in read_documents][2] == "text of a/z.md"


def test_a_folder_that_is_itself_hidden_is_read(folder):
    assert [document.doc_id for document in documents(open_corpus(str(folder / ".git")))] == ["x.md"]


def test_locations_and_sources_do_not_tell_where_the_folder_lies(folder, monkeypatch):
    assert [item.location for item in read(folder)] == ["B.TXT:1", "a.md:1", "a/z.md:1", "b.txt:1"]
    assert open_corpus(str(folder)).source.name == "notes"
    monkeypatch.chdir(folder)
    assert open_corpus(".").source.name == "notes"
    assert open_corpus("a.md").source.kind is SourceKind.TEXT_FILES


def test_a_single_text_file_is_a_corpus_of_one_document(folder):
    (record,) = read(folder / "a" / "z.md")
    assert (record.document.doc_id, record.document.text, record.location) == (
        "z.md",
        "text of a/z.md",
        "z.md:1",
    )


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
    assert (linked.document.doc_id, linked.document.text) == ("y.md", "text of b.txt")
    assert isinstance(broken, Malformed)


def test_a_pipe_named_like_a_text_file_does_not_hang(folder):
    os.mkfifo(folder / "z.txt")
    *_, malformed = read(folder)
    assert malformed == Malformed("z.txt:1", "This is not a regular file; put a document in its place.")


def test_a_name_that_is_not_utf_8_is_reported_in_characters_that_can_be_stored(folder):
    path = os.fsencode(folder) + b"/caf\xe9.md"
    try:
        Path(os.fsdecode(path)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses such names")
    malformed = next(item for item in read(folder) if isinstance(item, Malformed))
    assert malformed.location == r"caf\xe9.md:1"


def test_a_folder_without_text_files_is_refused(folder):
    (folder / "empty").mkdir()
    (folder / "empty" / "x.jsonl").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"'empty' holds no \.txt, \.md, .* or \.docx file"):
        open_corpus(str(folder / "empty"))


def test_a_folder_that_cannot_be_listed_at_all_says_so(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"cannot be listed \(Permission denied\)"):
        open_corpus(str(folder))


def test_what_is_passed_over_is_counted_by_suffix_or_reason(folder):
    for name in ("a/other.ODT", "data.jsonl", "Makefile", "a/LICENSE", "archive.tar.gz"):
        (folder / name).write_bytes(b"x")
    (folder / "a" / "up").symlink_to(folder, target_is_directory=True)
    corpus = open_corpus(str(folder))
    assert corpus.source.passed_over == {
        ".odt": 2,
        ".jsonl": 1,
        ".gz": 1,
        "without suffix": 1,
        "hidden": 3,  # a file and two folders
        "behind a link": 1,
    }
    list(corpus)
    list(corpus)
    assert corpus.source.passed_over["hidden"] == 3


def test_kinds_are_told_the_commonest_first_and_a_long_list_is_cut():
    assert (
        counted_kinds({".docx": 1, "without suffix": 2, ".pdf": 3000})
        == "3,000 .pdf, 2 without suffix, 1 .docx"
    )
    many = {f".{n:02}": 1 for n in range(12)}
    assert counted_kinds(many).endswith(", 1 .09, 2 others")


def test_a_folder_that_holds_nothing_to_read_says_what_it_holds(tmp_path):
    (tmp_path / "a.odt").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"by its own path\. It holds 1 \.odt\.$"):
        open_corpus(str(tmp_path))


def test_links_that_leave_the_folder_are_followed_only_when_asked(folder, tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "secret.txt").write_text("secret")
    (tmp_path / "elsewhere" / "deep" / "up").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "file.txt").symlink_to(tmp_path / "elsewhere" / "secret.txt")
    (folder / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    corpus = open_corpus(str(folder))
    assert "secret" not in [document.text for document in documents(corpus)]
    assert corpus.source.passed_over["behind a link"] == 2
    followed = open_corpus(str(folder), follow_links=True)
    ids = [document.doc_id for document in documents(followed) if document.text == "secret"]
    assert ids == ["file.txt", "linked/secret.txt"]
    assert followed.source.passed_over["behind a link"] == 1  # the circle


@pytest.mark.parametrize(
    ("link", "real"),
    [("latest", "v2"), ("aaa", "zzz"), ("zzz", "aaa"), ("sub/link", "zzz"), ("aaa", "sub/real")],
)
def test_a_folder_that_a_link_leads_to_as_well_is_read_under_its_own_path(tmp_path, link, real):
    for path in (link, real):
        (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / real).mkdir()
    (tmp_path / real / "x.md").write_text("text")
    (tmp_path / link).symlink_to(tmp_path / real, target_is_directory=True)
    corpus = open_corpus(str(tmp_path), follow_links=True)
    assert corpus.ids == {f"{real}/x.md"}
    assert corpus.source.passed_over == {"behind a link": 1}


@pytest.mark.parametrize("name", ["README", "LICENSE", "changelog", "a/NOTICE"])
def test_texts_that_go_by_a_name_alone_are_read(folder, name):
    (folder / name).write_bytes(b"Its text.")
    assert {document.doc_id: document.text for document in documents(open_corpus(str(folder)))}[
        name
    ] == "Its text."


def test_the_ids_are_known_before_a_file_is_read(folder):
    assert open_corpus(str(folder)).ids == {"B.TXT", "a.md", "a/z.md", "b.txt"}
    assert open_corpus(str(folder / "a.md")).ids == {"a.md"}


def test_a_file_that_is_too_large_is_reported(folder, monkeypatch):
    monkeypatch.setattr(content, "_LARGEST", 11)
    malformed = next(item for item in read(folder) if item.location == "a.md:1")
    assert malformed == Malformed("a.md:1", "The file is too large: 12 bytes, and 11 are the most; split it.")
