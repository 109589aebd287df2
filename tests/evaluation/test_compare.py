import json
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import LoccitError
from evaluation.compare import compare
from evaluation.questions import Question, Side, side_of
from evaluation.report.comparison import comparison_tables
from evaluation.score import scored
from tests.small_run import QUESTIONS

MANY = [
    Question(f"m{n}", f"who built Eddystone tower {n}", ("Henry Winstanley",), title="Eddystone")
    for n in range(40)
]


BUILT = "Henry Winstanley built the first tower at Eddystone."
LONG = [
    replace(one, answers=(BUILT,), selected_sentences=(BUILT,), gold_document_id="Eddystone.txt")
    for one in MANY
]


def with_answers(folder, answer_of, confidence_of=lambda id_: 0.5):
    """The run with other answers and confidences."""
    path = folder / "predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        answer, confidence = answer_of(line["id"]), confidence_of(line["id"])
        line["trace"]["decision"].update(answer=answer, short_answer=answer, confidence=confidence)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def compared(*folders):
    return compare({folder: scored(folder) for folder in folders})


def test_runs_are_compared_on_the_answerable_test_questions_that_they_share(run):
    first, second = run(MANY), run([*MANY[:20], QUESTIONS[2]], out="second")
    test = [one for one in MANY[:20] if side_of(one.question) is Side.TEST]
    comparison = compared(first, second)
    assert (comparison.questions, comparison.side) == (len(test), "test")
    assert [column.name for column in comparison.columns] == ["run", "second"]
    assert 0 < len(test) < 20


def test_the_difference_is_from_the_first_run_with_an_interval_around_it(run):
    right = run(MANY)
    half = with_answers(
        run(MANY, out="half"), lambda id_: "Henry Winstanley" if int(id_[1:]) % 2 else "nobody"
    )
    first, second = compared(right, half).columns
    figure = second.figures["exact_match"]
    assert first.figures["exact_match"].value == 1.0
    assert first.figures["exact_match"].difference is None
    assert figure.difference == pytest.approx(figure.value - 1.0)
    assert figure.low < figure.difference < figure.high < 0
    assert figure.differs
    assert not second.figures["gold_document_cited"].differs


def test_equal_runs_do_not_differ(run):
    _, second = compared(run(MANY), run(MANY, out="second")).columns
    for name, figure in second.figures.items():
        assert not figure.differs, name
        assert figure.difference in (None, 0.0)


def test_aurc_differs_when_the_confidences_do(run):
    def answer(id_):
        return "Henry Winstanley" if int(id_[1:]) % 2 else "nobody"

    ordered = with_answers(run(MANY, out="ordered"), answer, lambda id_: 0.9 if int(id_[1:]) % 2 else 0.1)
    upside_down = with_answers(run(MANY, out="down"), answer, lambda id_: 0.1 if int(id_[1:]) % 2 else 0.9)
    first, second = compared(ordered, upside_down).columns
    figure = second.figures["aurc"]
    assert figure.value > first.figures["aurc"].value
    assert figure.difference == pytest.approx(figure.value - first.figures["aurc"].value)
    assert figure.differs
    assert 0 < figure.low < figure.difference < figure.high


def test_one_run_is_no_comparison(run):
    with pytest.raises(LoccitError, match=r"^One run cannot be compared; give two or more different ones\.$"):
        compared(run())


def test_runs_that_share_no_question_are_no_comparison(run):
    with pytest.raises(LoccitError, match=r"^The runs share no answerable question; predict the same"):
        compared(run(QUESTIONS), run(MANY, out="second"))


def test_the_tables_show_value_and_difference(run):
    half = with_answers(
        run(MANY, out="half"), lambda id_: "Henry Winstanley" if int(id_[1:]) % 2 else "nobody"
    )
    comparison = compared(run(MANY), half)
    named, values, differences = comparison_tables(comparison)
    figure = comparison.columns[1].figures["exact_match"]
    assert named.rows[0] == ("run", "the service as it is set")
    assert values.rows[0][:2] == ("run", "100.0")
    assert values.rows[1][:2] == ("half", f"{100 * figure.value:.1f}*")
    assert differences.rows[0] == (
        "half",
        "exact match",
        *(f"{100 * value:+.1f}" for value in (figure.difference, figure.low, figure.high)),
    )


def test_long_answers_have_a_table_of_their_own_and_are_among_the_differences(run):
    right = with_answers(run(LONG), lambda id_: BUILT)
    half = with_answers(run(LONG, out="half"), lambda id_: BUILT if int(id_[1:]) % 2 else "nobody")
    comparison = compared(right, half)
    figure = comparison.columns[1].figures["rouge_l"]
    assert 0 < figure.value < 1
    assert figure.difference == pytest.approx(figure.value - 1.0)
    assert figure.low < figure.difference < figure.high < 0
    _, values, long, differences = comparison_tables(comparison)
    assert long.title == "Long answers, test"
    assert long.columns == ("run", "ROUGE-L", "citation precision", "citation recall")
    assert long.rows == (
        ("run", "100.0", "100.0", "100.0"),
        ("half", f"{100 * figure.value:.1f}*", "100.0", "100.0"),
    )
    assert "ROUGE-L" not in values.columns
    shown = [f"{100 * value:+.1f}" for value in (figure.difference, figure.low, figure.high)]
    assert ("half", "ROUGE-L", *shown) in differences.rows


def test_only_runs_whose_long_answers_are_scored_are_in_their_table(run):
    scored_long, before = run(LONG), run(LONG, out="before")
    path = before / "predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        del line["selected_sentences"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    _, values, long, differences = comparison_tables(compared(scored_long, before))
    assert [row[0] for row in values.rows] == ["run", "before"]
    assert [row[0] for row in long.rows] == ["run"]
    assert "ROUGE-L" not in [row[1] for row in differences.rows]


def test_other_questions_under_the_same_ids_are_not_shared(run):
    other = [replace(one, question=f"{one.question}?") for one in MANY[:10]]
    with pytest.raises(LoccitError, match=r"^The runs share no answerable question"):
        compared(run(MANY[:10]), run(other, out="second"))
    assert compared(run(MANY, out="m"), run([*other, *MANY[10:]], out="third")).questions == sum(
        side_of(one.question) is Side.TEST for one in MANY[10:]
    )


def test_runs_whose_folders_are_named_alike_are_told_apart(run, tmp_path):
    first = run(MANY[:4])
    second = run(MANY[:4], out="elsewhere/run")
    assert [column.name for column in compared(first, second).columns] == [str(first), str(second)]


def test_a_run_is_named_even_where_it_is_the_current_folder(run, monkeypatch):
    first, second = run(MANY[:4]), run(MANY[:4], out="second")
    monkeypatch.chdir(second)
    assert [column.name for column in compared(first, Path()).columns] == ["run", "second"]


def test_runs_without_quotes_are_compared_by_their_answers_alone(run):
    _, closed = compared(run(), run(configuration="closed-book", out="closed")).columns
    for name in (
        "candidate_exact_match",
        "correct_and_supported",
        "supported",
        "quote_has_answer",
        "gold_document_cited",
    ):
        assert closed.figures[name].value is None
    assert closed.figures["exact_match"].value is not None
    assert closed.figures["aurc"].value is not None
