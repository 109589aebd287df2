"""Fitting on synthetic answers whose probability of being right is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from app.answering.confidence.calibrator import FittedOn, JudgedAnswers, Law
from app.answering.confidence.features import FEATURES
from calibration import fit as calibration
from calibration import law
from calibration.fit import (
    FOLDS,
    LEAST_OF_EACH,
    LEAST_TO_RESCALE,
    THRESHOLDS,
    WEIGHED,
    Held,
    fit,
    lower_bound,
)
from common.errors import LoccitError
from evaluation.metrics.confidence import ece
from evaluation.metrics.selective import auroc

FITTED_ON = FittedOn("synthetic", "d1", {"reader": "r1"}, {"top_k": 20}, {"questions": 1})
WEIGHTS = {"pointer": 1.2, "lm_right": -0.8, "lm_agreement": 0.6, "support": 2.0}  # the others are noise
MEANS = {"pointer": 3.0, "lm_agreement": -2.0, "support": 0.5}
SCALES = {"pointer": 2.0, "retrieval_gap": 3.0, "support": 0.3}
LAW, MEAN = (np.array([named.get(name, 0.0) for name in FEATURES]) for named in (WEIGHTS, MEANS))
SCALE = np.array([SCALES.get(name, 1.0) for name in FEATURES])
INTERCEPT = -0.4


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def drawn(count, seed, *, candidates=1):
    """Questions, every other one answerable, with what their candidates' probabilities are: (count, candidates)."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(MEAN, SCALE, (count, candidates, len(FEATURES)))
    probabilities = sigmoid(INTERCEPT + (rows - MEAN) @ LAW)
    right = rng.random((count, candidates)) < probabilities
    judged = [
        JudgedAnswers(
            f"question {seed}-{number}",
            number % 2 == 0,
            rows[number],
            tuple(right[number].tolist()),
        )
        for number in range(count)
    ]
    return judged, probabilities


def row(pointer):
    """A row in which one feature alone says anything."""
    return np.where(np.array(FEATURES) == "pointer", float(pointer), 0.0)


def claimed(share, right, wrong):
    """The confidence of answers of which this share is right, where so many are right and wrong of all (Platt 1999)."""
    return share * (right + 1) / (right + 2) + (1 - share) / (wrong + 2)


def told(question, answers, *, answerable=True):
    """A question with its answers: of each, what its one feature says and whether it is right."""
    pointers, right = zip(*answers, strict=True)
    return JudgedAnswers(question, answerable, np.array([row(one) for one in pointers]), right)


def silent(number, *, answerable):
    """A question none of whose candidates was cited."""
    return JudgedAnswers(f"silent {number}", answerable, np.zeros((0, len(FEATURES))), ())


def counted(name, count, pointer, right, *, answerable=True):
    """So many questions whose one answer has the same feature; the first ``right`` of them are right."""
    return [told(f"{name} {n}", [(pointer, n < right)], answerable=answerable) for n in range(count)]


@pytest.fixture(scope="module")
def learnt():
    return fit(drawn(6000, 1)[0], FITTED_ON, ablation=False)


def test_on_fresh_answers_the_confidence_is_the_probability_that_the_law_says(learnt):
    judged, probabilities = drawn(4000, 2)
    found = learnt.calibrator.confidences(np.concatenate([one.rows for one in judged]))
    errors = np.abs(found - probabilities[:, 0])
    assert np.quantile(errors, 0.99) < 0.08
    assert errors.mean() < 0.02
    assert ece(found.tolist(), [one.right[0] for one in judged]) < 0.03


def test_every_weight_is_that_of_the_law_for_a_standardised_feature(learnt):
    calibrator = learnt.calibrator
    assert calibrator.features == WEIGHED
    assert calibrator.fitted_on == FITTED_ON
    columns = [FEATURES.index(name) for name in WEIGHED]
    assert calibrator.weights == pytest.approx((LAW * SCALE)[columns], abs=0.15)
    assert calibrator.mean == pytest.approx(MEAN[columns], abs=0.15)
    assert calibrator.scale == pytest.approx(SCALE[columns], rel=0.05)


