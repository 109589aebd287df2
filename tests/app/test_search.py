"""`loccit search`: what is listed, and what of it is JSON."""

import json

from app.service.search import SearchResponse
from retriever.manifest import Manifest


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
