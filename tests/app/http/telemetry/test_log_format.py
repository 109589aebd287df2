"""The form of a line: one line a record, in UTC, with its request, and nothing that a client can forge."""

import json
import logging
import logging.config
import threading
from datetime import datetime

import pytest

from app.answering.generators.reader_generator import ReaderGenerator
from app.http.telemetry.log_format import JsonFormatter, TextFormatter, log_config
from app.service.settings import LogFormat
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_requests import ASKED

HOSTILE = 'x\r\n{"level": "INFO"}\x1b]0;owned\x07\u202e'


def record(message="%s", arguments=(HOSTILE,), **extra) -> logging.LogRecord:
    made = logging.LogRecord("app.x", logging.INFO, "", 0, message, arguments, None)
    made.__dict__.update(extra)
    return made


class Lines(logging.Handler):
    """Keeps every line as it would be written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def json_lines():
    handler, logger = Lines(JsonFormatter()), logging.getLogger("app")
    before = logger.level
    logger.setLevel(logging.INFO)  # not the attribute: loggers below remember what they let through
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in handler.lines]
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_json_is_one_object_a_line_with_utc_time_and_level():
    made = record("said %s", ("a",))
    made.created = 1_700_000_000.25
    assert json.loads(JsonFormatter().format(made)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "INFO",
        "logger": "app.x",
        "event": "message",
        "request_id": None,
        "message": "said a",
    }


def test_nothing_that_is_logged_can_end_a_line_or_steer_a_terminal():
    line = JsonFormatter().format(record())
    assert json.loads(line)["message"] == HOSTILE
    assert line.isascii()
    assert line.isprintable()
    text = TextFormatter().format(record())
    assert text == 'INFO:     x\\r\\n{"level": "INFO"}\\x1b]0;owned\\x07\\u202e'


def test_the_lines_of_a_message_of_ours_stay_lines():
    assert TextFormatter().format(record("Ask:\n%s %d", ("a\nb", 3))) == "INFO:     Ask:\na\\nb 3"


def test_an_error_stands_below_its_line_and_cannot_look_like_another():
    try:
        raise ValueError("no\nINFO:     forged\x1b[2J")
    except ValueError as error:
        made = logging.LogRecord("app.x", logging.ERROR, "", 0, "failed", (), (ValueError, error, None))
    first, *below = TextFormatter().format(made).split("\n")
    assert first == "ERROR:    failed"
    assert below == ["    ValueError: no", "    INFO:     forged\\x1b[2J"]
    assert json.loads(JsonFormatter().format(made))["error"] == "ValueError: no\nINFO:     forged\x1b[2J"


async def test_every_line_of_a_request_names_it_in_the_workers_thread_too(json_lines):
    threads = []

    class Telling(ReaderGenerator):
        def generate(self, question, readings, **options):
            threads.append(threading.current_thread().name)
            logging.getLogger("app.deep").info("working")
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Telling())) as client:
        response = await client.post("/answer", json=ASKED, headers={"X-Request-ID": "mine-1"})
        await client.post("/answer/stream", json=ASKED, headers={"X-Request-ID": "mine-2"})
    assert response.headers["x-request-id"] == "mine-1"
    assert set(threads) == {"loccit-worker"}
    for name in ("mine-1", "mine-2"):
        lines = [line for line in json_lines() if line["request_id"] == name]
        assert [line["event"] for line in lines] == ["message", "answer", "request"]
        assert lines[0]["message"] == "working"


async def test_an_answer_tells_its_facts_and_not_the_question(json_lines):
    async with serving(lambda _: service_over()) as client:
        answer = (await client.post("/answer", json=ASKED)).json()
        await client.post("/answer", json={**ASKED, "min_confidence": 1})
        handed_in = {"title": "T", "text": "Ann designed the Eiffel tower.", "document_id": "mine"}
        await client.post("/answer", json={**ASKED, "documents": [handed_in]})
    answered, abstained, from_theirs = [line for line in json_lines() if line["event"] == "answer"]
    assert answered["outcome"] == "answered"
    assert (answered["abstained"], answered["reason"]) == (False, None)
    assert answered["confidence"] == round(answer["confidence"], 4)
    assert answered["cited"] == [answer["citations"][0]["document_id"]]
    assert answered["total_ms"] > 0
    assert datetime.fromisoformat(answered["time"]).utcoffset().total_seconds() == 0
    assert (abstained["abstained"], abstained["reason"], abstained["cited"]) == (True, "low_confidence", [])
    assert (from_theirs["documents"], from_theirs["cited"]) == (1, [])
    assert "generation" in answered
    assert "generation" not in from_theirs
    assert ASKED["question"] not in str(json_lines())


async def test_the_question_is_logged_where_that_is_set(json_lines):
    async with serving(lambda _: service_over(), log_questions=True) as client:
        await client.post("/answer", json=ASKED)
    [answer] = [line for line in json_lines() if line["event"] == "answer"]
    assert answer["question"] == ASKED["question"]


@pytest.mark.parametrize(("form", "formatter"), [("json", JsonFormatter), ("text", TextFormatter)])
def test_all_loggers_of_a_server_write_the_same_form(form, formatter):
    config = log_config(LogFormat(form))
    assert config["formatters"]["line"]["()"] is formatter
    for logger in (config["root"], config["loggers"]["app"], config["loggers"]["uvicorn"]):
        assert logger["handlers"] == ["all"]
    logging.config.DictConfigurator(config)  # it is one that logging understands
