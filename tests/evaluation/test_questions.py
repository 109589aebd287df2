import hashlib
import json
from collections import Counter

import pytest

from app.answering.normalise import normalise_answer
from app.answering.prompt import EXAMPLES
from benchmarks.answer import evenly
from evaluation.metrics import has_answer
from evaluation.questions import ANSWERABLE, Question, Side, load_questions, sha256_of_questions, side_of
from index_builder.corpora import open_corpus
from retriever.errors import LoccitError


@pytest.mark.parametrize(
    ("question", "side"),
    [
        ("who designed the eiffel tower", Side.CALIBRATE),
        ("  WHO designed the Eiffel Tower ", Side.CALIBRATE),
        ("when did the berlin wall fall", Side.TEST),
        ("where is loch ness", Side.TEST),
        ("how deep is the baltic sea", Side.CALIBRATE),
        ("who painted guernica", Side.TEST),
        ("what is a prime number", Side.CALIBRATE),
    ],
)
def test_a_question_is_always_on_the_same_side(question, side):
    assert side_of(question) is side


def test_there_are_150_own_questions_of_the_kinds_that_matter():
    questions = load_questions("own")
    assert Counter(question.kind for question in questions) == {
        ANSWERABLE: 100,
        "plausible": 10,
        "near_miss": 10,
        "false_premise": 10,
        "private": 10,
        "future": 10,
    }
    assert len({normalise_answer(question.question) for question in questions}) == 150
    assert all(bool(question.answers) == (question.kind == ANSWERABLE) for question in questions)


def test_every_answer_stands_in_its_article_and_not_in_its_question():
    texts = {item.document.title: item.document.text for item in open_corpus("vital-articles")}
    for question in load_questions("own"):
        if question.kind == ANSWERABLE:
            assert has_answer(texts[question.title], question.answers), question
            assert not has_answer(question.question, question.answers), question


def test_no_example_of_the_prompt_shares_a_subject_with_the_own_questions():
    questions = load_questions("own")
    for example in EXAMPLES:
        subject = normalise_answer(example.title)
        for question in questions:
            assert subject not in normalise_answer(question.question), question
            assert example.title != question.title


def test_questions_come_from_any_jsonl_file(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "why\u2028so?", "answers": ["x"], "gold": 1}\n\n', encoding="utf-8")
    (question,) = load_questions(str(path))
    assert (question.id, question.question, question.answers) == ("line-1", "why\u2028so?", ("x",))


@pytest.mark.parametrize("line", ["{", "[]", '{"question": "x"}', '{"question": 1, "answers": []}'])
def test_a_line_that_is_no_question_is_named(tmp_path, line):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"question": "a", "answers": []}) + "\n" + line)
    with pytest.raises(LoccitError, match=r"questions\.jsonl:2 is not a question; it needs the form"):
        load_questions(str(path))


def test_ids_that_repeat_and_files_that_are_missing_are_sentences(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"id": 1, "question": "a", "answers": []}\n{"id": "1", "question": "b", "answers": []}\n'
    )
    with pytest.raises(LoccitError, match="two questions have the same id"):
        load_questions(str(path))
    with pytest.raises(LoccitError, match=r"cannot be read .* give `own` or a JSONL file"):
        load_questions(str(tmp_path / "none.jsonl"))


def test_the_digest_of_questions_is_that_of_their_canonical_json():
    canonical = '[{"answers":["\\u00e9"],"id":"1","kind":"answerable","question":"a?","title":null}]'
    assert (
        sha256_of_questions([Question("1", "a?", ("é",))]) == hashlib.sha256(canonical.encode()).hexdigest()
    )


@pytest.mark.parametrize(("count", "ids"), [(2, ["0", "2"]), (3, ["0", "1", "3"]), (9, list("01234"))])
def test_a_benchmark_takes_questions_evenly_and_at_most_all(count, ids):
    questions = [Question(str(number), "", ()) for number in range(5)]
    assert [question.id for question in evenly(questions, count)] == ids
