"""Answers beyond a few words: what they say, where they point, and how likely they are."""

import math

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.generators.broad_answers import broad_candidates
from app.answering.types import BroadReading, CandidateSource, Reading, ScoredSpan
from retriever.types import Hit, Passage, Span

SENTENCES = ("The lock is old.", "Turn the key\n  twice.", "Then lift the\u00ad gate.")
TEXT = " ".join(SENTENCES)
AT = 100  # where the passage begins in its document


def read(*scores, answerability=0.8, yes=0.5, row=0):
    passage = Passage(row, "lock", "Lock", TEXT, Span(AT, AT + len(TEXT)))
    evidence, start = [], AT
    for sentence, score in zip(SENTENCES, scores, strict=False):
        evidence.append(ScoredSpan(Span(start, start + len(sentence)), score))
        start += len(sentence) + 1
    kinds = dict.fromkeys(AnswerKind, 0.25)
    return Reading(Hit(passage, 1.0, 1), answerability, (), BroadReading(kinds, yes, tuple(evidence)))


@pytest.mark.parametrize("kind", [AnswerKind.EXPLANATION, AnswerKind.LIST])
def test_the_sentence_that_answers_best_is_the_answer_as_a_person_sees_it(kind):
    second, third = broad_candidates(kind, [read(0.1, 0.9, 0.6), read(0.1, 0.2, 0.5, answerability=0.4)])
    assert (second.answer, third.answer) == ("Turn the key twice.", "Then lift the gate.")
    assert second.source is third.source is CandidateSource.EVIDENCE
    assert second.pointer.shifted(-AT).of(TEXT) == SENTENCES[1]
    assert math.exp(second.logprob) == pytest.approx(0.8 * 0.9)
    assert math.exp(third.logprob) == pytest.approx(0.4 * 0.5)
    assert second.tokens == 1


def test_of_sentences_that_answer_as_well_the_first_is_taken():
    (first,) = broad_candidates(AnswerKind.EXPLANATION, [read(0.5, 0.5, 0.5)])
    assert first.answer == SENTENCES[0]


@pytest.mark.parametrize(
    ("yes", "answer", "certain"), [(0.9, "Yes", 0.9), (0.65, "Yes", 0.65), (0.2, "No", 0.8)]
)
def test_yes_and_no_point_at_the_sentence_that_says_so(yes, answer, certain):
    (said,) = broad_candidates(AnswerKind.YES_NO, [read(0.1, 0.2, 0.7, yes=yes)])
    assert (said.answer, said.source) == (answer, CandidateSource.VERDICT)
    assert said.pointer.shifted(-AT).of(TEXT) == SENTENCES[2]
    assert math.exp(said.logprob) == pytest.approx(0.8 * certain)


@pytest.mark.parametrize("yes", [0.36, 0.5, 0.64])
def test_where_neither_yes_nor_no_is_certain_the_sentence_stands_for_itself(yes):
    (sentence,) = broad_candidates(AnswerKind.YES_NO, [read(0.1, 0.2, 0.7, yes=yes)])
    assert sentence == broad_candidates(AnswerKind.EXPLANATION, [read(0.1, 0.2, 0.7)])[0]


def test_what_was_not_read_closely_gives_no_answer():
    unread = Reading(read(0.5).hit, 0.9, ())
    assert broad_candidates(AnswerKind.EXPLANATION, [unread, read()]) == []
