import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from app.answering.cite import SentenceCiter
from app.answering.generator import LMGenerator
from app.answering.options import AnswerOptions
from app.answering.overlap import Overlap
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader
from app.answering.support import LexicalSupport
from evaluation.predict import predict, read_predictions
from evaluation.questions import Question, Side, sha256_of_questions, side_of
from evaluation.report import show, show_thresholds
from evaluation.score import score
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.errors import LoccitError
from retriever.index import open_index
from retriever.passages import PassageSettings
from retriever.retriever import IndexRetriever
from tests.fakes import ScriptedLM

QUESTIONS = [
    Question(
        "q1", "who built the first Eddystone tower", ("Winstanley", "Henry Winstanley"), title="Eddystone"
    ),
    Question("q2", "when did the horse tram run in Lisbon", ("1873",), title="Trams"),
    Question("q3", "what is my aunt's phone number", (), kind="private"),
]


@pytest.fixture
def lm():
    return ScriptedLM({"aunt": "", "Eddystone tower": "Henry Winstanley", "Lisbon": "1901"})


@pytest.fixture
def run(tmp_path, encoder, quiet, lm):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "Eddystone.txt").write_text("Henry Winstanley built the first tower at Eddystone.")
    (tmp_path / "texts" / "Trams.txt").write_text(
        "In Lisbon a horse tram ran in 1873. Electric ones came in 1901."
    )
    directory = tmp_path / "index"
    build_index(
        [open_corpus(str(tmp_path / "texts"))],
        directory,
        encoder=encoder,
        settings=PassageSettings(),
        strict=True,
        console=quiet,
    )
    index = open_index(directory, encoder)
    overlap = Overlap(index.lexical)
    pipeline = Pipeline(
        IndexRetriever(index, encoder),
        LexicalReader(overlap, encoder),
        LMGenerator(lm),
        SentenceCiter(overlap),
        LexicalSupport(overlap, encoder),
        AnswerOptions(min_confidence=0.99),
    )
    description = {"settings": {"index": str(directory)}, "generation": index.generation}

    def predicted(questions=QUESTIONS, **changes):
        predict(questions, pipeline, {**description, **changes}, tmp_path / "run", quiet)
        return tmp_path / "run"

    return predicted


def test_predictions_keep_the_would_be_answer_whatever_the_threshold(run):
    lines = read_predictions(run())
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    assert lines[0]["trace"]["decision"]["answer"] == "Henry Winstanley"
    assert lines[2]["trace"]["decision"]["abstain_reason"] == "no_candidate"


def test_an_interrupted_run_is_continued_without_asking_twice(run, lm):
    path = run() / "predictions.jsonl"
    whole, asked = path.read_bytes(), len(lm.calls)
    first, second, _ = whole.splitlines(keepends=True)
    path.write_bytes(first + second[:-20])  # the second line was cut short
    run()
    assert len(lm.calls) == 2 * asked - 2  # but for the first, with a greedy and a sampled round
    assert [line["id"] for line in read_predictions(path.parent)] == ["q1", "q2", "q3"]
    assert path.read_bytes().splitlines(keepends=True)[0] == first


def test_a_line_cut_inside_a_character_is_answered_again(run):
    path = run() / "predictions.jsonl"
    first, second, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:9] + "é".encode()[:1])
    run()
    assert [line["id"] for line in read_predictions(path.parent)] == ["q1", "q2", "q3"]


def test_continuing_touches_no_whole_line(run):
    path = run() / "predictions.jsonl"
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    run()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_run_with_other_settings_or_questions_is_not_continued(run):
    folder = run()
    before = (folder / "predictions.jsonl").read_bytes()
    with pytest.raises(LoccitError, match="holds a run with other settings, models, index or questions"):
        run(generation="another")
    with pytest.raises(LoccitError, match="holds a run with other settings, models, index or questions"):
        run([*QUESTIONS[:2], replace(QUESTIONS[2], question="what is my uncle's phone number")])
    assert (folder / "predictions.jsonl").read_bytes() == before


def test_the_description_of_a_run_is_written_once_and_names_the_questions(run):
    path = run() / "run.json"
    assert json.loads(path.read_bytes())["questions_sha256"] == sha256_of_questions(QUESTIONS)
    before = (path.stat().st_mtime_ns, path.stat().st_ino)
    run()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert not (path.parent / "run.json.new").exists()


@pytest.mark.parametrize("damaged", [b"{", b"\xff", b"[]"])
def test_a_damaged_description_is_a_sentence(run, damaged):
    folder = run()
    (folder / "run.json").write_bytes(damaged)
    with pytest.raises(LoccitError, match=r"run\.json (cannot be read|holds no JSON object)"):
        run()
    with pytest.raises(LoccitError, match=r"run\.json (cannot be read|holds no JSON object)"):
        score(folder, min_confidence=0.5)


def test_scoring_without_a_description_is_a_sentence(run):
    folder = run()
    (folder / "run.json").unlink()
    with pytest.raises(LoccitError, match=r"run\.json cannot be read .* make them again"):
        score(folder, min_confidence=0.5)


