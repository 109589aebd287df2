"""A file added to an index replaces the document of the folder that it is of."""

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from index_builder.add import add_sources
from index_builder.corpora import open_corpus
from retriever.index import open_index
from tests.index_builder.test_change import ENCODER, add, build, texts_of


@pytest.fixture
def notes(tmp_path) -> Path:
    """A folder that an index in ``tmp_path / "index"`` was built from."""
    for name in ("a.md", "sub/a.md", "sub/x.md"):
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Old {name}.")
    (tmp_path / "notes.terms.json").write_text('{"licence": "MIT", "base_url": "https://example.org"}')
    build(tmp_path / "index", str(tmp_path / "notes"))
    return tmp_path / "notes"


@pytest.mark.parametrize("name", ["a.md", "sub/a.md", "sub/x.md"])
def test_a_file_of_a_folder_that_was_built_from_replaces_its_document(notes, tmp_path, monkeypatch, name):
    (notes / name).write_text("New.")
    monkeypatch.chdir(notes.parent)
    report = add(tmp_path / "index", f"notes/{name}")
    expected = {each: f"Old {each}." for each in ("a.md", "sub/a.md", "sub/x.md")} | {name: "New."}
    assert texts_of(tmp_path / "index") == expected
    assert [(each.name, each.documents, each.licence) for each in report.manifest.sources] == [
        ("notes", 3, "MIT")
    ]
    assert open_index(tmp_path / "index", ENCODER).store.document(name).url == f"https://example.org/{name}"


def test_several_files_of_a_folder_replace_their_documents(notes, tmp_path):
    for name in ("a.md", "sub/a.md", "sub/x.md"):
        (notes / name).write_text(f"New {name}.")
    add(tmp_path / "index", *(str(notes / name) for name in ("a.md", "sub/a.md", "sub/x.md")))
    assert texts_of(tmp_path / "index") == {n: f"New {n}." for n in ("a.md", "sub/a.md", "sub/x.md")}


@pytest.mark.parametrize(
    ("source", "path", "doc_id"),
    [
        ("notes", "notes/sub/x.md", "sub/x.md"),  # the folder is called like the source
        ("notes", "notes/sub/new.md", "sub/new.md"),
        ("notes", "new/new.md", "new.md"),
        ("other", "notes/sub/x.md", "x.md"),  # a source that the index does not have
        ("k", "k/sub/x.md", "sub/x.md"),  # only the ids tell which folder it was
    ],
)
def test_a_file_under_the_name_of_a_source_has_the_id_that_its_folder_gives(
    notes, tmp_path, source, path, doc_id
):
    directory = tmp_path / "index"
    if source == "k":
        build(directory, f"k={notes}")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("New.")
    before = texts_of(directory)
    add(directory, f"{source}={tmp_path / path}")
    assert texts_of(directory) == before | {doc_id: "New."}
    assert open_index(directory, ENCODER).store.source_of(doc_id) == source


@pytest.mark.parametrize("name", [b"notes/caf\xe9.md", b"notes/\xe9/a.md"])
@pytest.mark.parametrize("prefix", ["", "notes="])
def test_a_file_whose_path_is_not_utf_8_is_left_out_or_added_under_what_can_be_stored(
    notes, tmp_path, prefix, name
):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text("Other.")
    except OSError:
        pytest.skip("this file system refuses such names")
    before = texts_of(tmp_path / "index")
    report = add_sources(
        [open_corpus(f"{prefix}{path}")],
        tmp_path / "index",
        encoder=ENCODER,
        strict=False,
        console=Console(file=StringIO()),
    )
    after = texts_of(tmp_path / "index")
    if path.name == "a.md":
        assert [text for text in after.values() if text not in before.values()] == ["Other."]
    else:
        assert after == before
        assert report.manifest.sources[-1].malformed == 1


def test_a_file_of_another_folder_replaces_nothing_and_its_new_id_is_said(notes, tmp_path):
    (tmp_path / "a.md").write_text("Other.")
    console = Console(file=StringIO(), width=200)
    add_sources(
        [open_corpus(str(tmp_path / "a.md"))],
        tmp_path / "index",
        encoder=ENCODER,
        strict=True,
        console=console,
    )
    assert texts_of(tmp_path / "index")["a.md"] == "Old a.md."
    assert texts_of(tmp_path / "index")["a.md/a.md"] == "Other."
    said = "Renamed in a.md, as other sources have these ids: a.md to a.md/a.md."
    assert said in console.file.getvalue().splitlines()


@pytest.mark.parametrize("source", ["", "notes="])
@pytest.mark.parametrize("path", ["notes/sub", "notes/sub/", "."])
def test_a_folder_in_a_folder_that_was_built_from_replaces_its_documents(
    notes, tmp_path, monkeypatch, source, path
):
    (notes / "sub" / "x.md").write_text("New.")
    (notes / "sub" / "new.md").write_text("Another.")
    monkeypatch.chdir(notes / "sub" if path == "." else notes.parent)
    report = add(tmp_path / "index", f"{source}{path}")
    kept = {each: f"Old {each}." for each in ("a.md", "sub/a.md")}
    assert texts_of(tmp_path / "index") == kept | {"sub/x.md": "New.", "sub/new.md": "Another."}
    assert [(each.name, each.documents, each.licence) for each in report.manifest.sources] == [
        ("notes", 4, "MIT")
    ]
    store = open_index(tmp_path / "index", ENCODER).store
    assert store.document("sub/new.md").url == "https://example.org/sub/new.md"


def test_the_folder_itself_is_added_as_it_is(notes, tmp_path):
    before = texts_of(tmp_path / "index")
    (notes / "new.md").write_text("New.")
    add(tmp_path / "index", str(notes))
    assert texts_of(tmp_path / "index") == before | {"new.md": "New."}


@pytest.mark.parametrize("names", [("b.md",), ("a.md", "b.md")])
def test_a_folder_that_a_source_was_built_from_under_the_name_of_one_around_it_stays_that_source(
    tmp_path, names
):
    folder = tmp_path / "docs" / "guide"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text(f"Old {name}.")
    build(tmp_path / "index", f"docs={folder}")
    (folder / "b.md").write_text("New.")
    add(tmp_path / "index", f"docs={folder}")
    assert texts_of(tmp_path / "index") == {name: f"Old {name}." for name in names} | {"b.md": "New."}


@pytest.mark.parametrize(("source", "name"), [("", "sub"), ("other=", "other")])
def test_a_folder_of_which_no_source_has_anything_is_a_source_of_its_own(notes, tmp_path, source, name):
    folder = tmp_path / "elsewhere" / "sub"
    folder.mkdir(parents=True)
    (folder / "z.md").write_text("Z.")
    before = texts_of(tmp_path / "index")
    report = add(tmp_path / "index", f"{source}{folder}")
    assert texts_of(tmp_path / "index") == before | {"z.md": "Z."}
    assert [each.name for each in report.manifest.sources] == ["notes", name]
