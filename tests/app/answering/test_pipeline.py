import json
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.cite import SentenceCiter
from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.confidence.features import Evidence
from app.answering.confidence.scorers import ScoreConfidence
from app.answering.events import (
    Composed,
    Decided,
    Generated,
    Located,
    Read,
    Retrieved,
    Supported,
)
from app.answering.generators.joint_generator import JointGenerator
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.options import AnswerLength, AnswerOptions
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader
from app.answering.support import LexicalSupport
from app.answering.text.overlap import Overlap
from app.answering.trace_json.writing import trace_as_json
from app.answering.types import (
    AbstainReason,
    Abstention,
    BroadReading,
    CandidateSource,
    CitedAnswer,
    Reading,
    ScoredSpan,
)
from common.deadline import NO_DEADLINE, Deadline
from common.errors import DeadlineExceededError, GivenUpError
from retriever.encoder import HashingEncoder
from retriever.index import PassageIndex
from retriever.index_writer import index_in_memory
from retriever.retriever import IndexRetriever
from retriever.text.passages import PassageSettings
from retriever.text.units import quotable_spans_of
from retriever.types import Document, Span
from tests.fakes import ScriptedLM

QUESTION = "who built the first tower of the Eddystone lighthouse"
SCRIPT = {"Winstanley": "Henry Winstanley", "Sostratus": "Sostratus of Cnidus"}


def pipeline_over(index: PassageIndex, lm: ScriptedLM | None) -> Pipeline:
    encoder, overlap = HashingEncoder(), Overlap(index.lexical)
    return Pipeline(
        retriever=IndexRetriever(index, encoder),
        reader=LexicalReader(overlap, encoder),
        generator=LMGenerator(lm) if lm else ReaderGenerator(),
        citer=SentenceCiter(overlap),
        support=LexicalSupport(overlap, encoder),
        confidence=ScoreConfidence(),
        composer=SentenceComposer(encoder),
        options=AnswerOptions(top_k=6, candidates=3, min_confidence=0.0),
    )


@pytest.fixture
def lm() -> ScriptedLM:
    return ScriptedLM(SCRIPT)


@pytest.fixture
def pipeline(index, lm) -> Pipeline:
    return pipeline_over(index, lm)


def test_a_question_is_answered_with_a_quote_that_stands_in_its_document(pipeline, index):
    trace = pipeline.answer(QUESTION)
    assert isinstance(trace.decision, CitedAnswer)
    assert trace.decision.answer == "Henry Winstanley"
    (citation,) = trace.decision.citations
    document = index.store.document(citation.doc_id)
    assert document.text[citation.span.start : citation.span.end] == citation.quote
    assert citation.quote.startswith("😀 Henry Winstanley built the first tower")
    assert citation.document_sha256 == document.sha256


def test_there_is_one_event_per_stage_and_the_last_holds_the_trace(pipeline):
    events = list(pipeline.run(QUESTION))
    assert [type(one) for one in events] == [Retrieved, Read, Generated, Located, Supported, Decided]
    trace = events[-1].trace
    assert (events[0].hits, events[1].readings, events[2].candidates, events[4].cited) == (
        trace.hits,
        trace.readings,
        trace.candidates,
        trace.cited,
    )
    assert set(trace.timings) == {"retrieve", "read", "generate", "cite", "support", "decide"}


def test_a_long_answer_is_composed_after_the_decision_and_every_sentence_stands(pipeline, index):
    *before, composed, decided = pipeline.run(QUESTION, replace(pipeline.options, length=AnswerLength.LONG))
    short, decision = pipeline.answer(QUESTION), decided.trace.decision
    assert [type(one) for one in before] == [Retrieved, Read, Generated, Located, Supported]
    assert (type(composed), composed.decision) == (Composed, decision)
    assert decided.trace.timings.keys() == {*short.timings, "compose"}
    assert decision.short_answer == short.decision.answer == "Henry Winstanley"
    assert (decision.confidence, decision.alternatives) == (
        short.decision.confidence,
        short.decision.alternatives,
    )
    assert decided.trace.cited == short.cited
    assert len(decision.citations) == 2
    text = index.store.document("lighthouses/eddystone").text
    for citation in decision.citations:
        assert text[citation.span.start : citation.span.end] == citation.quote
    assert decision.answer == " ".join(citation.quote for citation in decision.citations)
    [backing] = [citation for citation in decision.citations if not citation.further]
    assert backing == short.decision.citations[0]


