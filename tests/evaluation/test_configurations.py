import math
from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from app.answering.generators.joint_generator import JointGenerator
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.stages import Stage
from app.answering.types import CandidateSource, Reading, ScoredSpan
from common.deadline import NO_DEADLINE
from common.errors import LoccitError
from evaluation.baselines import FirstSentenceReader, GoldGenerator, TfidfReader, WithoutDocument
from evaluation.configurations import CONFIGURATIONS, configuration_of, pipeline_for
from evaluation.questions import Question
from evaluation.run_folder import read_description, read_predictions
from evaluation.slices import WITHOUT_GOLD, with_unanswerable
from retriever.types import Document, Hit, Passage, Span
from tests.small_run import QUESTIONS

TEXT = "Trams are red. In Lisbon a horse tram ran in 1873. It was pulled by a horse."


def hit(text=TEXT, rank=1, doc_id="trams", start=0):
    return Hit(Passage(rank, doc_id, "Trams", text, Span(start, start + len(text)), ""), 1 / rank, rank)


class Words:
    """Every word as it is; how rare it is, by what the test says."""

    def __init__(self, idf=None):
        self._idf = idf or {}

    def terms(self, text):
        return text.lower().replace(".", "").split()

    def idf(self, term):
        return self._idf.get(term, 1.0)


class Ranked:
    """A retriever with a fixed ranking of documents."""

    def __init__(self, *doc_ids):
        self.hits = [hit(doc_id=doc_id, rank=rank) for rank, doc_id in enumerate(doc_ids, start=1)]
        self.asked = []

    def retrieve(self, question, *, k):
        self.asked.append(k)
        return self.hits[:k]

    def document(self, doc_id):
        return Document(doc_id, "", TEXT)


def test_the_gold_document_is_passed_over_and_the_ranks_close_up():
    ranked = Ranked("a", "gold", "gold", "gold", "b", "c", "d")
    hits = WithoutDocument(ranked, "gold").retrieve("?", k=3)
    assert [(one.passage.doc_id, one.rank) for one in hits] == [("a", 1), ("b", 2), ("c", 3)]
    assert ranked.asked == [4, 8]


def test_fewer_passages_than_asked_for_end_the_search():
    assert len(WithoutDocument(Ranked("gold", "a"), "gold").retrieve("?", k=5)) == 1


def test_the_first_sentence_is_that_of_the_passage_in_its_document():
    first, second = FirstSentenceReader().read("?", [hit(start=100), hit(rank=2)])
    assert first.spans == (ScoredSpan(Span(100, 114), 1.0),)
    assert second.answerability == 0.5


def test_the_tfidf_sentence_is_the_one_whose_vector_is_nearest():
    (reading,) = TfidfReader(Words()).read("horse tram lisbon 1873", [hit(start=50)])
    assert reading.spans[0].span == Span(50 + TEXT.index("In"), 50 + TEXT.index(" It"))
    # sentence with the title: trams 1, in 2, six others; question: four words, all of them there
    assert reading.answerability == pytest.approx(4 / (math.sqrt(4) * math.sqrt(1 + 4 + 6)))


def test_rare_words_weigh_more():
    readings = TfidfReader(Words({"horse": 0.1, "red": 5.0})).read("red horse", [hit()])
    assert readings[0].spans[0].span == Span(0, TEXT.index(" In"))


def test_the_nearest_passage_comes_first_and_ties_stay_by_rank():
    hits = [hit("Nothing here."), hit(rank=2), hit(rank=3)]
    readings = TfidfReader(Words()).read("horse", hits)
    assert [reading.hit.rank for reading in readings] == [2, 3, 1]


def test_the_gold_answers_words_count_as_if_asked_for():
    (plain,) = TfidfReader(Words()).read("trams", [hit()])
    (gold,) = TfidfReader(Words(), gold_answer="pulled by a horse").read("trams", [hit()])
    assert plain.spans[0].span == Span(0, TEXT.index(" In"))
    assert gold.spans[0].span.start == TEXT.index("It")


