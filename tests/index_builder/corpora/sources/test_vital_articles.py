import json
from pathlib import Path

import pytest

from common.errors import CorpusError
from index_builder.corpora import Corpus, Malformed, Record, open_corpus
from index_builder.corpora.sources import vital_articles
from index_builder.corpora.sources.vital_articles import page_url
from retriever.types import Document


@pytest.fixture
def articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """The packaged corpus, its file replaced by one of two articles, the second without text."""
    path = tmp_path / "summaries.json"
    tower = {"title": "The Tower", "extract": "A\u00a0tower.\nTwo.", "description": "", "topic": "Arts"}
    path.write_text(json.dumps({"The Tower": tower, "Gone": {"title": "Gone"}}), encoding="utf-8")
    monkeypatch.setattr(vital_articles, "vital_articles_path", lambda: path)
    return open_corpus("vital-articles")


def test_a_vital_article_is_a_document_with_its_page_name_as_id(articles):
    record, malformed = articles
    assert record == Record(
        Document(
            "The_Tower",
            "The Tower",
            "A\u00a0tower.\nTwo.",
            "https://en.wikipedia.org/wiki/The_Tower",
            {"description": "", "topic": "Arts"},
        ),
        "vital-articles:The Tower",
    )
    assert isinstance(malformed, Malformed)
    assert malformed.location == "vital-articles:Gone"


def test_vital_articles_carry_their_licence_and_attribution(articles):
    assert articles.source.name == "vital-articles"
    assert articles.source.licence == "CC BY-SA 4.0"
    assert "Wikipedia contributors" in articles.source.attribution


@pytest.mark.parametrize(
    ("title", "page"),
    [
        ("Aesop's Fables", "Aesop%27s_Fables"),
        ("AT&T", "AT%26T"),
        ("HIV/AIDS", "HIV/AIDS"),
        ("2001: A Space Odyssey", "2001:_A_Space_Odyssey"),
        ("Sagittarius A*", "Sagittarius_A*"),
        ("Les Misérables", "Les_Mis%C3%A9rables"),
        ("Dune (novel)", "Dune_(novel)"),
        ("What? 100% #1+1", "What%3F_100%25_%231%2B1"),
    ],
)
def test_a_page_address_is_written_as_wikipedia_writes_it(title, page):
    assert page_url(title) == f"https://en.wikipedia.org/wiki/{page}"


def test_an_uninstalled_package_is_said_when_its_corpus_is_opened(monkeypatch):
    def missing():
        raise CorpusError("vital-articles is not installed: install it.")

    monkeypatch.setattr(vital_articles, "vital_articles_path", missing)
    with pytest.raises(CorpusError, match="not installed"):
        open_corpus("vital-articles")
