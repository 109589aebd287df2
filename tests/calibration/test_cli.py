"""`loccit calibrate`: a calibrator fitted to a folder of one's own, read and answered without a trained model."""

import json

import pytest

from app.answering.confidence.calibrator import CALIBRATOR_FILE, Calibrator
from app.answering.shipped_weights import ShippedWeights, record_weights, shipped_weights
from app.service.assembly import open_service
from app.service.settings import Settings
from evaluation.questions import Side, load_questions, sha256_of_questions, side_of
from evaluation.run_folder import read_predictions

PLACES = [
    f"{first}{last}"
    for first in ("Ald", "Bran", "Corr", "Dun", "Ess", "Fen")
    for last in ("moor", "wick", "holm", "ness")
]
OTHER_WEIGHTS = ShippedWeights(
    file="other.safetensors",
    sha256="",
    kind="other",
    base_sha256="",
    licence="Apache-2.0",
    command="loccit train",
    data="",
    seed=0,
)
UNTRAINED = ("--reader", "lexical", "--generator", "reader")


def asked(place, **changes):
    """Who kept the lighthouse of this place; the answer stands in the document of its name."""
    return {
        "question": f"who kept the lighthouse of {place}",
        "answers": [f"Keeper {place[::-1].capitalize()}"],
        "gold_document_id": f"{place}.txt",
        **changes,
    }


@pytest.fixture
def index(loccit, tmp_path):
    """An index of a document for each place."""
    folder = tmp_path / "lighthouses"
    folder.mkdir()
    for number, place in enumerate(PLACES):
        (answer,) = asked(place)["answers"]
        text = f"The lighthouse of {place} was kept by {answer} for {number + 3} years. It had a red lamp."
        (folder / f"{place}.txt").write_text(text, encoding="utf-8")
    status, _, said = loccit("index", "build", folder, "--out", tmp_path / "lights", "--encoder", "hashing")
    assert status == 0, said
    return tmp_path / "lights"


@pytest.fixture
def calibrate(loccit, index, tmp_path, monkeypatch):
    """Runs `loccit calibrate` with these questions: (exit status, standard output, what was said in one line)."""
    monkeypatch.chdir(tmp_path)

    def run(questions, *options):
        path = tmp_path / "keepers.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in questions), encoding="utf-8")
        status, shown, said = loccit("calibrate", path, "--index", index, *UNTRAINED, *options)
        return status, shown, " ".join(said.split())

    return run


def opened(index, **given):
    return open_service(Settings.of(index=index, reader="lexical", generator="reader", **given))


def test_what_is_fitted_lies_in_the_folder_of_the_index_and_applies_from_then_on(calibrate, index, tmp_path):
    before = opened(index)
    assert before.calibration is None
    assert before.pipeline.options.min_confidence == 0.55
    status, shown, said = calibrate([asked(place) for place in PLACES])
    assert status == 0, said
    calibrator = Calibrator.load(index / CALIBRATOR_FILE)
    assert calibrator.fitted_on.name == "keepers over lights"
    # no question is unanswerable, so each was asked without its document too
    assert calibrator.fitted_on.questions == {
        "name": "keepers.jsonl",
        "sha256": sha256_of_questions(load_questions(str(tmp_path / "keepers.jsonl"))),
        "side": None,
        "sample": None,
        "answerable": len(PLACES),
        "unanswerable": len(PLACES),
    }
    after = opened(index)
    assert (after.calibration.calibrator, after.calibration.applies) == (calibrator, True)
    assert after.pipeline.options.min_confidence == 0.5
    assert opened(index, top_k=3).calibration.applies is False
    told = " ".join(shown.split())
    assert f"Fitted on keepers over lights: {len(PLACES)} answerable and {len(PLACES)} unanswerable" in told
    assert "all features" in told
    assert "without pointer" in told
    assert len(read_predictions(tmp_path / "runs" / "calibrate-lights")) == 2 * len(PLACES)