def test_an_abstention_stays_one_when_a_long_answer_was_asked_for(pipeline):
    options = replace(pipeline.options, length=AnswerLength.LONG, min_confidence=1.0)
    before = pipeline.answer(QUESTION, replace(options, length=AnswerLength.SHORT))
    assert pipeline.answer(QUESTION, options).decision == before.decision
    assert before.decision.reason is AbstainReason.LOW_CONFIDENCE


def test_the_same_question_gets_the_same_answer(index, lm):
    first, second = (trace_as_json(pipeline_over(index, lm).answer(QUESTION)) for _ in range(2))
    del first["timings_ms"], second["timings_ms"]
    assert first == second


def test_the_language_model_reads_the_passages_the_reader_put_first_in_one_batch(pipeline, lm):
    trace = pipeline.answer(QUESTION)
    (call,) = lm.calls
    assert len(call.prompts) == 3
    for prompt, reading in zip(call.prompts, trace.readings, strict=False):
        assert reading.hit.passage.title in prompt


def test_a_candidate_without_a_verbatim_quote_is_dropped(index):
    trace = pipeline_over(index, ScriptedLM(lambda _: "Christopher Wren")).answer(QUESTION)
    assert isinstance(trace.decision, Abstention)
    assert trace.decision.reason is AbstainReason.NO_QUOTE
    assert len(trace.candidates) == 3
    assert trace.decision.nearest
    for citation in trace.decision.nearest:
        assert citation.quote in index.store.document(citation.doc_id).text


def test_a_language_model_that_says_nothing_leads_to_an_abstention(index):
    decision = pipeline_over(index, ScriptedLM()).answer(QUESTION).decision
    assert (decision.reason, decision.confidence) == (AbstainReason.NO_CANDIDATE, 0.0)


def test_an_index_without_passages_has_none_to_offer(encoder):
    empty = index_in_memory([], encoder, PassageSettings())
    decision = pipeline_over(empty, ScriptedLM(SCRIPT)).answer(QUESTION).decision
    assert (decision.reason, decision.nearest) == (AbstainReason.NO_PASSAGES, ())


def test_min_confidence_turns_an_answer_into_an_abstention(pipeline):
    sure = pipeline.answer(QUESTION).decision
    options = AnswerOptions(top_k=6, min_confidence=sure.confidence + 1e-6)
    decision = pipeline.answer(QUESTION, options).decision
    assert decision.reason is AbstainReason.LOW_CONFIDENCE
    assert decision.confidence == sure.confidence
    assert decision.nearest[0] == sure.citations[0]


def test_the_reader_alone_answers_with_a_sentence(index):
    decision = pipeline_over(index, None).answer(QUESTION).decision
    assert decision.answer == decision.citations[0].quote


class Pointing:
    """Points at the first of these that stands in a passage."""

    def __init__(self, *said):
        self.said = said

    def read(self, question, hits, *, deadline):
        readings = []
        for hit in hits:
            passage = hit.passage
            places = [(passage.text.index(one), len(one)) for one in self.said if one in passage.text][:1]
            spans = tuple(Span(at, at + length).shifted(passage.span.start) for at, length in places)
            readings.append(Reading(hit, 0.5, tuple(ScoredSpan(span, 0.5) for span in spans)))
        return readings


class ByAnswer:
    """As sure of an answer as it is told, and keeps what it was shown."""

    def __init__(self, **confidences):
        self.confidences, self.shown = confidences, []

    def score(self, evidence, backed):
        self.shown.append((evidence, backed))
        return [self.confidences[one.candidate.answer.split()[-1]] for one in backed]