def test_the_gold_answer_points_at_the_best_reading():
    reading = Reading(hit(), 0.5, (ScoredSpan(Span(3, 9), 0.5),))
    (candidate,) = GoldGenerator("1873").generate("?", [reading], n=3, seed=0, deadline=NO_DEADLINE)
    assert (candidate.answer, candidate.pointer) == ("1873", Span(3, 9))
    assert candidate.mean_token_probability == pytest.approx(0.5)
    assert GoldGenerator("1873").generate("?", [], n=3, seed=0, deadline=NO_DEADLINE) == []


def decisions(folder):
    return [line["trace"]["decision"] for line in read_predictions(folder)]


def test_first_sentence_answers_with_the_first_sentence_of_the_best_hit(run):
    first, second, _ = decisions(run(configuration="first-sentence"))
    assert first["answer"].strip() == "Henry Winstanley built the first tower at Eddystone."
    assert second["answer"].strip() == "In Lisbon a horse tram ran in 1873."


def test_tfidf_sentence_answers_with_the_nearest_sentence(run, lm):
    _, second, _ = decisions(run(configuration="tfidf-sentence"))
    assert (
        second["answer"].strip()
        == second["citations"][0]["quote"].strip()
        == "In Lisbon a horse tram ran in 1873."
    )
    assert lm.calls == []


def test_gold_answer_says_what_is_right_and_quotes_the_nearest_sentence(run):
    first, second = decisions(run(QUESTIONS[:2], configuration="gold-answer"))
    assert (first["answer"], second["answer"]) == ("Winstanley", "1873")
    assert second["citations"][0]["quote"].strip() == "In Lisbon a horse tram ran in 1873."


def test_gold_answer_needs_one(run):
    with pytest.raises(LoccitError, match=r"^The question q3 has no answer, so gold-answer cannot give it"):
        run(configuration="gold-answer")


def test_closed_book_shows_the_model_no_passage(run, lm):
    _, second = read_predictions(run(QUESTIONS[:2], configuration="closed-book"))
    assert [call.prompts for call in lm.calls] == [
        (" Who built the first Eddystone tower?\nAnswer:",),
        (" When did the horse tram run in Lisbon?\nAnswer:",),
    ]
    assert all("Passage:" not in call.prefix for call in lm.calls)
    assert second["trace"]["candidates"][0]["answer"] == "1901"


def test_top_passage_reads_one_passage(run, lm):
    run(QUESTIONS[:1], configuration="top-passage")
    assert [len(call.prompts) for call in lm.calls] == [1]


@pytest.fixture
def joint(service, lm):
    """The service, with answers of the reader before the three of the language model."""
    generator = JointGenerator(ReaderGenerator(), LMGenerator(lm))
    return replace(service, pipeline=replace(service.pipeline, generator=generator))


def test_top_passage_scores_the_words_of_the_language_model_though_the_reader_would_answer_too(joint, lm):
    question = QUESTIONS[1]
    full = pipeline_for(question, configuration_of("full"), joint).answer(question.question)
    assert [one.source for one in full.candidates[:2]] == [CandidateSource.READER] * 2
    lm.calls.clear()
    top = pipeline_for(question, configuration_of("top-passage"), joint)
    trace = top.answer(question.question, replace(top.options, min_confidence=0.0))
    (candidate,) = trace.candidates
    assert (candidate.answer, candidate.source) == ("1901", CandidateSource.LM)
    assert candidate.passage == trace.readings[0].hit.passage
    assert trace.decision.answer == "1901"
    assert [len(call.prompts) for call in lm.calls] == [1]


def test_top_passage_shows_the_model_as_much_of_it_as_the_service_does(joint, lm):
    question = QUESTIONS[0]
    for tokens in (16, 3):
        lm.calls.clear()
        top = pipeline_for(question, configuration_of("top-passage"), replace(joint, evidence_tokens=tokens))
        top.answer(question.question)
        ((shown,),) = [call.prompts for call in lm.calls]
        assert "Henry Winstanley built" in shown
        assert ("the first tower at Eddystone" in shown) is (tokens == 16)


@pytest.mark.parametrize("name", ["top-passage", "closed-book"])
def test_what_a_language_model_answers_is_refused_without_one(joint, name):
    with pytest.raises(
        LoccitError, match=f"^{name} is answered by a language model; leave out --generator reader"
    ):
        pipeline_for(QUESTIONS[0], configuration_of(name), replace(joint, language_model=None))


