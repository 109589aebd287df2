import json
import re

import pytest
from typer.main import get_command

from app.cli import cli
from evaluation import downloads
from evaluation.configurations import CONFIGURATIONS
from evaluation.downloads import SOURCES, QuestionSet
from evaluation.questions import PACKAGED

QUESTIONS = [
    {
        "question": "who built the first Eddystone tower that a storm took",
        "answers": ["Henry Winstanley"],
        "gold_document_id": "towers.md",
    },
    {"question": "when did a horse tram run in Lisbon", "answers": ["1873"], "gold_document_id": "trams.txt"},
]

STRICTLY = ("--fail-on", "fabricated,nearly,from_another_document,misplaced,no_quotes")


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS), encoding="utf-8")
    return path


@pytest.fixture
def evaluate(loccit, notes_index, tmp_path):
    """Runs `loccit evaluate COMMAND QUESTIONS` on the small index, without a language model."""

    def run(command, questions, name, *options):
        return loccit(
            *("evaluate", command, questions, "--index", notes_index, "--out", tmp_path / name),
            *(() if "--configuration" in options else ("--generator", "reader")),
            *options,
        )

    return run


def test_predicting_and_scoring_leave_a_run_with_its_reports(evaluate, questions, loccit, tmp_path):
    assert evaluate("predict", questions, "run")[0] == 0
    status, shown, _ = loccit("evaluate", "score", tmp_path / "run", "--thresholds")
    assert status == 0
    assert "quote stands verbatim in the stored document" in shown
    assert "Thresholds, calibrate" in shown
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"predictions.jsonl", "run.json", "report.json", "report.md", "report.html"}
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["sides"]["all"]["quote_verbatim"] == 1.0
    assert "who built the first Eddystone tower" in (tmp_path / "run" / "report.html").read_text(
        encoding="utf-8"
    )
    assert "| quote stands verbatim in the stored document | 100.0% |" in (
        tmp_path / "run" / "report.md"
    ).read_text(encoding="utf-8")


