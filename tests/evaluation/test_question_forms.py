"""Every form of question set that is known, on small files made up here and on the shared ones where they are."""

import csv
import gzip
import io
import json
import lzma
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.checked_input import GivenDocument
from common.errors import LoccitError
from evaluation.question_sets.file import records_of
from evaluation.question_sets.forms import FORMS, questions_of
from evaluation.questions import ANSWERABLE, UNANSWERABLE, Question, load_questions

SHARED = Path(__file__).parents[3] / "shared" / "data"

FERRY = "The Marwick ferry sails twice a day. It first sailed in 1911."
PUBLISHED_SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Marwick_ferry",
            "paragraphs": [
                {
                    "context": FERRY,
                    "qas": [
                        {
                            "id": "f1",
                            "question": "When did the ferry first sail?",
                            "answers": [
                                {"text": "1911", "answer_start": 56},
                                {"text": "in 1911", "answer_start": 53},
                                {"text": "1911", "answer_start": 56},
                            ],
                            "is_impossible": False,
                        },
                        {
                            "id": "f2",
                            "question": "Who steers the ferry?",
                            "answers": [],
                            "plausible_answers": [{"text": "Marwick", "answer_start": 4}],
                            "is_impossible": True,
                        },
                    ],
                }
            ],
        }
    ],
}
OWLS = {
    "Type": "Adversarial",
    "Category": "Animals",
    "Question": "Can an owl turn its head all the way round?",
    "Best Answer": "No, about three quarters of the way",
    "Correct Answers": "No; About 270 degrees;No, about three quarters of the way",
    "Incorrect Answers": 'Yes; It can turn it "right round", twice;',
    "Source": "",
}
OWL_QUESTION = Question(
    "line-1",
    "Can an owl turn its head all the way round?",
    ("No, about three quarters of the way", "No", "About 270 degrees"),
    wrong_answers=("Yes", 'It can turn it "right round", twice'),
)


def read(*records: object) -> list[Question]:
    return read_bytes("\n".join(json.dumps(record) for record in records).encode())


def read_bytes(content: bytes) -> list[Question]:
    return questions_of(records_of(content, "q"), "q")


def as_csv(*rows: dict[str, str]) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue().encode()


words = st.text("aé 😀;", min_size=1, max_size=6).filter(str.strip)
texts = st.lists(words, unique=True, max_size=3).map(tuple)
documents = st.builds(
    GivenDocument, words, document_id=st.none() | words, title=st.just("") | words, url=st.none() | words
)


@given(
    st.builds(
        Question,
        id=words,
        question=words,
        answers=texts,
        kind=words,
        title=st.none() | words,
        gold_document_id=st.none() | words,
        long_answer=st.none() | words,
        selected_sentences=texts,
        wrong_answers=texts,
        documents=st.lists(documents, max_size=2).map(tuple),
    )
)
def test_a_question_written_in_the_own_form_is_read_back(question):
    assert read(asdict(question)) == [question]


def test_the_own_form_needs_only_question_and_answers():
    assert read({"question": "where do puffins nest", "answers": ["cliffs", " ", "burrows", "cliffs"]}) == [
        Question("line-1", "where do puffins nest", ("cliffs", "burrows"))
    ]


def test_questions_with_a_gold_document_are_of_the_own_form():
    record = {"id": 7, "question": "a", "answers": ["x"], "gold_document_id": 3, "gold_title": "T"}
    assert read({**record, "long_answer": "An x."}) == [
        Question("7", "a", ("x",), title="T", gold_document_id="3", long_answer="An x.")
    ]
    assert read({**record, "title": "Own"})[0].title == "Own"


def test_a_question_called_unanswerable_has_no_answer():
    with pytest.raises(LoccitError, match="there is an answer, but kind says that there is none"):
        read({"question": "a", "answers": ["b"], "kind": "unanswerable"})
    assert read({"question": "a", "answers": ["b"], "kind": "date"})[0].kind == "date"


def test_without_a_kind_a_question_without_answers_is_unanswerable():
    assert read({"question": "a", "answers": []}, {"question": "b", "answers": [], "kind": "future"}) == [
        Question("line-1", "a", (), UNANSWERABLE),
        Question("line-2", "b", (), "future"),
    ]


def test_nq_open_as_published():
    assert read({"question": "a", "answer": ["x", "y", "x"]}, {"question": "b", "answer": ["z"]}) == [
        Question("line-1", "a", ("x", "y")),
        Question("line-2", "b", ("z",)),
    ]


@pytest.mark.parametrize("indent", [None, 1])
def test_squad_as_published_asks_of_one_paragraph_each(indent):
    paragraph = (GivenDocument(FERRY, title="Marwick ferry"),)
    assert read_bytes(json.dumps(PUBLISHED_SQUAD, indent=indent).encode()) == [
        Question(
            "f1",
            "When did the ferry first sail?",
            ("1911", "in 1911"),
            title="Marwick ferry",
            documents=paragraph,
        ),
        Question("f2", "Who steers the ferry?", (), UNANSWERABLE, title="Marwick ferry", documents=paragraph),
    ]


def test_an_object_over_several_lines_may_begin_with_more_than_a_bracket():
    text = json.dumps(PUBLISHED_SQUAD, indent=1).replace("{\n", "{", 1)
    assert [question.id for question in read_bytes(text.encode())] == ["f1", "f2"]


def test_squad_of_version_1_has_no_flag():
    questions = json.loads(json.dumps(PUBLISHED_SQUAD))["data"][0]["paragraphs"][0]["qas"][:1]
    del questions[0]["is_impossible"]
    article = {"title": "M", "paragraphs": [{"context": FERRY, "qas": questions}]}
    assert [question.kind for question in read({"data": [article]})] == [ANSWERABLE]