@pytest.fixture
def joint(index, lm):
    """Reader and language model, which agree on one answer; the reader has two more."""
    return replace(
        pipeline_over(index, lm),
        reader=Pointing("John Smeaton", "Sostratus of Cnidus", "Henry Winstanley"),
        generator=JointGenerator(ReaderGenerator(spans=(1,) * 20), LMGenerator(lm)),
        options=AnswerOptions(top_k=20, min_confidence=0.0),
    )


def test_the_confidence_is_judged_by_all_that_the_stages_before_found(joint):
    scorer = ByAnswer(Winstanley=0.5, Smeaton=0.25, Cnidus=0.125)
    trace = replace(joint, confidence=scorer).answer(QUESTION)
    [(evidence, backed)] = scorer.shown
    assert (evidence.question, evidence.hits, evidence.readings, evidence.candidates) == (
        QUESTION,
        trace.hits,
        trace.readings,
        trace.candidates,
    )
    assert isinstance(evidence, Evidence)
    assert [one.candidate for one in backed] == [one.candidate for one in trace.cited]
    assert [one.support for one in backed] == [one.citations[0].support for one in trace.cited]
    assert [one.quoted for one in backed] == [
        " ".join(citation.quote for citation in one.citations) for one in trace.cited
    ]
    assert [one.confidence for one in trace.cited] == [
        scorer.confidences[one.candidate.answer.split()[-1]] for one in trace.cited
    ]


@pytest.mark.parametrize(
    ("sureness", "answers"),
    [
        ((0.75, 0.5, 0.25), ["Henry Winstanley", "John Smeaton", "Sostratus of Cnidus"]),
        ((0.25, 0.75, 0.5), ["John Smeaton", "Sostratus of Cnidus", "Henry Winstanley"]),
    ],
)
def test_of_what_both_propose_the_surest_is_given_and_each_other_answer_stands_once_beside_it(
    joint, sureness, answers
):
    scorer = ByAnswer(**dict(zip(("Winstanley", "Smeaton", "Cnidus"), sureness, strict=True)))
    trace = replace(joint, confidence=scorer).answer(QUESTION)
    sources = {(one.candidate.source, one.candidate.answer) for one in trace.cited}
    for source in (CandidateSource.READER, CandidateSource.LM):
        assert (source, "Henry Winstanley") in sources
    decision = trace.decision
    assert [decision.answer, *(one.answer for one in decision.alternatives)] == answers
    confidences = [decision.confidence, *(one.confidence for one in decision.alternatives)]
    assert confidences == sorted(sureness, reverse=True)


def test_when_the_surest_of_several_is_not_sure_enough_their_quotes_are_shown(joint):
    scorer = ByAnswer(Winstanley=0.25, Smeaton=0.5, Cnidus=0.125)
    options = replace(joint.options, min_confidence=0.51)
    decision = replace(joint, confidence=scorer).answer(QUESTION, options).decision
    assert (decision.reason, decision.confidence) == (AbstainReason.LOW_CONFIDENCE, 0.5)
    for citation, name in zip(decision.nearest, ("Smeaton", "Winstanley", "Sostratus"), strict=True):
        assert name in citation.quote


def test_a_deadline_that_has_passed_is_a_sentence(pipeline):
    with pytest.raises(DeadlineExceededError, match=r"ran out during the stage 'retrieve'"):
        pipeline.answer(QUESTION, deadline=Deadline.after(-1))


def test_a_question_that_was_given_up_goes_no_further(pipeline):
    deadline = Deadline()
    running = pipeline.run(QUESTION, deadline=deadline)
    next(running)
    deadline.give_up()
    with pytest.raises(GivenUpError, match=r"during the stage 'retrieve'"):
        next(running)


