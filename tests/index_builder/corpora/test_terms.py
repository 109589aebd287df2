import json
from io import StringIO

import pytest
from rich.console import Console

from common.errors import CorpusError
from evaluation.question_sets.nq_gold import PASSAGES_FILE, TERMS_FILE
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.corpora.terms import SUFFIX
from retriever.index import read_manifest
from retriever.text.passages import PassageSettings

TERMS = {"licence": "CC BY 4.0", "snapshot": "2024-05", "attribution": "The Lighthouse Society"}


@pytest.fixture
def corpora(tmp_path):
    """A JSONL file, a text file and a folder."""
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "A text."}\n')
    (tmp_path / "b.txt").write_text("A text.")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "c.md").write_text("A text.")
    return tmp_path


@pytest.mark.parametrize("name", ["a.jsonl", "b.txt", "notes"])
def test_the_terms_beside_a_corpus_are_those_of_its_source(corpora, name):
    assert open_corpus(str(corpora / name)).source.licence is None
    (corpora / f"{name}.terms.json").write_text(json.dumps(TERMS), encoding="utf-8")
    source = open_corpus(str(corpora / name)).source
    assert source.name == name
    assert {key: getattr(source, key) for key in TERMS} == TERMS


def test_terms_may_say_less_and_a_folder_may_be_named_from_inside(corpora, monkeypatch):
    (corpora / "notes.terms.json").write_text('{"licence": "MIT"}')
    monkeypatch.chdir(corpora / "notes")
    source = open_corpus(".").source
    assert (source.licence, source.snapshot, source.attribution) == ("MIT", None, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "{",
            r"^The terms in a\.jsonl\.terms\.json cannot be read \(.*\); give one JSON object with any of licence",
        ),
        ("[]", r"^The terms in a\.jsonl\.terms\.json are \[\]; give one JSON object"),
        (
            '{"license": "MIT"}',
            "have the unknown key 'license'; give one JSON object with any of licence, snapshot,",
        ),
        ('{"licence": 4}', r"^The licence in a\.jsonl\.terms\.json is 4; give one JSON object"),
        ('{"licence": " "}', r"^The licence in a\.jsonl\.terms\.json is ' '; give one"),
    ],
)
def test_terms_that_cannot_be_meant_are_a_sentence(corpora, content, problem):
    (corpora / "a.jsonl.terms.json").write_text(content)
    with pytest.raises(CorpusError, match=problem):
        _ = open_corpus(str(corpora / "a.jsonl")).source


def test_an_index_keeps_the_terms(corpora, encoder):
    (corpora / "a.jsonl.terms.json").write_text(json.dumps(TERMS), encoding="utf-8")
    build_index(
        [open_corpus(str(corpora / "a.jsonl"))],
        corpora / "index",
        encoder=encoder,
        settings=PassageSettings(),
        strict=True,
        console=Console(file=StringIO()),
    )
    (source,) = read_manifest(corpora / "index").sources
    assert {key: getattr(source, key) for key in TERMS} == TERMS


def test_the_terms_of_downloaded_passages_lie_where_they_are_looked_for():
    assert f"{PASSAGES_FILE}{SUFFIX}" == TERMS_FILE
