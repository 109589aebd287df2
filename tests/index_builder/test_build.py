import errno
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from common import files
from common.errors import ChangeRefusedError, CorpusError, IndexBusyError, IndexUnusableError, LoccitError
from index_builder import embedding, generation_writer
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever import generations
from retriever.encoder import HashingEncoder, passage_input
from retriever.generations import BuildLock, current_generation
from retriever.index import open_index, read_manifest
from retriever.index_writer import IndexWriter
from retriever.lexical import LexicalIndex
from retriever.retriever import IndexRetriever
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings
from retriever.types import Document
from retriever.vectors.engines import ENGINES
from tests.index_builder.conftest import write


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
