"""Every column by hand, on two documents of which the first has two passages."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.features import (
    FEATURES,
    LEAST_HITS,
    Backed,
    Evidence,
    feature_rows,
    features,
)
from app.answering.types import BroadReading, Candidate, CandidateSource, Opinion, Reading, ScoredSpan
from retriever.types import Hit, Passage, Span

FLOOR = 1e-4
TOWER, STORM, GRANITE = "The first tower rose in 1698.", "Built in 1698, lost in 1703.", "It is granite."


def hit(row, doc_id, text, score, *, start=0, continuation=""):
    passage = Passage(row, doc_id, doc_id, text, Span(start, start + len(text)), continuation)
    return Hit(passage, score, row)


def reading(of, answerability, **spans):
    """``spans``: the scores of what is pointed at, best first; an underscore is a space."""
    found = []
    for said, score in spans.items():
        text = said.strip("_").replace("_", " ")
        start = of.passage.span.start + of.passage.window.index(text)
        found.append(ScoredSpan(Span(start, start + len(text)), score))
    return Reading(of, answerability, tuple(found))


HITS = (
    hit(1, "tower", TOWER, 0.8, start=100),
    hit(2, "storm", STORM, 0.6, start=7),
    hit(3, "tower", GRANITE, 0.5, start=500, continuation=" It was lost in 1703."),
)
FURTHER = tuple(hit(row, f"other {row}", STORM, 0.1) for row in range(4, LEAST_HITS + 1))
READINGS = (
    reading(HITS[1], 0.9, _1703=0.3, _1698=0.05),
    reading(HITS[0], 0.6, _1698=0.2, The_first_tower=0.1),
    reading(HITS[2], 0.5, _1703=0.15),
)


def said(answer, row=1, *, source=CandidateSource.READER, logprob=0.0, tokens=1):
    passage = HITS[row - 1].passage
    return Candidate(answer, passage, source, logprob, tokens)


def written(answer, row=1, *, logprob=-0.5, tokens=1, source=CandidateSource.LM):
    return said(answer, row, source=source, logprob=logprob, tokens=tokens)


QUESTION = "When was the tower built?"


def row_of(
    candidate, support=0.5, *, hits=HITS, readings=READINGS, candidates=(), quoted="", question=QUESTION
):
    evidence = Evidence(question, hits, readings, candidates)
    (row,) = features(evidence, [Backed(candidate, quoted, support)])
    return dict(zip(FEATURES, row.tolist(), strict=True))


def logit(probability):
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize(
    ("answer", "probability"),
    [
        ("1703", 0.3 + 0.15),
        ("1698", 0.2 + 0.05),
        ("A first tower!", 0.1),  # the same answer as what was pointed at, once articles and signs are gone
        ("1911", FLOOR),
    ],
)
def test_the_pointer_sums_the_spans_of_the_same_answer_over_all_passages(answer, probability):
    assert row_of(said(answer))["pointer"] == pytest.approx(logit(probability))


def test_a_sum_of_one_or_more_is_as_sure_as_can_be_and_finite():
    sure = (reading(HITS[0], 1.0, _1698=1.0), reading(HITS[1], 1.0, _1698=0.5))
    found = row_of(said("1698"), readings=sure)
    assert found["pointer"] == pytest.approx(logit(1 - FLOOR))


def test_the_language_models_nearest_answer_counts_by_f1():
    candidates = [
        said("lost in 1703"),  # the reader's own candidates do not vouch for it
        written("in 1698", 1),
        written("1703 or 1698", 2),
    ]
    # of three words and two one is shared; with "1703 or 1698", of three and three
    assert row_of(said("lost in 1703"), candidates=candidates)["lm_agreement"] == pytest.approx(2 / (3 + 2))
    assert row_of(said("1703"), candidates=candidates)["lm_agreement"] == pytest.approx(2 / (1 + 3))
    assert row_of(said("The 1698."), candidates=candidates)["lm_agreement"] == pytest.approx(2 / (1 + 2))
    assert row_of(said("1911"), candidates=candidates)["lm_agreement"] == 0.0


def test_an_answer_of_the_language_model_agrees_with_itself_however_improbable_it_was():
    mine = written("1698", logprob=-40.0)
    assert row_of(mine, candidates=[said("1703"), mine])["lm_agreement"] == 1.0


def test_an_answer_under_a_quoting_mask_is_the_language_models():
    candidates = [written("1698", source=CandidateSource.CONSTRAINED)]
    assert row_of(said("1698"), candidates=candidates)["lm_agreement"] == 1.0


def test_where_the_language_model_wrote_nothing_nothing_agrees():
    assert row_of(said("1698"), candidates=[said("1698")])["lm_agreement"] == 0.0


@pytest.mark.parametrize(
    ("row", "gap"),
    [
        (1, (0.8 - 0.6) / 0.8),
        (2, (0.6 - 0.8) / 0.8),
        (3, (0.5 - 0.6) / 0.8),  # another passage of its own document is no rival
    ],
)
def test_the_retrieval_gap_is_to_the_best_other_document_over_the_first_hit(row, gap):
    assert row_of(said("1698", row), hits=(*HITS, *FURTHER))["retrieval_gap"] == pytest.approx(gap)


def test_among_a_few_passages_nothing_is_surely_found():
    """An index of two documents would else give every sentence a confidence of 1."""
    few = (*HITS, *FURTHER[:-1])
    assert len(few) == LEAST_HITS - 1
    assert row_of(said("1698"), hits=few)["retrieval_gap"] == 0.0


def test_a_document_that_was_found_alone_is_ahead_of_nothing():
    """Else whatever is asked of a single document would count as surely found in it."""
    alone = [HITS[0], HITS[2], *(hit(one.passage.row, "tower", STORM, one.score) for one in FURTHER)]
    alone.append(hit(20, "tower", STORM, 0.01))
    assert len(alone) == LEAST_HITS
    assert row_of(said("1698", 1), hits=alone)["retrieval_gap"] == 0.0
    assert row_of(said("1698", 3), hits=alone)["retrieval_gap"] == 0.0


def test_scores_of_nothing_have_no_gap():
    worthless = [hit(1, "tower", TOWER, 0.0), *(hit(n, "storm", STORM, -1.0) for n in range(2, 12))]
    assert row_of(said("1698", 1), hits=worthless)["retrieval_gap"] == 0.0


def test_the_retrieval_score_is_that_of_the_candidates_passage():
    assert [row_of(said("1698", number))["retrieval_score"] for number in (1, 2, 3)] == [
        one.score for one in HITS
    ]


def test_the_support_is_what_was_handed_in():
    assert row_of(said("1698"), support=0.37)["support"] == 0.37


def test_there_is_a_row_for_each_candidate_in_order():
    evidence = Evidence(QUESTION, HITS, READINGS, ())
    cited = [Backed(said("1703", 2), STORM, 0.1), Backed(said("1698", 1), TOWER, 0.9)]
    rows = features(evidence, cited)
    assert rows.shape == (2, len(FEATURES))
    assert rows.dtype == np.float64
    for row, one in zip(rows, cited, strict=True):
        assert row.tolist() == features(evidence, [one])[0].tolist()
    assert rows[:, FEATURES.index("support")].tolist() == [0.1, 0.9]


def test_no_candidate_gives_no_row():
    assert features(Evidence(QUESTION, HITS, READINGS, ()), []).shape == (0, len(FEATURES))


def test_without_any_evidence_a_row_is_finite():
    found = row_of(said("1698"), support=0.0, hits=(), readings=())
    assert found == pytest.approx(
        {
            "pointer": logit(FLOOR),
            "lm_agreement": 0.0,
            "retrieval_score": 0.0,
            "retrieval_gap": 0.0,
            "support": 0.0,
            "lm_logprob": 0.0,
            "lm_right": 0.0,
            "answerability": logit(FLOOR),
            "broad": 0.0,
            "answerability_gap": 0.0,
            "evidence": 0.0,
            "coverage": 1 / 5,  # the title is the passage's, evidence or none
        }
    )


def test_the_passages_answerability_is_its_readings():
    found = row_of(said("1698"))
    passage = said("1698").passage
    (reading,) = [one for one in READINGS if one.hit.passage.row == passage.row]
    assert found["answerability"] == pytest.approx(logit(reading.answerability))


@pytest.mark.parametrize("source", CandidateSource)
def test_what_is_beyond_a_few_words_has_its_own_probability(source):
    found = row_of(replace(said("Yes"), source=source, logprob=math.log(0.7), tokens=1))
    is_broad = source in (CandidateSource.EVIDENCE, CandidateSource.VERDICT)
    assert found["broad"] == pytest.approx(logit(0.7) if is_broad else 0.0)


def judged(answer, right):
    return replace(said(answer), opinion=Opinion(-2.0, 3, right, 0.2, Span(0, 1), 0.4))


def test_the_language_models_judgement_is_of_the_answer_however_it_is_spelt():
    mine = judged("1703", 0.6)
    others = [mine, judged("The 1703.", 0.7), judged("1698", 0.9), said("granite")]
    assert row_of(mine, candidates=others)["lm_right"] == pytest.approx(logit(0.7))


def test_judgements_have_a_floor():
    mine = judged("1703", 0.0)
    assert row_of(mine, candidates=[mine])["lm_right"] == pytest.approx(logit(FLOOR))


def test_without_a_judgement_its_columns_are_0_whatever_others_have():
    found = row_of(said("granite"), candidates=[judged("1698", 0.1), said("granite")])
    assert [value for name, value in found.items() if name.startswith("lm_")] == [0.0] * 3


def test_a_language_model_that_judges_is_asked_how_probable_the_answer_is():
    """And not what it wrote itself, which is one of the answers that it judges."""
    mine = judged("1703", 0.6)
    found = row_of(mine, candidates=[mine, written("1703")])
    assert (found["lm_logprob"], found["lm_agreement"]) == (pytest.approx(-2.0 / 3), 0.0)


@pytest.mark.parametrize(("row", "gap"), [(1, (0.6, 0.9)), (2, (0.9, 0.6)), (3, (0.5, 0.9))])
def test_the_answerability_gap_is_to_the_likeliest_other_passage(row, gap):
    mine, other = map(logit, gap)
    assert row_of(said("1698", row))["answerability_gap"] == pytest.approx(mine - other)


def test_a_passage_that_was_read_alone_is_likelier_than_none():
    assert row_of(said("1698"), readings=READINGS[1:2])["answerability_gap"] == 0.0


def test_evidence_is_the_likelihood_of_the_sentence_that_is_pointed_at():
    first, second = Span(7, 21), Span(22, 35)  # "Built in 1698," and "lost in 1703."
    told = BroadReading(
        dict.fromkeys(AnswerKind, 0.25), 0.5, (ScoredSpan(first, 0.7), ScoredSpan(second, 0.2))
    )
    readings = (replace(READINGS[0], broad=told), READINGS[1])
    storm = said("1703", 2)
    pointing = [replace(storm, pointer=span) for span in (Span(16, 20), Span(30, 34), None)]
    assert [row_of(one, readings=readings)["evidence"] for one in pointing] == pytest.approx(
        [logit(0.7), logit(0.2), logit(0.7)]
    )
    assert row_of(said("1698", 1), readings=readings)["evidence"] == 0.0


@pytest.mark.parametrize(
    ("quoted", "share"),
    [("", 1 / 5), ("It was BUILT then", 3 / 5), ("when was the tower built", 1.0), ("rebuilt towers", 1 / 5)],
)
def test_coverage_is_the_share_of_the_questions_words_in_heading_or_quote(quoted, share):
    assert row_of(said("1698", 1), quoted=quoted)["coverage"] == pytest.approx(share)


def test_a_question_of_signs_alone_is_covered_by_nothing():
    assert row_of(said("1698"), question="?!", quoted="?!")["coverage"] == 0.0


def test_words_are_compared_as_they_are_read():
    parted = "the com-\npany\u2019s of\ufb01ce"
    assert row_of(said("1698", 1), question="company office", quoted=parted)["coverage"] == 1.0


@pytest.mark.parametrize("length", [len(FEATURES) - 1, len(FEATURES) + 1])
def test_rows_of_another_length_are_refused_instead_of_cut_anew(length):
    """Seven rows of eight numbers would make eight rows of seven."""
    with pytest.raises(ValueError, match=f"holds 12 numbers, .* but this one holds {length}; make it with"):
        feature_rows([[0.0] * length] * len(FEATURES))
