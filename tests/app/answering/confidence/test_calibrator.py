import json
import math
from dataclasses import replace

import numpy as np
import pytest

from app.answering.confidence.calibrator import Calibrator, FittedOn, Law, Seen, ThresholdRecord
from app.answering.confidence.features import FEATURES
from common.errors import InvalidRequestError, ModelUnusableError

MODELS = {"encoder": "e5", "reader": None}
FITTED_ON = FittedOn(
    name="ships (calibrate)",
    index="d1",
    models=MODELS,
    settings={"top_k": 20, "retrieval": "hybrid"},
    questions={"sha256": "ab", "answerable": 3},
)
CALIBRATOR = Calibrator(
    fitted_on=FITTED_ON,
    features=("support", "pointer"),
    mean=(0.5, -1.0),
    scale=(0.25, 2.0),
    weights=(1.5, 0.5),
    intercept=-0.25,
    thresholds=(
        ThresholdRecord(0.3, given=90, right=70, at_least=0.68),
        ThresholdRecord(0.6, given=60, right=57, at_least=0.86),
        ThresholdRecord(0.8, given=40, right=39, at_least=0.86),
        ThresholdRecord(0.9, given=9, right=9, at_least=0.51),
    ),
    quality={"log_loss": 0.4, "folds": 10},
)


def rows(*named):
    """Rows of all features, 99 where nothing is said."""
    table = np.full((len(named), len(FEATURES)), 99.0)
    for row, values in zip(table, named, strict=True):
        for name, value in values.items():
            row[FEATURES.index(name)] = value
    return table


def test_the_confidence_is_the_sigmoid_of_the_weighted_standardised_features():
    table = rows({"support": 0.75, "pointer": 3.0}, {"support": 0.5, "pointer": -1.0})
    # 1.5 * (0.75 - 0.5) / 0.25 + 0.5 * (3 + 1) / 2 - 0.25 = 2.25; at the means the intercept is left
    assert CALIBRATOR.confidences(table).tolist() == [
        pytest.approx(1 / (1 + math.exp(-2.25))),
        pytest.approx(1 / (1 + math.exp(0.25))),
    ]


SEEN = (Seen(0.2, 50, 20), Seen(0.5, 40, 30), Seen(0.7, 20, 18), Seen(0.9, 19, 19), Seen(0.95, 0, 0))


@pytest.mark.parametrize(
    ("confidence", "seen"),
    [(0.1, None), (0.2, SEEN[0]), (0.69, SEEN[1]), (0.7, SEEN[2]), (0.97, SEEN[2])],
)
def test_answers_elsewhere_are_those_at_the_highest_threshold_reached_with_twenty(confidence, seen):
    assert replace(CALIBRATOR, elsewhere=SEEN).seen_elsewhere(confidence) == seen


def test_no_row_has_no_confidence():
    assert CALIBRATOR.confidences(rows()).shape == (0,)


@pytest.mark.parametrize("length", [len(FEATURES) - 1, len(FEATURES) + 1])
def test_rows_without_a_number_for_each_feature_are_refused(length):
    calibrator = replace(CALIBRATOR, features=FEATURES[:1], mean=(0.0,), scale=(1.0,), weights=(1.0,))
    with pytest.raises(
        ValueError, match=f"^Rows of 12 features are wanted, but their shape is \\(2, {length}\\)"
    ):
        calibrator.logits(np.zeros((2, length)))


def test_columns_are_chosen_by_name_whatever_their_order():
    turned = replace(
        CALIBRATOR, features=("pointer", "support"), mean=(-1.0, 0.5), scale=(2.0, 0.25), weights=(0.5, 1.5)
    )
    table = rows({"support": 0.9, "pointer": 0.3}, {"support": 0.1, "pointer": 2.0})
    assert turned.confidences(table) == pytest.approx(CALIBRATOR.confidences(table))


