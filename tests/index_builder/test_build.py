import errno
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from common import files
from common.errors import ChangeRefusedError, CorpusError, IndexBusyError, IndexUnusableError, LoccitError
from common.packaged import sha256_of
from index_builder import embedding, generation_writer
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.corpora.sources.named import with_base_urls
from index_builder.generation_writer import Report
from retriever import generations
from retriever.encoder import HashingEncoder, passage_input
from retriever.generations import BuildLock, current_generation
from retriever.index import open_index, read_manifest
from retriever.index_writer import IndexWriter
from retriever.lexical import LexicalIndex
from retriever.manifest import FileRecord
from retriever.retriever import IndexRetriever
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings
from retriever.types import Document
from retriever.vectors.engines import ENGINES


class CountingEncoder(HashingEncoder):
    """Counts the texts it was given; fails after ``budget`` of them."""

    def __init__(self, budget: int = 10**9) -> None:
        super().__init__()
        self.encoded: list[str] = []
        self.budget = budget

    def encode_passages(self, texts: Sequence[str]):
        self.encoded += texts
        if len(self.encoded) > self.budget:
            raise KeyboardInterrupt
        return super().encode_passages(texts)


def write(path: Path, documents: Sequence[Document]) -> Path:
    lines = [{"id": d.doc_id, "title": d.title, "text": d.text, "url": d.url} for d in documents]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8", newline="")
    return path


@pytest.fixture
def source(tmp_path, documents) -> Path:
    return write(tmp_path / "documents.jsonl", documents)


@pytest.fixture
def run_build(tmp_path, quiet):
    def run(*sources: Path, encoder=None, strict=False, words=14, together=512) -> Report:
        return build_index(
            [open_corpus(str(source)) for source in sources],
            tmp_path / "index",
            encoder=encoder or HashingEncoder(),
            settings=PassageSettings(words=words, continuation_words=20),
            strict=strict,
            console=quiet,
            embedded_together=together,
        )

    return run


def test_a_built_index_holds_every_document_and_answers(tmp_path, source, documents, run_build, encoder):
    report = run_build(source)
    index = open_index(tmp_path / "index", encoder)
    for document in documents:
        assert index.store.document(document.doc_id).text == document.text
    assert report.manifest.counts.documents == 3
    rows = index.store.rows().tolist()
    assert rows == index.vectors.rows().tolist() == index.lexical.rows().tolist()
    (hit, *_) = IndexRetriever(index, encoder).retrieve("first horse tram in Lisbon", k=1)
    assert "1873" in hit.passage.window


def test_every_vector_is_that_of_its_passage(tmp_path, source, run_build, encoder):
    run_build(source)
    index = open_index(tmp_path / "index", encoder)
    for passage in index.store.each_passage():
        query = encoder.encode_passages([passage_input(passage.title, passage.text)])
        ((best,),) = index.vectors.search(query, k=1)
        assert best.row == passage.row
        assert best.score == pytest.approx(1.0, abs=1e-6)


def test_the_manifest_says_what_was_indexed_and_how(source, run_build, tmp_path, encoder):
    run_build(source)
    manifest = read_manifest(tmp_path / "index")
    assert manifest.encoder.sha256 == encoder.sha256
    assert (manifest.passages.words, manifest.passages.continuation_words) == (14, 20)
    (recorded,) = manifest.sources
    assert (recorded.name, recorded.documents, recorded.malformed) == ("documents.jsonl", 3, 0)
    folder = current_generation(tmp_path / "index")
    on_disk = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(manifest.files) == on_disk - {"manifest.json", "manifest.sha256"}


def test_building_again_embeds_only_what_changed(tmp_path, source, documents, run_build):
    first = run_build(source)
    assert first.embedded == first.manifest.counts.passages
    again = CountingEncoder()
    assert run_build(source, encoder=again).embedded == 0
    assert again.encoded == []
    changed = Document(documents[2].doc_id, documents[2].title, "Everything about trams is new here.")
    write(source, [documents[0], documents[1], changed])
    report = run_build(source, encoder=again)
    assert again.encoded == [passage_input(changed.title, changed.text)]
    assert report.embedded == 1


