"""A changed index is the one that a build of the same documents gives, and never half of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from common import files
from common.errors import (
    ChangeRefusedError,
    CorpusError,
    DocumentNotFoundError,
    IndexBusyError,
    IndexUnusableError,
)
from index_builder import generation_writer
from index_builder.add import add_sources
from index_builder.build import build_index
from index_builder.change import change_index, without_documents, without_source
from index_builder.corpora import open_corpus
from index_builder.generation_writer import Report
from index_builder.tune import tune_index
from index_builder.verify import verify_index
from retriever.document_ids import MAX_ID_CHARACTERS
from retriever.encoder import HashingEncoder
from retriever.generations import BuildLock, current_generation
from retriever.index import open_index
from retriever.retriever import IndexRetriever
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings
from retriever.types import RetrievalMode
from retriever.vectors.engines import AUTO, ENGINES
from tests.index_builder.test_verify import edit_manifest

Fields = dict[str, Any]
SETTINGS = PassageSettings(words=6, continuation_words=4)
ENCODER = HashingEncoder(32)
QUIET = Console(file=StringIO())


def lines(path: Path, documents: Mapping[str, Fields]) -> str:
    path.write_text(
        "".join(json.dumps({"id": doc_id, **fields}) + "\n" for doc_id, fields in documents.items())
    )
    return str(path)


def build(directory: Path, *sources: str, engine: str = AUTO) -> Report:
    corpora = [open_corpus(source) for source in sources]
    return build_index(
        corpora,
        directory,
        encoder=ENCODER,
        settings=SETTINGS,
        strict=True,
        console=QUIET,
        engine=engine,
    )


def add(directory: Path, *sources: str, strict: bool = True) -> Report:
    corpora = [open_corpus(source) for source in sources]
    return add_sources(corpora, directory, encoder=ENCODER, strict=strict, console=QUIET)


def delete(directory: Path, *ids: str) -> Report:
    return change_index(directory, without_documents(ids), encoder=ENCODER, console=QUIET)


def told(directory: Path, queries: Sequence[str]) -> Fields:
    """All that an index says: its documents, its passages, and what each search finds."""
    index = open_index(directory, ENCODER)
    return {
        "documents": [document for document, _ in index.store.each_document()],
        "passages": list(index.store.each_passage()),
        "rows": index.lexical.rows().tolist(),
        "vectors": (current_generation(directory) / "vectors.faiss").read_bytes(),
        "sources": index.manifest.sources,
        "counts": index.manifest.counts,
        "hits": [
            IndexRetriever(index, ENCODER, mode=mode).retrieve(query, k=50)
            for query in queries
            for mode in RetrievalMode
        ],
    }


WORDS = (
    "tower",
    "Tower",
    "tram",
    "cafe\u0301",
    "\ufb01re",
    "😀",
    "built in 1698.",
    "A storm took it.\n\n",
    "sea",
)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join)
documents = st.fixed_dictionaries(
    {"title": st.sampled_from(["T", "Towers", "Trams"]), "text": texts},
    optional={"url": st.just("https://example.org/a"), "year": st.integers(0, 2)},
)
ids = st.sampled_from(["a", "b", "a/b", "10", "9", "é", "Z"])
several = st.dictionaries(ids, documents, min_size=1, max_size=4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), several),
        st.tuples(st.just("delete"), st.sets(ids, min_size=1, max_size=3)),
        st.tuples(st.just("build"), st.permutations(range(7))),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(first=several, steps=steps, order=st.randoms(use_true_random=False))
def test_whatever_changes_an_index_it_is_the_one_that_a_build_gives(first, steps, order):
    with tempfile.TemporaryDirectory() as folder:
        changed, source = Path(folder) / "changed", Path(folder) / "source.jsonl"
        held = dict(first)
        build(changed, lines(source, held))
        for what, value in steps:
            if what == "add":
                held |= value
                add(changed, lines(source, value))
            elif what == "build":
                listed = list(held)
                held = {listed[place]: held[listed[place]] for place in value if place < len(listed)}
                build(changed, lines(source, held))
            elif gone := value & held.keys():
                if gone == held.keys():
                    with pytest.raises(ChangeRefusedError, match="would hold no text"):
                        delete(changed, *gone)
                else:
                    held = {doc_id: held[doc_id] for doc_id in held.keys() - gone}
                    delete(changed, *gone)
        listed = list(held.items())
        order.shuffle(listed)
        build(Path(folder) / "clean", lines(source, dict(listed)))
        queries = ["tower storm", "fire", "cafe", "1698 sea tram"]
        assert told(changed, queries) == told(Path(folder) / "clean", queries)
        verify_index(changed)


@pytest.fixture
def directory(tmp_path) -> Path:
    """An index of two sources."""
    some = {"a": {"text": "A tower stands here."}, "b": {"text": "A tram runs there."}}
    build(
        tmp_path / "index",
        lines(tmp_path / "some.jsonl", some),
        lines(tmp_path / "more.jsonl", {"c": {"text": "The sea is deep.", "year": 1}}),
    )
    return tmp_path / "index"


def texts_of(directory: Path) -> dict[str, str]:
    return {
        document.doc_id: document.text for document, _ in open_index(directory, ENCODER).store.each_document()
    }


def test_a_change_says_how_many_passages_are_new_kept_and_dropped(directory, tmp_path):
    report = add(
        directory, lines(tmp_path / "some.jsonl", {"b": {"text": "A boat."}, "d": {"text": "A hill."}})
    )
    assert (report.embedded, report.kept, report.dropped) == (2, 2, 1)
    assert texts_of(directory) == {
        "a": "A tower stands here.",
        "b": "A boat.",
        "c": "The sea is deep.",
        "d": "A hill.",
    }
    report = delete(directory, "a", "c")
    assert (report.embedded, report.kept, report.dropped) == (0, 2, 2)
    report = build(directory, str(tmp_path / "some.jsonl"))
    assert (report.embedded, report.kept, report.dropped) == (0, 2, 0)


def test_sources_are_counted_anew_and_one_without_documents_goes(directory, tmp_path):
    (tmp_path / "new.jsonl.terms.json").write_text('{"licence": "CC0"}')
    report = add(directory, lines(tmp_path / "new.jsonl", {"n": {"text": "New."}}))
    counted = [(source.name, source.documents, source.licence) for source in report.manifest.sources]
    assert counted == [("some.jsonl", 2, None), ("more.jsonl", 1, None), ("new.jsonl", 1, "CC0")]
    assert [source.name for source in delete(directory, "c", "a").manifest.sources] == [
        "some.jsonl",
        "new.jsonl",
    ]
    change_index(directory, without_source("new.jsonl"), encoder=ENCODER, console=QUIET)
    assert texts_of(directory) == {"b": "A tram runs there."}
    with pytest.raises(ChangeRefusedError, match=r"has no source 'new\.jsonl'; it has some\.jsonl\."):
        change_index(directory, without_source("new.jsonl"), encoder=ENCODER, console=QUIET)


def test_a_source_keeps_its_terms_unless_others_are_given(directory, tmp_path):
    (tmp_path / "new.jsonl.terms.json").write_text('{"licence": "CC0", "attribution": "Ann"}')
    add(directory, lines(tmp_path / "new.jsonl", {"n": {"text": "New."}}))
    (tmp_path / "new.jsonl.terms.json").unlink()
    report = add(directory, f"new.jsonl={lines(tmp_path / 'other.jsonl', {'o': {'text': 'Other.'}})}")
    last = report.manifest.sources[-1]
    assert (last.name, last.documents, last.licence, last.attribution) == ("new.jsonl", 2, "CC0", "Ann")
    (tmp_path / "other.jsonl.terms.json").write_text('{"licence": "CC BY 4.0"}')
    last = add(directory, f"new.jsonl={tmp_path / 'other.jsonl'}").manifest.sources[-1]
    assert (last.licence, last.attribution) == ("CC BY 4.0", "Ann")


def test_an_id_of_another_source_begins_with_the_sources_name_each_time(directory, tmp_path):
    for text in ("Other.", "Yet another."):
        add(directory, lines(tmp_path / "other.jsonl", {"a": {"text": text}}))
        assert texts_of(directory)["a"] == "A tower stands here."
        assert texts_of(directory)["other.jsonl/a"] == text
    assert len(texts_of(directory)) == 4


def test_an_id_that_begins_with_the_sources_name_never_replaces_what_a_third_document_is_called(tmp_path):
    directory, before = tmp_path / "index", {"README.md": "All.", "notes/README.md": "Of all."}
    build(directory, f"all={lines(tmp_path / 'all.jsonl', {i: {'text': t} for i, t in before.items()})}")
    other = lines(tmp_path / "other.jsonl", {"README.md": {"text": "Other."}})
    with pytest.raises(CorpusError) as caught:
        add(directory, f"notes={other}")
    assert str(caught.value) == (
        "The document 'README.md' of the source 'notes' would be called 'notes/README.md', but the source 'all' has a "
        "document of that id; give the source 'notes' another name, such as notes-2=SOURCE."
    )
    assert texts_of(directory) == before
    add(directory, f"notes-2={other}")
    assert texts_of(directory) == {**before, "notes-2/README.md": "Other."}


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


def test_what_was_left_out_and_passed_over_is_added_up_and_the_kind_stays(tmp_path):
    directory, folder = tmp_path / "index", tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("A.")
    (folder / "empty.txt").write_text("")
    for name in ("b.odt", "c.odt"):
        (folder / name).write_text("B.")
    corpus = [open_corpus(str(folder))]
    build_index(corpus, directory, encoder=ENCODER, settings=SETTINGS, strict=False, console=QUIET)
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "d", "text": "D."}\n{broken\n{"id": 7}\n')
    (record,) = add(directory, f"notes={more}", strict=False).manifest.sources
    assert (record.kind, record.documents, record.malformed) == ("text-files", 2, 3)
    assert record.passed_over == {".odt": 2}
    (folder / "a.txt").unlink()
    (folder / "e.txt").write_text("E.")
    console = Console(file=StringIO(), width=200)
    report = add_sources(
        [open_corpus(str(folder))], directory, encoder=ENCODER, strict=False, console=console
    )
    (record,) = report.manifest.sources
    assert (record.documents, record.malformed, record.passed_over) == (3, 4, {".odt": 4})
    assert "Passed over in notes: 2 .odt." in console.file.getvalue()


def test_unknown_ids_are_named_in_one_sentence_and_nothing_is_deleted(directory):
    before = current_generation(directory)
    with pytest.raises(DocumentNotFoundError, match=r"^No document has the ids 'x', 'y'; an answer's"):
        delete(directory, "a", "y", "x")
    with pytest.raises(DocumentNotFoundError, match="'0', '1', '2', '3', '4' and 3 others;"):
        delete(directory, *"01234567")
    assert current_generation(directory) == before
    assert sorted(before.parent.iterdir()) == [before]


def test_the_last_text_cannot_go(directory):
    with pytest.raises(ChangeRefusedError, match="The index would hold no text"):
        delete(directory, "a", "b", "c")
    assert len(texts_of(directory)) == 3


def test_nothing_of_a_deleted_document_is_left_in_the_files(directory):
    delete(directory, "c")
    folder = current_generation(directory)
    assert [
        path.name for path in folder.rglob("*") if path.is_file() and b"The sea is deep" in path.read_bytes()
    ] == []


def test_an_id_that_is_too_long_with_its_sources_name_is_left_out_with_a_sentence(directory, tmp_path):
    long = "a" * (MAX_ID_CHARACTERS - 5)
    add(directory, lines(tmp_path / "one.jsonl", {long: {"text": "One."}}))
    with pytest.raises(CorpusError, match=r"^two\.jsonl:1: The id has 1,005 characters, but at most 1,000"):
        add(directory, lines(tmp_path / "two.jsonl", {long: {"text": "Two."}}))
    report = add(
        directory, lines(tmp_path / "two.jsonl", {long: {"text": "Two."}, "t": {"text": "T."}}), strict=False
    )
    assert report.manifest.sources[-1].malformed == 1
    assert texts_of(directory)[long] == "One."


def test_an_index_that_does_not_record_enough_is_refused_with_what_to_do(directory):
    edit_manifest(directory, format_version=1)
    with pytest.raises(ChangeRefusedError, match=r"built by an earlier version, .* build it again first"):
        delete(directory, "a")


def test_an_index_of_version_2_is_changed(directory):
    edit_manifest(directory, format_version=2)
    assert delete(directory, "a").manifest.format_version == 3
    assert sorted(texts_of(directory)) == ["b", "c"]


def test_damage_is_not_copied(directory):
    with (current_generation(directory) / "documents.sqlite").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    with pytest.raises(IndexUnusableError, match="is not the file that was built"):
        delete(directory, "a")


def test_where_there_is_no_index_nothing_is_made(tmp_path):
    with pytest.raises(IndexUnusableError, match="There is no index"):
        delete(tmp_path / "nowhere", "a")
    assert not (tmp_path / "nowhere").exists()


def test_a_second_writer_is_refused_with_a_sentence(directory):
    with BuildLock(directory), pytest.raises(IndexBusyError, match="Another process is building"):
        delete(directory, "a")


@pytest.mark.parametrize(
    ("owner", "function"), [(generation_writer, "sha256_of"), (files, "flush"), (DocumentStore, "take")]
)
def test_a_change_that_dies_leaves_the_old_index_whole(directory, monkeypatch, owner, function):
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = current_generation(directory)
    with monkeypatch.context() as broken:
        broken.setattr(owner, function, dies)
        with pytest.raises(KeyboardInterrupt):
            delete(directory, "a")
    assert current_generation(directory) == before
    verify_index(directory)
    delete(directory, "a")
    assert sorted(texts_of(directory)) == ["b", "c"]


def towers(*numbers: int) -> dict[str, Fields]:
    return {f"{n:03}": {"text": f"Tower {n} of {n % 7} in {n % 11}."} for n in numbers}


def test_a_change_keeps_the_engine_and_what_it_was_tuned_to(tmp_path, monkeypatch):
    monkeypatch.setattr(ENGINES["ivf-sq8"], "least", 100)
    directory, source = tmp_path / "index", tmp_path / "some.jsonl"
    build(directory, lines(source, towers(*range(240))), engine="ivf-sq8")
    tuning = tune_index(directory, encoder=ENCODER, recall=0.5, questions=None, console=QUIET)
    assert tuning.chosen is not None
    effort = tuning.chosen.effort
    for change in (
        lambda: add(directory, lines(source, towers(*range(230, 260)))),
        lambda: delete(directory, *towers(*range(10))),
    ):
        record = change().manifest.vectors
        assert (record.engine, record.arguments["nprobe"]) == ("ivf-sq8", effort)
        assert open_index(directory, ENCODER).vectors.effort == effort != 128
    build(tmp_path / "clean", lines(source, towers(*range(10, 260))), engine="ivf-sq8")
    vectors = [current_generation(each) / "vectors.faiss" for each in (directory, tmp_path / "clean")]
    assert vectors[0].read_bytes() == vectors[1].read_bytes()
    verify_index(directory)


def test_a_change_that_leaves_too_few_for_the_engine_makes_the_index_flat(tmp_path, monkeypatch):
    monkeypatch.setattr(ENGINES["ivf-sq8"], "least", 100)
    directory, source = tmp_path / "index", tmp_path / "some.jsonl"
    build(directory, lines(source, towers(*range(110))), engine="ivf-sq8")
    assert delete(directory, *towers(*range(10))).manifest.vectors.engine == "ivf-sq8"
    assert delete(directory, "010").manifest.vectors.model_dump() == {"engine": "flat", "arguments": {}}
    assert add(directory, lines(source, towers(*range(20)))).manifest.vectors.engine == "flat"
    verify_index(directory)


SLOWLY = """
import sys, time
from pathlib import Path
from rich.console import Console
from common import files
from index_builder.add import add_sources
from index_builder.change import change_index, without_documents
from index_builder.corpora import open_corpus
from retriever import generations, holds
from retriever.encoder import HashingEncoder
flush, rmtree = files.flush, holds.shutil.rmtree
files.flush = lambda path: (time.sleep(0.03), flush(path))
def slow_rmtree(path, **options):
    for file in [file for file in Path(path).rglob("*") if file.is_file()]:
        time.sleep(0.03); file.unlink()
    rmtree(path, **options)
