import gzip
import io
import json
import lzma
import sys
from types import SimpleNamespace

import pytest

from common.errors import LoccitError
from quote_check.answers_file import AnswerRecord, read_records
from quote_check.check import QuoteToCheck
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.types import Document


@pytest.fixture
def answers(tmp_path):
    def written(*lines, name="answers.jsonl"):
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (tmp_path / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
        return str(tmp_path / name)

    return written


def test_quotes_are_read_from_the_documented_form(answers):
    file = answers(
        '\ufeff{"id": "q1", "question": "?", "answer": "!", "quotes": ['
        '{"quote": "a", "document_id": "d/1", "start": 10, "end": 60, "support": 0.5}, {"quote": "b"}]}',
        "",
        {
            "quotes": [
                {"quote": "c", "document_id": 7, "start": None, "end": None},
                {"quote": "", "document_id": ""},
            ]
        },
        {"id": 4, "quotes": []},
    )
    assert list(read_records(file)) == [
        AnswerRecord(
            "q1",
            AnswerToCheck(quotes=(QuoteToCheck("a", ("d/1",), (10, 60)), QuoteToCheck("b")), question="?"),
        ),
        AnswerRecord("line-3", AnswerToCheck(quotes=(QuoteToCheck("c", ("7",)), QuoteToCheck("")))),
        AnswerRecord("4", AnswerToCheck()),
    ]


def test_texts_claims_documents_and_sources_are_read(answers):
    file = answers(
        {
            "answer": "It fell [1].",
            "question": "what fell?",
            "documents": [{"id": "a", "title": "A", "text": "x"}, {"text": "y", "url": "u"}],
            "sources": [{"mark": "1", "document_id": "a"}, {"mark": 2, "document_id": 7}, {"title": "other"}],
        },
        {"claims": [{"claim": "It fell.", "document_ids": ["a"], "quotes": [{"quote": "it fell"}]}]},
    )
    text, claims = [record.answer for record in read_records(file)]
    assert text == AnswerToCheck(
        text="It fell [1].",
        question="what fell?",
        documents=(Document("a", "A", "x"), Document("document-2", "", "y", "u")),
        sources={"1": "a", "2": "7"},
    )
    assert claims.claims == (GivenClaim("It fell.", (QuoteToCheck("it fell"),), ("a",)),)


def test_a_file_may_be_one_object_on_several_lines(tmp_path):
    (tmp_path / "answer.json").write_text(json.dumps({"answer": "so", "question": "?"}, indent=2))
    (record,) = read_records(str(tmp_path / "answer.json"))
    assert record.answer.text == "so"


def test_what_loccit_writes_is_read_as_well(answers):
    citation = {
        "quote": "a",
        "document_id": "d",
        "title": "D",
        "url": None,
        "start": 1,
        "end": 2,
        "support": 0.5,
    }
    quotes = (QuoteToCheck("a", ("d",), (1, 2)),)
    response = {"question": "?", "answer": "!", "abstained": False, "citations": [citation]}
    (read,) = read_records(answers(response))
    assert (read.answer.quotes, read.answer.text) == (quotes, "")
    prediction = {"id": "own-1", "answers": [], "trace": {"schema": 1, "decision": {"citations": [citation]}}}
    (read,) = read_records(answers(prediction))
    assert (read.id, read.answer.quotes) == ("own-1", quotes)
    for own in ("short_answer", "abstained"):
        (read,) = read_records(answers({"answer": "x", own: None, "citations": []}))
        assert (read.answer.quotes, read.answer.text) == ((), "")


@pytest.mark.parametrize(
    "citations", [[], None, 3, {"1": "u"}, ["https://example.org"], [{"url": "u"}], [{"quote": None}]]
)
def test_citations_of_other_systems_hide_no_text(answers, citations):
    (read,) = read_records(answers({"answer": "It fell.", "citations": citations}))
    assert (read.answer.text, read.answer.quotes) == ("It fell.", ())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", r"the line is not JSON \(Expecting .* at column 2\); write one whole object on each line\."),
        ("[1]", r"the line is \[1\], but it must be a JSON object such as"),
        ("[" * 200_000, "nests too deeply"),
        ('{"n": ' + "9" * 5000 + "}", "too long a number"),
        ({"text": "x"}, r'the line has no answer, quotes or claims; it needs the form \{"quotes": \['),
        ({"trace": {"decision": 3}}, "the line has no answer, quotes or claims"),
        ({"answer": 5}, "its answer is 5, but it must be a string"),
        ({"answer": "x", "documents": {"a": 1}}, "documents is .*, but it must be a list"),
        (
            {"answer": "x", "documents": [{"id": "a"}]},
            "document 1: it is .*, but it must be an object with a",
        ),
        (
            {"answer": "x", "documents": [{"id": "a", "text": ""}, {"id": "a", "text": ""}]},
            "two documents have the id 'a'; give each its own, or none",
        ),
        ({"claims": ["x"]}, "claim 1: it is 'x', but it must be an object with a"),
        ({"claims": [{"claim": "x", "quotes": [{}]}]}, "claim 1: quote 1: its quote is missing"),
        ({"claims": [{"claim": "x", "document_ids": [1]}]}, "claim 1: its document_ids are"),
        ({"quotes": "x"}, "quotes is 'x', but it must be a list"),
        ({"quotes": None, "citations": 1}, "the line has no answer, quotes or claims"),
        ({"abstained": True, "citations": 1}, "citations is 1, but it must be a list"),
        ({"citations": [{"quote": "a"}, {}]}, "quote 2: its quote is missing, but it must be a string"),
        ({"trace": {"decision": {"citations": {}}}}, "trace.decision.citations is {}, but it must be a list"),
        ({"id": ["q"], "quotes": []}, r"2: its id is \['q'\], but it must be a string or left out"),
        ({"id": "\ud800", "quotes": []}, "2: its id holds half a surrogate pair, '.ud800'"),
        ({"quotes": ["x"]}, "quote 1: it is 'x', but it must be an object with a \"quote\""),
        ({"quotes": [{"quote": "a"}, {}]}, "quote 2: its quote is missing, but it must be a string"),
        ({"quotes": [{"quote": 5}]}, "quote 1: its quote is 5, but it must be a string"),
        (
            {"quotes": [{"quote": "cut \ud83d"}]},
            "quote 1: its quote holds half a surrogate pair, '.ud83d'; write",
        ),
        ({"quotes": [{"quote": "a", "document_id": True}]}, "quote 1: its document_id is True"),
        (
            {"quotes": [{"quote": "a", "document_id": "\udc00"}]},
            "quote 1: its document_id holds half a surrogate pair",
        ),
        (
            {"quotes": [{"quote": "a", "document_id": "d", "start": 1}]},
            "quote 1: its start is 1 and its end None, but they must be two",
        ),
        (
            {"quotes": [{"quote": "a", "document_id": "d", "start": 1, "end": 2.0}]},
            r"its start is 1 and its end 2\.0, but",
        ),
        (
            {"quotes": [{"quote": "a", "document_id": "d", "start": True, "end": 2}]},
            "its start is True and its end 2, but",
        ),
        (
            {"quotes": [{"quote": "a", "start": 1, "end": 2}]},
            "quote 1: it has start and end but no document_id",
        ),
    ],
)
def test_a_malformed_line_is_one_sentence_with_its_place(answers, line, sentence):
    file = answers({"quotes": []}, line)
    with pytest.raises(LoccitError, match=sentence) as caught:
        list(read_records(file))
    assert str(caught.value).startswith(f"{file}:2: ")
    assert str(caught.value).endswith((".", ")."))