def test_what_vanished_from_the_corpus_vanishes_from_index_and_cache(
    tmp_path, source, documents, run_build, encoder
):
    run_build(source)
    write(source, documents[:1])
    run_build(source)
    index = open_index(tmp_path / "index", encoder)
    with pytest.raises(LoccitError, match="No document has the id"):
        index.store.document(documents[2].doc_id)
    write(source, documents)
    again = CountingEncoder()
    run_build(source, encoder=again)
    assert again.encoded  # the vectors of the two others had been dropped


def test_an_interrupted_build_resumes_where_it_stopped(tmp_path, source, run_build):
    interrupted = CountingEncoder(budget=5)
    with pytest.raises(KeyboardInterrupt):
        run_build(source, encoder=interrupted, together=2)
    with pytest.raises(IndexUnusableError, match="There is no index in"):
        current_generation(tmp_path / "index")
    resumed = CountingEncoder()
    report = run_build(source, encoder=resumed)
    assert report.embedded == report.manifest.counts.passages - 4
    assert not set(interrupted.encoded[:4]) & set(resumed.encoded)


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (generation_writer, "sha256_of"),
        (files, "flush"),
        (generations, "whole_file"),
        (DocumentStore, "commit"),
        (LexicalIndex, "add"),
    ],
)
def test_a_build_that_dies_leaves_the_old_index_whole(
    tmp_path, source, documents, run_build, encoder, monkeypatch, module, function
):
    run_build(source)
    before = current_generation(tmp_path / "index")

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write(source, documents[:1])
    with monkeypatch.context() as broken:
        broken.setattr(module, function, dies)
        with pytest.raises(KeyboardInterrupt):
            run_build(source)
    assert current_generation(tmp_path / "index") == before
    assert open_index(tmp_path / "index", encoder).store.count_documents() == 3
    run_build(source)
    assert open_index(tmp_path / "index", encoder).store.count_documents() == 1
    kept = [folder.name for folder in before.parent.iterdir()]
    assert len(kept) == 2
    assert before.name in kept


SLOW_BUILD = """
import sys, time
from pathlib import Path
from types import MappingProxyType
from rich.console import Console
from index_builder import build
from index_builder.corpora import open_corpus
from common import files
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings
flush = files.flush
files.flush = lambda path: (time.sleep(0.04), flush(path))  # so that kills land in publishing too
build.build_index([open_corpus(sys.argv[1])], Path(sys.argv[2]), encoder=HashingEncoder(),
                  settings=PassageSettings(words=14), strict=False, console=Console(stderr=True),
                  embedded_together=1)
"""


def test_killed_at_any_moment_a_reader_sees_the_old_index_or_the_new_whole(
    tmp_path, source, documents, run_build, encoder
):
    run_build(source)
    directory, before = tmp_path / "index", tmp_path / "before"
    shutil.copytree(directory, before)
    more = [Document(f"{n}", f"Tower {n}", f"Tower number {n} is {n} metres tall.") for n in range(300)]
    write(source, [*documents, *more])

    def documents_after(seconds: float | None) -> int:
        """How many a reader sees once a build of the old index was killed after so long; None: never."""
        shutil.rmtree(directory)
        shutil.copytree(before, directory)
        command = [sys.executable, "-c", SLOW_BUILD, str(source), str(directory)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        index = open_index(directory, encoder)
        assert index.store.rows().tolist() == index.vectors.rows().tolist() == index.lexical.rows().tolist()
        return index.store.count_documents()

    started = time.monotonic()
    seen = [documents_after(None)]
    whole = time.monotonic() - started
    seen += [documents_after(whole * step / 8) for step in reversed(range(1, 9))]
    assert set(seen) == {3, 303}
    run_build(source)  # over what the earliest kill left
    assert open_index(directory, encoder).store.count_documents() == 303


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        ValueError("An IO error occurred: 'No space left on device (os error 28)'"),
    ],
)
@pytest.mark.parametrize(
    ("owner", "function"),
    [(IndexWriter, "write_lexical"), (generation_writer, "_manifest"), (files, "flush")],
)
def test_a_full_disk_is_one_sentence_and_the_old_index_stays(
    tmp_path, source, documents, run_build, encoder, monkeypatch, error, owner, function
):
    run_build(source)

    def full(*_: object, **__: object) -> None:
        raise error

    write(source, documents[:2])
    monkeypatch.setattr(owner, function, full)
    with pytest.raises(LoccitError, match=r"The disk of .* is full; free some space and build again"):
        run_build(source)
    assert open_index(tmp_path / "index", encoder).store.count_documents() == 3


