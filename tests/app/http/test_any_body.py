"""Whatever comes as a body is answered or refused with one sentence, soon, and is never the service's fault."""

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.http.wire.answer import INCLUDABLE, AnswerRequest, BatchRequest, DocumentToRead
from tests.app.http.conftest import Call, called, service_over
from tests.app.http.test_event_stream import events_of
from tests.app.http.test_requests import problem_of

REFUSED = {400, 413, 415, 422}
SECONDS = 10.0
"""Of processor time for one request: the slowest takes a hundredth. A body is small; the fault is work without end."""

names = st.sampled_from(
    sorted({*AnswerRequest.model_fields, *BatchRequest.model_fields, *DocumentToRead.model_fields})
)
texts = st.text() | st.sampled_from(["who designed the eiffel tower", "long", "\ud83d", "\0", *INCLUDABLE])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(names | texts, inner, max_size=6),
    max_leaves=20,
)
# most values are no object with a question, and no list of objects with a text: those would be refused for that alone
fields = st.dictionaries(st.sampled_from(list(DocumentToRead.model_fields)), scalars, max_size=2)
documents = st.lists(fields.map(lambda given: {"text": "", **given}), max_size=3)
requests = st.builds(
    lambda given: {"question": "who?", **given},
    st.dictionaries(names, values, max_size=3) | st.fixed_dictionaries({"documents": documents}),
)
batches = st.builds(lambda questions: {"questions": questions}, st.lists(requests | values, max_size=5))
chat_names = st.sampled_from(["model", "messages", "stream", "tools", "n", "response_format", "user"])
parts = st.builds(
    lambda kind, given: {"type": kind, **given},
    st.sampled_from(["text", "file", "image_url"]),
    st.dictionaries(st.sampled_from(["text", "file", "file_data"]), values, max_size=2),
)
some = settings(max_examples=150, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    with called(lambda _: service_over()) as call:
        yield call


def outcome(call: Call, path: str, body: bytes, content_type: str = "application/json"):
    """The response, which is one that may be."""
    started = time.process_time()
    response = call("POST", path, content=body, headers={"content-type": content_type})
    assert time.process_time() - started < SECONDS
    if response.status_code != 200:
        assert response.status_code in REFUSED
        check_sentence(problem_of(response, response.status_code)["detail"])
    return response


def check_sentence(detail: str) -> None:
    assert detail.endswith(".")
    assert detail.isprintable()
    assert len(detail) < 400


@some
@given(body=values | requests)
@example(body={"question": "who?", "top_k": 1e300})
@example(body={"question": "who?", "top_k": float("inf")})
def test_any_json_value_is_a_question_or_refused(call, body):
    written = json.dumps(body).encode()
    answered = outcome(call, "/answer", written)
    told = outcome(call, "/answer/stream", written)
    assert told.status_code == answered.status_code
    if told.status_code == 200:
        assert events_of(told.text)[-1][0] == "response"
    else:
        assert told.json()["detail"] == answered.json()["detail"]


@some
@given(body=batches | values)
def test_any_json_value_is_a_batch_or_refused_and_so_is_each_of_its_questions(call, body):
    response = outcome(call, "/answers", json.dumps(body).encode())
    if response.status_code == 200:
        items = response.json()["items"]
        assert len(items) == len(body["questions"])
        for problem in (item["problem"] for item in items if "problem" in item):
            assert problem["status"] == 422
            check_sentence(problem["detail"])


@some
@given(
    body=st.binary() | requests.map(lambda body: json.dumps(body)[:-1].encode()),
    content_type=st.sampled_from(["application/json", "application/json; charset=utf-16", "text/plain", ""]),
    path=st.sampled_from(["/answer", "/answers", "/answer/stream"]),
)
def test_any_bytes_are_refused_unless_they_are_json(call, body, content_type, path):
    assert outcome(call, path, body, content_type).status_code in REFUSED


conversations = st.builds(
    lambda given, content: {
        "model": "loccit",
        "messages": [{"role": "user", "content": "who?"}, {"role": "user", "content": content}],
        **given,
    },
    st.dictionaries(chat_names, values, max_size=2),
    values | st.lists(parts, max_size=3),
)


@some
@given(body=conversations | values)
def test_any_json_value_is_a_conversation_or_refused(call, body):
    started = time.process_time()
    written = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    response = call("POST", "/v1/chat/completions", content=written, headers=headers)
    assert time.process_time() - started < SECONDS
    if response.status_code != 200:
        assert response.status_code in REFUSED | {404}
        check_sentence(response.json()["error"]["message"])
