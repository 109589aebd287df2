import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from common.errors import InvalidRequestError, LoccitError
from index_builder import tune as tune_module
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.recall import Measured, held_out_sample, measure, questions_sample
from index_builder.tune import questions_of, tune_index
from index_builder.verify import verify_index
from retriever.encoder import HashingEncoder
from retriever.generations import current_generation
from retriever.index import open_index, read_manifest
from retriever.text.passages import PassageSettings
from retriever.vectors.engines import ENGINES, new_vectors

NAMES = ("tower", "tram", "castle", "harbour", "storm", "granite", "reef", "lamp")


@pytest.fixture
def source(tmp_path) -> Path:
    """250 short documents that share words."""
    random = np.random.default_rng(0)
    path = tmp_path / "texts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(250):
            words = " ".join([*random.choice(NAMES, size=6), f"number{number % 40}", f"year{number % 7}"])
            file.write(json.dumps({"id": str(number), "text": f"{words}."}) + "\n")
    return path


@pytest.fixture
def run_build(tmp_path, source, quiet, monkeypatch):
    monkeypatch.setattr(ENGINES["ivf-sq8"], "least", 100)

    def run(engine: str):
        return build_index(
            [open_corpus(str(source))],
            tmp_path / "index",
            encoder=HashingEncoder(),
            settings=PassageSettings(),
            strict=True,
            console=quiet,
            engine=engine,
        )

    return run


def tune(directory: Path, quiet: Console, *, recall: float = 0.9, questions=None):
    return tune_index(directory, encoder=HashingEncoder(), recall=recall, questions=questions, console=quiet)


def said(console: Console) -> str:
    return console.file.getvalue()


def test_the_engine_asked_for_is_recorded_and_opens_without_an_option(tmp_path, run_build, encoder):
    manifest = run_build("ivf-sq8").manifest
    assert manifest.vectors.engine == "ivf-sq8"
    assert manifest.vectors.arguments == {"nlist": 6, "nprobe": 128}
    index = open_index(tmp_path / "index", encoder)
    assert isinstance(index.vectors, ENGINES["ivf-sq8"])
    assert index.vectors.rows().tolist() == index.store.rows().tolist() == list(range(1, 251))
    assert verify_index(tmp_path / "index").vectors == manifest.vectors


def test_an_engine_that_so_few_cannot_train_is_flat_and_that_is_said(run_build, quiet):
    assert run_build("ivf-pq").manifest.vectors.engine == "flat"
    assert (
        "The engine ivf-pq is trained on at least 9,984 vectors, and there are 250: the index has the engine flat."
        in said(quiet).replace("\n", " ")
    )


def test_auto_is_flat_for_few_and_says_nothing(run_build, quiet):
    assert run_build("auto").manifest.vectors.engine == "flat"
    assert "engine" not in said(quiet)


def test_an_engine_that_there_is_none_of_is_refused_before_anything_is_read(tmp_path, run_build):
    with pytest.raises(InvalidRequestError, match="no vector engine 'fast'; give one of auto, flat"):
        run_build("fast")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("questions", [None, [f"tower number{n} year{n % 7}" for n in range(30)]])
def test_the_smallest_effort_that_reaches_the_recall_becomes_the_setting(
    tmp_path, run_build, quiet, encoder, questions
):
    directory = tmp_path / "index"
    before = run_build("ivf-sq8")
    tuning = tune(directory, quiet, questions=questions)
    assert [found.effort for found in tuning.measured] == [1, 2, 4, 6]
    first = next(found for found in tuning.measured if found.recall >= 0.9)
    assert tuning.chosen == first
    assert tuning.measured[0].recall < first.recall
    assert tuning.generation == current_generation(directory).name != before.generation
    manifest = verify_index(directory)
    assert manifest.vectors.arguments == {"nlist": 6, "nprobe": first.effort}
    assert manifest.files == before.manifest.files
    assert open_index(directory, encoder).vectors.effort == first.effort


def test_building_again_keeps_what_was_chosen_while_the_engine_is_the_same(tmp_path, run_build, quiet):
    run_build("ivf-sq8")
    chosen = tune(tmp_path / "index", quiet, recall=0.3).chosen.effort
    assert chosen != 128
    assert run_build("ivf-sq8").manifest.vectors.arguments["nprobe"] == chosen
    run_build("flat")
    assert run_build("ivf-sq8").manifest.vectors.arguments["nprobe"] == 128


def test_tuning_again_to_the_same_makes_no_generation(tmp_path, run_build, quiet):
    run_build("ivf-sq8")
    first = tune(tmp_path / "index", quiet)
    assert tune(tmp_path / "index", quiet).generation == first.generation


