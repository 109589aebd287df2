import pytest

from retriever.encoder import HashingEncoder, passage_input
from retriever.fusion import reciprocal_rank_fusion
from retriever.retriever import IndexRetriever
from retriever.types import RetrievalMode


@pytest.mark.parametrize("mode", RetrievalMode)
def test_hits_are_ranked_from_one_and_come_from_their_documents(index, encoder, mode):
    retriever = IndexRetriever(index, encoder, mode=mode)
    hits = retriever.retrieve("who built the first tower of the Eddystone lighthouse", k=3)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert "Winstanley" in hits[0].passage.window
    for hit in hits:
        document = retriever.document(hit.passage.doc_id)
        assert hit.passage.span.of(document.text) == hit.passage.text
        assert document.text[hit.passage.span.start :].startswith(hit.passage.window)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_passages_own_input_is_its_best_dense_hit_with_score_one(index, encoder):
    retriever = IndexRetriever(index, encoder, mode=RetrievalMode.DENSE)
    for passage in index.store.each_passage():
        (hit,) = retriever.retrieve(passage_input(passage.title, passage.text), k=1)
        assert (hit.passage.row, hit.score) == (passage.row, pytest.approx(1.0, abs=1e-6))


def test_hybrid_is_the_fusion_of_dense_and_lexical(index, encoder):
    question = "electric trams in Lisbon"
    (dense,) = index.vectors.search(encoder.encode_queries([question]), k=100)
    expected = reciprocal_rank_fusion([dense, index.lexical.search(question, k=100)])[:4]
    hits = IndexRetriever(index, encoder).retrieve(question, k=4)
    assert [(hit.passage.row, hit.score) for hit in hits] == [tuple(scored) for scored in expected]


def test_asking_for_more_than_there_is_gives_all(index, encoder):
    hits = IndexRetriever(index, encoder, mode=RetrievalMode.DENSE).retrieve("tower", k=10**6)
    assert len(hits) == len(index.store.rows())


def test_the_hybrid_answer_does_not_depend_on_a_question_having_known_words(index, encoder):
    assert len(IndexRetriever(index, encoder).retrieve("zzz", k=2)) == 2


def test_the_hashing_encoder_gives_unit_vectors_and_counts_shared_words():
    vectors = HashingEncoder(64).encode_passages(["a tower", "tower a", "boat"])
    assert (vectors**2).sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert vectors[0] @ vectors[1] == pytest.approx(1.0)
