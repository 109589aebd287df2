"""`loccit ask` in its own process: what is shown of an answer."""

import json
import re

from retriever.generations import current_generation
from retriever.index import STORE_FILE
from retriever.store import DocumentStore

BOTH_SENTENCES = "who built the first Eddystone tower that a storm took"
"""A question with words of both sentences of the small index's towers, so that a long answer takes both."""


def stored(index, doc_id):
    """The text that offsets count in."""
    return DocumentStore.open(current_generation(index) / STORE_FILE).document(doc_id).text


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