def test_a_full_disk_that_sqlite_meets_is_the_same_sentence(tmp_path, source, run_build, monkeypatch):
    create = DocumentStore.create

    def tiny(path: Path) -> DocumentStore:
        store = create(path)
        store._connection.execute("PRAGMA max_page_count = 4")
        return store

    write(source, [Document("long", "Long", "A tower stands here. " * 5000)])
    monkeypatch.setattr(DocumentStore, "create", tiny)
    with pytest.raises(LoccitError, match=r"The disk of .* is full"):
        run_build(source)


def test_what_a_killed_build_left_is_cleared_away(tmp_path, source, run_build):
    leftover = tmp_path / "index" / "generations" / ".unfinished-dead"
    leftover.mkdir(parents=True)
    (leftover / "documents.sqlite").write_bytes(b"half")
    run_build(source)
    assert [path.name for path in leftover.parent.iterdir()] == [current_generation(tmp_path / "index").name]


def test_texts_of_like_length_share_a_batch_the_longest_first():
    assert list(embedding.sorted_batches(["aa", "aaaa", "a", "aaa"], 2)) == [["aaaa", "aaa"], ["aa", "a"]]


def test_the_manifest_names_the_engine_and_opening_chooses_it(tmp_path, source, quiet, encoder, monkeypatch):
    class Linked(ENGINES["flat"]):
        name = "linked"
        arguments = MappingProxyType({"links": 8})

    monkeypatch.setitem(ENGINES, "linked", Linked)
    corpora, settings = [open_corpus(str(source))], PassageSettings(words=14)
    options = {"encoder": encoder, "settings": settings, "strict": True, "console": quiet}
    manifest = build_index(corpora, tmp_path / "index", **options, engine="linked").manifest
    assert manifest.vectors.model_dump() == {"engine": "linked", "arguments": {"links": 8}}
    assert isinstance(open_index(tmp_path / "index", encoder).vectors, Linked)


def test_a_second_builder_is_refused_with_a_sentence(tmp_path, source, run_build):
    with (
        BuildLock(tmp_path / "index"),
        pytest.raises(LoccitError, match="Another process is building the index in"),
    ):
        run_build(source)


def test_a_builder_may_wait_for_another_one(tmp_path, source, quiet, encoder):
    lock = BuildLock(tmp_path / "index")
    corpora, settings = [open_corpus(str(source))], PassageSettings(words=14)
    options = {"encoder": encoder, "settings": settings, "strict": True, "console": quiet}
    with ThreadPoolExecutor(1) as other:
        other.submit(lock.__enter__).result()
        with pytest.raises(IndexBusyError, match="Another process is building"):
            build_index(corpora, tmp_path / "index", **options, wait_s=0.1)
        other.submit(lambda: (time.sleep(0.2), lock.__exit__()))
        report = build_index(corpora, tmp_path / "index", **options, wait_s=60)
    assert report.manifest.counts.documents == 3


