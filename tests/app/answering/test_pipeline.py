import json
import time
from collections.abc import Sequence

import pytest

from app.answering.cite import SentenceCiter
from app.answering.generator import LMGenerator, ReaderGenerator
from app.answering.options import AnswerOptions
from app.answering.overlap import Overlap
from app.answering.pipeline import (
    Decided,
    Generated,
    Located,
    Pipeline,
    Read,
    Retrieved,
    Supported,
)
from app.answering.reader import LexicalReader
from app.answering.serialise import trace_as_json
from app.answering.support import LexicalSupport
from app.answering.types import AbstainReason, Abstention, CitedAnswer
from retriever.encoder import HashingEncoder
from retriever.errors import DeadlineExceededError
from retriever.index import PassageIndex, index_in_memory
from retriever.passages import PassageSettings
from retriever.retriever import IndexRetriever
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


def test_a_deadline_that_has_passed_is_a_sentence(pipeline):
    with pytest.raises(DeadlineExceededError, match=r"ran out during the stage 'retrieve'"):
        pipeline.answer(QUESTION, deadline=time.monotonic() - 1)


def test_a_generator_that_ran_out_of_time_with_nothing_is_a_sentence(index):
    class Slow(ScriptedLM):
        def complete(self, *arguments, deadline: float, **named):
            time.sleep(max(0.0, deadline - time.monotonic()) + 0.01)
            return super().complete(*arguments, deadline=deadline, **named)

    with pytest.raises(DeadlineExceededError, match="'generate'"):
        pipeline_over(index, Slow(SCRIPT)).answer(QUESTION, deadline=time.monotonic() + 0.2)


def test_a_trace_serialises_to_json_that_keeps_every_offset(pipeline, index):
    form = json.loads(json.dumps(trace_as_json(pipeline.answer(QUESTION))))
    assert form["schema"] == 1
    assert [hit["rank"] for hit in form["hits"]] == [1, 2, 3, 4, 5, 6]
    citations: Sequence[dict] = form["decision"]["citations"]
    for place in (*citations, *form["hits"]):
        text = index.store.document(place["document_id"]).text
        assert text[place["start"] : place["end"]] == place.get("quote", place.get("text"))
    assert form["decision"]["abstained"] is False
    assert form["timings_ms"]["total"] >= form["timings_ms"]["generate"]
