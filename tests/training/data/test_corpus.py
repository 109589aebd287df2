import json

import pytest

from common.errors import LoccitError
from training.data.corpus import open_corpus, open_store, paragraph_id, paragraphs

ARTICLES = [
    {
        "id": "Dover",
        "title": "Dover",
        "text": "The harbour of Dover has cranes.",
        "url": "https://e.org/dover",
    },
    {"id": "Emden", "title": "Emden", "text": "The lighthouse of Emden is old."},
]
PARAGRAPHS = [
    ("Fowey", "The harbour of Fowey is deep."),
    ("Fowey", "Cranes stand in Fowey."),
    ("Fowey", "The harbour of Fowey is deep."),
]


@pytest.fixture
def make(tmp_path, quiet):
    """Makes the corpus of these articles and of two paragraphs."""

    def corpus(articles=ARTICLES, fingerprint="one"):
        path = tmp_path / "articles.jsonl"
        path.write_text("".join(json.dumps(article) + "\n" for article in articles))
        return open_corpus(tmp_path / "corpus", path, paragraphs("squad", PARAGRAPHS), fingerprint, quiet)

    return corpus


def test_articles_and_paragraphs_are_stored_each_once_but_only_articles_are_found(make, tmp_path):
    corpus = make()
    stored = [document.doc_id for document, _ in corpus.store.each_document()]
    assert stored == ["Dover", "Emden", *(paragraph_id("squad", *texts) for texts in PARAGRAPHS[:2])]
    assert [passage.doc_id for passage in corpus.search("harbour cranes of Fowey", k=9)] == ["Dover", "Emden"]
    assert open_store(tmp_path / "corpus").document("Dover").url == "https://e.org/dover"
    counts = json.loads((tmp_path / "corpus" / "corpus.json").read_text())
    assert counts == {"fingerprint": "one", "documents": 4, "passages": 4, "indexed": 2}


def test_a_finished_corpus_is_made_again_only_for_another_fingerprint(make):
    make()
    assert make(articles=ARTICLES[:1]).store.count_documents() == 4
    assert make(articles=ARTICLES[:1], fingerprint="two").store.count_documents() == 3


@pytest.mark.parametrize(
    ("articles", "sentence"),
    [
        (
            [ARTICLES[0], {"id": "a", "title": "A"}],
            r"articles\.jsonl:2 has the text None, but it must be a string",
        ),
        ([{**ARTICLES[0], "id": 5}], r"articles\.jsonl:1 has the id 5, but it must be a string\.$"),
    ],
)
def test_a_row_that_is_no_document_is_one_sentence(make, articles, sentence):
    with pytest.raises(LoccitError, match=sentence):
        make(articles)


def test_an_id_that_occurs_twice_is_one_sentence(make):
    with pytest.raises(
        LoccitError, match=r"The document id 'Dover' occurs twice; every document needs an id of "
    ):
        make(articles=[ARTICLES[0], ARTICLES[0]])
