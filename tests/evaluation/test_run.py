import json

import pytest

from app.answering.cite import SentenceCiter
from app.answering.generator import LMGenerator
from app.answering.options import AnswerOptions
from app.answering.overlap import Overlap
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader
from app.answering.support import LexicalSupport
from evaluation.predict import predict, read_predictions
from evaluation.questions import Question
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
    path = run(QUESTIONS[:2]) / "predictions.jsonl"
    whole, asked = path.read_text(), len(lm.calls)
    path.write_text(whole[:-20])  # the second line was cut short
    run()
    assert len(lm.calls) == asked + 4  # two questions, each with a greedy and a sampled round
    lines = read_predictions(path.parent)
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    assert json.dumps(lines[0], ensure_ascii=False) == whole.split("\n")[0]


def test_a_run_with_other_settings_is_not_continued(run):
    run()
    with pytest.raises(LoccitError, match="holds a run with other settings, models or index"):
        run(generation="another")


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


def test_a_folder_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match="holds no predictions; make them with `loccit evaluate predict own"
    ):
        score(tmp_path, min_confidence=0.5)
