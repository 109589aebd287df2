import math
from dataclasses import replace

import pytest

from app.answering.confidence.calibrator import Calibrator, FittedOn, Law
from app.answering.confidence.features import Backed, Evidence
from app.answering.confidence.scorers import CalibratedConfidence, ScoreConfidence
from app.answering.types import Candidate, CandidateSource, Reading, ScoredSpan
from retriever.types import Hit, Passage, Span

TEXT = "Built in 1698."
PASSAGE = Passage(1, "d", "Tower", TEXT, Span(0, len(TEXT)))
HIT = Hit(PASSAGE, 1.0, 1)
EVIDENCE = Evidence("When was it built?", [HIT], [Reading(HIT, 0.5, (ScoredSpan(Span(9, 13), 0.75),))], [])


def candidate(answer, *, logprob=0.0, tokens=1):
    return Candidate(answer, PASSAGE, CandidateSource.LM, logprob, tokens)


def test_the_score_is_the_geometric_mean_of_support_and_token_probability():
    one = candidate("1698", logprob=3 * math.log(0.25), tokens=3)
    assert ScoreConfidence().score(EVIDENCE, [Backed(one, TEXT, 0.64), Backed(one, TEXT, 0.0)]) == [
        pytest.approx(math.sqrt(0.64 * 0.25)),
        0.0,
    ]


def test_a_calibrator_judges_every_candidate_by_its_features():
    calibrator = Calibrator(
        fitted_on=FittedOn("q", "i", {}, {}, {}),
        features=("support", "pointer"),
        mean=(0.5, 0.0),
        scale=(0.25, 1.0),
        weights=(2.0, 1.0),
        intercept=-1.0,
    )
    found = CalibratedConfidence(calibrator).score(
        EVIDENCE, [Backed(candidate("1698"), TEXT, 0.75), Backed(candidate("Built in 1698"), TEXT, 0.5)]
    )
    # support is one scale above its mean and the odds of the pointer are 3; then neither
    assert found == [
        pytest.approx(1 / (1 + math.exp(1 - 2 - math.log(3)))),
        pytest.approx(1 / (1 + math.exp(1) * 9999)),
    ]
    assert all(isinstance(one, float) for one in found)


@pytest.mark.parametrize("source", [CandidateSource.EVIDENCE, CandidateSource.VERDICT])
def test_beyond_a_few_words_the_broad_law_judges_or_else_the_readers_probability(source):
    law = Law(("support",), (0.5,), (0.25,), (2.0,), 1.0)
    short = Calibrator(("support",), (0.0,), (1.0,), (1.0,), 0.0, FittedOn("q", "i", {}, {}, {}))
    said = replace(candidate("Yes"), source=source, logprob=math.log(0.3))
    cited = [Backed(said, TEXT, 0.75), Backed(candidate("1698"), TEXT, 0.75)]
    with_law = CalibratedConfidence(replace(short, broad=law)).score(EVIDENCE, cited)
    without = CalibratedConfidence(short).score(EVIDENCE, cited)
    assert with_law == pytest.approx([1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-0.75))])
    assert without == pytest.approx([0.3, with_law[1]])


@pytest.mark.parametrize(
    "scorer",
    [
        ScoreConfidence(),
        CalibratedConfidence(Calibrator(("support",), (0,), (1,), (1,), 0, FittedOn("", "", {}, {}, {}))),
    ],
)
def test_no_candidate_has_no_confidence(scorer):
    assert scorer.score(EVIDENCE, []) == []
