import fcntl
import json
from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from common.errors import LoccitError
from evaluation.predict import RANKING_DEPTH, predict
from evaluation.questions import Question, sha256_of_questions
from evaluation.run_folder import read_predictions
from evaluation.slices import WITHOUT_GOLD, with_unanswerable
from tests.small_run import QUESTIONS


def test_predictions_keep_the_would_be_answer_whatever_the_threshold(run):
    lines = read_predictions(run())
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    assert lines[0]["trace"]["decision"]["answer"] == "Henry Winstanley"
    assert lines[2]["trace"]["decision"]["abstain_reason"] == "no_candidate"


def test_the_ranking_gives_the_place_of_every_passage_best_first(run, service):
    line = read_predictions(run())[0]
    hits = service.pipeline.retriever.retrieve(line["question"], k=RANKING_DEPTH)
    assert line["ranking"] == [
        [hit.passage.doc_id, hit.passage.span.start, hit.passage.span.end] for hit in hits
    ]
    assert line["ranking"][0][:2] == ["Eddystone.txt", 0]


def test_without_its_gold_document_a_question_is_answered_from_the_others(run):
    lines = read_predictions(run(with_unanswerable(QUESTIONS[:2])))
    assert [line["id"] for line in lines] == ["q1", "q1/without-gold", "q2", "q2/without-gold"]
    for line in lines:
        found = {document_id for document_id, _, _ in line["ranking"]}
        assert (line["gold_document_id"] in found) is (line["kind"] != WITHOUT_GOLD)
        assert {hit["document_id"] for hit in line["trace"]["hits"]} == found


def test_a_question_with_documents_is_answered_from_them_alone(run):
    given = GivenDocument("The lighthouse keeper's cat is called Lucius.", None, "Cats")
    question = Question("cat", "what is the cat called in Lisbon", ("Lucius",), documents=(given,))
    (line,) = read_predictions(run([question]))
    assert [hit["document_id"] for hit in line["trace"]["hits"]] == ["document-1"]
    assert line["ranking"] is None
    assert line["documents"] == [{"text": given.text, "document_id": None, "title": "Cats", "url": None}]


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
        run(configuration="top-passage")
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


def test_a_run_of_another_version_says_what_it_lacks(run):
    folder = run()
    (folder / "run.json").write_text(
        '{"settings": {}, "generation": null, "stages": {}, "min_confidence": 0.5}'
    )
    with pytest.raises(
        LoccitError, match=r"run\.json lacks configuration: another version of Loccit made this"
    ):
        run()


def test_a_run_that_another_process_writes_is_left_to_it(run, lm):
    path = run() / "predictions.jsonl"
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first)
    asked = len(lm.calls)
    with path.open("a") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with pytest.raises(
            LoccitError, match=r"Another process is answering questions into .*run; wait for it"
        ):
            run()
        assert (path.read_bytes(), len(lm.calls)) == (first, asked)
    assert [line["id"] for line in read_predictions(run())] == ["q1", "q2", "q3"]


def test_a_question_that_is_answered_twice_is_named_with_both_lines(run):
    path = run() / "predictions.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(
        LoccitError, match=r"predictions\.jsonl:4 answers the question 'q2', as line 2 does; delete"
    ):
        read_predictions(path.parent)


@pytest.mark.parametrize("trace", [{}, None, [], {"decision": {"answer": None}}])
def test_a_line_with_a_part_of_a_trace_is_damaged(run, trace):
    path = run() / "predictions.jsonl"
    first, second, _ = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + json.dumps({**json.loads(second), "trace": trace}).encode())
    with pytest.raises(LoccitError, match=r"predictions\.jsonl:2 is damaged"):
        read_predictions(path.parent)


@pytest.mark.parametrize("damaged", [b"{", b'"\xff"', b"[]", b'{"id": "q2"}'])
def test_a_damaged_line_is_named(run, damaged):
    path = run() / "predictions.jsonl"
    first, _, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damaged + b"\n" + third)
    with pytest.raises(LoccitError, match=r"predictions\.jsonl:2 is damaged"):
        read_predictions(path.parent)
    with pytest.raises(LoccitError, match=r"predictions\.jsonl:2 is damaged"):
        run()


def test_a_folder_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match="holds no predictions; make them with `loccit evaluate predict own"
    ):
        read_predictions(tmp_path)


def test_predictions_without_a_description_are_not_continued(run):
    folder = run()
    (folder / "run.json").unlink()
    with pytest.raises(
        LoccitError, match=r"holds predictions without the run\.json that says what made them"
    ):
        run()
    assert not (folder / "run.json").exists()


def test_the_ranking_goes_deeper_than_what_is_read(service, tmp_path, quiet):
    asked = []

    class Counting:
        def retrieve(self, question, *, k):
            asked.append(k)
            return service.pipeline.retriever.retrieve(question, k=k)

        def document(self, doc_id):
            return service.pipeline.retriever.document(doc_id)

    pipeline = replace(service.pipeline, retriever=Counting())
    predict(QUESTIONS[:1], lambda _: pipeline, {}, tmp_path / "run", quiet)
    assert asked == [service.pipeline.options.top_k, 100]
