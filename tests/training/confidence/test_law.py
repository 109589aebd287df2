"""The law of confidence beyond short answers, on answers whose law is known."""

from dataclasses import replace

import numpy as np
import pytest

from app.answering.confidence.calibrator import THRESHOLDS, Calibrator, FittedOn, Seen
from app.answering.confidence.features import FEATURES
from common.errors import LoccitError
from training.confidence.held_out_answers import Considered, Outcome
from training.confidence.law import COLUMNS, LEAST_OF_EACH, fit_law, with_law

EVIDENCE = FEATURES.index("evidence")
WEIGHTS = {"answerability_gap": 1.5, "broad": 0.8}
OUTCOME = Outcome("a", "a-1", "how", "explanation", "explanation", True, "so", 0.5, True, 1.0, 1.0, 0.1, ())


def told(part, *candidates, given="explanation"):
    """An outcome with candidates of these features, right or not."""
    return replace(
        OUTCOME,
        part=part,
        given=given,
        candidates=tuple(Considered(tuple(row), right) for row, right in candidates),
    )


def turned(one, right):
    return replace(one, candidates=tuple(replace(candidate, right=right) for candidate in one.candidates))


def drawn(count, part, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (count, len(FEATURES)))
    law = np.array([WEIGHTS.get(name, 0.0) for name in FEATURES])
    right = rng.random(count) < 1 / (1 + np.exp(0.5 - rows @ law))
    return [told(part, (row, bool(verdict))) for row, verdict in zip(rows.tolist(), right, strict=True)]


@pytest.fixture(scope="module")
def learnt():
    return fit_law([*drawn(2000, "a", 1), *drawn(2000, "b", 2), *drawn(500, "c", 3)])


def test_the_weights_are_those_of_the_law(learnt):
    law = learnt.law
    assert law.features == COLUMNS
    assert dict(zip(law.features, law.weights, strict=True)) == pytest.approx(
        {name: WEIGHTS.get(name, 0.0) for name in COLUMNS}, abs=0.15
    )
    assert law.intercept == pytest.approx(-0.5, abs=0.15)


def test_the_quality_is_that_of_sets_not_seen(learnt):
    quality = learnt.quality
    assert quality["answers"] == 4500
    assert quality["auroc"] == pytest.approx(0.85, abs=0.04)
    misled, alike = drawn(200, "b", 5), drawn(200, "a", 4)
    misled = [turned(one, not one.candidates[0].right) for one in misled]
    crossed = fit_law([*alike, *misled])
    assert crossed.quality["auroc"] < 0.3  # each set is judged by what the other teaches


def test_the_figures_are_those_of_what_was_chosen():
    calibrator = Calibrator(("support",), (0.0,), (1.0,), (1.0,), 0.0, FittedOn("q", "i", {}, {}, {}))
    # three answers, sure and right, and one as sure and wrong
    sure = tuple(logit(0.8) if name == "support" else 9.0 for name in FEATURES)
    short = told("a", (sure, True), given="short")
    fitted = with_law(
        calibrator,
        [
            *drawn(300, "a", 1),
            *drawn(300, "b", 2),
            *[short] * 3,
            told("b", (sure, False), given="short"),
        ],
    )
    assert fitted.quality["elsewhere"] == {
        "answers": 4, "right": 0.75, "auroc": 0.5, "log_loss": round(-(3 * np.log(0.8) + np.log(0.2)) / 4, 4),
        "brier": 0.19, "ece": 0.05, "aurc": 0.25,
    }  # fmt: skip


def test_short_answers_and_abstentions_are_not_learnt_from():
    answers = drawn(200, "a", 8) + drawn(200, "b", 10)
    others = [replace(turned(one, False), given="short") for one in drawn(200, "a", 9)] + [OUTCOME] * 50
    others += [turned(one, None) for one in drawn(200, "b", 11)]
    assert fit_law([*answers, *others]) == fit_law(answers)


