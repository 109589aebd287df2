"""What an index remembers of its sources: which document is of which, its id, and where it is published."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from common.errors import CorpusError
from common.packaged import sha256_of
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.corpora.sources.named import with_base_urls
from retriever.generations import current_generation
from retriever.index import open_index, read_manifest
from retriever.manifest import FileRecord
from retriever.text.passages import PassageSettings
from retriever.types import Document
from tests.index_builder.conftest import write


def without_recorded_sources(directory: Path) -> None:
    """The index as a version left it that did not record which source a document is of."""
    folder = current_generation(directory)
    with closing(sqlite3.connect(folder / "documents.sqlite")) as connection:
        connection.execute("DROP TABLE sources")
        connection.commit()
    path = folder / "documents.sqlite"
    manifest = read_manifest(directory)
    recorded = FileRecord(bytes=path.stat().st_size, sha256=sha256_of(path))
    manifest.model_copy(update={"files": {**manifest.files, "documents.sqlite": recorded}}).save(folder)


@pytest.fixture
def two_sources(tmp_path, documents, run_build) -> Path:
    """An index of two files."""
    run_build(write(tmp_path / "some.jsonl", documents[:1]), write(tmp_path / "more.jsonl", documents[1:]))
    return tmp_path / "index"


def test_every_document_says_its_source(two_sources, documents, encoder):
    index = open_index(two_sources, encoder)
    names = ["some.jsonl", "more.jsonl"]
    assert [(source.name, source.documents) for source in index.manifest.sources] == [
        (names[0], 1),
        (names[1], 2),
    ]
    assert [index.store.document(one.doc_id).source for one in documents] == [names[0], names[1], names[1]]
    assert {passage.source for passage in index.store.each_passage()} == set(names)


def test_an_earlier_index_of_several_sources_opens_and_says_of_none_that_it_is_the_one(
    two_sources, documents, encoder
):
    without_recorded_sources(two_sources)
    index = open_index(two_sources, encoder)
    assert {index.store.document(one.doc_id).source for one in documents} == {None}


def test_an_earlier_index_of_one_source_opens_and_names_it(tmp_path, source, documents, run_build, encoder):
    run_build(source)
    without_recorded_sources(tmp_path / "index")
    index = open_index(tmp_path / "index", encoder)
    assert {index.store.document(one.doc_id).source for one in documents} == {"documents.jsonl"}


def test_a_document_whose_id_no_address_can_name_is_left_out_and_said(tmp_path, documents, run_build, quiet):
    source = write(tmp_path / "n.jsonl", [Document("..", "T", "A tower."), *documents])
    manifest = run_build(source).manifest
    assert (manifest.sources[0].documents, manifest.sources[0].malformed) == (3, 1)
    assert "Left out n.jsonl:1: The id is '..', which an address takes for a folder" in quiet.file.getvalue()
    with pytest.raises(CorpusError, match=r"n\.jsonl:1: The id is"):
        run_build(source, strict=True)


@pytest.fixture
def two_folders(tmp_path) -> tuple[Path, Path]:
    for folder, name in (("house", "README.md"), ("house", "boiler.md"), ("garden", "README.md")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(f"# {name}\n\nAbout the {folder}.")
    return tmp_path / "house", tmp_path / "garden"


def test_ids_that_two_sources_share_begin_with_the_sources_name(tmp_path, two_folders, run_build, encoder):
    run_build(*two_folders)
    store = open_index(tmp_path / "index", encoder).store
    assert [document.doc_id for document, _ in store.each_document()] == [
        "boiler.md",
        "garden/README.md",
        "house/README.md",
    ]
    assert store.document("garden/README.md").text == "README.md\n\nAbout the garden."


def test_an_id_that_is_not_known_beforehand_begins_with_the_name_of_the_source_that_comes_last(
    tmp_path, two_folders, run_build, quiet, encoder
):
    some = [Document(f"{number}", "B", f"Text {number}.") for number in range(7)]
    paths = [write(tmp_path / f"{name}.jsonl", [Document("boiler.md", "B", name), *some]) for name in "ab"]
    run_build(two_folders[0], *paths)
    store = open_index(tmp_path / "index", encoder).store
    texts = {doc_id: store.document(doc_id).text for doc_id in store.ids()}
    assert texts["boiler.md"].endswith("About the house.")
    assert (texts["a.jsonl/boiler.md"], texts["b.jsonl/boiler.md"]) == ("a", "b")
    assert texts["6"] == texts["b.jsonl/6"] == "Text 6."
    said = [line for line in quiet.file.getvalue().splitlines() if line.startswith("Renamed")]
    assert said == [
        "Renamed in a.jsonl, as other sources have these ids: boiler.md to a.jsonl/boiler.md.",
        "Renamed in b.jsonl, as other sources have these ids: boiler.md to b.jsonl/boiler.md, 0 to b.jsonl/0, "
        "1 to b.jsonl/1, 2 to b.jsonl/2, 3 to b.jsonl/3 and 3 others.",
    ]


def test_an_id_that_no_name_tells_apart_names_both_places(tmp_path, run_build):
    write(tmp_path / "a.jsonl", [Document("x", "X", "One."), Document("b.jsonl/x", "X", "Two.")])
    write(tmp_path / "b.jsonl", [Document("x", "X", "Three.")])
    with pytest.raises(CorpusError) as caught:
        run_build(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert "'b.jsonl/x' stands at a.jsonl:2 and again at b.jsonl:1; " in str(caught.value)


def test_two_sources_of_one_name_are_refused_until_one_is_named(tmp_path, two_folders, run_build, encoder):
    (tmp_path / "other").mkdir()
    two_folders[1].rename(tmp_path / "other" / "house")
    with pytest.raises(CorpusError, match=r"^2 sources are called 'house'; give each a name of its own"):
        run_build(two_folders[0], tmp_path / "other" / "house")
    report = run_build(two_folders[0], f"garden={tmp_path}/other/house")
    assert [source.name for source in report.manifest.sources] == ["house", "garden"]
    assert open_index(tmp_path / "index", encoder).store.document("garden/README.md")


def test_documents_link_to_where_their_source_is_published(tmp_path, two_folders, quiet, encoder):
    (tmp_path / "house" / "a page.html").write_text("<h1 id=top>Page</h1><p>Text.")
    corpora = with_base_urls(
        [open_corpus(str(folder)) for folder in two_folders], ["house=https://example.org/docs/"]
    )
    settings = PassageSettings(words=14)
    build_index(corpora, tmp_path / "index", encoder=encoder, settings=settings, strict=True, console=quiet)
    store = open_index(tmp_path / "index", encoder).store
    assert store.document("house/README.md").url == "https://example.org/docs/README.md"
    assert store.document("a page.html").url == "https://example.org/docs/a%20page.html"
    assert store.document("garden/README.md").url is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("https://example.org", "names no source; write NAME=URL with one of house, garden"),
        ("cellar=https://example.org", "names no source"),
        (
            "house=example.org",
            "The base address of house is 'example.org'; it must begin with http:// or https://",
        ),
    ],
)
def test_a_base_address_that_fits_no_source_is_refused(two_folders, given, problem):
    with pytest.raises(CorpusError, match=problem):
        with_base_urls([open_corpus(str(folder)) for folder in two_folders], [given])


def test_one_source_needs_no_name_for_its_base_address(two_folders):
    (corpus,) = with_base_urls([open_corpus(str(two_folders[1]))], ["https://example.org/?v=2"])
    assert corpus.source.base_url == "https://example.org/?v=2"
    assert [item.document.doc_id for item in corpus] == ["README.md"]