def test_at_the_deadline_itself_the_time_is_up(pipeline, monkeypatch):
    due = time.monotonic() + 3600
    monkeypatch.setattr("common.deadline.time.monotonic", lambda: due)
    with pytest.raises(DeadlineExceededError, match="'retrieve'"):
        pipeline.answer(QUESTION, deadline=Deadline(due))


def test_a_generator_that_ran_out_of_time_with_nothing_is_a_sentence(index):
    class Slow(ScriptedLM):
        def complete(self, *arguments, deadline: Deadline, **named):
            time.sleep(deadline.remaining_s + 0.01)
            return super().complete(*arguments, deadline=deadline, **named)

    with pytest.raises(DeadlineExceededError, match="'generate'"):
        pipeline_over(index, Slow(SCRIPT)).answer(QUESTION, deadline=Deadline.after(0.2))


def test_a_trace_serialises_to_json_that_keeps_every_offset(pipeline, index):
    form = json.loads(json.dumps(trace_as_json(pipeline.answer(QUESTION))))
    assert form["schema"] == 1
    assert [hit["rank"] for hit in form["hits"]] == [1, 2, 3, 4, 5, 6]
    citations: Sequence[dict] = form["decision"]["citations"]
    for place in (*citations, *form["hits"]):
        text = index.store.document(place["document_id"]).text
        assert text[place["start"] : place["end"]] == place.get("quote", place.get("text"))
    assert form["decision"]["abstained"] is False
    assert form["decision"]["short_answer"] == form["decision"]["answer"]
    assert [citation["further"] for citation in citations] == [False]
    assert form["timings_ms"]["total"] >= form["timings_ms"]["generate"]


class Drawing:
    """The reader's best answer so many times over; the time is up when it has them."""

    def __init__(self, times):
        self.times = times

    def generate(self, question, readings, *, kind, n, seed, deadline):
        one = ReaderGenerator(spans=(1,)).generate(question, readings, n=n, seed=seed, deadline=deadline)
        deadline.give_up()
        return one * self.times


@pytest.mark.parametrize(("candidates", "cited"), [(1, 1), (16, 16), (40, 16)])
def test_when_the_time_is_up_the_first_candidates_are_cited_all_the_same(joint, candidates, cited):
    pipeline = replace(joint, generator=Drawing(candidates), confidence=ByAnswer(Winstanley=0.5))
    trace = pipeline.answer(QUESTION, replace(joint.options, top_k=1), deadline=Deadline())
    assert (len(trace.candidates), len(trace.cited)) == (candidates, cited)
    assert trace.cut_short


def test_while_there_is_time_every_candidate_is_cited(joint):
    class Unhurried(Drawing):
        def generate(self, *arguments, deadline, **named):
            return super().generate(*arguments, deadline=Deadline(), **named)

    pipeline = replace(joint, generator=Unhurried(40), confidence=ByAnswer(Winstanley=0.5))
    trace = pipeline.answer(QUESTION, replace(joint.options, top_k=1), deadline=Deadline())
    assert len(trace.cited) == 40
    assert not trace.cut_short


def test_passages_without_words_are_not_generated_from(encoder):
    asked = []

    class Recording(ReaderGenerator):
        def generate(self, question, readings, **options):
            asked.append([reading.hit.passage.doc_id for reading in readings])
            return super().generate(question, readings, **options)

    documents = (Document("run", "Key", "c" * 1_900), Document("key", "Key", "The key hangs in the hall."))
    for given, worded in ((documents, ["key"]), (documents[:1], [])):
        index = index_in_memory(given, encoder, PassageSettings())
        pipeline = replace(pipeline_over(index, None), generator=Recording())
        trace = pipeline.answer("where is the key")
        assert set(asked.pop()) == set(worded)
        assert {hit.passage.doc_id for hit in trace.hits} == {document.doc_id for document in given}
        answer = getattr(trace.decision, "answer", None)
        assert (answer is None) == (worded == [])
    assert trace.decision.reason is AbstainReason.NO_CANDIDATE


