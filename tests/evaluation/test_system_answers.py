import json

import pytest

from common.errors import LoccitError
from evaluation.questions import Question
from evaluation.system_answers import documents_in, read_answers
from retriever.types import Document

QUESTIONS = [Question("q1", "who built it", ("Ann",)), Question("q2", "when does it open", ())]


def read(folder, *lines):
    path = folder / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return read_answers(path, QUESTIONS)


def test_a_line_names_its_question_by_id_or_by_its_text(tmp_path):
    second, first = read(
        tmp_path, {"id": "q2", "answer": None}, {"question": "who built it", "answer": "Ann"}
    )
    assert (second.question.id, second.answer, second.abstained) == ("q2", None, True)
    assert (first.question.id, first.answer, first.abstained) == ("q1", "Ann", False)
    assert (first.confidence, first.quotes, dict(first.seconds)) == (None, (), {})


def test_an_answer_that_is_not_given_is_kept_with_its_confidence_and_costs(tmp_path):
    [answer] = read(
        tmp_path,
        {"id": "q1", "answer": "Ann", "abstained": True, "confidence": 0.3, "cpu_s": 2, "wall_s": 2.5},
    )
    assert (answer.answer, answer.abstained, answer.confidence) == ("Ann", True, 0.3)
    assert answer.seconds == {"wall_s": 2.5, "cpu_s": 2.0}


def test_a_blank_answer_is_an_abstention(tmp_path):
    assert read(tmp_path, {"id": "q1", "answer": " "})[0].abstained


@pytest.mark.parametrize(
    ("quote", "text", "stands"),
    [
        ({"quote": "Ann built", "start": 4, "end": 13}, "So, Ann built it.", True),
        ({"quote": "Ann built", "start": 3, "end": 12}, "So, Ann built it.", False),
        ({"quote": "Ann built"}, "So, Ann built it.", True),
        ({"quote": "Ann  built"}, "So, Ann built it.", False),
    ],
)
def test_a_quote_stands_at_its_place_or_anywhere_where_it_names_none(tmp_path, quote, text, stands):
    documents = [{"document_id": "d", "text": text}]
    line = {"id": "q1", "answer": "Ann", "quotes": [{**quote, "document_id": "d"}], "documents": documents}
    [answer] = read(tmp_path, line)
    assert answer.quotes[0].stands(answer.find("d", lambda _: None)) is stands
    assert not answer.quotes[0].stands(None)


def test_documents_of_a_line_go_before_those_elsewhere(tmp_path):
    line = {"id": "q1", "answer": "Ann", "documents": [{"id": "d", "title": "T", "text": "of the line"}]}
    [answer] = read(tmp_path, line)
    elsewhere = {"d": Document("d", "", "elsewhere"), "e": Document("e", "", "other")}.get
    assert answer.find("d", elsewhere) == Document("d", "T", "of the line")
    assert answer.find("e", elsewhere).text == "other"
    assert answer.find("d", None).text == "of the line"
    assert answer.find("e", None) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"id": "q1"}, "answer is missing, but it must be a string, or null for an abstention"),
        ({"id": "q9", "answer": "Ann"}, "the id 'q9' is none of the questions; give --questions"),
        ({"question": "why", "answer": "Ann"}, "the question 'why' is none of the questions"),
        ({"id": "q1", "answer": "Ann", "confidence": 1.5}, "confidence is 1.5, but it must be from 0 to 1"),
        (
            {"id": "q1", "answer": "Ann", "confidence": "high"},
            "confidence is 'high', but it must be a number",
        ),
        ({"id": "q1", "answer": "Ann", "cpu_s": -1}, "cpu_s is -1, but it must be seconds, 0 or more"),
        ({"id": "q1", "answer": "Ann", "abstained": "no"}, "abstained is 'no', but it must be true or false"),
        ({"id": "q1", "answer": "Ann", "quotes": [{"quote": "Ann"}]}, r"quotes\[0\]: document_id is missing"),
        (
            {"id": "q1", "answer": "Ann", "quotes": [{"quote": "Ann", "document_id": "d", "start": 1}]},
            "start is 1 and end None, but they must be two whole numbers, or both left out",
        ),
        (
            {
                "id": "q1",
                "answer": "Ann",
                "quotes": [{"quote": "A", "document_id": "d", "start": -3, "end": -2}],
            },
            "start is -3 and end -2, but they count characters from 0",
        ),
        (
            {
                "id": "q1",
                "answer": "Ann",
                "quotes": [{"quote": "A", "document_id": "d", "start": 2, "end": 1}],
            },
            "start is 2 and end 1, but they count .*, and the end is not before the start",
        ),
        (
            {"id": "q1", "answer": "Ann", "cpu_s": 10**400},
            r"cpu_s is 1000.*0, but it must be seconds, 0 or more",
        ),
        (
            {"id": "q1", "answer": "Ann", "confidence": 10**400},
            "confidence is 1000.*0, but it must be from 0 to 1",
        ),
        ({"id": "q1", "answer": "Ann", "wall_s": float("inf")}, "wall_s is inf, but it must be seconds"),
        ({"id": "q1", "answer": "Ann", "confidence": float("nan")}, "confidence is nan, but it must be from"),
        ({"id": "q1", "answer": "Ann", "documents": [{"text": "x"}]}, "document_id is missing"),
    ],
)
def test_a_line_that_is_no_answer_is_told_with_its_place(tmp_path, line, said):
    with pytest.raises(LoccitError, match=said) as told:
        read(tmp_path, {"id": "q2", "answer": None}, line)
    assert "answers.jsonl:2" in str(told.value)


def test_a_question_is_answered_once(tmp_path):
    with pytest.raises(
        LoccitError, match="the question 'q1' has been answered above; leave one answer to each"
    ):
        read(tmp_path, {"id": "q1", "answer": "Ann"}, {"question": "who built it", "answer": "Bob"})


def test_a_text_that_several_questions_have_names_none_of_them(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"question": "who built it", "answer": "Ann"}\n', encoding="utf-8")
    twice = [*QUESTIONS, Question("q3", "who built it", ("Bob",))]
    with pytest.raises(
        LoccitError, match=r"'who built it' is asked more than once; give the id .* meant: q1, q3"
    ):
        read_answers(path, twice)
    path.write_text('{"id": "q3", "question": "who built it", "answer": "Bob"}\n', encoding="utf-8")
    assert read_answers(path, twice)[0].question == twice[2]


def test_files_that_hold_nothing_are_told(tmp_path):
    with pytest.raises(LoccitError, match="holds no answer; write one JSON object a line"):
        read(tmp_path)
    with pytest.raises(LoccitError, match=r"cannot be read .*; give a file of JSON Lines"):
        read_answers(tmp_path / "none.jsonl", QUESTIONS)
    with pytest.raises(
        LoccitError, match=r"cannot be read .*; give an index, or JSON Lines with id, title and text"
    ):
        documents_in(tmp_path / "none")


def test_documents_are_found_in_json_lines(tmp_path):
    path = tmp_path / "documents.jsonl"
    path.write_text('{"id": 7, "title": "T", "text": "So."}\n', encoding="utf-8")
    find = documents_in(path)
    assert find("7") == Document("7", "T", "So.")
    assert find("8") is None