def test_what_is_held_out_is_as_good_as_the_law_itself(learnt):
    judged, probabilities = drawn(6000, 1)
    by_law = auroc(probabilities[:, 0].tolist(), [one.right[0] for one in judged])
    assert learnt.held.auroc == pytest.approx(by_law, abs=0.01)
    entropy = -(
        probabilities * np.log(probabilities) + (1 - probabilities) * np.log(1 - probabilities)
    ).mean()
    assert learnt.held.log_loss == pytest.approx(entropy, abs=0.02)
    assert learnt.held.brier == pytest.approx((probabilities * (1 - probabilities)).mean(), abs=0.01)
    assert learnt.held.accuracy == pytest.approx(probabilities.mean(), abs=0.02)


def test_the_calibrator_records_what_holding_out_found(learnt):
    held = learnt.held
    assert learnt.calibrator.quality == {
        "log_loss": pytest.approx(held.log_loss, abs=1e-4),
        "brier": pytest.approx(held.brier, abs=1e-4),
        "auroc": pytest.approx(held.auroc, abs=1e-4),
        "accuracy": pytest.approx(held.accuracy, abs=1e-4),
        "folds": FOLDS,
    }


def test_every_threshold_has_its_answers_counted_and_bounded(learnt):
    assert [one.min_confidence for one in learnt.calibrator.thresholds] == list(THRESHOLDS)
    for one in learnt.calibrator.thresholds:
        given = learnt.held.confidences >= one.min_confidence
        assert (one.given, one.right) == (given.sum(), (given & learnt.held.right).sum())
        bound = lower_bound(one.right, one.given, tried=len(THRESHOLDS))
        assert bound - 1e-4 < one.at_least <= bound  # what is promised is never rounded up
        assert one.at_least == round(one.at_least, 4)
        assert one.at_least <= one.right / one.given


def test_a_threshold_keeps_on_fresh_answers_what_it_promises(learnt):
    threshold = learnt.calibrator.threshold_for(0.8)
    judged, _ = drawn(4000, 3)
    found = learnt.calibrator.confidences(np.concatenate([one.rows for one in judged]))
    right = np.array([one.right[0] for one in judged])
    assert right[found >= threshold].mean() >= 0.8


def test_of_several_answers_the_most_confident_is_held_against_its_own_verdict():
    judged, probabilities = drawn(3000, 4, candidates=3)
    held = fit(judged, FITTED_ON, ablation=False).held
    assert len(held.right) == len(held.confidences) == 3000
    # choosing the best of three is right more often than any of them is
    assert held.accuracy == pytest.approx(probabilities.max(axis=1).mean(), abs=0.03)
    assert held.accuracy > probabilities.mean() + 0.15
    assert ece(held.confidences.tolist(), held.right.tolist()) < 0.03


def test_answerable_and_unanswerable_questions_count_the_same_in_all():
    judged = [*counted("a", 450, 1, 405), *counted("b", 450, -1, 315)]
    judged += counted("c", 50, 1, 9, answerable=False) + counted("d", 50, -1, 1, answerable=False)
    fitted = fit(judged, FITTED_ON, ablation=False)
    found = fitted.calibrator.confidences(np.array([row(1), row(-1)]))
    # in both, half of the weight is that of the answerable: 90% and 70% right there, 18% and 2% of the others
    shares = [(0.9 + 0.18) / 2, (0.7 + 0.02) / 2]
    assert found == pytest.approx([claimed(share, 730, 270) for share in shares], abs=1e-3)
    assert fitted.held.accuracy == pytest.approx((0.8 + 0.1) / 2)
    assert fitted.held.weights.mean() == pytest.approx(1.0)


def test_where_every_question_is_answerable_each_counts_once():
    fitted = fit([*counted("a", 100, 1, 90), *counted("b", 300, -1, 120)], FITTED_ON, ablation=False)
    found = fitted.calibrator.confidences(np.array([row(1), row(-1)]))
    assert found == pytest.approx([claimed(0.9, 210, 190), claimed(0.4, 210, 190)], abs=1e-3)
    assert set(fitted.held.weights) == {1.0}


def test_a_question_without_a_cited_answer_is_no_answer():
    judged, _ = drawn(200, 5)
    held = fit([*judged, silent(1, answerable=True)], FITTED_ON, ablation=False).held
    assert len(held.right) == 200


@pytest.mark.parametrize("answerable", [True, False])
def test_questions_without_a_cited_answer_do_not_change_what_the_others_weigh(answerable):
    judged, _ = drawn(200, 5, candidates=2)
    more = [silent(n, answerable=answerable) for n in range(300)]
    before, after = (fit(some, FITTED_ON, ablation=False) for some in (judged, [*more, *judged]))
    assert before.calibrator == after.calibrator
    assert before.held.confidences.tolist() == after.held.confidences.tolist()
    assert before.held.weights.tolist() == after.held.weights.tolist() == [1.0] * 200


