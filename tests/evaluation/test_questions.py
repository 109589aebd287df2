import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from app.answering.language_models.few_shot_prompt import EXAMPLES
from app.answering.text.answer_match import has_answer
from app.answering.text.normalise import normalise_answer
from benchmarks.answer import evenly
from common.errors import LoccitError
from evaluation.questions import (
    ANSWERABLE,
    UNANSWERABLE,
    Question,
    Side,
    datasets_dir,
    load_questions,
    sha256_of_questions,
    side_of,
)
from index_builder.corpora import open_corpus


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


def test_there_are_100_first_questions_and_the_articles_answer_most():
    texts = {item.document.title: item.document.text for item in open_corpus("vital-articles")}
    questions = load_questions("first")
    kinds = Counter(question.kind for question in questions)
    assert kinds == {ANSWERABLE: 86, UNANSWERABLE: 14}
    assert len({normalise_answer(question.question) for question in questions}) == 100
    for question in questions:
        if question.kind == UNANSWERABLE:
            continue
        said = [answer for answer in question.answers if answer not in ("yes", "no")]
        assert not has_answer(question.question, said), question
        assert (
            has_answer(texts[question.title], said)
            if said
            else question.question == "is australia a continent"
        )


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


@pytest.mark.parametrize("name", ["nq-open", "nq-gold"])
def test_a_set_that_is_not_downloaded_says_how_to_get_it(tmp_path, monkeypatch, name):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(LoccitError) as caught:
        load_questions(name)
    assert str(caught.value) == (
        f"The questions `{name}` are not on this machine yet; `loccit evaluate --download {name}` fetches them."
    )


def test_sets_that_were_downloaded_are_read_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    open_set, gold = (datasets_dir() / name for name in ("nq-open", "nq-gold"))
    for folder in (open_set, gold):
        folder.mkdir(parents=True)
    (open_set / "NQ-open.dev.jsonl").write_text('{"question": "a", "answer": ["x"]}')
    (gold / "questions.jsonl").write_text('{"question": "b", "answers": ["y"], "gold_document_id": "g-1"}')
    assert load_questions("nq-open") == [Question("line-1", "a", ("x",))]
    assert load_questions("nq-gold") == [Question("line-1", "b", ("y",), gold_document_id="g-1")]
    assert datasets_dir() == tmp_path / "loccit" / "datasets"


@pytest.mark.parametrize("path", ["none.jsonl", "", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        LoccitError,
        match=r"cannot be read .* give `own`, `first`, `nq-open`, `nq-gold`, or a file of questions\.$",
    ):
        load_questions(path)


def test_the_digest_of_questions_is_that_of_their_canonical_json():
    canonical = (
        '[{"answers":["\\u00e9"],"documents":[{"document_id":null,"text":"t","title":"","url":null}],'
        '"gold_document_id":null,"id":"1","kind":"answerable","long_answer":null,"question":"a?",'
        '"title":null,"wrong_answers":[]}]'
    )
    question = Question("1", "a?", ("é",), documents=(GivenDocument("t"),))
    assert sha256_of_questions([question]) == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_chosen_sentences_count_for_the_digest_where_there_are_any():
    question = Question("1", "a?", ("é",))
    chosen = replace(question, selected_sentences=("An é.",))
    assert sha256_of_questions([question]) != sha256_of_questions([chosen])


@pytest.mark.parametrize(("count", "ids"), [(2, ["0", "2"]), (3, ["0", "1", "3"]), (9, list("01234"))])
def test_a_benchmark_takes_questions_evenly_and_at_most_all(count, ids):
    questions = [Question(str(number), "", ()) for number in range(5)]
    assert [question.id for question in evenly(questions, count)] == ids