def test_a_build_says_how_many_documents_of_other_sources_it_leaves_out(
    tmp_path, source, documents, run_build, quiet
):
    more = write(tmp_path / "more.jsonl", [replace(each, doc_id=f"m/{each.doc_id}") for each in documents])
    few = write(tmp_path / "few.jsonl", [replace(documents[0], doc_id="f")])
    run_build(source, more, few)
    run_build(source, more, few)
    assert "Not built" not in quiet.file.getvalue()
    run_build(source)
    assert quiet.file.getvalue().splitlines()[-1] == (
        "Not built, so no longer in the index: 4 documents of other sources (more.jsonl, few.jsonl)."
    )


def test_a_duplicate_id_names_both_places(tmp_path, documents, run_build):
    source = write(tmp_path / "more.jsonl", [documents[1], documents[0], documents[1]])
    with pytest.raises(CorpusError) as caught:
        run_build(source)
    assert "'lighthouses/pharos' stands at more.jsonl:1 and again at more.jsonl:3" in str(caught.value)


def test_malformed_records_are_reported_counted_and_left_out(tmp_path, source, run_build, quiet):
    with source.open("a") as file:
        file.write("{broken\n")
    report = run_build(source)
    assert report.manifest.sources[0].malformed == 1
    assert report.manifest.counts.documents == 3
    assert "Left out documents.jsonl:4: " in quiet.file.getvalue()


def test_what_a_folder_holds_and_is_not_read_is_said_after_the_build(tmp_path, run_build, quiet):
    (tmp_path / "notes").mkdir()
    for name in ("a.txt", "b.odt", "c.odt", "Makefile", ".hidden.md"):
        (tmp_path / "notes" / name).write_text("A text.")
    run_build(tmp_path / "notes")
    said = quiet.file.getvalue().splitlines()
    assert said[-1] == "Passed over in notes: 2 .odt, 1 hidden, 1 without suffix."
    (recorded,) = read_manifest(tmp_path / "index").sources
    assert recorded.passed_over == {".odt": 2, "hidden": 1, "without suffix": 1}


def test_fields_of_documents_that_the_index_has_itself_are_said(tmp_path, run_build, quiet):
    (tmp_path / "a.md").write_text("---\nsource: press\ndocument_id: 7\nteam: x\n---\nText of a.\n")
    (tmp_path / "b.md").write_text("---\nsource: press\n---\nText of b.\n")
    run_build(tmp_path)
    assert (
        f"Kept but not filtered by in {tmp_path.name}: document_id (1 document), source (2 documents). "
        "The index has fields of its own of these names."
    ) in " ".join(quiet.file.getvalue().split())


def test_under_strict_the_first_malformed_record_stops_the_build(tmp_path, source, run_build):
    with source.open("a") as file:
        file.write("{broken\n")
    with pytest.raises(CorpusError, match=r"^documents\.jsonl:4: "):
        run_build(source, strict=True)


def test_corpora_without_text_are_refused(tmp_path, run_build):
    empty = write(tmp_path / "empty.jsonl", [Document("a", "t", " \n ")])
    with pytest.raises(ChangeRefusedError, match="The index would hold no text; give"):
        run_build(empty)


def test_documents_without_text_are_kept_beside_others(tmp_path, source, documents, run_build, encoder):
    write(source, [*documents, Document("blank", "Blank", "")])
    run_build(source)
    assert open_index(tmp_path / "index", encoder).store.document("blank").text == ""


def test_the_same_corpus_gives_the_same_vectors_and_passages(tmp_path, source, run_build, encoder):
    run_build(source)
    first = open_index(tmp_path / "index", encoder)
    (tmp_path / "index").rename(tmp_path / "other")
    run_build(source)
    second = open_index(tmp_path / "index", encoder)
    assert list(first.store.each_passage()) == list(second.store.each_passage())
    query = encoder.encode_queries(["tower"])
    assert first.vectors.search(query, k=50) == second.vectors.search(query, k=50)
    assert np.array_equal(first.lexical.rows(), second.lexical.rows())


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