def test_questions_without_a_cited_answer_are_neither_right_nor_wrong():
    judged = [*counted("a", 15, 1, 15), *counted("b", 15, -1, 0)]
    judged += [silent(n, answerable=n % 2 == 0) for n in range(100)]
    with pytest.raises(LoccitError, match=r"but there are 15 and 15; give more"):
        fit(judged, FITTED_ON)


def test_a_question_and_its_twin_without_gold_are_held_out_together(monkeypatch):
    originals, _ = drawn(200, 6)
    twins = [
        JudgedAnswers(one.question, not one.answerable, one.rows - 1, (number % 5 == 0,))
        for number, one in enumerate(originals)
    ]
    judged = [*originals, *twins]
    seen, original = [], calibration._fitted

    def fitted(questions, **named):
        seen.append([one.question for one in questions])
        return original(questions, **named)

    monkeypatch.setattr(calibration, "_fitted", fitted)
    fit(judged, FITTED_ON, ablation=False)
    everything = {one.question for one in judged}
    folds = [everything - set(questions) for questions in seen if len(questions) < len(judged)]
    assert len(folds) == FOLDS
    assert set().union(*folds) == everything
    assert sum(map(len, folds)) == len(everything)
    # what a fit has seen, it has seen both ways, so nothing of it is held out
    assert all(len(questions) == 2 * len(set(questions)) for questions in seen)


def test_leaving_out_what_the_law_rests_on_does_harm_and_what_it_ignores_does_not():
    fitted = fit(drawn(1500, 7)[0], FITTED_ON)
    assert set(fitted.without) == set(WEIGHED)
    losses = {name: held.log_loss - fitted.held.log_loss for name, held in fitted.without.items()}
    assert max(losses, key=losses.__getitem__) == "pointer"
    assert losses["pointer"] > 0.03
    assert abs(losses["retrieval_gap"]) < 0.01
    assert fit(drawn(300, 7)[0], FITTED_ON, ablation=False).without == {}


def test_the_same_answers_give_the_same_calibrator():
    first, second = (fit(drawn(300, 8)[0], FITTED_ON) for _ in range(2))
    assert first.calibrator == second.calibrator
    assert first.held.confidences.tolist() == second.held.confidences.tolist()


@pytest.mark.parametrize("lacking", [True, False])
def test_too_few_right_or_wrong_answers_are_refused_with_their_number(lacking):
    few = LEAST_OF_EACH - 1
    judged = counted("q", 200, 0, few) if lacking else counted("q", 200, 0, 200 - few)
    right, wrong = (few, 200 - few) if lacking else (200 - few, few)
    with pytest.raises(
        LoccitError,
        match=rf"^A calibrator needs at least 20 questions .* but there are {right} and {wrong}; give more",
    ):
        fit(judged, FITTED_ON)


def test_no_question_at_all_is_refused():
    with pytest.raises(LoccitError, match="there are 0 and 0"):
        fit([], FITTED_ON)


@pytest.mark.parametrize("start", [False, True])
def test_one_question_asked_again_and_again_is_refused(learnt, start):
    judged = [replace(answers, question="the same") for answers in drawn(60, 3)[0]]
    with pytest.raises(
        LoccitError, match=r"^The questions that have answers are all the same one, .* different"
    ):
        fit(judged, FITTED_ON, start=learnt.calibrator if start else None)


def test_enough_of_each_is_enough():
    few = LEAST_OF_EACH // 4
    judged = [*counted("a", LEAST_OF_EACH, 1, LEAST_OF_EACH - few), *counted("b", LEAST_OF_EACH, -1, few)]
    fitted = fit(judged, FITTED_ON, ablation=False)
    assert fitted.held.accuracy == 0.5
    found = fitted.calibrator.confidences(np.array([row(1), row(-1)]))
    assert found == pytest.approx([claimed(0.75, 20, 20), claimed(0.25, 20, 20)], abs=1e-3)


def test_a_few_answers_that_nothing_confuses_make_no_certainty(learnt):
    judged = [*counted("a", 8, 1, 8), *counted("b", 8, -1, 0)]
    fitted = fit(judged, FITTED_ON, start=learnt.calibrator)
    found = fitted.calibrator.confidences(np.array([row(1), row(-1)]))
    assert found == pytest.approx([9 / 10, 1 / 10], abs=1e-3)
    assert fitted.held.log_loss < 0.2