class Broad(Pointing):
    """Reads as ``Pointing`` does, takes questions to ask for this kind, and these sentences for evidence."""

    def __init__(self, kind, *evidence, yes=0.5):
        super().__init__("John Smeaton")
        self.kind, self.evidence, self.yes = kind, evidence, yes

    def read(self, question, hits, *, deadline=NO_DEADLINE):
        return [
            replace(reading, answerability=0.9, broad=self._broad(reading.hit.passage))
            for reading in super().read(question, hits, deadline=deadline)
        ]

    def _broad(self, passage):
        units = quotable_spans_of(passage.window)
        scored = tuple(
            ScoredSpan(
                unit.shifted(passage.span.start), 0.8 if unit.of(passage.window) in self.evidence else 0.1
            )
            for unit in units
        )
        return BroadReading({kind: float(kind is self.kind) for kind in AnswerKind}, self.yes, scored)


@pytest.fixture
def broad(joint, index):
    sentences = [
        unit.of(document.text)
        for document in [index.store.document("lighthouses/eddystone")]
        for unit in quotable_spans_of(document.text)
    ]

    def over(kind, *numbers, length=AnswerLength.AUTO, yes=0.5):
        reader = Broad(kind, *(sentences[number] for number in numbers), yes=yes)
        options = replace(joint.options, length=length)
        trace = replace(joint, reader=reader, options=options).answer(QUESTION)
        return trace.decision, [sentences.index(citation.quote) for citation in trace.decision.citations]

    return over


def test_an_explanation_is_made_of_the_sentences_that_answer(broad):
    decision, quoted = broad(AnswerKind.EXPLANATION, 0, 1, 2)
    assert (decision.kind, quoted) == (AnswerKind.EXPLANATION, [1, 2])
    assert decision.answer == " ".join(" ".join(citation.quote.split()) for citation in decision.citations)
    assert decision.short_answer in decision.answer


@pytest.mark.parametrize(("yes", "said"), [(0.9, "Yes"), (0.1, "No")])
def test_yes_or_no_is_said_with_the_sentence_that_says_so(broad, yes, said):
    decision, quoted = broad(AnswerKind.YES_NO, 1, yes=yes)
    assert (decision.kind, decision.short_answer, quoted) == (AnswerKind.YES_NO, said, [1])
    assert decision.answer == f"{said}. {' '.join(decision.citations[0].quote.split())}"


def test_who_wants_a_short_answer_gets_one_whatever_the_kind(broad):
    decision, _ = broad(AnswerKind.EXPLANATION, 0, 1, length=AnswerLength.SHORT)
    assert (decision.kind, decision.answer) == (AnswerKind.SHORT, decision.short_answer)
    assert decision.answer == "Henry Winstanley"


def test_what_names_the_answer_and_what_says_what_was_asked_are_both_quoted_and_judged_together(lm):
    text = "Henry Winstanley was an engraver. He built the first tower of the Eddystone lighthouse."
    index = index_in_memory([Document("w", "An engraver", text)], HashingEncoder(), PassageSettings())
    one = pipeline_over(index, ScriptedLM({"engraver": "Henry Winstanley"}))
    short = {kind: float(kind is AnswerKind.SHORT) for kind in AnswerKind}
    units = quotable_spans_of(text)

    class Reads:
        def __init__(self, *evidence):
            self._broad = BroadReading(short, 0.5, tuple(map(ScoredSpan, units, evidence)))

        def read(self, question, hits, *, deadline=NO_DEADLINE):
            named = (ScoredSpan(Span(0, 16), 0.9),)
            return [Reading(hit, 0.9, named, self._broad) for hit in hits]

    both = replace(one, reader=Reads(0.9, 0.6)).answer(QUESTION)
    named = replace(one, reader=Reads(0.9, 0.1)).answer(QUESTION)
    assert [citation.quote for citation in both.decision.citations] == [span.of(text) for span in units]
    assert [citation.quote for citation in named.decision.citations] == [units[0].of(text)]
    supports = [citation.support for citation in both.decision.citations]
    assert supports[0] == supports[1] > named.decision.citations[0].support