def test_the_confidence_tells_what_the_index_answers_from_what_it_does_not(calibrate, index, loccit):
    calibrate([asked(place) for place in PLACES])
    answered, refused = (
        json.loads(
            loccit("ask", f"who kept the lighthouse of {place}", "--index", index, *UNTRAINED, "--json")[1]
        )
        for place in (PLACES[0], "Zyx")
    )
    assert answered["calibration"]["fitted_on"] == "keepers over lights"
    assert answered["calibration"]["applies"]
    assert asked(PLACES[0])["answers"][0] in answered["answer"]
    assert answered["confidence"] > 0.7
    assert refused["confidence"] < 0.3
    assert refused["abstained"] is True


def test_run_and_file_go_where_they_are_told(calibrate, index, tmp_path):
    status, shown, said = calibrate(
        [asked(place) for place in PLACES], "--run", "answers", "--out", "fits/own.json"
    )
    assert status == 0, said
    assert Calibrator.load(tmp_path / "fits" / "own.json").fitted_on.name == "keepers over lights"
    assert (tmp_path / "answers" / "predictions.jsonl").is_file()
    assert not (index / CALIBRATOR_FILE).exists()
    assert not (tmp_path / "runs").exists()
    assert "The calibrator is in fits/own.json." in " ".join(shown.split())


def test_a_folder_that_is_named_for_the_file_is_told_before_anything_is_asked(calibrate, tmp_path):
    (tmp_path / "fits").mkdir()
    status, _, said = calibrate([asked(place) for place in PLACES], "--out", "fits")
    assert (status, said) == (
        1,
        "fits is a folder; name the file that the calibrator is to be written to.",
    )
    assert not (tmp_path / "runs").exists()


def test_in_the_folder_of_weights_it_enters_their_manifest(calibrate, tmp_path):
    weights = tmp_path / "weights"
    weights.mkdir()
    record_weights("other", OTHER_WEIGHTS, weights)
    status, _, said = calibrate(
        [asked(place) for place in PLACES], "--weights", "weights", "--out", f"weights/{CALIBRATOR_FILE}"
    )
    assert status == 0, said
    path, entry = shipped_weights("calibrator", "calibrator", weights)
    assert path == weights / CALIBRATOR_FILE
    assert entry.command == (
        "loccit calibrate keepers.jsonl --index lights --reader lexical --generator reader"
    )
    assert entry.calibrated_on["name"] == "keepers over lights"


def test_fitted_again_with_a_calibrator_in_place_it_finds_the_same_from_the_same_answers(calibrate, index):
    questions = [asked(place) for place in PLACES]
    calibrate(questions)
    first = Calibrator.load(index / CALIBRATOR_FILE)
    status, _, said = calibrate(questions)
    assert status == 0, said
    assert Calibrator.load(index / CALIBRATOR_FILE) == first


def test_it_is_fitted_to_answers_that_no_calibrator_has_chosen(calibrate, tmp_path, monkeypatch):
    """Whatever lies beside the index, and whatever the environment says."""
    monkeypatch.setenv("LOCCIT_CONFIDENCE", "fitted")
    questions = [asked(place) for place in PLACES]
    calibrate(questions)
    status, _, said = calibrate(questions, "--run", "again")
    assert status == 0, said
    assert json.loads((tmp_path / "again/run.json").read_text())["calibration"] is None


@pytest.mark.parametrize("name", ["LOCCIT_TARGET_ACCURACY", "LOCCIT_MIN_CONFIDENCE"])
def test_a_threshold_of_the_environment_stands_in_nobodys_way(calibrate, index, monkeypatch, name):
    monkeypatch.setenv(name, "0.8")
    status, _, said = calibrate([asked(place) for place in PLACES])
    assert status == 0, said
    assert (index / CALIBRATOR_FILE).is_file()


def test_only_the_questions_of_the_side_or_sample_count(calibrate, index):
    every_one = [asked(place) for place in PLACES]
    status, _, said = calibrate(every_one, "--sample", 21)
    assert status == 0, said
    counted = Calibrator.load(index / CALIBRATOR_FILE).fitted_on.questions
    assert (counted["sample"], counted["answerable"], counted["unanswerable"]) == (21, 21, 21)