def test_squad_flat_keeps_its_title_as_it_is():
    line = {"title": "A_b", "context": FERRY, "question": "When?", "answers": [{"text": "1911"}]}
    document = (GivenDocument(FERRY, title="A_b"),)
    assert read(line, {**line, "answers": [], "is_impossible": True}) == [
        Question("line-1", "When?", ("1911",), title="A_b", documents=document),
        Question("line-2", "When?", (), UNANSWERABLE, title="A_b", documents=document),
    ]


def test_truthfulqa_as_a_table_and_as_lines():
    assert read(OWLS) == [OWL_QUESTION]
    second = {**OWLS, "Question": "Do owls\nread?"}
    table = read_bytes(as_csv(OWLS, second, OWLS))
    assert [question.id for question in table] == ["line-2", "line-3", "line-5"]
    assert [question.question for question in table[:2]] == [OWL_QUESTION.question, "Do owls\nread?"]
    assert (table[0].answers, table[0].wrong_answers) == (OWL_QUESTION.answers, OWL_QUESTION.wrong_answers)
    assert {question.kind for question in table} == {ANSWERABLE}


def test_clapnq_has_a_passage_long_answers_and_the_sentences_that_back_them():
    sentences = ["The Marwick ferry sails twice a day .", "It is red .", "It first sailed in 1911 ."]
    record = {
        "id": "-12",
        "input": "how often does the marwick ferry sail",
        "passages": [{"title": "Marwick ferry", "text": " ".join(sentences), "sentences": sentences}],
        "output": [
            {"answer": "Since 1911, twice a day.", "selected_sentences": [sentences[2], sentences[0]]},
            {"answer": "Twice a day.", "selected_sentences": [sentences[0]]},
            {"answer": "Twice a day.", "selected_sentences": [sentences[0]]},
        ],
        "answerable": True,
    }
    expected = Question(
        "-12",
        "how often does the marwick ferry sail",
        ("Since 1911, twice a day.", "Twice a day."),
        title="Marwick ferry",
        long_answer=f"{sentences[0]} {sentences[2]}",
        documents=(GivenDocument(" ".join(sentences), title="Marwick ferry"),),
        selected_sentences=(sentences[0], sentences[2]),
    )
    assert read(record) == [expected]
    nothing = [{"answer": "", "selected_sentences": []}]
    (unanswerable,) = read({**record, "output": nothing, "answerable": False})
    assert (unanswerable.answers, unanswerable.kind, unanswerable.long_answer) == ((), UNANSWERABLE, None)
    del record["answerable"]
    assert [question.kind for question in read(record, {**record, "id": "2", "output": nothing})] == [
        ANSWERABLE,
        UNANSWERABLE,
    ]


def test_selfaware_has_answers_or_null():
    assert read(
        {"question_id": 3, "question": "a", "answer": ["x"], "answerable": True, "source": "s"},
        {"question_id": 9, "question": "b", "answer": None, "answerable": False, "source": "s"},
    ) == [Question("3", "a", ("x",)), Question("9", "b", (), UNANSWERABLE)]


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress, lzma.compress])
def test_a_form_is_told_from_content_alone(tmp_path, pack):
    path = tmp_path / "whatever.txt"
    path.write_bytes(pack(b"\xef\xbb\xbf" + as_csv(OWLS)))
    assert [question.question for question in load_questions(str(path))] == [OWL_QUESTION.question]
    path.write_bytes(pack(b'\xef\xbb\xbf\n{"question": "a", "answers": ["x"]}\r\n\r\n'))
    assert load_questions(str(path)) == [Question("line-2", "a", ("x",))]


def test_no_form_hides_behind_one_with_fewer_keys():
    for number, form in enumerate(FORMS):
        assert not any(earlier.keys <= form.keys for earlier in FORMS[:number]), form.name


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not here")
@pytest.mark.parametrize(
    ("file", "kinds", "documents", "long_answers", "wrong"),
    [
        ("nq/open_dev_with_gold.jsonl", {ANSWERABLE: 1041}, 0, 1041, 0),
        ("nq/train_questions.jsonl.gz", {ANSWERABLE: 8757}, 0, 0, 0),
        ("squad/dev_v1.1.jsonl.gz", {ANSWERABLE: 7485}, 7485, 0, 0),
        ("squad/dev_v2.0.jsonl.gz", {ANSWERABLE: 3926, UNANSWERABLE: 3876}, 7802, 0, 0),
        ("clapnq/dev.jsonl.gz", {ANSWERABLE: 135, UNANSWERABLE: 141}, 276, 135, 0),
        ("truthfulqa/questions.jsonl", {ANSWERABLE: 103}, 0, 0, 103),
        ("selfaware/questions.jsonl.gz", {ANSWERABLE: 692, UNANSWERABLE: 317}, 0, 0, 0),
    ],
)
def test_the_shared_sets_are_read(file, kinds, documents, long_answers, wrong):
    questions = load_questions(str(SHARED / file))
    assert Counter(question.kind for question in questions) == kinds
    assert all(bool(question.answers) == (question.kind == ANSWERABLE) for question in questions)
    assert sum(len(question.documents) for question in questions) == documents
    assert sum(question.long_answer is not None for question in questions) == long_answers
    assert sum(bool(question.wrong_answers) for question in questions) == wrong


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not here")
def test_the_answers_of_squad_stand_in_their_paragraphs():
    for question in load_questions(str(SHARED / "squad/dev_v2.0.jsonl.gz")):
        assert all(answer in question.documents[0].text for answer in question.answers)
