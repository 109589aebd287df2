"""Retrieval within a filter finds what brute force over the documents that match finds, hit for hit."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import DocumentNotFoundError
from retriever.encoder import HashingEncoder
from retriever.filters import Filter
from retriever.fusion import best_first, convex_combination
from retriever.index import PassageIndex
from retriever.index_writer import index_in_memory
from retriever.retriever import IndexRetriever
from retriever.text.passages import PassageSettings
from retriever.types import Document, RetrievalMode, ScoredRow

WORDS = (
    "lamp",
    "reef",
    "storm",
    "tower",
    "granite",
    "keeper",
    "light",
    "sea",
    "stone",
    "wave",
    "lamps",
    "tower's",
)
COUNT = 500
SHARES = {"hundredth": 100, "tenth": 10, "half": 2, "all": 1}
"""Fields of which every so manyth document has the value true."""


def _documents() -> list[Document]:
    chance = random.Random(0)
    order = list(range(COUNT))
    chance.shuffle(order)
    return [
        Document(
            f"d{number}",
            chance.choice(WORDS),
            " ".join(chance.choices(WORDS, k=chance.randint(1, 9))) + ".",
            metadata={name: order[number] % every == 0 for name, every in SHARES.items()},
        )
        for number in range(COUNT)
    ]


DOCUMENTS = _documents()
ENCODER = HashingEncoder(16)  # so few dimensions that words and passages fall together: many ties


@pytest.fixture(scope="module")
def many() -> PassageIndex:
    return index_in_memory(DOCUMENTS, ENCODER, PassageSettings(words=20))


def brute_force(
    index: PassageIndex, share: str, question: str, *, k: int, depth: int, mode: RetrievalMode
) -> list[ScoredRow]:
    """The best hits of the documents that match, chosen from the whole ranking of all documents."""
    matching = {document.doc_id for document in DOCUMENTS if document.metadata[share]}
    rows = {passage.row for passage in index.store.each_passage() if passage.doc_id in matching}
    query = ENCODER.encode_queries([question])
    dense = [scored for scored in index.vectors.search(query, k=COUNT)[0] if scored.row in rows]
    lexical = [scored for scored in index.lexical.search(question, k=COUNT) if scored.row in rows]
    if mode is not RetrievalMode.HYBRID:
        return best_first(dense if mode is RetrievalMode.DENSE else lexical)[:k]
    depth = max(k, depth)
    cosines = dict(dense[:depth])
    missing = [row for row, _ in lexical[:depth] if row not in cosines]
    cosines |= zip(missing, index.vectors.scores(query[0], missing), strict=True)
    return convex_combination(cosines, lexical[:depth])[:k]


@pytest.mark.parametrize("mode", RetrievalMode)
@pytest.mark.parametrize("share", SHARES)
@given(
    words=st.lists(st.sampled_from((*WORDS, "unheard")), max_size=4),
    k=st.integers(1, 30),
    depth=st.sampled_from([1, 3, 100]),
)
@example(words=["tower"], k=20, depth=100)
@example(words=["unheard"], k=5, depth=100)
@example(words=["lamp", "reef", "sea"], k=COUNT, depth=1)
def test_hits_are_those_of_brute_force(many, mode, share, words, k, depth):
    question = " ".join(words)
    selection = many.fields.selected(Filter.of({share: True}))
    hits = IndexRetriever(many, ENCODER, mode=mode, depth=depth, selection=selection).retrieve(question, k=k)
    expected = brute_force(many, share, question, k=k, depth=depth, mode=mode)
    assert [(hit.passage.row, hit.score) for hit in hits] == expected
    assert [hit.rank for hit in hits] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("share", SHARES)
def test_dense_hits_are_those_of_an_index_of_the_matching_documents_alone(many, share):
    alone = index_in_memory(
        [document for document in DOCUMENTS if document.metadata[share]], ENCODER, PassageSettings(words=20)
    )
    selection = many.fields.selected(Filter.of({share: True}))
    for word in WORDS:
        found = [
            [
                (hit.passage.doc_id, pytest.approx(hit.score, abs=1e-6))
                for hit in retriever.retrieve(word, k=12)
            ]
            for retriever in (
                IndexRetriever(many, ENCODER, mode=RetrievalMode.DENSE, selection=selection),
                IndexRetriever(alone, ENCODER, mode=RetrievalMode.DENSE),
            )
        ]
        assert [doc_id for doc_id, _ in found[0]] == [doc_id for doc_id, _ in found[1]]


def test_a_filter_that_only_low_ranks_meet_finds_them_all(encoder):
    """The hits that match stand behind hundreds that do not: no cut of the whole ranking may come first."""
    loud = [
        Document(f"loud{n}", "storm", "storm storm storm.", metadata={"quiet": False}) for n in range(600)
    ]
    quiet = [
        Document(f"quiet{n}", "", f"The storm of number {n} was seen from a tower.", metadata={"quiet": True})
        for n in range(599)
    ]
    index = index_in_memory([*loud, *quiet], encoder, PassageSettings(words=30))
    selection = index.fields.selected(Filter.of({"quiet": True}))
    for mode in RetrievalMode:
        hits = IndexRetriever(index, encoder, mode=mode, selection=selection).retrieve("storm", k=50)
        assert len(hits) == 50
        assert all(hit.passage.doc_id.startswith("quiet") for hit in hits)


@pytest.mark.parametrize("mode", RetrievalMode)
def test_a_value_that_no_document_has_finds_nothing(many, mode):
    for wanted in ({"half": "true"}, {"half": 1}, {"document_id": "D0"}):
        selection = many.fields.selected(Filter.of(wanted))
        assert IndexRetriever(many, ENCODER, mode=mode, selection=selection).retrieve("tower", k=9) == []


def test_a_document_that_does_not_match_is_as_if_it_were_not_there(many):
    retriever = IndexRetriever(many, ENCODER, selection=many.fields.selected(Filter.of({"tenth": True})))
    inside, outside = (
        next(document for document in DOCUMENTS if document.metadata["tenth"] is wanted)
        for wanted in (True, False)
    )
    assert retriever.document(inside.doc_id).text == inside.text
    for doc_id in (outside.doc_id, "nowhere"):
        with pytest.raises(DocumentNotFoundError) as caught:
            retriever.document(doc_id)
        assert (
            str(caught.value)
            == f"No document has the id {doc_id!r}; an answer's citations name ids that exist."
        )
