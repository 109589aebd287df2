"""A calibrator among the shipped weights is in their manifest; anywhere else it leaves manifests alone."""

from dataclasses import asdict

import pytest

from app.answering.confidence.calibrator import CALIBRATOR_FILE, Calibrator, FittedOn
from app.answering.confidence.shipping import ship_calibrator
from app.answering.shipped_weights import MANIFEST_FILE, names_of, shipped_weights
from common.packaged import sha256_of

CALIBRATOR = Calibrator(
    fitted_on=FittedOn(
        name="towers over coasts",
        index="1" * 64,
        models={"reader": "f" * 64},
        settings={"top_k": 20},
        questions={"sha256": "ab", "answerable": 3},
    ),
    features=("support",),
    mean=(0.5,),
    scale=(0.25,),
    weights=(1.5,),
    intercept=-0.25,
    quality={"log_loss": 0.4},
)


@pytest.fixture
def saved(tmp_path):
    CALIBRATOR.save(tmp_path / CALIBRATOR_FILE)
    return tmp_path / CALIBRATOR_FILE


def test_its_entry_says_what_made_it_and_what_it_is_worth(saved):
    ship_calibrator(CALIBRATOR, saved, "loccit calibrate towers.jsonl", [saved.parent])
    path, entry = shipped_weights("calibrator", "calibrator", saved.parent)
    assert path == saved
    assert (entry.sha256, entry.base_sha256) == (sha256_of(saved), "f" * 64)
    assert (entry.command, entry.data) == ("loccit calibrate towers.jsonl", "ab")
    assert entry.quality == {"log_loss": 0.4}
    assert entry.calibrated_on == asdict(CALIBRATOR.fitted_on)


def test_beside_any_other_manifest_it_leaves_that_alone(saved):
    manifest = saved.parent / MANIFEST_FILE
    manifest.write_text("{}", encoding="utf-8")
    ship_calibrator(CALIBRATOR, saved, "loccit calibrate towers.jsonl", [saved.parent / "weights"])
    assert manifest.read_text(encoding="utf-8") == "{}"


def test_a_folder_holds_several_calibrators_by_their_files_names(tmp_path):
    for name in ("calibrator", "calibrator-small"):
        path = tmp_path / f"{name}.json"
        CALIBRATOR.save(path)
        ship_calibrator(CALIBRATOR, path, "loccit calibrate towers.jsonl", [tmp_path])
    assert names_of("calibrator", tmp_path) == ["calibrator", "calibrator-small"]
