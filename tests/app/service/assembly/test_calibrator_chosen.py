"""Which calibrator is used where there are several: beside the index, among the weights, shipped."""

import json
from dataclasses import replace

import pytest

from app.answering.confidence.calibrator import (
    CALIBRATOR_FILE,
    CALIBRATOR_KIND,
)
from app.answering.shipped_weights import MANIFEST_FILE, ShippedWeights, record_weights
from common.errors import ModelUnusableError
from common.packaged import sha256_of
from tests.app.service.assembly.conftest import beside


def among_weights(calibrator, folder):
    """A folder of weights that has this calibrator, and an entry for it in its manifest."""
    folder.mkdir()
    calibrator.save(folder / CALIBRATOR_FILE)
    entry = ShippedWeights(
        file=CALIBRATOR_FILE,
        sha256=sha256_of(folder / CALIBRATOR_FILE),
        kind=CALIBRATOR_KIND,
        base_sha256="f" * 64,
        licence="Apache-2.0",
        command="loccit calibrate",
        data="ab",
        seed=0,
    )
    record_weights("calibrator", entry, folder)
    return folder


def test_the_shipped_calibrator_is_used_where_the_index_has_none(settings, tmp_path, opened, fitted_for):
    calibrator = fitted_for(settings(), name="shipped")
    among_weights(calibrator, tmp_path / "weights")
    calibration = opened(settings()).calibration
    assert (calibration.calibrator, calibration.applies) == (calibrator, True)


@pytest.mark.parametrize(("reader", "used"), [("f" * 64, "own"), ("1" * 64, "shipped")])
def test_the_indexs_own_calibrator_comes_first_if_it_knows_the_models(
    settings, tmp_path, reader, used, opened, fitted_for
):
    shipped = fitted_for(settings(), name="shipped")
    among_weights(shipped, tmp_path / "weights")
    models = {**shipped.fitted_on.models, "reader": reader}
    beside(settings(), replace(shipped, fitted_on=replace(shipped.fitted_on, name="own", models=models)))
    assert opened(settings()).calibration.calibrator.fitted_on.name == used


OTHER_INDEX = {"index": "0" * 64}
OTHER_SETTINGS = {"settings": {"top_k": 1}}


@pytest.mark.parametrize(
    ("own", "shipped", "used"),
    [
        ({}, {}, ("own", True)),
        (OTHER_INDEX, {}, ("shipped", True)),
        (OTHER_SETTINGS, {}, ("shipped", True)),
        ({}, OTHER_INDEX, ("own", True)),
        (OTHER_INDEX, OTHER_INDEX, ("own", False)),
        (OTHER_SETTINGS, OTHER_INDEX, ("own", False)),
    ],
)
def test_a_calibrator_that_applies_is_preferred_then_the_indexs_own(
    settings, tmp_path, own, shipped, used, opened, fitted_for
):
    fitted = {
        name: fitted_for(settings(), name=name, **changes)
        for name, changes in (("own", own), ("shipped", shipped))
    }
    among_weights(fitted["shipped"], tmp_path / "weights")
    beside(settings(), fitted["own"])
    calibration = opened(settings()).calibration
    assert (calibration.calibrator.fitted_on.name, calibration.applies) == used


@pytest.mark.parametrize(
    ("own", "given", "shipped", "used"),
    [
        (None, {}, {}, ("given", True)),
        (None, OTHER_INDEX, {}, ("shipped", True)),
        (None, OTHER_INDEX, OTHER_INDEX, ("given", False)),
        ({}, {}, {}, ("own", True)),
        (OTHER_INDEX, {}, {}, ("given", True)),
        (OTHER_INDEX, OTHER_SETTINGS, {}, ("shipped", True)),
        (OTHER_INDEX, OTHER_INDEX, OTHER_INDEX, ("own", False)),
    ],
)
def test_the_calibrator_of_the_weights_folder_comes_after_the_indexs_own_and_before_the_shipped_one(
    settings, tmp_path, own, given, shipped, used, opened, fitted_for
):
    def fitted(name, changes):
        return fitted_for(settings(), name=name, **changes)

    folder = among_weights(fitted("given", given), tmp_path / "given")
    among_weights(fitted("shipped", shipped), tmp_path / "weights")
    if own is not None:
        beside(settings(), fitted("own", own))
    calibration = opened(settings(weights=folder)).calibration
    assert (calibration.calibrator.fitted_on.name, calibration.applies) == used


def test_a_calibrator_in_the_weights_folder_that_its_manifest_does_not_name_is_not_used(
    settings, tmp_path, opened, fitted_for
):
    folder = among_weights(fitted_for(settings()), tmp_path / "given")
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    (folder / MANIFEST_FILE).write_text(
        json.dumps({"other": {**manifest["calibrator"], "kind": "other"}}), encoding="utf-8"
    )
    assert opened(settings(weights=folder)).calibration is None


def test_a_damaged_calibrator_in_the_weights_folder_is_a_sentence(settings, tmp_path, opened, fitted_for):
    folder = among_weights(fitted_for(settings()), tmp_path / "given")
    (folder / CALIBRATOR_FILE).write_text("{}")
    with pytest.raises(ModelUnusableError, match=r"calibrator\.json has sha256 .*, but the manifest says"):
        opened(settings(weights=folder))


def test_a_damaged_calibrator_beside_the_index_is_a_sentence(settings, notes_index, opened):
    (notes_index / CALIBRATOR_FILE).write_text("{}")
    with pytest.raises(ModelUnusableError, match="is no calibrator that this version reads"):
        opened(settings())
