"""Training data: without evaluation questions, labelled by answer match, deterministic, resumable."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from common.errors import LoccitError
from training.data import prepare as data
from training.data.corpus import open_store
from training.data.held_out import evaluation_files, questions_in
from training.data.mining import MiningSettings
from training.data.prepare import DataSettings, prepare
from training.data.question import Source, usable
from training.data.shards import read_shard, shards

SETTINGS = DataSettings(
    mining=MiningSettings(depth=10, positives=2, negatives=3, of_article=1),
    development_questions=1,
    development_articles=0.0,
    unanswerable=1.0,
    elsewhere=1.0,
    shard_questions=2,
    shard_articles=2,
)


def groups_of(folder, prefix=""):
    store = open_store(folder / "corpus")
    return [record.group(store) for path in shards(folder / "groups", prefix) for record in read_shard(path)]


def digests(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in shards(folder / "groups", "")}


@pytest.fixture
def prepared(data_folder, tmp_path, quiet):
    prepare(data_folder, tmp_path / "out", quiet, settings=SETTINGS)
    return tmp_path / "out"


def test_every_question_file_that_is_not_for_training_is_an_evaluation_file(data_folder):
    names = [path.relative_to(data_folder).as_posix() for path in evaluation_files(data_folder)]
    assert names == ["clapnq/dev.jsonl.gz", "nq/open_dev_with_gold.jsonl", "truthfulqa/questions.jsonl"]


def test_no_training_question_occurs_in_an_evaluation_file(data_folder, prepared):
    held_out = questions_in(evaluation_files(data_folder))
    assert held_out == {
        "when was harbour of dover opened",
        "how many cranes north are in port calais",
        "who kept lighthouse of emden",
    }
    from app.answering.text.normalise import normalise_answer

    kept = {normalise_answer(group.question) for group in groups_of(prepared)}
    assert kept & held_out == set()
    assert "how many cranes south are in port calais" in kept
    assert json.loads((prepared / "manifest.json").read_text())["removed"] == {
        "nq": 1,
        "triviaqa": 1,
        "squad": 1,
    }


def test_further_files_can_be_kept_out(data_folder, tmp_path, quiet):
    own = tmp_path / "own.jsonl"
    own.write_text('{"question": "WHEN was the harbour of Fowey opened"}\n')
    manifest = prepare(data_folder, tmp_path / "out", quiet, settings=SETTINGS, keep_out=[own])
    assert manifest["removed"]["nq"] == 2


def test_development_questions_are_not_trained_on(prepared):
    development = {group.question for group in groups_of(prepared, "development-")}
    assert len(development) == 2  # one of NQ, one of TriviaQA
    assert not development & {group.question for group in groups_of(prepared, "train-")}


def test_a_mined_positive_holds_an_answer_where_its_label_says(prepared):
    groups = [g for g in groups_of(prepared, "train-") if g.source is not Source.SQUAD and g.positives]
    assert groups
    for group in groups:
        for labelled in group.positives:
            for span in labelled.answers:
                assert span.of(labelled.passage.window) in group.answers
        for labelled in group.negatives:
            assert not any(answer in labelled.passage.window for answer in group.answers)


def test_a_mined_group_has_its_own_article_among_the_negatives(prepared):
    group = next(g for g in groups_of(prepared, "train-triviaqa"))
    articles = {labelled.passage.doc_id for labelled in group.positives}
    assert articles & {labelled.passage.doc_id for labelled in group.negatives}


def test_a_question_that_nothing_answers_is_a_group_of_negatives(prepared):
    moon = [g for g in groups_of(prepared) if g.question == "who keeps the moon"]
    assert all(not group.positives and group.negatives for group in moon)


def test_a_squad_label_is_the_marked_occurrence_and_negatives_are_of_the_same_article_or_elsewhere(prepared):
    group = next(
        g for g in groups_of(prepared, "train-squad") if "Fowey" in g.question and "west" in g.question
    )
    (positive,) = group.positives
    assert positive.passage.title == "Port Fowey"
    assert positive.answers[0].of(positive.passage.window) == "8"
    titles = [labelled.passage.title for labelled in group.negatives]
    # the other paragraphs of the article have 8 cranes too, so they are no negatives
    assert set(titles) <= {
        f"{place} harbour" for place in ("Aberdeen", "Bergen", "Calais", "Dover", "Emden", "Fowey")
    }


def test_the_same_files_and_settings_give_the_same_bytes(data_folder, prepared, tmp_path, quiet):
    prepare(data_folder, tmp_path / "again", quiet, settings=SETTINGS)
    assert digests(tmp_path / "again") == digests(prepared)
    manifests = [(folder / "manifest.json").read_text() for folder in (prepared, tmp_path / "again")]
    assert manifests[0] == manifests[1]


def test_killed_in_the_middle_it_goes_on_and_ends_the_same(
    data_folder, prepared, tmp_path, quiet, monkeypatch
):
    written = []
    write = data.write_shard

    def failing(path, groups):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        write(path, groups)

    monkeypatch.setattr(data, "write_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        prepare(data_folder, tmp_path / "cut", quiet, settings=SETTINGS)
    assert not (tmp_path / "cut/manifest.json").exists()
    monkeypatch.setattr(data, "write_shard", lambda path, groups: written.append(path) or write(path, groups))
    prepare(data_folder, tmp_path / "cut", quiet, settings=SETTINGS)
    assert digests(tmp_path / "cut") == digests(prepared)
    assert len(written) == len(set(written))  # what was finished was not made again


def test_other_settings_throw_the_old_shards_away(data_folder, prepared, quiet):
    before = digests(prepared)
    prepare(data_folder, prepared, quiet, settings=replace(SETTINGS, shard_questions=100))
    assert set(digests(prepared)) < set(before)


def test_fewer_questions_are_the_first_of_each_set_and_others_are_held_out_as_before(
    data_folder, prepared, tmp_path, quiet
):
    few = tmp_path / "few"
    prepare(data_folder, few, quiet, settings=replace(SETTINGS, questions=1))
    of_all = {group.id: group for group in groups_of(prepared, "train-")}
    kept = groups_of(few, "train-")
    assert sorted(group.source for group in kept) == [Source.NQ, Source.SQUAD, Source.TRIVIAQA]
    assert all(group == of_all[group.id] for group in kept)
    assert groups_of(few, "development-") == groups_of(prepared, "development-")


def test_a_missing_file_is_named(data_folder, tmp_path, quiet):
    (data_folder / "nq/train_questions.jsonl.gz").unlink()
    with pytest.raises(LoccitError, match=r"nq/train_questions.jsonl.gz is missing"):
        prepare(data_folder, tmp_path / "out", quiet, settings=SETTINGS)


def test_answers_that_match_by_accident_are_not_used():
    answers = [
        "🚁",
        "X",
        "List of deadliest helicopter crashes",
        "BH (disambiguation)",
        "Copter",
        "Helicopter",
        "7",
    ]
    assert usable(answers, "The VS-300 was a type of what?") == ("Helicopter", "Copter")
    assert usable(["Everest", "Chomolungma"], "What is Chomolungma?") == ("Everest",)