def test_a_calibrator_knows_what_reads_and_supports_whatever_else_there_is():
    known = replace(FITTED_ON, models={"encoder": "e5", "reader": "r1", "support": "s1"})
    assert known.knows({"reader": "r1", "encoder": "e6", "support": "s1", "language_model": "g3"})
    assert not known.knows({"encoder": "e5", "reader": "r2", "support": "s1"})
    assert not known.knows({"encoder": "e5", "reader": None, "support": "s1"})
    assert not known.knows({"encoder": "e5", "reader": "r1", "support": "s2"})
    adapted = {"reader": "r1", "support": "s1", "adapter": "a1"}
    assert not known.knows(adapted)
    learnt_with_one = replace(known, models=adapted)
    assert learnt_with_one.knows({**adapted, "adapter": "a2"})
    assert not learnt_with_one.knows({**adapted, "adapter": None})


def test_what_was_saved_is_loaded_equal_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "calibrator.json"
    CALIBRATOR.save(path)
    assert Calibrator.load(path) == CALIBRATOR
    assert [one.name for one in tmp_path.iterdir()] == ["calibrator.json"]


def test_a_loaded_calibrator_says_the_same_to_the_last_bit(tmp_path):
    exact = replace(CALIBRATOR, mean=(1 / 3, math.pi), weights=(0.1 + 0.2, -1e-17), intercept=2 / 3)
    exact.save(tmp_path / "c")
    table = np.random.default_rng(1).normal(size=(20, len(FEATURES)))
    assert Calibrator.load(tmp_path / "c").confidences(table).tolist() == exact.confidences(table).tolist()


def test_a_name_in_any_script_is_kept(tmp_path):
    named = replace(CALIBRATOR, fitted_on=replace(FITTED_ON, name="Fragen über Türme 🗼"))
    named.save(tmp_path / "c")
    assert Calibrator.load(tmp_path / "c").fitted_on.name == "Fragen über Türme 🗼"
    assert "Fragen über Türme 🗼" in (tmp_path / "c").read_text(encoding="utf-8")


def record_without(name):
    return lambda record: {key: value for key, value in record.items() if key != name}


def record_with(**changes):
    return lambda record: {**record, **changes}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (record_with(format=1), "another format version"),
        (record_without("format"), "format"),
        (record_without("intercept"), "intercept"),
        (record_without("weights"), "weights"),
        (record_with(fitted_on={"name": "x"}), "index"),
        (record_with(thresholds=[{"min_confidence": 0.5}]), "given"),
        (record_with(weights=[1.0]), "its features do not fit its weights"),
        (record_with(mean=[0.5, -1.0, 0.0]), "its features do not fit its weights"),
        (record_with(scale=[]), "its features do not fit its weights"),
        (record_with(features=["support", "weather"]), "its features do not fit its weights"),
        (lambda record: [record], ""),
        (lambda record: "calibrator", ""),
        (lambda record: None, ""),
    ],
)
def test_another_version_or_a_record_that_does_not_fit_is_one_sentence(tmp_path, change, reason):
    path = tmp_path / "calibrator.json"
    CALIBRATOR.save(path)
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    with pytest.raises(ModelUnusableError) as refused:
        Calibrator.load(path)
    sentence = str(refused.value)
    assert sentence.startswith(f"{path} is no calibrator that this version reads (")
    assert reason in sentence
    assert sentence.endswith("; make it with `loccit calibrate`.")