def test_of_several_candidates_the_law_learns_which_to_choose():
    pairs = [
        told(part, (better.candidates[0].features, True), (worse.candidates[0].features, False))
        for part in ("a", "b")
        for better, worse in zip(drawn(150, part, 20), drawn(150, part, 21), strict=True)
        if better.candidates[0].features[EVIDENCE] > worse.candidates[0].features[EVIDENCE]
    ]
    pairs += [turned(one, False) for part in ("a", "b") for one in drawn(40, part, 22)]
    learnt = fit_law(pairs)
    weights = dict(zip(learnt.law.features, learnt.law.weights, strict=True))
    assert max(weights, key=weights.get) == "evidence"
    assert sum(one.right for one in learnt.held) > 0.85 * (len(learnt.held) - 80)


def test_where_there_are_manuals_they_alone_teach_and_sets_are_judged():
    manuals = drawn(200, "manuals:lock", 30) + drawn(200, "manuals:gate", 31)
    misled = [turned(one, not one.candidates[0].right) for one in drawn(200, "faq", 32)]
    both, alone = fit_law([*manuals, *misled]), fit_law(manuals)
    assert both.law == alone.law
    assert [one for one in both.held if one.part != "faq"] == list(alone.held)
    assert sum(one.part == "faq" for one in both.held) == 200


def test_too_few_answers_are_refused_with_their_number():
    answers = [turned(one, number < LEAST_OF_EACH - 1) for number, one in enumerate(drawn(60, "a"))]
    with pytest.raises(LoccitError, match=r"At least 20 right and as many wrong .* there are 19 and 41"):
        fit_law(answers)


def test_one_set_alone_is_refused():
    with pytest.raises(LoccitError, match="checked on each set by the others, but of a too few"):
        fit_law(drawn(200, "a", 8))


def test_the_calibrator_gets_the_law_and_its_quality_and_stays_as_it_is_otherwise():
    calibrator = Calibrator(
        ("support",), (0.0,), (1.0,), (1.0,), 0.0, FittedOn("q", "i", {}, {}, {}), quality={"auroc": 0.9}
    )
    answers = drawn(300, "a", 1) + drawn(300, "b", 2)
    learnt = fit_law(answers)
    fitted = with_law(calibrator, answers)
    assert fitted == replace(
        calibrator,
        broad=replace(learnt.law, elsewhere=fitted.broad.elsewhere),
        elsewhere=tuple(Seen(threshold, 0, 0) for threshold in THRESHOLDS),
        quality={"auroc": 0.9, "broad": learnt.quality},
    )


def test_what_confidences_were_worth_is_counted_by_laws_that_had_not_seen_the_set():
    calibrator = Calibrator(("support",), (0.0,), (1.0,), (1.0,), 0.0, FittedOn("q", "i", {}, {}, {}))
    answers = drawn(300, "a", 1) + drawn(300, "b", 2)
    supports = [(0.9, True), (0.9, False), (0.5, True), (0.3, False), (0.05, False)]
    short = [
        told("a", ([logit(share) if name == "support" else 9.0 for name in FEATURES], right), given="short")
        for share, right in supports
    ]
    unknown = turned(short[0], None)
    fitted = with_law(calibrator, [*answers, *short, unknown, replace(OUTCOME, given="short")])
    counted = {seen.min_confidence: (seen.given, seen.right) for seen in fitted.elsewhere}
    assert list(counted) == list(THRESHOLDS)
    assert [counted[at] for at in (0.1, 0.25, 0.35, 0.55, 0.85, 0.95)] == [
        (4, 2),
        (4, 2),
        (3, 2),
        (2, 1),
        (2, 1),
        (0, 0),
    ]
    assert (fitted.quality["elsewhere"]["answers"], fitted.quality["elsewhere"]["right"]) == (5, 0.4)
    held = fit_law(answers).held
    assert {one.part for one in held} == {"a", "b"}
    above = [one.right for one in held if one.confidence >= 0.5]
    [seen] = [seen for seen in fitted.broad.elsewhere if seen.min_confidence == 0.5]
    assert (seen.given, seen.right) == (len(above), sum(above))


def logit(share):
    return float(np.log(share / (1 - share)))
