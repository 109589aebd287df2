"""The questions that a calibrator is fitted on, and what names them."""

import json
from pathlib import Path

import pytest

from calibration.questions import calibration_set
from common.errors import InvalidRequestError
from evaluation.questions import Side, load_questions, sha256_of_questions, side_of
from evaluation.slices import chosen

ANSWERED = [
    {"question": f"who kept light {n}", "answers": ["Anna"], "gold_document_id": "a"} for n in range(8)
]
NOBODY = [{"question": f"who keeps moon {n}", "answers": [], "kind": "private"} for n in range(8)]


def on(side, records):
    kept = [one for one in records if side_of(one["question"]) is side]
    assert kept
    return kept


@pytest.fixture
def written(tmp_path):
    def write(*records):
        path = tmp_path / "lights.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
        return str(path)

    return write


def test_where_none_is_unanswerable_each_is_asked_without_its_gold_document(written):
    assert calibration_set(written(*ANSWERED), side=None, sample=None).without_gold is True
    assert calibration_set(written(*ANSWERED, NOBODY[0]), side=None, sample=None).without_gold is False


@pytest.mark.parametrize(("side", "without_gold"), [(Side.CALIBRATE, True), (Side.TEST, False)])
def test_it_is_the_questions_of_the_side_that_count(written, side, without_gold):
    path = written(*ANSWERED, *on(Side.TEST, NOBODY))
    assert calibration_set(path, side=side.value, sample=None).without_gold is without_gold


@pytest.mark.parametrize(
    ("side", "sample", "part"),
    [
        (None, None, ""),
        ("calibrate", None, " on the side calibrate"),
        ("calibrate", 1, " on the side calibrate in the sample"),
    ],
)
def test_without_one_that_is_unanswerable_each_has_to_name_its_gold_document(written, side, sample, part):
    nameless = [{**one, "gold_document_id": None, "id": one["question"]} for one in ANSWERED]
    nobody = [] if side is None else on(Side.TEST, NOBODY)
    with pytest.raises(InvalidRequestError) as refused:
        calibration_set(written(*nameless, *nobody), side=side, sample=sample)
    said = str(refused.value)
    assert said.startswith(f"None of the questions{part} is unanswerable, so each is asked without its gold")
    assert "too, but who kept light" in said
    assert said.endswith(
        f"names no gold_document_id; name it for each, or give some that are unanswerable{part}."
    )


def test_where_one_is_unanswerable_none_has_to_name_its_gold_document(written):
    nameless = [{**one, "gold_document_id": None} for one in ANSWERED]
    path = written(*nameless, *on(Side.CALIBRATE, NOBODY))
    assert calibration_set(path, side="calibrate", sample=None).without_gold is False


def test_it_is_named_by_file_digest_and_part(written):
    path = written(*ANSWERED)
    found = calibration_set(path, side="test", sample=2)
    questions = chosen(load_questions(path), side="test", sample=2, without_gold=False)
    assert found.described == {
        "name": "lights.jsonl",
        "sha256": sha256_of_questions(questions),
        "side": "test",
        "sample": 2,
    }


@pytest.mark.parametrize(
    ("side", "sample", "options"), [(None, None, ""), ("test", 2, " --side test --sample 2")]
)
def test_the_command_names_what_was_asked(written, side, sample, options):
    found = calibration_set(written(*ANSWERED), side=side, sample=sample)
    given = {"top_k": None, "generator": "reader", "weights": Path("mine"), "allow_download": True}
    asked = f"loccit calibrate lights.jsonl --index lights{options} --generator reader"
    assert found.command(Path("data/lights"), given) == asked


def test_questions_with_documents_of_their_own_are_refused(written):
    path = written({**ANSWERED[0], "documents": [{"title": "Lamps", "text": "A lamp is a light."}]})
    with pytest.raises(InvalidRequestError, match=r"^These questions bring documents of their own, but a"):
        calibration_set(path, side=None, sample=None)