NAN, INFINITY = math.nan, math.inf


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        *(
            ({name: [0.5, wrong]}, "a number in it is not finite")
            for name in ("mean", "scale", "weights")
            for wrong in (NAN, INFINITY, -INFINITY)
        ),
        *(({"intercept": wrong}, "a number in it is not finite") for wrong in (NAN, INFINITY, -INFINITY)),
        ({"weights": [None, 1.0]}, "weights.0: input should be a valid number"),
        ({"weights": ["1.5", 1.0]}, "weights.0: input should be a valid number"),
        ({"scale": [0.25, 0.0]}, "a scale is not above 0"),
        ({"scale": [-2.0, 0.25]}, "a scale is not above 0"),
    ],
    ids=str,
)
def test_a_number_that_is_none_or_a_scale_not_above_0_is_one_sentence(tmp_path, numbers, reason):
    path = tmp_path / "calibrator.json"
    CALIBRATOR.save(path)
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **numbers}), encoding="utf-8")
    with pytest.raises(ModelUnusableError) as refused:
        Calibrator.load(path)
    assert str(refused.value) == (
        f"{path} is no calibrator that this version reads ({reason}); make it with `loccit calibrate`."
    )


def test_the_least_scale_and_weights_of_any_sign_are_read(tmp_path):
    odd = replace(CALIBRATOR, scale=(1e-300, 2.0), weights=(-1e300, 0.0), mean=(0.0, -5.0), intercept=0.0)
    odd.save(tmp_path / "c")
    assert Calibrator.load(tmp_path / "c") == odd


def test_the_confidence_of_an_extreme_row_is_a_probability():
    table = rows({"support": 1e300, "pointer": 0.0}, {"support": -1e300, "pointer": 0.0})
    sure, unsure = CALIBRATOR.confidences(table)
    assert 0 <= unsure < 1e-100
    assert sure == 1.0


@pytest.mark.parametrize("damaged", [b"", b'{"format": 1, ', b"\xff\xfe{}"])
def test_a_damaged_file_is_one_sentence(tmp_path, damaged):
    path = tmp_path / "calibrator.json"
    path.write_bytes(damaged)
    with pytest.raises(ModelUnusableError, match=r"is no calibrator that this version reads \("):
        Calibrator.load(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ModelUnusableError, match="is no calibrator that this version reads"):
        Calibrator.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize(("accuracy", "threshold"), [(0.5, 0.3), (0.68, 0.3), (0.681, 0.6), (0.86, 0.6)])
def test_the_lowest_threshold_that_reaches_the_accuracy_is_taken(accuracy, threshold):
    assert CALIBRATOR.threshold_for(accuracy) == threshold


def test_the_lowest_threshold_is_taken_in_whatever_order_they_were_kept():
    turned = replace(CALIBRATOR, thresholds=CALIBRATOR.thresholds[::-1])
    assert turned.threshold_for(0.8) == 0.6


def test_an_accuracy_that_none_reached_is_refused_with_the_best_that_was():
    with pytest.raises(InvalidRequestError) as refused:
        CALIBRATOR.threshold_for(0.9)
    assert str(refused.value) == (
        "No threshold reached the target accuracy 0.9 on ships (calibrate): 0.6 came nearest and is sure of 0.86 "
        "(57 right of 60); ask for less, or calibrate with more questions."
    )


def test_without_thresholds_every_accuracy_is_refused():
    with pytest.raises(InvalidRequestError, match=r"on ships \(calibrate\): none was tried; ask for less"):
        replace(CALIBRATOR, thresholds=()).threshold_for(0.1)


def test_the_law_of_other_kinds_is_kept_and_checked_as_the_rest(tmp_path):
    path = tmp_path / "calibrator.json"
    broad = Law(FEATURES[:1], (0.0,), (1.0,), (2.0,), 0.5)
    calibrator = replace(CALIBRATOR, broad=broad)
    calibrator.save(path)
    assert Calibrator.load(path) == calibrator
    assert calibrator.sha256 != CALIBRATOR.sha256
    for wrong in (
        replace(broad, scale=(0.0,)),
        replace(broad, features=("no such",)),
        replace(broad, mean=()),
    ):
        replace(CALIBRATOR, broad=wrong).save(path)
        with pytest.raises(ModelUnusableError, match="is no calibrator that this version reads"):
            Calibrator.load(path)
