import subprocess
import sys

import pytest

from app.answering.reader import LexicalReader
from app.answering.text.overlap import Overlap
from retriever.retriever import IndexRetriever


@pytest.fixture
def reader(index, encoder) -> LexicalReader:
    return LexicalReader(Overlap(index.lexical), encoder)


def read(index, encoder, reader, question, k=6):
    return reader.read(question, IndexRetriever(index, encoder).retrieve(question, k=k))


def test_the_passage_that_answers_is_read_first_and_its_sentence_pointed_at(index, encoder, reader):
    best, *_ = read(index, encoder, reader, "who is named as architect of the Pharos")
    document = index.store.document(best.hit.passage.doc_id)
    assert best.spans[0].span.of(document.text) == "Sostratus of Cnidus is named as its architect."


def test_a_passage_is_as_answerable_as_its_best_sentence_by_words_and_by_embedding(index, encoder, reader):
    question = "who is named as architect of the Pharos"
    best, *_ = read(index, encoder, reader, question)
    sentence = "Pharos of Alexandria\nSostratus of Cnidus is named as its architect."
    overlap = Overlap(index.lexical)
    covered = overlap.covered(overlap.weights(question), sentence)
    cosine = float((encoder.encode_queries([question]) @ encoder.encode_passages([sentence]).T)[0, 0])
    assert best.answerability == pytest.approx((covered + cosine) / 2)


def test_there_is_one_reading_per_hit_most_answerable_first(index, encoder, reader):
    readings = read(index, encoder, reader, "which storm destroyed the tower")
    assert sorted(reading.hit.rank for reading in readings) == [1, 2, 3, 4, 5, 6]
    answerable = [reading.answerability for reading in readings]
    assert answerable == sorted(answerable, reverse=True)
    assert all(0 <= one <= 1 for one in answerable)


def test_a_question_without_any_shared_word_is_hardly_answerable(index, encoder, reader):
    best, *_ = read(index, encoder, reader, "zzz qqq")
    assert best.answerability < 0.2


def test_no_hits_no_readings(reader):
    assert reader.read("anything", []) == []


def test_function_words_do_not_count_and_rare_words_count_more(index):
    overlap = Overlap(index.lexical)
    wanted = overlap.weights("what is the tram of the Lisbon")
    assert set(wanted) == {"tram", "lisbon"}
    assert overlap.covered(wanted, "trams") == pytest.approx(wanted["tram"] / sum(wanted.values()))
    assert overlap.covered(wanted, "the of is what") == 0
    assert overlap.weights("who are you") == {t: index.lexical.idf(t) for t in ("who", "are", "you")}
    assert overlap.covered({}, "anything") == 0


def test_coverage_is_at_most_one_and_the_same_in_every_process(index):
    overlap = Overlap(index.lexical)
    text = " ".join(document.text for document in (index.store.document("lighthouses/eddystone"),))
    wanted = overlap.weights(text)
    assert overlap.covered(wanted, text) == 1.0
    code = (
        "from app.answering.text.overlap import Overlap\n"
        "class V:\n"
        "    def terms(self, text): return text.split()\n"
        "    def idf(self, term): return 1 / (1 + len(term)) ** 0.5\n"
        "o = Overlap(V())\n"
        "w = o.weights(' '.join('x' * n for n in range(1, 60)))\n"
        "print(repr(o.covered(w, ' '.join('x' * n for n in range(1, 60, 2)))))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert 0 < float(said.pop()) < 1