def reported(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_a_run_keeps_the_threshold_it_answers_with_and_is_scored_at_it(evaluate, questions, loccit, tmp_path):
    evaluate("predict", questions, "run", "--reader", "lexical")
    run = tmp_path / "run"
    description = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert description["settings"]["min_confidence"] is None
    assert description["min_confidence"] == 0.55  # no calibrator knows these models
    loccit("evaluate", "score", run)
    assert reported(run)["min_confidence"] == 0.55
    (run / "run.json").write_text(json.dumps({**description, "min_confidence": 0.3}), encoding="utf-8")
    loccit("evaluate", "score", run)
    assert reported(run)["min_confidence"] == 0.3


@pytest.mark.parametrize(("told", "answered"), [(0.0, 1.0), (1.0, 0.0)])
def test_told_another_threshold_a_run_is_scored_at_that(
    evaluate, questions, loccit, tmp_path, told, answered
):
    evaluate("predict", questions, "run")
    assert loccit("evaluate", "score", tmp_path / "run", "--min-confidence", told)[0] == 0
    report = reported(tmp_path / "run")
    assert (report["min_confidence"], report["sides"]["all"]["answered"]) == (told, answered)


def test_a_threshold_of_the_environment_is_the_one_a_run_answers_with(
    evaluate, questions, loccit, tmp_path, monkeypatch
):
    monkeypatch.setenv("LOCCIT_MIN_CONFIDENCE", "0.25")
    evaluate("nq", questions, "run")
    monkeypatch.delenv("LOCCIT_MIN_CONFIDENCE")
    assert reported(tmp_path / "run")["min_confidence"] == 0.25
    loccit("evaluate", "score", tmp_path / "run")
    assert reported(tmp_path / "run")["min_confidence"] == 0.25


def test_a_target_accuracy_of_the_environment_that_nothing_promises_is_no_reason_not_to_predict(
    evaluate, questions, tmp_path, monkeypatch
):
    monkeypatch.setenv("LOCCIT_TARGET_ACCURACY", "0.8")
    status, _, said = evaluate("predict", questions, "run", "--reader", "lexical")
    assert status == 0, said
    description = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert (description["settings"]["target_accuracy"], description["min_confidence"]) == (0.8, 0.55)


def test_a_run_that_does_not_say_its_threshold_is_of_another_version(evaluate, questions, loccit, tmp_path):
    evaluate("predict", questions, "run")
    path = tmp_path / "run" / "run.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    del description["min_confidence"]
    path.write_text(json.dumps(description), encoding="utf-8")
    status, _, said = loccit("evaluate", "score", tmp_path / "run")
    assert status == 1
    assert "lacks min_confidence: another version of Loccit made this run" in " ".join(said.split())


def test_nq_predicts_and_scores_in_one_go(evaluate, questions, tmp_path):
    status, shown, _ = evaluate("nq", questions, "run", "--without-gold")
    assert status == 0
    assert "asked without their gold document" in shown
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["sides"]["all"]["questions"] == 4


@pytest.fixture
def long_questions(tmp_path):
    """A question with its own passage and a long answer, in ClapNQ's form."""
    sentences = ["The Marwick ferry sails twice a day .", "It is red .", "It first sailed in 1911 ."]
    chosen = [sentences[0], sentences[2]]
    record = {
        "id": "1",
        "input": "when did the marwick ferry first sail",
        "passages": [{"title": "Marwick ferry", "text": " ".join(sentences), "sentences": sentences}],
        "output": [{"answer": "It first sailed in 1911 , twice a day .", "selected_sentences": chosen}],
        "answerable": True,
    }
    path = tmp_path / "clapnq.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return path


def test_one_command_evaluates_long_answers(evaluate, long_questions, loccit, tmp_path):
    options = ("--reader", "lexical", "--length", "long")
    status, shown, _ = evaluate("nq", long_questions, "run", *options)
    assert status == 0
    assert "ROUGE-L F1, if it never abstained" in shown
    assert loccit("evaluate", "score", tmp_path / "run", "--min-confidence", 0)[0] == 0
    report = reported(tmp_path / "run")["sides"]["all"]
    # all three sentences, two of which were chosen. In order come "it first sail in 1911" of 15 words and of 8.
    assert report["rouge_l"] == report["rouge_l_of_answered"] == pytest.approx(2 * 5 / (15 + 8))
    assert report["citation_precision"] == pytest.approx(2 / 3)
    assert (report["citation_recall"], report["answer_sentences"]) == (1.0, 3)
    assert report["quote_verbatim"] == 1.0
    description = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert description["settings"]["length"] == "long"


def test_a_long_run_takes_over_the_stages_of_a_short_one_and_passes_the_check(
    evaluate, questions, loccit, notes_index, tmp_path
):
    lexical = ("--reader", "lexical")
    assert evaluate("predict", questions, "short", *lexical)[0] == 0
    taken = ("--from", tmp_path / "short", "--length", "long")
    assert evaluate("predict", questions, "long", *lexical, *taken)[0] == 0
    predictions = tmp_path / "long" / "predictions.jsonl"
    decisions = [
        json.loads(line)["trace"]["decision"] for line in predictions.read_text(encoding="utf-8").splitlines()
    ]
    assert max(len(decision["citations"]) for decision in decisions) > 1
    assert loccit("check", predictions, "--index", notes_index, *STRICTLY)[0] == 0
    for name in ("short", "long"):
        loccit("evaluate", "score", tmp_path / name, "--min-confidence", 0)
    short, long = (reported(tmp_path / name) for name in ("short", "long"))
    for figure in ("exact_match", "f1", "supported", "quote_has_answer", "gold_document_cited", "ece"):
        assert long[figure] == short[figure], figure


def test_runs_are_compared_side_by_side_and_with_what_others_published(evaluate, questions, loccit, tmp_path):
    evaluate("predict", questions, "full")
    evaluate("predict", questions, "first", "--configuration", "first-sentence")
    status, shown, _ = loccit(
        "evaluate",
        "compare",
        tmp_path / "full",
        tmp_path / "first",
        "--published",
        "--out",
        tmp_path / "c.md",
    )
    assert status == 0
    assert "first sentence of the best lexical hit" in shown
    assert "GopherCite, 280B" in shown
    assert "| first | first sentence of the best lexical hit |" in (tmp_path / "c.md").read_text(
        encoding="utf-8"
    )


def test_an_earlier_runs_stages_are_taken_over(evaluate, questions, tmp_path):
    evaluate("predict", questions, "full")
    status, _, _ = evaluate("predict", questions, "again", "--from", tmp_path / "full")
    assert status == 0
    lines = [
        json.loads((tmp_path / name / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
        for name in ("full", "again")
    ]
    assert lines[0]["trace"]["timings_ms"]["read"] == lines[1]["trace"]["timings_ms"]["read"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--configuration", "best"], "There is no configuration 'best'; give one of full,"),
        (["--side", "left"], "There is no side 'left'; give calibrate or test."),
        (
            ["--configuration", "lexical", "--retrieval", "dense"],
            "This configuration sets retrieval to lexical, so --retrieval dense does not go with it; leave it out.",
        ),
        (
            ["--configuration", "closed-book"],
            "This configuration sets generator to lm, so --generator reader does not go with it; leave it out.",
        ),
        (
            ["--configuration", "top-passage"],
            "This configuration sets generator to lm, so --generator reader does not go with it; leave it out.",
        ),
        (["--from", "nowhere"], "nowhere/run.json cannot be read"),
    ],
)
def test_what_does_not_go_is_one_sentence(evaluate, questions, options, sentence):
    status, _, said = evaluate(
        "predict",
        questions,
        "run",
        *options,
        *(["--generator", "reader"] if "--configuration" in options else []),
    )
    assert status == 1
    assert sentence in " ".join(said.split())


def test_the_help_names_every_configuration(loccit):
    _, shown, _ = loccit("evaluate", "predict", "--help")
    said = " ".join(shown.replace("│", " ").split())
    for name in CONFIGURATIONS:
        assert name in said


def test_a_download_says_what_comes_next(loccit, monkeypatch, tmp_path):
    asked = []

    def download(name, directory, console):
        asked.append(name)
        return QuestionSet(
            name, tmp_path / "q.jsonl", tmp_path / "p.jsonl" if name == "nq-gold" else None, "MIT"
        )

    monkeypatch.setattr(downloads, "download", download)
    status, shown, _ = loccit("evaluate", "--download", "nq-gold")
    assert status == 0
    assert f"loccit index build '{tmp_path / 'p.jsonl'}' vital-articles --out data/indexes/nq-gold" in shown
    assert (
        "loccit evaluate nq nq-gold --index data/indexes/nq-gold --out runs/nq-gold --without-gold" in shown
    )
    _, shown, _ = loccit("evaluate", "--download", "nq-open")
    assert "loccit evaluate nq nq-open --index DIR --out runs/nq-open" in shown
    assert asked == ["nq-gold", "nq-open"]


def test_an_unknown_download_is_a_sentence(loccit):
    status, _, said = loccit("evaluate", "--download", "everything")
    assert status == 1
    assert "everything" in said
    assert "nq-open" in said


def test_the_citations_of_a_run_pass_the_check(evaluate, questions, loccit, notes_index, tmp_path):
    evaluate("predict", questions, "run")
    status, shown, _ = loccit(
        "check", tmp_path / "run" / "predictions.jsonl", "--index", notes_index, *STRICTLY
    )
    assert status == 0
    assert "100" in shown


def test_answers_of_another_system_are_scored(loccit, tmp_path):
    answers = tmp_path / "theirs.jsonl"
    answers.write_text('{"id": "own-001", "answer": "Amsterdam"}\n{"id": "own-002", "answer": null}\n')
    status, shown, _ = loccit("evaluate", "score", "--system", "theirs", answers, "--out", tmp_path / "out")
    assert status == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["sides"]["all"]["exact_match"] == 0.5
    assert "Not all was asked: there is no answer yet to 148 questions." in shown


def test_options_of_one_kind_of_scoring_are_refused_with_the_other(loccit, tmp_path):
    status, _, said = loccit("evaluate", "score", tmp_path, "--questions", "own")
    assert status != 0
    assert "--questions is of answers of another system; give --system too." in said
    status, _, said = loccit("evaluate", "score", tmp_path, "--system", "theirs", "--thresholds")
    assert status != 0
    assert "--thresholds is of Loccit's own runs" in said


@pytest.mark.parametrize("command", ["nq", "predict"])
def test_the_help_names_every_set_of_questions_that_is_known_by_name(command):
    (questions,) = [
        parameter
        for parameter in get_command(cli).commands["evaluate"].commands[command].params
        if parameter.name == "questions"
    ]
    assert [name for name in (*PACKAGED, *SOURCES) if not re.search(rf"\b{name}\b", questions.help)] == []