ALWAYS = (
    "Every answer that would be chosen is {}, so there is no telling one from the other; give more questions, with "
    "some that the index answers and some that it cannot."
)
NEVER = (
    "Nothing that is known of these answers tells right from wrong; give more questions, or look whether their answers "
    "are spelt as the documents spell them."
)


def refusal(judged):
    with pytest.raises(LoccitError) as refused:
        fit(judged, FITTED_ON, ablation=False)
    return str(refused.value)


def test_where_every_chosen_answer_is_right_there_is_no_telling():
    judged = [told(f"q{n}", [(-1, False), (1, True)], answerable=n % 2 == 0) for n in range(200)]
    assert refusal(judged) == ALWAYS.format("right")


def test_where_every_chosen_answer_is_wrong_there_is_no_telling():
    # the higher the surer, yet of each two that are near each other the higher is the wrong one
    judged = [told(f"q{n}", [(10, True), (11, False)]) for n in range(60)]
    judged += counted("untold", 60, 0, 0, answerable=False)
    assert refusal(judged) == ALWAYS.format("wrong")


def test_where_the_surest_of_the_chosen_answers_are_the_wrong_ones_nothing_is_fitted():
    judged = [told(f"a{n}", [(10, True), (11, False)]) for n in range(60)]
    judged += [told(f"b{n}", [(5, True), (0, False), (0, False), (0, False)]) for n in range(60)]
    assert refusal(judged) == NEVER


@pytest.fixture
def slopes(monkeypatch):
    """The slope of every second stage that is fitted."""
    found, original = [], law.rescaled

    def rescaled(first, judged, weights):
        second = original(first, judged, weights)
        heaviest = int(np.abs(first.weights).argmax())
        found.append(second.weights[heaviest] / first.weights[heaviest])
        return second

    monkeypatch.setattr(law, "rescaled", rescaled)
    return found


def noise(seed):
    rng = np.random.default_rng(seed)
    return [
        JudgedAnswers(f"n{seed}-{n}", n % 2 == 0, rows, tuple(right.tolist()))
        for n in range(120)
        for rows, right in [(rng.normal(size=(2, len(FEATURES))), rng.random(2) < 0.5)]
    ]


def fitted_or_refused(judged):
    """The fit, and the sentence that refuses it: one of them."""
    try:
        return fit(judged, FITTED_ON, ablation=False), None
    except LoccitError as refused:
        return None, str(refused)


@pytest.mark.parametrize("seed", range(8))
def test_of_noise_either_a_rising_confidence_is_learnt_or_a_sentence_says_that_nothing_is(slopes, seed):
    judged = noise(seed)
    fitted, refused = fitted_or_refused(judged)
    assert all(slope > 0 for slope in slopes)
    if fitted is None:
        assert refused == NEVER
    else:
        assert len(slopes) == FOLDS + 1
        assert 0.3 < fitted.held.auroc < 0.7
        confidences = fitted.calibrator.confidences(np.concatenate([one.rows for one in judged]))
        assert ((confidences > 0) & (confidences < 1)).all()


def test_features_that_fall_where_they_should_rise_are_weighed_the_other_way_round(slopes):
    judged, _ = drawn(400, 9, candidates=2)
    reversed_ = [replace(one, rows=-one.rows) for one in judged]
    straight, turned = (fit(some, FITTED_ON, ablation=False) for some in (judged, reversed_))
    assert turned.calibrator.weights == pytest.approx([-one for one in straight.calibrator.weights], abs=1e-3)
    assert turned.held.confidences == pytest.approx(straight.held.confidences, abs=1e-3)
    assert len(slopes) == 2 * (FOLDS + 1)
    assert all(slope > 0 for slope in slopes)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("far", [1e2, 1e6, -1e6])
def test_one_answer_far_off_does_not_keep_the_others_from_being_fitted(slopes, far, right):
    judged, _ = drawn(300, 10, candidates=2)
    fitted = fit([*judged, told("outlier", [(far, right)])], FITTED_ON, ablation=False)
    assert all(slope > 0 for slope in slopes)
    confidences = fitted.calibrator.confidences(np.concatenate([one.rows for one in judged]))
    assert np.isfinite(fitted.calibrator.weights).all()
    assert ((confidences > 0) & (confidences < 1)).all()
    assert len(fitted.held.right) == 301
    assert math.isfinite(fitted.held.log_loss)
    assert fitted.held.auroc > 0.6


