import math
from dataclasses import replace

import pytest

from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import CandidateSource, Reading, ScoredSpan
from common.deadline import NO_DEADLINE
from retriever.types import Hit, Passage, Span
from tests.app.answering.generators.toy_readings import TEXTS, reading


def extracted(readings, *, n=1, **settings):
    return ReaderGenerator(**settings).generate("when?", readings, n=n, seed=0, deadline=NO_DEADLINE)


def test_a_reader_candidate_is_a_spans_text_with_a_pointer_to_it_and_its_score():
    spans = (Span(122, 126), Span(100, 103))
    found = reading("Harbour", spans=spans, answerability=0.5)
    found = replace(found, spans=(replace(found.spans[0], score=0.25), replace(found.spans[1], score=0.125)))
    first, second = extracted([found])
    assert (first.answer, first.pointer) == ("1911", spans[0])
    assert (second.answer, second.pointer) == ("The", spans[1])
    assert {one.source for one in (first, second)} == {CandidateSource.READER}
    assert (first.logprob, first.tokens) == (pytest.approx(math.log(0.25)), 1)
    assert second.logprob == pytest.approx(math.log(0.125))


def test_a_reader_candidate_may_lie_in_the_continuation():
    text = TEXTS["Orchard"]
    end = 100 + len(text)
    found = reading("Orchard", continuation=" And plums.", spans=[Span(end + 5, end + 10)])
    [candidate] = extracted([found])
    assert candidate.answer == "plums"


def test_the_reader_gives_nothing_for_a_passage_without_spans_and_at_most_its_own_number_whatever_n():
    readings = [
        reading("Harbour"),
        *[reading(title, spans=[Span(100, 103)]) for title in ("Orchard", "Mill")],
    ]
    for n in (1, 3):
        assert [each.passage.title for each in extracted(readings, n=n, spans=(1, 1))] == ["Orchard"]
        assert [each.passage.title for each in extracted(readings, n=n)] == ["Orchard", "Mill"]


def test_the_reader_gives_three_answers_from_the_best_passages_and_one_from_others():
    """Wrong words of the right passage are what goes wrong most: its other answers are worth judging."""
    readings = [
        reading("Mill", start=start, spans=[Span(start + n, start + n + 1) for n in range(4)])
        for start in range(100, 700, 100)
    ]
    starts = [each.pointer.start for each in extracted(readings)]
    assert starts == [100, 101, 102, 200, 201, 202, 300, 400, 500]
    assert [each.pointer.start for each in extracted(readings, spans=(2, 0, 1))] == [100, 101, 300]


def test_a_score_of_zero_has_a_finite_logprob():
    [candidate] = extracted([reading("Mill", spans=[Span(100, 103)], score=0.0)])
    assert candidate.logprob == pytest.approx(math.log(1e-9))


def test_an_answer_of_the_reader_is_shown_without_invisible_characters():
    text = "Founded by Hen\u00adrik Lar\u00adsen of Gra\ufb00ton."
    passage = Passage(1, "D", "D", text, Span(7, 7 + len(text)))
    span = Span(7 + text.index("Hen"), 7 + len(text) - 1)
    found = Reading(Hit(passage, 1.0, 1), 0.5, (ScoredSpan(span, 0.5),))
    (candidate,) = ReaderGenerator().generate("who?", [found], n=1, seed=0, deadline=NO_DEADLINE)
    assert candidate.answer == "Henrik Larsen of Gra\ufb00ton"
    assert candidate.pointer == span