def test_where_no_effort_reaches_the_recall_the_index_is_as_it_was(tmp_path, run_build, quiet, monkeypatch):
    before = run_build("ivf-sq8")
    monkeypatch.setattr(tune_module, "measure", lambda index, *_: Measured(index.effort, 0.5, 1.0, 1.0))
    tuning = tune(tmp_path / "index", quiet)
    assert tuning.chosen is None
    assert tuning.generation == before.generation
    assert read_manifest(tmp_path / "index") == before.manifest


def test_tuning_that_dies_leaves_the_old_setting_whole(tmp_path, run_build, quiet, monkeypatch):
    before = run_build("ivf-sq8")
    monkeypatch.setattr(tune_module, "_link", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tune(tmp_path / "index", quiet)
    assert verify_index(tmp_path / "index") == before.manifest
    assert len(list((tmp_path / "index" / "generations").iterdir())) == 1


def test_an_exact_engine_has_nothing_to_tune(tmp_path, run_build, quiet):
    run_build("flat")
    with pytest.raises(InvalidRequestError, match=r"has the engine flat, .*: there is nothing to tune"):
        tune(tmp_path / "index", quiet)


@pytest.mark.parametrize("recall", [0, 1.1, float("nan")])
def test_a_recall_out_of_range_is_refused(tmp_path, quiet, recall):
    with pytest.raises(InvalidRequestError, match="must be above 0 and at most 1, but got"):
        tune(tmp_path / "index", quiet, recall=recall)


def test_questions_are_read_from_lines_and_a_line_without_one_is_named(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "who?"}\n\n{"question": "where?", "answers": []}\n')
    assert questions_of(path) == ["who?", "where?"]
    path.write_text('{"question": "who?"}\n{"answer": "me"}\n')
    with pytest.raises(InvalidRequestError, match=r"q\.jsonl:2 has no question"):
        questions_of(path)
    with pytest.raises(LoccitError, match="There is no file"):
        questions_of(tmp_path / "none.jsonl")


def test_recall_is_the_share_of_the_ten_best_that_are_found():
    rows = np.arange(100, 140)
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0].astype(np.float32)
    query = (vectors * np.arange(40, 0, -1)[:, None]).sum(axis=0, dtype=np.float32)
    sample = questions_sample(vectors, query[None])
    assert sample.least_scores.tolist() == pytest.approx([31.0], abs=1e-4)
    whole, half = new_vectors(40), new_vectors(40)
    whole.add(rows, vectors)
    half.add(rows[::2], vectors[::2])
    assert measure(whole, sample, vectors, rows).recall == 1.0
    assert measure(half, sample, vectors, rows).recall == 0.5


def test_a_vector_that_is_held_out_does_not_find_itself():
    rows = np.arange(100, 112)
    vectors = np.eye(12, dtype=np.float32)
    vectors[:, 0] += np.arange(12)
    sample = held_out_sample(vectors, rows, queries=12, seed=0)
    assert sorted(sample.own_rows.tolist()) == rows.tolist()
    index = new_vectors(12)
    index.add(rows, vectors)
    assert measure(index, sample, vectors, rows).recall == 1.0
    lacking = new_vectors(12)
    lacking.add(rows[:9], vectors[:9])
    assert measure(lacking, sample, vectors, rows).recall < 0.9


@pytest.fixture
def engine_index(tmp_path, loccit, source, monkeypatch):
    monkeypatch.setattr(ENGINES["ivf-sq8"], "least", 100)
    arguments = ("--out", tmp_path / "i", "--encoder", "hashing", "--engine", "ivf-sq8")
    assert loccit("index", "build", source, *arguments)[0] == 0
    return tmp_path / "i"


def test_the_command_prints_what_each_gave_and_info_names_the_choice(engine_index, loccit):
    status, out, _ = loccit("index", "tune", engine_index, "--recall", "0.9")
    assert status == 0
    chosen = read_manifest(engine_index).vectors.arguments["nprobe"]
    assert f"nprobe {chosen} is the smallest that reaches 0.9" in out
    assert "recall@10" in out
    assert f"ivf-sq8, nlist 6, nprobe {chosen}" in loccit("index", "info", engine_index)[1]


def test_the_command_says_what_to_do_where_none_reaches_it(engine_index, loccit, monkeypatch):
    monkeypatch.setattr(tune_module, "measure", lambda index, *_: Measured(index.effort, 0.5, 1.0, 1.0))
    status, _, errors = loccit("index", "tune", engine_index)
    assert status == 1
    assert "No nprobe reaches a recall of 0.95: the best is 0.5000, and the index is as it was." in errors
    assert "Give a lower --recall, or build the index again with another --engine" in errors
