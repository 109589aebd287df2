import gzip
import io
import json
import lzma
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from quote_check.audit import LISTED, audit, rounded_down
from quote_check.claims import ClaimedQuote, QuotedAnswer, read_answers
from quote_check.summary import show_audit
from rich.console import Console

from common.errors import IndexUnusableError, LoccitError
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from quote_check.check import Verdict
from retriever.generations import current_generation
from retriever.passages import PassageSettings

EDDYSTONE = "Henry Winstanley built the first tower at Eddystone. It fell in 1703."
TRAMS = "In Lisbon a horse tram ran in 1873. Electric ones came in 1901."


@pytest.fixture
def directory(tmp_path, encoder, quiet):
    lines = [
        {"id": "e/1", "title": "Eddystone", "text": EDDYSTONE},
        {"id": "t", "title": "Trams", "text": TRAMS},
    ]
    source = tmp_path / "corpus.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    build_index(
        [open_corpus(str(source))],
        tmp_path / "index",
        encoder=encoder,
        settings=PassageSettings(),
        strict=True,
        console=quiet,
    )
    return tmp_path / "index"


@pytest.fixture
def answers(tmp_path):
    def written(*lines, name="answers.jsonl"):
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (tmp_path / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
        return str(tmp_path / name)

    return written


def shown(counted):
    output = StringIO()
    show_audit(counted, Console(file=output, width=160))
    return output.getvalue()


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
    assert list(read_answers(file)) == [
        QuotedAnswer(
            "q1", (ClaimedQuote("a", "d/1", (10, 60), "q1", 1), ClaimedQuote("b", None, None, "q1", 2))
        ),
        QuotedAnswer(
            "line-3", (ClaimedQuote("c", "7", None, "line-3", 1), ClaimedQuote("", None, None, "line-3", 2))
        ),
        QuotedAnswer("4", ()),
    ]


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
    quote = ClaimedQuote("a", "d", (1, 2), "line-1", 1)
    response = {"question": "?", "answer": "!", "abstained": False, "citations": [citation]}
    assert list(read_answers(answers(response))) == [QuotedAnswer("line-1", (quote,))]
    prediction = {"id": "own-1", "answers": [], "trace": {"schema": 1, "decision": {"citations": [citation]}}}
    (read,) = read_answers(answers(prediction))
    assert (read.id, [one.text for one in read.quotes]) == ("own-1", ["a"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", r"the line is not JSON \(Expecting .* at column 2\); write one whole object on each line\."),
        ("[1]", r"the line is \[1\], but it must be a JSON object such as"),
        ("[" * 200_000, "nests too deeply"),
        ('{"n": ' + "9" * 5000 + "}", "too long a number"),
        ({"answer": "x"}, r'the line has no quotes; it needs the form \{"quotes": \['),
        ({"trace": {"decision": 3}}, "the line has no quotes"),
        (
            {"documents": [{"text": "x"}], "trace": {"decision": {"citations": []}}},
            "comes from documents of its own, which are in no index; leave such lines out",
        ),
        ({"quotes": "x"}, "quotes is 'x', but it must be a list"),
        ({"quotes": None, "citations": 1}, "citations is 1, but it must be a list"),
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
        list(read_answers(file))
    assert str(caught.value).startswith(f"{file}:2: ")
    assert str(caught.value).endswith((".", ")."))


def test_bytes_that_are_no_utf8_are_named(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"quotes": []}\n{"quotes": [{"quote": "caf\xe9"}]}\n')
    with pytest.raises(LoccitError, match=r"latin\.jsonl:2: the byte 0xe9 at position 27 is not UTF-8"):
        list(read_answers(str(tmp_path / "latin.jsonl")))


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_compressed_files_are_read_and_damage_is_told(tmp_path, suffix, pack):
    packed = pack(b'{"quotes": [{"quote": "a"}]}\n' * 500)
    path = tmp_path / f"answers.jsonl.{suffix}"
    path.write_bytes(packed)
    assert len(list(read_answers(str(path)))) == 500
    path.write_bytes(packed[: len(packed) - 12])
    with pytest.raises(LoccitError, match="the compressed file is damaged or cut short here"):
        list(read_answers(str(path)))


def test_standard_input_is_read(monkeypatch):
    stream = io.BytesIO(b'{"quotes": [{"quote": "a"}]}\n{}\n')
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    answers = read_answers("-")
    assert next(answers).quotes == (ClaimedQuote("a", None, None, "line-1", 1),)
    with pytest.raises(LoccitError, match=r"^standard input:2: the line has no quotes"):
        next(answers)
    answers.close()
    assert not stream.closed


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(
        LoccitError, match=r"cannot be read \(No such file or directory\); give a JSONL file, or -"
    ):
        list(read_answers(str(tmp_path / "missing.jsonl")))


def test_an_audit_counts_writes_and_lists(directory, answers, tmp_path, quiet):
    file = answers(
        {
            "id": "a",
            "quotes": [
                {"quote": "It fell in 1703.", "document_id": "e/1", "start": 53, "end": 69},
                {"quote": "It fell in 1703.", "document_id": "e/1", "start": 0, "end": 16},
                {"quote": "It fell\nin 1703.", "document_id": "e/1"},
            ],
        },
        {"id": "b", "quotes": []},
        {
            "id": "c",
            "quotes": [{"quote": "It fell in 1703.", "document_id": "T"}, {"quote": "Pink\x1b[31m trams"}],
        },
    )
    counted = audit(file, directory, out=tmp_path / "findings.jsonl", console=quiet)
    assert (counted.quotes, counted.answers, counted.without_quotes) == (5, 3, 1)
    assert counted.verdicts == {
        Verdict.VERBATIM: 2,
        Verdict.NEARLY: 1,
        Verdict.ANOTHER_DOCUMENT: 1,
        Verdict.FABRICATED: 1,
    }
    assert (counted.misplaced, counted.unknown_documents, counted.unsound) == (1, 1, 4)
    assert [(one.quote.answer_id, one.quote.number) for one in counted.listed] == [
        ("a", 2),
        ("a", 3),
        ("c", 1),
        ("c", 2),
    ]
    lines = [json.loads(line) for line in (tmp_path / "findings.jsonl").read_text().splitlines()]
    assert [line["verdict"] for line in lines] == [
        "verbatim",
        "verbatim",
        "nearly",
        "another_document",
        "fabricated",
    ]
    place = {"document_id": "e/1", "title": "Eddystone", "start": 53, "end": 69, "text": "It fell in 1703."}
    assert lines[1] == {
        "id": "a",
        "number": 2,
        "quote": "It fell in 1703.",
        "document_id": "e/1",
        "start": 0,
        "end": 16,
        "verdict": "verbatim",
        "similarity": 1.0,
        "exact": True,
        "offsets_match": False,
        "unknown_document": False,
        "reason": "stands word for word in the named document, but at 53 to 69, not at 0 to 16",
        "nearest": place,
    }
    assert (lines[2]["exact"], lines[2]["similarity"], lines[2]["nearest"]) == (False, 1.0, place)
    assert (lines[3]["unknown_document"], lines[3]["offsets_match"]) == (True, None)


def test_the_summary_shows_shares_and_every_quote_that_is_not_as_claimed(directory, answers, quiet):
    quotes = [
        {"quote": "It fell in 1703.", "document_id": "e/1", "start": 53, "end": 69},
        {"quote": "It fell in 1703.", "document_id": "e/1", "start": 0, "end": 16},
        {"quote": "It burned in 1703.", "document_id": "e/1"},
        {"quote": "It fell in 1703.", "document_id": "T"},
        {"quote": "In Lisbon a horse \x1b[31mcar ran in 1873.", "document_id": "t"},
    ]
    output = shown(audit(answers({"id": "a", "quotes": quotes}), directory, out=None, console=quiet))
    rows = [" ".join(line.split()) for line in output.splitlines()]
    assert rows[:8] == [
        "5 quotes of 1 answer",
        "verdict quotes share",
        "verbatim 2 40.0%",
        "of these, not at their offsets 1 20.0%",
        "nearly 0 0.0%",
        "from another document 1 20.0%",
        "fabricated 2 40.0%",
        "name a document that is not in the index 1 20.0%",
    ]
    assert "a, quote 1" not in output
    assert "a, quote 2: verbatim - stands word for word in the named document, but at 53 to 69" in output
    assert "a, quote 4: from another document - the index has no document 'T'; another holds it" in output
    assert "nearest “In Lisbon a horse tram ran in 1873.”" in " ".join(rows)
    assert "Trams, t [0:35]" in output
    assert "\x1b" not in output


def test_words_that_the_quote_does_not_have_are_bold(directory, answers, quiet):
    file = answers({"quotes": [{"quote": "It stood in 1703.", "document_id": "e/1"}]})
    output = StringIO()
    terminal = Console(file=output, width=160, force_terminal=True, color_system="standard")
    show_audit(audit(file, directory, out=None, console=quiet), terminal)
    assert "It \x1b[1mfell\x1b[0m in" in output.getvalue()


def test_only_the_first_are_listed_and_the_rest_counted(directory, answers, quiet):
    file = answers({"quotes": [{"quote": "It falls in 1703."}] * (LISTED + 3)})
    counted = audit(file, directory, out=None, console=quiet)
    assert len(counted.listed) == LISTED
    assert "... and 3 more; --out FILE writes them all." in shown(counted)


def test_a_file_without_quotes_is_counted_too(directory, answers, quiet):
    output = shown(audit(answers({"quotes": []}), directory, out=None, console=quiet))
    assert output.startswith("0 quotes of 1 answer, 1 of them without any")


def test_a_malformed_line_stops_before_anything_is_written(directory, answers, tmp_path, quiet):
    file = answers({"quotes": [{"quote": "It fell in 1703."}]}, {"quotes": 1})
    with pytest.raises(LoccitError, match=r"answers\.jsonl:2: "):
        audit(file, directory, out=tmp_path / "findings.jsonl", console=quiet)
    assert not (tmp_path / "findings.jsonl").exists()


def test_a_missing_or_damaged_index_is_refused(directory, answers, tmp_path, quiet):
    file = answers({"quotes": []})
    with pytest.raises(IndexUnusableError, match="There is no index in"):
        audit(file, tmp_path / "nowhere", out=None, console=quiet)
    store = current_generation(directory) / "documents.sqlite"
    damaged = bytearray(store.read_bytes())
    damaged[-100] ^= 1
    store.write_bytes(damaged)
    with pytest.raises(IndexUnusableError, match="is not the file that was built"):
        audit(file, directory, out=None, console=quiet)


def test_the_same_audit_gives_the_same_bytes(directory, answers, tmp_path, quiet):
    quotes = [{"quote": f"It fell or fall in 170{digit}"} for digit in range(5)]
    written = []
    for name in ("one", "two"):
        audit(answers({"quotes": quotes}), directory, out=tmp_path / name, console=quiet)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_a_similarity_is_never_rounded_up():
    assert rounded_down(0.99999) == 0.9999
    assert rounded_down(1.0) == 1.0


def test_no_model_is_loaded():
    program = (
        "import sys, quote_check.audit, quote_check.summary;"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_findings_never_take_the_place_of_what_is_checked(answers, directory, quiet):
    file = answers({"quotes": []})
    before = Path(file).read_text()
    with pytest.raises(LoccitError, match="is the file that is checked; give another file to --out"):
        audit(file, directory, out=Path(file), console=quiet)
    assert Path(file).read_text() == before
