"""Question files that are not as they should be, and the sentence that each gets."""

import gzip
import json
import lzma

import pytest

from common.errors import LoccitError
from evaluation.questions import load_questions

GOOD = '{"question": "a", "answers": ["x"]}'
FORMS = (
    'write {"question": "...", "answers": ["..."]}, one a line, or give a file in the form of SQuAD, '
    "TruthfulQA, ClapNQ, SelfAware, NQ-open, SQuAD as published."
)
OWLS = '"Question","Best Answer","Correct Answers","Incorrect Answers"\n'
CLAPNQ = {"input": "a", "passages": [{"title": "T", "text": "t"}], "output": [{"answer": "x"}]}
SQUAD = {"title": "T", "context": "c", "question": "a", "answers": [{"text": "x"}]}


def published(*questions: object, title: object = "T", context: object = "c") -> str:
    return json.dumps({"data": [{"title": title, "paragraphs": [{"context": context, "qas": questions}]}]})


ASKED = {"id": "1", "question": "a", "answers": [{"text": "x"}]}

BAD = {
    # what cannot be read at all
    "not JSON": (
        GOOD + "\n\n{",
        "q:3 is not JSON (Expecting property name enclosed in double quotes at column 2); write one whole "
        "object a line.",
    ),
    "not JSON from the start": (
        '{"question": \n' + GOOD,
        "q:1 is not JSON (Expecting value at column 14); write one whole object a line.",
    ),
    "not JSON, over several lines": (
        '{\n "data": [\n  oops\n ]\n}',
        "q:3 is not JSON (Expecting value at column 3); write one whole object a line.",
    ),
    "a long number": (
        '{"question": ' + "1" * 5000 + "}",
        "q:1 cannot be read as JSON (Exceeds the limit (4300 digits) for integer string conversion: value has "
        "5000 digits; use sys.set_int_max_str_digits() to increase the limit).",
    ),
    "a list": (GOOD + "\n[1]", "q:2 is [1], but it must be a JSON object."),
    "a number": (GOOD + "\n7", "q:2 is 7, but it must be a JSON object."),
    "prose": (
        "Questions\nare below",
        "q:1 is neither a JSON object nor the header of a CSV table; write either.",
    ),
    "nothing": ("", f"q holds no questions; {FORMS}"),
    "blank lines": (" \n\n", f"q holds no questions; {FORMS}"),
    "no articles": ('{"data": []}', f"q holds no questions; {FORMS}"),
    "a header alone": (OWLS, f"q holds no questions; {FORMS}"),
    "not UTF-8": (
        GOOD.encode() + b'\n{"question": "\xff',
        "q:2 holds the byte 0xff, which is not UTF-8 there; save the file as UTF-8.",
    ),
    "gzip cut short": (
        gzip.compress(GOOD.encode(), mtime=0)[:-4],
        "q: the compressed file is damaged or cut short (Compressed file ended before the end-of-stream marker "
        "was reached); compress or copy it again.",
    ),
    "xz cut short": (
        lzma.compress(GOOD.encode())[:-4],
        "q: the compressed file is damaged or cut short (Compressed data ended before the end-of-stream marker "
        "was reached); compress or copy it again.",
    ),
    # forms
    "unknown keys": (
        '{"q": 1, "text": 2}',
        f"q:1 is not a question: its keys are ['q', 'text']; {FORMS}",
    ),
    "half the keys": (
        GOOD + '\n{"question": "b"}',
        f"q:2 is not a question: its keys are ['question']; {FORMS}",
    ),
    "another table": ("a,b\n1,2", f"q:2 is not a question: its keys are ['a', 'b']; {FORMS}"),
    "mixed forms": (
        GOOD + '\n{"question": "b", "answer": ["x"]}',
        "q:2: the line has the form of NQ-open, but those before it that of Loccit's own; keep one form to a file.",
    ),
    # fields
    "a question that is a number": (
        '{"question": 1, "answers": []}',
        "q:1: question is 1, but it must be a string.",
    ),
    "no question": (
        '{"question": null, "answers": []}',
        "q:1: question is None, but it must be a string.",
    ),
    "an empty question": (
        GOOD + '\n{"question": " ", "answers": []}',
        "q:2: question is blank, but it must be a string with something in it.",
    ),
    "answers that are a string": (
        '{"question": "a", "answers": "x"}',
        "q:1: answers is 'x', but it must be a list.",
    ),
    "an answer that is a number": (
        '{"question": "a", "answers": ["x", 2]}',
        "q:1: answers[1] is 2, but it must be a string.",
    ),
    "blank answers": (
        '{"question": "a", "answers": ["", " "]}',
        "q:1: answers holds nothing but blank strings; leave the list empty, or fill it.",
    ),
    "answerable without answers": (
        '{"question": "a", "answers": [], "kind": "answerable"}',
        "q:1: there is no answer, but kind says that there is one.",
    ),
    "a lone surrogate in the question": (
        '{"question": "a\\ud83d", "answers": ["x"]}',
        "q:1: question holds the lone surrogate U+D83D at offset 1; a character needs both halves of its pair.",
    ),
    "a lone surrogate in an answer": (
        '{"question": "a", "answers": ["\\ude00"]}',
        "q:1: answers[0] holds the lone surrogate U+DE00 at offset 0; a character needs both halves of its pair.",
    ),
    "a lone surrogate in the id": (
        '{"id": "\\ude00", "question": "a", "answers": ["x"]}',
        "q:1: id holds the lone surrogate U+DE00 at offset 0; a character needs both halves of its pair.",
    ),
    "a kind that is a number": (
        '{"question": "a", "answers": [], "kind": 1}',
        "q:1: kind is 1, but it must be a string.",
    ),
    "an id that is true": (
        '{"id": true, "question": "a", "answers": []}',
        "q:1: id is True, but it must be a string.",
    ),
    "an id that is blank": (
        '{"id": "", "question": "a", "answers": []}',
        "q:1: id is blank, but it must be a string with something in it.",
    ),
    "ids that repeat": (
        '{"id": 1, "question": "a", "answers": []}\n{"id": "1", "question": "b", "answers": []}',
        "q:2: the id '1' is that of another question too, at q:1; each needs its own.",
    ),
    "an id that another line has by its number": (
        GOOD + '\n{"id": "line-1", "question": "b", "answers": []}',
        "q:2: the id 'line-1' is that of another question too, at q:1; each needs its own.",
    ),
    "a document without a text": (
        '{"question": "a", "answers": [], "documents": [{"title": "T"}]}',
        "q:1, documents[0]: text is missing, but it must be a string.",
    ),
    "a document that is a text": (
        '{"question": "a", "answers": [], "documents": ["T"]}',
        "q:1, documents[0] is 'T', but it must be a JSON object.",
    ),
    # each published form
    "NQ-open: one answer": (
        '{"question": "a", "answer": "x"}',
        "q:1: answer is 'x', but it must be a list.",
    ),
    "SelfAware: no answer": (
        '{"question": "a", "answer": null, "answerable": true}',
        "q:1: there is no answer, but answerable says that there is one.",
    ),
    "SelfAware: an answer": (
        '{"question": "a", "answer": ["x"], "answerable": false}',
        "q:1: there is an answer, but answerable says that there is none.",
    ),
    "SelfAware: no flag": (
        '{"question": "a", "answer": ["x"], "answerable": "yes"}',
        "q:1: answerable is 'yes', but it must be true or false.",
    ),
    "SQuAD: answers that are strings": (
        json.dumps({**SQUAD, "answers": ["x"]}),
        "q:1, answers[0] is 'x', but it must be a JSON object.",
    ),
    "SQuAD: impossible, but answered": (
        json.dumps({**SQUAD, "is_impossible": True}),
        "q:1: there is an answer, but is_impossible says that there is none.",
    ),
    "SQuAD: no answers": (
        json.dumps({**SQUAD, "answers": []}),
        "q:1: there is no answer, but is_impossible says that there is one.",
    ),
    "SQuAD: an empty paragraph": (
        json.dumps({**SQUAD, "context": ""}),
        "q:1: context is blank, but it must be a string with something in it.",
    ),
    "SQuAD as published: no list": (
        '{"data": {}}',
        "q:1: data is {}, but it must be a list.",
    ),
    "SQuAD as published: no title": (
        published(ASKED, title=None),
        "q:1, data[0]: title is None, but it must be a string.",
    ),
    "SQuAD as published: no id": (
        published(ASKED, {**ASKED, "id": None}),
        "q:1, data[0], paragraphs[0], qas[1]: id is None, but it must be a string.",
    ),
    "SQuAD as published: ids that repeat": (
        published(ASKED, ASKED),
        "q:1: the id '1' is that of another question too, at q:1; each needs its own.",
    ),
    "TruthfulQA: no answer": (
        OWLS + '"a","","x","y"',
        "q:2: Best Answer is blank, but it must be a string with something in it.",
    ),
    "TruthfulQA: a cell too few": (
        OWLS + '"a\nb","x","x","y"\n"a","x"',
        "q:4 has 2 columns, but the header of the table has 4; put a cell with commas or line ends in double quotes.",
    ),
    "TruthfulQA: an open quote": (
        OWLS + '"a","x',
        "q:2 is not a row of a CSV table (unexpected end of data).",
    ),
    "TruthfulQA: no text": (
        '{"Question": "a", "Best Answer": "x", "Correct Answers": ["x"], "Incorrect Answers": ""}',
        "q:1: Correct Answers is ['x'], but it must be a string.",
    ),
    "ClapNQ: no passage": (
        json.dumps({**CLAPNQ, "passages": []}),
        "q:1: passages is empty, but the question is about one.",
    ),
    "ClapNQ: an answer that is a number": (
        json.dumps({**CLAPNQ, "output": [{"answer": 1}]}),
        "q:1, output[0]: answer is 1, but it must be a string.",
    ),
    "ClapNQ: answered, but not answerable": (
        json.dumps({**CLAPNQ, "answerable": False}),
        "q:1: there is an answer, but answerable says that there is none.",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_gets_a_sentence_that_names_the_place(tmp_path, monkeypatch, content, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LoccitError) as caught:
        load_questions("q")
    assert str(caught.value) == sentence


def test_deep_nesting_is_a_sentence(tmp_path):
    path = tmp_path / "q"
    path.write_text(GOOD + "\n" + "[" * 100_000)
    with pytest.raises(LoccitError, match=r"q:2 cannot be read as JSON \(maximum recursion depth exceeded"):
        load_questions(str(path))