def test_questions_that_bring_their_own_documents_are_refused(calibrate, index):
    documents = [{"title": "Lamps", "text": "A lamp is a light."}]
    status, _, said = calibrate([asked(PLACES[0], documents=documents)])
    assert status == 1
    assert "These questions bring documents of their own, but a calibrator is fitted on an index;" in said
    assert not (index / CALIBRATOR_FILE).exists()


def test_where_some_questions_are_unanswerable_none_is_asked_without_its_document(calibrate, index):
    nobody = [
        {"question": f"who kept the lighthouse of {place[::-1]}", "answers": [], "kind": "private"}
        for place in PLACES
    ]
    status, _, said = calibrate([*(asked(place, gold_document_id=None) for place in PLACES[:22]), *nobody])
    assert status == 0, said
    counted = Calibrator.load(index / CALIBRATOR_FILE).fitted_on.questions
    assert (counted["answerable"], counted["unanswerable"]) == (22, len(PLACES))


def test_where_only_the_other_side_has_unanswerable_questions_each_is_asked_without_its_document(
    calibrate, index
):
    nobody = [
        {"question": f"who kept the lighthouse of {place[::-1]}", "answers": [], "kind": "private"}
        for place in PLACES
    ]
    there = [one for one in nobody if side_of(one["question"]) is Side.TEST]
    assert there
    again = [asked(place, question=f"by whom was the lighthouse of {place} kept") for place in PLACES]
    records = [*map(asked, PLACES), *again]
    here = sum(side_of(one["question"]) is Side.CALIBRATE for one in records)
    status, _, said = calibrate([*records, *there], "--side", "calibrate")
    assert status == 0, said
    counted = Calibrator.load(index / CALIBRATOR_FILE).fitted_on.questions
    assert (counted["side"], counted["answerable"], counted["unanswerable"]) == ("calibrate", here, here)


def test_answering_is_resumed(calibrate, index, tmp_path):
    questions = [asked(place) for place in PLACES]
    calibrate(questions, "--out", "first.json")
    path = tmp_path / "runs" / "calibrate-lights" / "predictions.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    kept = lines[:-10]
    path.write_bytes(b"".join(kept))
    assert calibrate(questions, "--out", "second.json")[0] == 0
    again = path.read_bytes().splitlines(keepends=True)
    assert again[:-10] == kept
    assert len(again) == len(lines)
    assert Calibrator.load(tmp_path / "first.json") == Calibrator.load(tmp_path / "second.json")


def test_what_another_run_found_and_read_is_taken_over(calibrate, index, tmp_path):
    questions = [asked(place) for place in PLACES]
    calibrate(questions, "--run", tmp_path / "first")
    status, _, said = calibrate(
        questions,
        "--support",
        "lexical",
        "--candidates",
        "3",
        "--from",
        tmp_path / "first",
        "--run",
        tmp_path / "second",
    )
    assert status == 0, said
    times = [
        [one["trace"]["timings_ms"]["read"] for one in read_predictions(tmp_path / name)]
        for name in ("first", "second")
    ]
    assert times[0] == times[1]


def test_without_gold_documents_there_have_to_be_unanswerable_questions(calibrate, index):
    status, _, said = calibrate([asked(place, gold_document_id=None) for place in PLACES])
    assert status == 1
    assert (
        "None of the questions is unanswerable, so each is asked without its gold document too, but" in said
    )
    assert not (index / CALIBRATOR_FILE).exists()


def test_a_gold_document_that_the_index_has_not_is_a_sentence(calibrate, index):
    status, _, said = calibrate([asked(place, gold_document_id=f"{place}.md") for place in PLACES])
    assert status == 1
    assert f"names the gold document '{PLACES[0]}.md', which is not in the index" in said
    assert not (index / CALIBRATOR_FILE).exists()


def test_too_few_questions_are_a_sentence(calibrate, index):
    status, _, said = calibrate([asked(place) for place in PLACES[:5]])
    assert status == 1
    assert "A calibrator needs at least 20 questions with a right answer and as many with a wrong one" in said
    assert not (index / CALIBRATOR_FILE).exists()
