import pytest

from retriever.encoder import HashingEncoder, passage_input
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


def test_hybrid_is_nine_tenths_cosine_and_one_tenth_bm25_for_whatever_either_search_found(index, encoder):
    question = (
        "Lisbon towers, lighthouses"  # the lexical index knows other forms of a word, the encoder does not
    )
    query = encoder.encode_queries([question])
    lexical = index.lexical.search(question, k=3)
    best = lexical[0].score
    rows = {row for row, _ in index.vectors.search(query, k=3)[0]} | {row for row, _ in lexical}
    assert len(rows) > 3  # so that the lexical search brings rows of its own
    shares = {row: score / best for row, score in lexical}
    expected = {
        row: 0.9 * float(query[0] @ vector) + 0.1 * shares.get(row, 0.0)
        for row in rows
        for vector in [encoder.encode_passages([passage_input(*texts(index, row))])[0]]
    }
    hits = IndexRetriever(index, encoder, depth=3).retrieve(question, k=3)
    assert {hit.passage.row: hit.score for hit in hits} == pytest.approx(
        dict(sorted(expected.items(), key=lambda pair: -pair[1])[:3]), abs=1e-6
    )


def texts(index, row: int) -> tuple[str, str]:
    (passage,) = index.store.passages([row])
    return passage.title, passage.text


def test_asking_for_more_than_there_is_gives_all(index, encoder):
    hits = IndexRetriever(index, encoder, mode=RetrievalMode.DENSE).retrieve("tower", k=10**6)
    assert len(hits) == len(index.store.rows())


def test_the_hybrid_answer_does_not_depend_on_a_question_having_known_words(index, encoder):
    assert len(IndexRetriever(index, encoder).retrieve("zzz", k=2)) == 2


def test_the_hashing_encoder_gives_unit_vectors_and_counts_shared_words():
    vectors = HashingEncoder(64).encode_passages(["a tower", "tower a", "boat"])
    assert (vectors**2).sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert vectors[0] @ vectors[1] == pytest.approx(1.0)
