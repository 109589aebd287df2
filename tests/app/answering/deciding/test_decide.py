from dataclasses import replace

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.deciding.decide import decide
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Quote,
)
from retriever.types import Document, Hit, Passage, Span

DOCUMENT = Document("d", "Title", "One two three four five.")


def cited(answer: str, confidence: float, row: int = 1) -> CitedCandidate:
    passage = Passage(row, "d", "Title", DOCUMENT.text, Span(0, len(DOCUMENT.text)))
    citation = Citation.of(Quote(DOCUMENT, Span(0, 3 + row)), support=0.5)
    return CitedCandidate(Candidate(answer, passage, CandidateSource.LM, -0.5, 1), (citation,), confidence)


def decided(*all_cited: CitedCandidate, kind: AnswerKind = AnswerKind.SHORT, min_confidence: float = 0.5):
    candidates = [one.candidate for one in all_cited]
    hits = [Hit(candidate.passage, 1.0, 1) for candidate in candidates]
    return decide(hits, candidates, all_cited, (), kind=kind, min_confidence=min_confidence)


def test_the_most_confident_answer_is_given_with_its_citations_and_the_others_as_alternatives():
    best, other = cited("two", 0.9, row=2), cited("one", 0.7)
    decision = decided(other, best)
    assert isinstance(decision, CitedAnswer)
    assert (decision.answer, decision.confidence, decision.citations) == ("two", 0.9, best.citations)
    assert (decision.short_answer, decision.passage) == ("two", best.candidate.passage)
    assert [(one.answer, one.confidence, one.citations) for one in decision.alternatives] == [
        ("one", 0.7, other.citations)
    ]


def test_answers_that_normalise_alike_are_one_answer():
    decision = decided(cited("The Tower!", 0.6), cited("tower", 0.8, row=2))
    assert decision.answer == "tower"
    assert decision.alternatives == ()


def test_equal_confidence_is_decided_by_row():
    assert decided(cited("b", 0.7, row=2), cited("a", 0.7, row=1)).answer == "a"


def test_below_the_threshold_it_abstains_and_shows_the_nearest_quotes():
    decision = decided(cited("a", 0.49), cited("b", 0.3, row=2))
    assert isinstance(decision, Abstention)
    assert decision.reason is AbstainReason.LOW_CONFIDENCE
    assert decision.confidence == 0.49
    assert [one.quote for one in decision.nearest] == ["One ", "One t"]


def test_a_quote_of_several_answers_is_shown_once():
    decision = decided(cited("a", 0.49), cited("b", 0.4), cited("c", 0.3, row=2), min_confidence=0.5)
    assert [one.quote for one in decision.nearest] == ["One ", "One t"]


def test_each_answer_shows_its_first_quote_before_any_shows_its_second():
    def with_second_quote(answer: str, confidence: float, row: int) -> CitedCandidate:
        second = Citation.of(Quote(DOCUMENT, Span(4, 10 + row)), support=0.5)
        found = cited(answer, confidence, row)
        return replace(found, citations=(*found.citations, second))

    decision = decided(
        with_second_quote("a", 0.49, 1),
        with_second_quote("b", 0.4, 2),
        cited("c", 0.3, 3),
        min_confidence=0.5,
    )
    assert [one.quote for one in decision.nearest] == ["One ", "One t", "One tw"]
    decision = decided(with_second_quote("a", 0.49, 1), with_second_quote("b", 0.4, 2))
    assert [one.quote for one in decision.nearest] == ["One ", "One t", "two thr"]


def test_at_the_threshold_it_answers():
    assert isinstance(decided(cited("a", 0.5)), CitedAnswer)


def test_each_way_of_having_nothing_has_its_reason():
    one = cited("a", 0.9)
    hits = [Hit(one.candidate.passage, 1.0, 1)]
    nothing = {"cited": (), "nearest": one.citations, "min_confidence": 0.0}
    assert decide([], [], **nothing).reason is AbstainReason.NO_PASSAGES
    assert decide(hits, [], **nothing).reason is AbstainReason.NO_CANDIDATE
    without_quote = decide(hits, [one.candidate], **nothing)
    assert without_quote.reason is AbstainReason.NO_QUOTE
    assert (without_quote.confidence, without_quote.nearest) == (0.0, one.citations)


def test_of_the_nearest_quotes_three_are_shown_and_no_more_are_made():
    found = cited("a", 0.9)
    hits, citations = [Hit(found.candidate.passage, 1.0, 1)], iter(found.citations * 5)
    decision = decide(hits, [], (), citations, min_confidence=0.0)
    assert decision.nearest == found.citations * 3
    assert len(list(citations)) == 2


def test_an_answer_says_which_other_document_contradicts_it_and_stays_as_sure():
    other = Document("e", "Other", "Six seven eight.")
    passage = Passage(9, "e", "Other", other.text, Span(0, 3))
    citation = Citation.of(Quote(other, Span(0, 3)), support=0.5)
    rival = CitedCandidate(Candidate("seven", passage, CandidateSource.LM, -0.5, 1), (citation,), 0.79)
    same_in_its_own_document = cited("seven", 0.8, row=2)
    decision = decided(cited("two", 0.9), same_in_its_own_document, rival)
    assert decision.conflict == Alternative("seven", (citation,), 0.79)
    assert decision.confidence == decided(cited("two", 0.9)).confidence == 0.9
    assert [(one.answer, one.confidence) for one in decision.alternatives] == [("seven", 0.8)]


@pytest.mark.parametrize("kind", AnswerKind)
def test_explanations_that_differ_do_not_contradict_each_other(kind):
    other = Document("e", "Other", "Six seven eight.")
    passage = Passage(9, "e", "Other", other.text, Span(0, 3))
    citation = Citation.of(Quote(other, Span(0, 3)), support=0.5)
    rival = CitedCandidate(Candidate("No", passage, CandidateSource.VERDICT, -0.5, 1), (citation,), 0.79)
    decision = decided(cited("Yes", 0.9), rival, kind=kind)
    assert decision.kind is kind
    assert (decision.conflict is not None) == (kind in (AnswerKind.SHORT, AnswerKind.YES_NO))


def test_a_sentence_does_not_contradict_yes():
    other = Document("e", "Other", "Six seven eight.")
    passage = Passage(9, "e", "Other", other.text, Span(0, 3))
    citation = Citation.of(Quote(other, Span(0, 3)), support=0.5)
    sentence = CitedCandidate(Candidate("Six.", passage, CandidateSource.EVIDENCE, -0.5, 1), (citation,), 0.8)
    assert decided(cited("Yes", 0.9), sentence, kind=AnswerKind.YES_NO).conflict is None


@pytest.mark.parametrize("source", [CandidateSource.EVIDENCE, CandidateSource.CLAIM])
def test_a_sentence_that_answers_where_yes_or_no_is_asked_for_explains(source):
    sentence = cited("It is.", 0.9)
    sentence = replace(sentence, candidate=replace(sentence.candidate, source=source))
    assert decided(sentence, cited("No", 0.3, row=2), kind=AnswerKind.YES_NO).kind is AnswerKind.EXPLANATION
    assert decided(cited("Yes", 0.9), kind=AnswerKind.YES_NO).kind is AnswerKind.YES_NO


def test_an_answer_that_nothing_contradicts_says_so():
    assert decided(cited("two", 0.9), cited("one", 0.85, row=2)).conflict is None
