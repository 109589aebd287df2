"""Questions with their Wikipedia passage: which are used, where their answers stand, and what is held out."""

import json

import pytest

from tests.training.conftest import write_lines
from training.data.corpus import open_store
from training.data.held_out import evaluation_files, normalised_question
from training.data.mining import MiningSettings
from training.data.prepare import DataSettings, prepare
from training.data.prepared import PreparedData
from training.data.qed import LONGEST_ANSWER, qed_articles
from training.data.question import Source
from training.data.shards import read_shard, shards

SETTINGS = DataSettings(
    mining=MiningSettings(depth=10, positives=2, negatives=3, of_article=1),
    development_questions=1,
    development_articles=0.5,
    elsewhere=1.0,
)


def row(question, context, *answers, title="Ferry", **more):
    spans = [[context.index(answer), context.index(answer) + len(answer)] for answer in answers]
    return {
        "question": question, "title": title, "context": context, "answers": list(answers), "answerable": True,
        "answer_spans": spans, **more,
    }  # fmt: skip


CONTEXT = "The ferry ( 1911 ) sails on May 3 , 2018 , its captain 's wish ."


@pytest.fixture
def with_qed(data_folder):
    """The toy's data folder with rows of QED."""
    path = data_folder / "evidence/qed_nq_train.jsonl.gz"
    write_lines(
        path,
        [
            row(f"when did ferry {n} leave its harbour", CONTEXT, "May 3 , 2018", title=f"Ferry {n}")
            for n in range(8)
        ]
        + [
            row("When was the harbour of Dover opened?", CONTEXT, "1911", title="Dover"),
            row("who kept the seen one", CONTEXT, "captain", passage_in_eval=True),
        ],
    )
    write_lines(
        data_folder / "evidence/boolq_dev.jsonl.gz", [{"question": "when did ferry 1 leave its harbour"}]
    )
    return data_folder


def articles(tmp_path, *rows, unwanted=frozenset()):
    path = tmp_path / "qed.jsonl.gz"
    write_lines(path, rows)
    return qed_articles(path, set(unwanted))


def test_answers_and_context_are_text_as_people_write_it(tmp_path):
    ((article,), removed) = articles(tmp_path, row("when does it sail", CONTEXT, "May 3 , 2018", "1911"))
    (asked,) = article.questions
    assert asked.context == "The ferry (1911) sails on May 3, 2018, its captain's wish."
    assert asked.question.answers == ("May 3, 2018", "1911")
    assert [span.of(asked.context) for span in asked.spans] == ["May 3, 2018", "1911"]
    assert (article.source, article.title, removed) == (Source.QED, "Ferry", 0)


def test_rows_without_a_short_answer_or_with_a_passage_of_an_evaluation_are_left_out(tmp_path):
    long = " ".join("abcdefghi"[: LONGEST_ANSWER + 1])
    found, removed = articles(
        tmp_path,
        row("what is it", f"It is {long} .", long),
        row("what is there", "Nothing .") | {"answers": [""], "answer_spans": [[-1, -1]]},
        row("who saw it", CONTEXT, "captain", passage_in_eval=True),
        row("who did not", CONTEXT) | {"answerable": False},
    )
    assert (found, removed) == ([], 0)


def test_unwanted_questions_are_counted(tmp_path):
    rows = [row("Who is the captain", CONTEXT, "captain"), row("when", CONTEXT, "1911")]
    found, removed = articles(tmp_path, *rows, unwanted={"who is captain"})
    assert ([asked.question.text for one in found for asked in one.questions], removed) == (["when"], 1)


def test_evidence_is_no_evaluation_file(with_qed):
    names = [path.relative_to(with_qed).as_posix() for path in evaluation_files(with_qed)]
    assert names == ["clapnq/dev.jsonl.gz", "nq/open_dev_with_gold.jsonl", "truthfulqa/questions.jsonl"]


def test_questions_of_evaluations_are_dropped_and_articles_held_out(with_qed, tmp_path, quiet):
    manifest = prepare(with_qed, tmp_path / "out", quiet, settings=SETTINGS)
    store = open_store(tmp_path / "out/corpus")

    def groups(prefix):
        paths = shards(tmp_path / "out/groups", prefix)
        return [record.group(store) for path in paths for record in read_shard(path)]

    trained, held_out = groups("train-qed"), groups("development-qed")
    assert manifest["removed"]["qed"] == 1
    assert manifest["counts"]["train-qed"]["groups"] == len(trained) > 0
    assert len(held_out) == 1
    assert not {normalised_question(one.question) for one in trained + held_out} & {
        "when was harbour of dover opened",
        "who kept seen one",
    }
    assert not {one.question for one in held_out} & {one.question for one in groups("train-")}
    for group in trained:
        (positive,) = group.positives
        assert positive.passage.doc_id.startswith("qed/Ferry")
        assert [span.of(positive.passage.window) for span in positive.answers] == ["May 3, 2018"]
        assert group.negatives
        assert all(one.passage.title.endswith(" harbour") for one in group.negatives)


def test_a_question_held_out_of_qed_is_not_trained_on_as_another_source(with_qed, tmp_path, quiet):
    prepare(with_qed, tmp_path / "first", quiet, settings=SETTINGS)
    held_out = [
        record for path in shards(tmp_path / "first/groups", "development-qed") for record in read_shard(path)
    ]
    question = held_out[0].question
    with (with_qed / "triviaqa/train_questions.jsonl.gz").open("rb") as file:
        assert question.encode() not in file.read()
    write_lines(
        with_qed / "triviaqa/train_questions.jsonl.gz",
        [{"question": question, "answers": ["stone"]}]
        + [{"question": f"who kept the lighthouse of {n}", "answers": [f"Keeper{n}"]} for n in range(6)],
    )
    prepare(with_qed, tmp_path / "second", quiet, settings=SETTINGS)
    data = PreparedData(tmp_path / "second")
    assert question not in {one.question for some in data.training().values() for one in some}


def test_without_the_file_everything_is_as_it_was(data_folder, tmp_path, quiet):
    manifest = prepare(data_folder, tmp_path / "out", quiet, settings=SETTINGS)
    assert set(manifest["removed"]) == {"nq", "triviaqa", "squad"}
    assert not any("qed" in name for name in manifest["shards"])
    assert json.loads((tmp_path / "out/manifest.json").read_text()) == manifest