@pytest.mark.parametrize("tried", [1, 19])
@pytest.mark.parametrize(("right", "given"), [(1, 1), (1, 30), (15, 30), (29, 30), (30, 30), (450, 500)])
def test_the_lower_bound_is_the_exact_one_sided_one(right, given, tried):
    exact = binomtest(right, given, alternative="greater").proportion_ci(
        confidence_level=1 - 0.05 / tried, method="exact"
    )
    assert lower_bound(right, given, tried=tried) == pytest.approx(exact.low)


def test_of_no_right_answer_nothing_is_certain():
    assert lower_bound(0, 0, tried=19) == lower_bound(0, 50, tried=1) == 0.0


def test_the_figures_of_held_out_answers_count_by_weight():
    held = Held(
        confidences=np.array([0.9, 0.6, 0.2, 1.0]),
        right=np.array([True, False, False, True]),
        weights=np.array([0.5, 0.5, 2.0, 1.0]),
    )
    assert held.accuracy == pytest.approx(1.5 / 4)
    assert held.brier == pytest.approx((0.5 * 0.01 + 0.5 * 0.36 + 2 * 0.04) / 4)
    losses = -(0.5 * math.log(0.9) + 0.5 * math.log(0.4) + 2 * math.log(0.8) + math.log(1 - 1e-6))
    assert held.log_loss == pytest.approx(losses / 4)
    assert held.auroc == 1.0


def test_the_auroc_counts_pairs_by_weight():
    held = Held(
        confidences=np.array([0.5, 0.7, 0.3]),
        right=np.array([True, False, False]),
        weights=np.array([1.0, 1.0, 3.0]),
    )
    assert held.auroc == pytest.approx(3 / 4)


def few(seed, count=60):
    """Too few to weigh every feature, with a law whose logits are twice as steep and lie lower."""
    judged, _ = drawn(600, seed)
    rng = np.random.default_rng(seed)
    some = []
    for answers in judged[:count]:
        logit = 2 * (INTERCEPT + float((answers.rows[0] - MEAN) @ LAW)) - 3
        some.append(replace(answers, right=(bool(rng.random() < sigmoid(logit)),)))
    return some


def loss(calibrator, judged):
    """The log loss of what a calibrator says of these answers."""
    found = calibrator.confidences(np.concatenate([answers.rows for answers in judged]))
    right = np.array([answers.right[0] for answers in judged])
    return -np.log(np.where(right, found, 1 - found)).mean()


def test_few_answers_rescale_an_earlier_fit_and_keep_its_weights(learnt):
    start = learnt.calibrator
    judged = few(5)
    right = sum(answers.right[0] for answers in judged)
    assert LEAST_TO_RESCALE <= right < LEAST_OF_EACH
    fitted = fit(judged, FITTED_ON, start=start)
    ratios = np.array(fitted.calibrator.weights) / np.array(start.weights)
    assert ratios == pytest.approx(ratios[0])
    fresh = few(6, count=2000)
    assert loss(fitted.calibrator, fresh) < loss(start, fresh) - 0.1
    assert (fitted.calibrator.mean, fitted.calibrator.scale) == (start.mean, start.scale)
    assert fitted.calibrator.fitted_on == FITTED_ON
    assert fitted.without == {}
    rows = np.concatenate([answers.rows for answers in judged])
    assert fitted.calibrator.confidences(rows).mean() == pytest.approx(right / 60, abs=0.1)
    assert start.confidences(rows).mean() > right / 60 + 0.1


def test_enough_answers_are_fitted_anew_whatever_the_earlier_fit(learnt):
    judged = drawn(200, 7)[0]
    start = replace(learnt.calibrator, weights=tuple(-weight for weight in learnt.calibrator.weights))
    broad = Law(FEATURES[:1], (0.0,), (1.0,), (2.0,), 0.5)
    start = replace(start, broad=broad, quality={"auroc": 0.1, "broad": {"answers": 7}})
    anew, alone = (fit(judged, FITTED_ON, start=one, ablation=False).calibrator for one in (start, None))
    assert anew == replace(alone, broad=broad, quality={**alone.quality, "broad": {"answers": 7}})


def test_too_few_to_rescale_are_refused_with_what_would_be_enough(learnt):
    judged = counted("q", 30, 0, LEAST_TO_RESCALE - 1)
    with pytest.raises(
        LoccitError, match=r"needs at least 8 questions with a right answer .* there are 7 and 23"
    ):
        fit(judged, FITTED_ON, start=learnt.calibrator)