def test_bytes_that_are_no_utf8_are_named(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"quotes": []}\n{"quotes": [{"quote": "caf\xe9"}]}\n')
    with pytest.raises(LoccitError, match=r"latin\.jsonl:2: the byte 0xe9 at position 27 is not UTF-8"):
        list(read_records(str(tmp_path / "latin.jsonl")))


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_compressed_files_are_read_and_damage_is_told(tmp_path, suffix, pack):
    packed = pack(b'{"quotes": [{"quote": "a"}]}\n' * 500)
    path = tmp_path / f"answers.jsonl.{suffix}"
    path.write_bytes(packed)
    assert len(list(read_records(str(path)))) == 500
    path.write_bytes(packed[: len(packed) - 12])
    with pytest.raises(LoccitError, match="the compressed file is damaged or cut short here"):
        list(read_records(str(path)))


def test_standard_input_is_read(monkeypatch):
    stream = io.BytesIO(b'{"quotes": [{"quote": "a"}]}\n{}\n')
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    answers = read_records("-")
    assert next(answers).answer.quotes == (QuoteToCheck("a"),)
    with pytest.raises(LoccitError, match=r"^standard input:2: the line has no answer"):
        next(answers)
    answers.close()
    assert not stream.closed


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match=r"cannot be read \(No such file or directory\); give a JSONL file, or -"
    ):
        list(read_records(str(tmp_path / "missing.jsonl")))