@pytest.mark.parametrize("damaged", [b"{", b'"\xff"', b"[]", b'{"id": "q2"}'])
def test_a_damaged_line_is_named(run, damaged):
    path = run() / "predictions.jsonl"
    first, _, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damaged + b"\n" + third)
    with pytest.raises(LoccitError, match=r"predictions\.jsonl:2 is damaged"):
        read_predictions(path.parent)
    with pytest.raises(LoccitError, match=r"predictions\.jsonl:2 is damaged"):
        run()


def test_the_report_counts_what_was_right_quoted_and_abstained(run):
    folder = run()
    report = score(folder, min_confidence=0.0)
    assert report["questions"] == 3
    assert report["exact_match"] == 0.5
    assert report["exact_match_of_answered"] == 0.5
    assert report["quote_has_answer"] == 0.5
    assert report["quote_verbatim"] == 1.0
    assert report["article_retrieved"] == report["article_cited"] == 1.0
    assert report["abstained"] == {"answerable": 0.0, "private": 1.0}
    assert json.loads((folder / "report.json").read_text()) == report


def test_at_a_high_threshold_everything_is_abstained_and_counts_as_wrong(run):
    report = score(run(), min_confidence=1.0)
    assert report["exact_match"] == 0.0
    assert report["exact_match_of_answered"] is None
    assert report["exact_match_without_threshold"] == 0.5
    assert report["abstained"] == {"answerable": 1.0, "private": 1.0}


def test_a_quote_that_was_tampered_with_is_not_verbatim(run):
    path = run() / "predictions.jsonl"
    path.write_text(path.read_text().replace('"quote": "Henry', '"quote": "Harry'))
    assert score(path.parent, min_confidence=0.0)["quote_verbatim"] < 1.0


@pytest.mark.parametrize("place", ["alternatives", "cited"])
def test_the_quotes_of_alternatives_and_of_every_candidate_are_checked(run, place):
    path = run(QUESTIONS[:1]) / "predictions.jsonl"
    line = json.loads(path.read_bytes())
    owner = line["trace"]["decision"] if place == "alternatives" else line["trace"]
    other = {"citations": line["trace"]["decision"]["citations"]}
    for quote, share in ((other["citations"][0]["quote"], 1.0), ("Harry", 0.0)):
        owner[place] = [{"citations": [{**other["citations"][0], "quote": quote}]}]
        path.write_text(json.dumps(line) + "\n")
        assert score(path.parent, min_confidence=0.0)["quote_verbatim"] == share


def test_articles_count_only_where_the_question_names_one(run):
    untitled = [QUESTIONS[0], replace(QUESTIONS[1], title=None)]
    report = score(run(untitled), min_confidence=0.0)
    assert report["article_retrieved"] == report["article_cited"] == 1.0
    assert score(run(untitled), min_confidence=1.0)["article_cited"] == 0.0


def test_a_side_without_answerable_questions_has_no_share_answered(run):
    report = score(run(QUESTIONS[2:]), min_confidence=0.5)
    assert report["f1"] is report["article_cited"] is report["ece"] is report["aurc"] is None
    for row in report["thresholds"]:
        assert [row[side]["answered"] for side in Side] == [None, None]


def test_the_share_answered_is_that_at_the_threshold(run):
    report = score(run(), min_confidence=0.5)
    sides = {side_of(question.question) for question in QUESTIONS[:2]}
    for side in sides:
        assert report["thresholds"][0][side]["answered"] == 1.0


def test_ece_and_aurc_are_those_of_the_confidences(run):
    folder = run()
    report = score(folder, min_confidence=1.0)
    right, wrong = (line["trace"]["decision"]["confidence"] for line in read_predictions(folder)[:2])
    assert report["ece"] == pytest.approx((abs(right - 1) + wrong) / 2)
    first_risk = 0 if right > wrong else 0.5 if right == wrong else 1
    assert report["aurc"] == pytest.approx((first_risk + 0.5) / 2)


def test_the_report_fits_80_columns(run):
    console = Console(file=StringIO(), width=80)
    report = score(run(), min_confidence=0.0)
    show(report, console)
    show_thresholds(report, console)
    lines = [" ".join(line.split()) for line in console.file.getvalue().split("\n")]
    sides = report["sides"].values()
    for name, label in (("ece", "ECE: 10 bins, right = exact match"), ("aurc", "AURC of the answerable")):
        cells = ["-" if one[name] is None else f"{one[name]:.3f}" for one in (report, *sides)]
        assert f"{label} {' '.join(cells)}" in lines
    assert "The confidence is a score that orders answers; it is not calibrated." in lines
    assert lines.count("min_confidence answered exact match of answered unanswerable abstained") == 2
    assert any(line.startswith("quote stands verbatim in the stored document 100.0%") for line in lines)


def test_a_folder_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match="holds no predictions; make them with `loccit evaluate predict own"
    ):
        score(tmp_path, min_confidence=0.5)