holds.shutil.rmtree = slow_rmtree
directory, encoder, console = Path(sys.argv[2]), HashingEncoder(32), Console(quiet=True)
print("begun", flush=True)
if sys.argv[1] == "add":
    add_sources([open_corpus(sys.argv[3])], directory, encoder=encoder, strict=True, console=console)
elif sys.argv[1] == "delete":
    change_index(directory, without_documents([sys.argv[3]]), encoder=encoder, console=console)
else:
    generations.prune(directory)
"""


@pytest.mark.parametrize("what", ["add", "delete", "prune"])
def test_killed_at_any_moment_a_reader_sees_the_old_index_or_the_new_whole(directory, tmp_path, what):
    argument = lines(tmp_path / "some.jsonl", {"d": {"text": "A hill."}}) if what == "add" else "a"
    after = {"add": [*"abcd"], "delete": [*"bc"], "prune": [*"abc"]}[what]
    build(directory, str(tmp_path / "more.jsonl"))
    build(
        directory,
        lines(tmp_path / "ab.jsonl", {"a": {"text": "A."}, "b": {"text": "B."}}),
        str(tmp_path / "more.jsonl"),
    )
    shutil.copytree(directory, tmp_path / "before")

    def seen_after(seconds: float | None) -> list[str]:
        """The ids that a reader sees once it was killed so long after it began; None: never."""
        shutil.rmtree(directory)
        shutil.copytree(tmp_path / "before", directory)
        command = [sys.executable, "-c", SLOWLY, what, str(directory), argument]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        verify_index(directory)
        return sorted(texts_of(directory))

    started = time.monotonic()
    assert seen_after(None) == after
    whole = time.monotonic() - started
    seen = [seen_after(whole * part) for part in (0.02, 0.1, 0.25, 0.5)]
    assert all(ids in ([*"abc"], after) for ids in seen)
    assert delete(directory, "c").manifest.counts.documents == len(texts_of(directory))
    with closing(DocumentStore.open(current_generation(directory) / "documents.sqlite")) as store:
        assert "c" not in store.ids()
    assert len(list((directory / "generations").iterdir())) <= 2
