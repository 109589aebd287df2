"""When another document's answer contradicts the best one."""

import pytest

from app.answering.deciding.conflict import LEAST_SHARE, conflict_with
from app.answering.types import Candidate, CandidateSource, Citation, CitedCandidate, Quote
from retriever.types import Document, Passage, Span


def cited(answer: str, confidence: float, doc_id: str) -> CitedCandidate:
    document = Document(doc_id, "Title", "One two three.")
    passage = Passage(1, doc_id, "Title", document.text, Span(0, 3))
    citation = Citation.of(Quote(document, Span(0, 3)), support=0.5)
    return CitedCandidate(Candidate(answer, passage, CandidateSource.LM, -0.5, 1), (citation,), confidence)


BEST = cited("1801", 0.8, "ohio")


def test_another_answer_of_another_document_that_is_not_far_less_sure_is_a_conflict():
    rival = cited("1848", 0.8 * LEAST_SHARE, "oregon")
    assert conflict_with(BEST, [rival]) is rival


def test_one_that_is_far_less_sure_is_none():
    assert conflict_with(BEST, [cited("1848", 0.8 * LEAST_SHARE - 0.01, "oregon")]) is None


def test_the_same_document_does_not_contradict_itself():
    assert conflict_with(BEST, [BEST, cited("1848", 0.8, "ohio")]) is None


def test_the_surest_of_several_is_told():
    first, second = cited("1848", 0.75, "oregon"), cited("1852", 0.7, "texas")
    assert conflict_with(BEST, [BEST, cited("in 1801", 0.8, "texas"), first, second]) is first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", "Paris, France"),
        ("the city of Paris", "Paris"),
        ("31 March 1889", "March 31, 1889"),
        ("January 1st, 1900", "1 January 1900"),
        ("9 to 5", "from 9 to 5"),
        ("Dr. J. K. Smith", "Dr J.K. Smith"),
        ("1,063 feet", "1063"),
        ("5\u00a0°C", "5 °C"),
        ("The Tower!", "tower"),
    ],
)
def test_answers_of_which_one_says_the_other_are_no_conflict(one, other):
    assert conflict_with(cited(one, 0.8, "a"), [cited(other, 0.8, "b")]) is None
    assert conflict_with(cited(other, 0.8, "a"), [cited(one, 0.8, "b")]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "B"),
        ("Paris", "Parisian life"),
        ("1063", "10"),
        ("31 March 1889", "31 March 1890"),
        ("!", "?"),
        ("9 to 5", "5 to 9"),
        ("1st", "1"),
    ],
)
def test_answers_that_share_less_than_all_words_of_one_are_a_conflict(one, other):
    rival = cited(other, 0.8, "b")
    assert conflict_with(cited(one, 0.8, "a"), [rival]) is rival
