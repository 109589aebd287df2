import json

import pytest

from evaluation.metrics.selective import aurc
from evaluation.questions import Question
from evaluation.system_answers import documents_in, read_answers
from evaluation.system_score import system_score
from tests.server_process import build

TEXT = "Ann built the first tower of Rome in 1698. It stood for five years."
QUESTIONS = [
    Question("right", "who built the first tower of Rome", ("Ann",), gold_document_id="tower"),
    Question("partly", "when was the tower of Rome built", ("1698",), gold_document_id="tower"),
    Question("silent", "how long did it stand", ("five years",), gold_document_id="tower"),
    Question("unanswerable", "who painted it", (), kind="private"),
    Question("unasked", "where is Rome", ("Italy",)),
]
RIGHT = {
    "id": "right",
    "answer": "Ann",
    "confidence": 0.9,
    "quotes": [{"quote": "Ann built the first tower of Rome", "document_id": "tower", "start": 0, "end": 33}],
    "cpu_s": 1.0,
}
PARTLY = {
    "id": "partly",
    "answer": "in 1698, it is said",
    "confidence": 0.8,
    "quotes": [
        {"quote": "tower of Rome in 1698", "document_id": "tower"},
        {"quote": "in Rome", "document_id": "tower"},
    ],
    "cpu_s": 3.0,
}
SILENT = {"id": "silent", "answer": "years", "confidence": 0.2, "abstained": True, "cpu_s": 1.0}
UNANSWERABLE = {"id": "unanswerable", "answer": None, "confidence": 0.1, "cpu_s": 1.0}


@pytest.fixture
def scored(tmp_path):
    build(tmp_path / "index", {"tower": TEXT})

    def score(*lines, looked_up=True, **options):
        path = tmp_path / "answers.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        find = documents_in(tmp_path / "index") if looked_up else None
        return system_score("theirs", read_answers(path, QUESTIONS), QUESTIONS, find, **options)

    return score


def test_answers_quotes_and_abstentions_are_counted_as_of_a_run(scored):
    report = scored(RIGHT, PARTLY, SILENT, UNANSWERABLE).report
    figures = report["sides"]["all"]
    assert (figures["questions"], figures["answerable"], report["unanswered_yet"]) == (4, 3, 1)
    assert figures["answered"] == figures["contains_answer"] == pytest.approx(2 / 3)
    assert figures["exact_match"] == pytest.approx(1 / 3)
    assert figures["exact_match_of_answered"] == 0.5
    assert figures["f1"] == pytest.approx((1 + 1 / 3) / 3)
    assert figures["abstained"] == {"answerable": pytest.approx(1 / 3), "private": 1.0}
    assert figures["abstention"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}
    assert figures["gold_document_cited"] == figures["quote_has_answer"] == pytest.approx(2 / 3)
    assert figures["quote_verbatim"] == 0.5
    assert report["quotes"] == {
        "answers": 2,
        "answers_with_quotes": 2,
        "quotes": 3,
        "looked_up": 3,
        "verbatim": 2,
        "words_median": 5,
    }
    assert report["seconds"] == {"cpu_s": 1.5}


def test_confidences_order_answers_that_are_not_given_too(scored):
    figures = scored(RIGHT, PARTLY, SILENT, UNANSWERABLE).report["sides"]["all"]
    assert figures["aurc_exact_match"] == aurc([0.9, 0.8, 0.2], [True, False, False])
    assert figures["ece"] is not None


def test_a_threshold_abstains_besides(scored):
    figures = scored(RIGHT, PARTLY, SILENT, UNANSWERABLE, min_confidence=0.85).report["sides"]["all"]
    assert figures["answered"] == pytest.approx(1 / 3)
    assert figures["exact_match_of_answered"] == 1.0


def test_without_confidences_nothing_is_claimed_of_them(scored):
    score = scored({key: value for key, value in RIGHT.items() if key != "confidence"}, UNANSWERABLE)
    figures = score.report["sides"]["all"]
    assert figures["answered"] == figures["exact_match"] == 1.0
    assert {figures[name] for name in ("aurc", "ece", "brier", "aurc_exact_match")} == {None}
    assert not [table.title for table in score.tables if "onfiden" in table.title]


def test_a_system_that_quotes_nothing_is_scored_by_its_answers(scored):
    score = scored({"id": "right", "answer": "Ann"}, {"id": "partly", "answer": "1699"})
    figures = score.report["sides"]["all"]
    assert (figures["exact_match"], figures["right_of_answered"], figures["quote_verbatim"]) == (
        0.5,
        0.5,
        None,
    )
    assert score.report["quotes"]["words_median"] is None
    assert "There are no quotes to check" in score.headline


def test_the_report_is_written_for_programs_and_for_people(scored, tmp_path):
    score = scored(RIGHT, PARTLY, SILENT, UNANSWERABLE)
    score.write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == json.loads(json.dumps(score.report))
    shown = (tmp_path / "out" / "report.md").read_text()
    assert "Answers of theirs" in shown
    assert "| looked up in their document | 3 |" in shown
    assert "| of them verbatim there | 66.7% |" in shown


def test_without_the_documents_nothing_is_said_of_what_stands_in_them(scored):
    score = scored(RIGHT, PARTLY, UNANSWERABLE, looked_up=False)
    assert score.report["sides"]["all"]["quote_verbatim"] is None
    assert score.report["quotes"] == {
        "answers": 2,
        "answers_with_quotes": 2,
        "quotes": 3,
        "looked_up": 0,
        "verbatim": 0,
        "words_median": 5,
    }
    assert ("of them verbatim there", "-") in score.tables[-1].rows
    assert "the documents that they come from are not at hand" in score.headline
    # a document that comes with the answer is looked in all the same; one that --documents lack is not there
    brought = {**RIGHT, "documents": [{"document_id": "tower", "text": TEXT}]}
    figures = scored(brought, PARTLY, looked_up=False).report
    assert (figures["quotes"]["looked_up"], figures["quotes"]["verbatim"]) == (1, 1)
    elsewhere = {**RIGHT, "quotes": [{"quote": "Ann", "document_id": "nowhere"}]}
    assert scored(elsewhere).report["sides"]["all"]["quote_verbatim"] == 0.0