def test_gold_document_retrieves_from_that_document_alone(run):
    for line in read_predictions(run(QUESTIONS[:2], configuration="gold-document")):
        assert {hit["document_id"] for hit in line["trace"]["hits"]} == {line["gold_document_id"]}


def test_gold_document_needs_its_name(run):
    with pytest.raises(LoccitError, match=r"^The question q3 names no gold_document_id"):
        run(configuration="gold-document")


def test_a_run_says_which_configuration_it_is_and_which_stages_that_changes(run):
    described = read_description(run(configuration="closed-book"))
    assert described["configuration"]["name"] == "closed-book"
    assert described["configuration"]["answer_from"] == "candidate"
    assert described["stages"]["generate"] == {"generator": "lm", "configuration": "closed-book"}
    assert described["stages"]["read"] == {"reader": "lexical"}


def test_an_unknown_configuration_is_a_sentence():
    with pytest.raises(
        LoccitError, match=r"^There is no configuration 'best'; give one of full, dense, lexical,"
    ):
        configuration_of("best")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_configuration_has_a_row_name(name):
    assert CONFIGURATIONS[name].meaning


def test_a_gold_document_that_is_not_in_the_index_is_noticed_before_anything_is_asked(run, lm):
    lost = replace(QUESTIONS[0], gold_document_id="nope.md")
    for options in ({"configuration": "gold-document"}, {"questions": with_unanswerable([lost])}):
        with pytest.raises(
            LoccitError, match=r"^The question q1.* names the gold document 'nope\.md', which is not"
        ):
            run(**{"questions": [lost], **options})
    assert lm.calls == []


def test_gold_document_gives_nothing_that_is_to_be_hidden(run):
    with pytest.raises(LoccitError, match=r"^gold-document gives what --without-gold hides; leave out one"):
        run(with_unanswerable(QUESTIONS[:1]), configuration="gold-document")


@pytest.mark.parametrize("one", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_configuration_names_the_stages_whose_parts_it_replaces_and_no_other(one, service):
    before = service.pipeline
    after = pipeline_for(QUESTIONS[0], one, service)
    replaced = {
        Stage.RETRIEVE: after.retriever is not before.retriever,
        Stage.READ: after.reader is not before.reader,
        Stage.GENERATE: after.generator is not before.generator or after.options != before.options,
    }
    assert {stage for stage, differs in replaced.items() if differs} == one.changes


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense", {"retrieval": "dense"}),
        ("lexical", {"retrieval": "lexical"}),
        ("first-sentence", {"retrieval": "lexical", "generator": "reader"}),
        ("tfidf-sentence", {"generator": "reader"}),
        ("gold-answer", {"generator": "reader"}),
        ("closed-book", {"generator": "lm", "adapter": "none"}),
        ("top-passage", {"generator": "lm", "adapter": "none"}),
    ],
)
def test_a_configuration_sets_what_its_name_says(name, settings):
    assert CONFIGURATIONS[name].settings == settings


@pytest.mark.parametrize("name", ["first-sentence", "tfidf-sentence"])
def test_a_sentence_baseline_has_one_candidate(run, name):
    for line in read_predictions(run(QUESTIONS[:2], configuration=name)):
        assert len(line["trace"]["candidates"]) == 1


def test_given_documents_are_searched_without_the_one_that_is_to_be_hidden(run):
    documents = (
        GivenDocument("The Eddystone tower was built in rain.", "gold", "Towers"),
        GivenDocument("Lucius is a cat.", "other", "Cats"),
    )
    hidden = Question(
        "h",
        "who built the Eddystone tower",
        ("x",),
        WITHOUT_GOLD,
        gold_document_id="gold",
        documents=documents,
    )
    (line,) = read_predictions(run([hidden]))
    assert [hit["document_id"] for hit in line["trace"]["hits"]] == ["other"]


def test_the_gold_answer_is_looked_for_in_the_sentences(service):
    question = Question("g", "trams", ("Electric 1901",))
    pipeline = pipeline_for(question, configuration_of("gold-answer"), service)
    (reading, *_) = pipeline.reader.read(
        "trams", [hit("In Lisbon a horse tram ran. Electric ones came in 1901.")]
    )
    assert reading.spans[0].span.start == len("In Lisbon a horse tram ran. ")
