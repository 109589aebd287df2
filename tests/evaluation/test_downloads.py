"""Downloads of question sets, from a transport that stands in for the network."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from common.errors import LoccitError
from evaluation import downloads
from evaluation.downloads import SOURCES, QuestionSet, download, questions_path
from evaluation.question_sets.nq_gold import PASSAGES_FILE, QUESTIONS_FILE, TERMS_FILE, derived_files
from evaluation.questions import Question, load_questions

NQ_OPEN_LINES = b'{"question": "where do puffins nest", "answer": ["cliffs"]}\n'


def gold_line(question: str, title: str, text: str, **changes: object) -> dict[str, object]:
    context = {"title": title, "text": text, "hasanswer": True, "isgold": True}
    annotated = {"title": title, "long_answer": f"{text} And more.", "short_answers": ["x"]}
    line = {"question": question, "answers": ["x"], "ctxs": [context], "nq_annotated_gold": annotated}
    return {**line, **changes}


def packed(*lines: object) -> bytes:
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)


GOLD_LINES = packed(
    gold_line("where do puffins nest", "Puffin", "On cliffs.", answers=["cliffs", "burrows", "cliffs"]),
    gold_line("who sang it", "What's Up? (song)", "Ann did."),
    gold_line("when do puffins nest", "Puffin", "On cliffs."),
    gold_line("what is a puffin", "Puffin", "A bird."),
)


class Server:
    """Answers every request alike, and keeps the requests."""

    def __init__(self, response: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._response = response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self._response, Exception):
            raise self._response
        return self._response

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


def serving(content: bytes) -> Server:
    return Server(httpx.Response(200, stream=httpx.ByteStream(content)))


@pytest.fixture
def published(monkeypatch):
    """The two sets with small published files; their names, in place of the real ones."""
    contents = {"nq-open": NQ_OPEN_LINES, "nq-gold": GOLD_LINES}
    sources = {
        name: replace(SOURCES[name], size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    }
    monkeypatch.setattr(downloads, "SOURCES", sources)
    return contents


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def refusal(name: str, cache: Path, quiet, server: Server) -> str:
    with pytest.raises(LoccitError) as caught:
        download(name, cache, quiet, transport=server.transport)
    return str(caught.value)


def by_hand(path: Path, name: str) -> str:
    return f"a copy fetched by hand can be put at {path}: then give `loccit evaluate --download {name}` again"


def test_what_is_pinned_is_a_commit_a_size_and_a_digest():
    assert {
        name: (source.url, source.size, source.sha256, source.questions, source.passages)
        for name, source in SOURCES.items()
    } == {
        "nq-open": (
            "https://raw.githubusercontent.com/google-research-datasets/natural-questions/"
            "a7d6452c0905c7772e9fbbb9a20b5fcab07c668f/nq_open/NQ-open.dev.jsonl",
            391316,
            "f15567f38099f3615f5b8a685c0aef449c11ad90d3da3735e8d1b98115b40616",
            "NQ-open.dev.jsonl",
            None,
        ),
        "nq-gold": (
            "https://raw.githubusercontent.com/nelson-liu/lost-in-the-middle/"
            "29b8a6d042ce29abccee3db1a73171a107d7e6af/qa_data/nq-open-oracle.jsonl.gz",
            900334,
            "6a7f72b846f663a133ef952244e5a4e43f06bcf190afe34e8fbe687ce0d1653e",
            "questions.jsonl",
            "passages.jsonl",
        ),
    }


def test_nq_open_is_fetched_checked_and_kept(tmp_path, published, quiet):
    server = serving(NQ_OPEN_LINES)
    found = download("nq-open", tmp_path, quiet, transport=server.transport)
    path = tmp_path / "nq-open" / "NQ-open.dev.jsonl"
    assert found == QuestionSet("nq-open", path, None, SOURCES["nq-open"].terms)
    assert path == questions_path("nq-open", tmp_path)
    assert path.read_bytes() == NQ_OPEN_LINES
    assert files_in(tmp_path) == {"NQ-open.dev.jsonl"}
    (request,) = server.requests
    assert (request.method, str(request.url)) == ("GET", SOURCES["nq-open"].url)
    assert request.headers["Accept-Encoding"] == "identity"
    assert f"Fetching NQ-open.dev.jsonl (bytes): {len(NQ_OPEN_LINES)} of {len(NQ_OPEN_LINES)}" in (
        quiet.file.getvalue()
    )


def test_what_is_there_already_is_not_fetched_again(tmp_path, published, quiet):
    (tmp_path / "nq-gold").mkdir()
    (tmp_path / "nq-gold" / "nq-open-oracle.jsonl.gz").write_bytes(GOLD_LINES)
    server = Server(httpx.ConnectError("offline"))
    download("nq-gold", tmp_path, quiet, transport=server.transport)
    assert server.requests == []
    assert files_in(tmp_path) == {"nq-open-oracle.jsonl.gz", QUESTIONS_FILE, PASSAGES_FILE, TERMS_FILE}
    assert quiet.file.getvalue() == ""


def test_a_file_with_another_digest_is_fetched_anew(tmp_path, published, quiet):
    path = questions_path("nq-open", tmp_path)
    path.parent.mkdir()
    path.write_bytes(NQ_OPEN_LINES[:-5])
    download("nq-open", tmp_path, quiet, transport=serving(NQ_OPEN_LINES).transport)
    assert path.read_bytes() == NQ_OPEN_LINES


@pytest.mark.parametrize(
    "content", [b"<html>log in first</html>", NQ_OPEN_LINES[:-1], NQ_OPEN_LINES + b"\n", b""]
)
def test_what_is_not_the_published_file_is_refused_and_not_kept(tmp_path, published, quiet, content):
    path = questions_path("nq-open", tmp_path)
    expected = hashlib.sha256(NQ_OPEN_LINES).hexdigest()
    assert refusal("nq-open", tmp_path, quiet, serving(content)) == (
        f"What {SOURCES['nq-open'].url} gave is not the published file: its sha256 is "
        f"{hashlib.sha256(content).hexdigest()}, but {expected} is expected; it was not kept. Try later, or "
        f"{by_hand(path, 'nq-open')}."
    )
    assert files_in(tmp_path) == set()


def test_a_refused_download_leaves_what_was_there(tmp_path, published, quiet):
    path = questions_path("nq-open", tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"older")
    sentence = refusal("nq-open", tmp_path, quiet, serving(b"other"))
    assert sentence.endswith(
        f"again; what lies there now has not the sha256 {hashlib.sha256(NQ_OPEN_LINES).hexdigest()}."
    )
    assert path.read_bytes() == b"older"
    assert files_in(tmp_path) == {"NQ-open.dev.jsonl"}


def test_a_file_without_end_is_not_read_to_its_end(tmp_path, published, quiet):
    blocks = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self):
            while len(blocks) < 100:
                blocks.append(b"x" * 64)
                yield blocks[-1]

    server = Server(httpx.Response(200, stream=Endless()))
    assert "is not the published file" in refusal("nq-open", tmp_path, quiet, server)
    assert len(blocks) <= len(NQ_OPEN_LINES) // 64 + 1


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (httpx.ConnectError("Name or service not known"), "Name or service not known"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.Response(404), "status 404"),
        (httpx.Response(503), "status 503"),
        (ImportError("no socksio"), "no socksio"),
    ],
)
def test_without_the_network_one_sentence_says_what_can_be_done(tmp_path, published, quiet, response, why):
    path = tmp_path / "nq-gold" / "nq-open-oracle.jsonl.gz"
    assert refusal("nq-gold", tmp_path, quiet, Server(response)) == (
        f"{SOURCES['nq-gold'].url} could not be fetched ({why}); {by_hand(path, 'nq-gold')}."
    )
    assert files_in(tmp_path) == set()


def test_a_connection_that_breaks_off_leaves_nothing(tmp_path, published, quiet):
    class Broken(httpx.SyncByteStream):
        def __iter__(self):
            yield NQ_OPEN_LINES[:10]
            raise httpx.ReadError("reset")

    server = Server(httpx.Response(200, stream=Broken()))
    assert "could not be fetched (reset)" in refusal("nq-open", tmp_path, quiet, server)
    assert files_in(tmp_path) == set()


def test_redirects_are_followed(tmp_path, published, quiet):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "elsewhere.example":
            return httpx.Response(200, content=NQ_OPEN_LINES)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/file"})

    download("nq-open", tmp_path, quiet, transport=httpx.MockTransport(answer))
    assert questions_path("nq-open", tmp_path).read_bytes() == NQ_OPEN_LINES


def test_there_are_only_the_sets_that_there_are(tmp_path, quiet):
    with pytest.raises(LoccitError, match=r"^There is no set 'nq' to download; give nq-open or nq-gold\.$"):
        download("nq", tmp_path, quiet)
    assert list(tmp_path.iterdir()) == []


def test_nq_gold_brings_questions_and_a_corpus_of_their_passages(tmp_path, published, quiet):
    found = download("nq-gold", tmp_path, quiet, transport=serving(GOLD_LINES).transport)
    assert found.questions == tmp_path / "nq-gold" / "questions.jsonl"
    assert found.passages == tmp_path / "nq-gold" / "passages.jsonl"
    assert load_questions(str(found.questions)) == [
        Question(
            f"nq-{hashlib.sha256(question.encode()).hexdigest()[:10]}",
            question,
            answers,
            title=title,
            gold_document_id=document_id,
            long_answer=long_answer,
        )
        for question, answers, title, document_id, long_answer in (
            ("where do puffins nest", ("cliffs", "burrows"), "Puffin", "nqgold-0000", "On cliffs. And more."),
            ("who sang it", ("x",), "What's Up? (song)", "nqgold-0001", "Ann did. And more."),
            ("when do puffins nest", ("x",), "Puffin", "nqgold-0000", "On cliffs. And more."),
            ("what is a puffin", ("x",), "Puffin", "nqgold-0002", "A bird. And more."),
        )
    ]
    wiki = "https://en.wikipedia.org/wiki/"
    assert [json.loads(line) for line in found.passages.read_text().splitlines()] == [
        {"id": "nqgold-0000", "title": "Puffin", "text": "On cliffs.", "url": f"{wiki}Puffin"},
        {
            "id": "nqgold-0001",
            "title": "What's Up? (song)",
            "text": "Ann did.",
            "url": f"{wiki}What%27s_Up%3F_(song)",
        },
        {"id": "nqgold-0002", "title": "Puffin", "text": "A bird.", "url": f"{wiki}Puffin"},
    ]


def test_derived_files_are_made_anew_the_same(tmp_path, published, quiet):
    found = download("nq-gold", tmp_path, quiet, transport=serving(GOLD_LINES).transport)
    first = found.questions.read_bytes(), found.passages.read_bytes()
    found.questions.write_text("damaged")
    found.passages.unlink()
    download("nq-gold", tmp_path, quiet, transport=Server(httpx.ConnectError("offline")).transport)
    assert (found.questions.read_bytes(), found.passages.read_bytes()) == first


NOT_GOLD = {"title": "T", "text": "t", "isgold": False}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (gold_line("a", "T", "t", ctxs=[]), "o:2: ctxs holds 0 gold passages, but it must hold one."),
        (gold_line("a", "T", "t", ctxs=[NOT_GOLD]), "o:2: ctxs holds 0 gold passages, but it must hold one."),
        (
            gold_line("a", "", "t"),
            "o:2, ctxs[0]: title is blank, but it must be a string with something in it.",
        ),
        (
            gold_line("a", "T", "t", nq_annotated_gold=[]),
            "o:2, nq_annotated_gold is [], but it must be a JSON object.",
        ),
        ({"question": "a"}, "o:2: ctxs is missing, but it must be a list."),
    ],
)
def test_a_line_that_is_not_as_published_is_named(line, sentence):
    with pytest.raises(LoccitError) as caught:
        derived_files(packed(gold_line("a", "T", "t"), line), "o")
    assert str(caught.value) == sentence


def test_other_passages_than_the_gold_one_are_left_out():
    line = gold_line("a", "T", "t")
    files = derived_files(packed({**line, "ctxs": [NOT_GOLD, *line["ctxs"]]}), "o")
    assert len(files["passages.jsonl"].splitlines()) == 1


SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not here")
def test_the_shared_cut_of_nq_gold_has_the_same_ids_and_pages():
    """Its passages are all of the published file's, in order; the questions are some of them."""
    content = gzip.decompress((SHARED / "corpora" / "nq_gold_passages.jsonl.gz").read_bytes())
    passages = [json.loads(line) for line in content.splitlines()]
    files = derived_files(packed(*(gold_line("q", one["title"], one["text"]) for one in passages)), "o")
    derived = [json.loads(line) for line in files["passages.jsonl"].splitlines()]
    assert [(one["id"], one["title"], one["text"], unquote(one["url"])) for one in derived] == [
        (one["id"], one["title"], one["text"], one["url"]) for one in passages
    ]
    for question in load_questions(str(SHARED / "nq" / "open_dev_with_gold.jsonl")):
        assert question.id == f"nq-{hashlib.sha256(question.question.encode()).hexdigest()[:10]}"
