"""Whatever the description allows is answered as described, and whatever it forbids is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from app.answering.generators.reader_generator import ReaderGenerator
from app.http.admission.api_key import OPEN_PATHS
from app.http.server import create_app
from app.service.api_keys import add_key
from app.service.assembly import REAL_PARTS, open_service
from app.service.generation import Writing
from app.service.settings import ReaderKind, Settings
from tests.app.http.chat.test_routes import error_of
from tests.app.http.conftest import DOCUMENTS, Call, called
from tests.app.http.test_event_stream import STAGES, events_of
from tests.app.http.test_requests import problem_of
from tests.server_process import build

CONFIG = {
    "seed": 0,
    "generation": {"with-security-parameters": False},
    # 404: a document that there is not; 409, 5xx: nothing here brings them about
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404"]},
        # 413: what is too long for its field may be too long for a body
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429"]
        },
        "ignored_auth": {"enabled": False},
    },
}
DESCRIPTION = create_app(Settings.of()).openapi()
OPERATIONS = schemathesis.openapi.from_dict(DESCRIPTION, config=schemathesis.Config.from_dict(CONFIG))
WITH_KEYS = schemathesis.openapi.from_dict(
    create_app(Settings.of(key_file=Path("keys.json"))).openapi(),
    config=schemathesis.Config.from_dict(CONFIG),
)
TOLD_WITHIN = {
    "POST /answers": [negative_data_rejection],  # a wrong question is refused in its place
    "POST /v1/chat/completions": [positive_data_acceptance],  # no schema says which message is the question
}
few = partial(
    settings, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], database=None
)


@contextmanager
def calling(index: Path, **given: object) -> Iterator[Call]:
    """Sends a case to a service over this index, in this process."""
    build(index, {document.doc_id: document.text for document in DOCUMENTS})
    parts = replace(REAL_PARTS, writing=lambda _: Writing(lambda _: ReaderGenerator()))
    over_index = {"index": index, "reader": ReaderKind.LEXICAL, "min_confidence": 0.2, "watch_index_s": 0}
    with called(partial(open_service, parts=parts), admin=True, **over_index, **given) as request:

        def call(case: schemathesis.Case, **headers: str) -> httpx.Response:
            asked = requests.Request(**case.as_transport_kwargs("http://loccit")).prepare()
            return request(asked.method, asked.url, headers={**asked.headers, **headers}, content=asked.body)

        yield call


@pytest.fixture(scope="module")
def call(tmp_path_factory) -> Iterator[Call]:
    with calling(tmp_path_factory.mktemp("open") / "index") as call:
        yield call


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[tuple[Call, str]]:
    """One that needs a key, and an admin's."""
    folder = tmp_path_factory.mktemp("guarded")
    key = add_key(folder / "keys.json", "root", admin=True)
    with calling(folder / "index", key_file=folder / "keys.json") as call:
        yield call, key


def validator(name: str) -> jsonschema_rs.Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    return jsonschema_rs.validator_for(schema)


REQUEST, CHECK, QUESTION, RESPONSE, PROBLEM = map(
    validator, ("AnswerRequest", "CheckRequest", "QuestionToAnswer", "AnswerResponse", "Problem")
)


def check(case: schemathesis.Case, response: httpx.Response) -> None:
    operation = case.operation.label
    excluded = TOLD_WITHIN.get(operation, [])
    if response.headers["content-type"].startswith("text/event-stream"):
        excluded = [*excluded, response_schema_conformance]  # the schema is of the text, not of an event
    if refused_in_words(case.body) and not filters_in(case):
        assert problem_of(response, 422)["detail"].endswith("give each its own, or none.")
        excluded = [*excluded, positive_data_acceptance]
    elif response.status_code == 422 and about_a_filter(response.json()):
        assert filters_in(case)
        excluded = [*excluded, positive_data_acceptance]
    case.validate_response(response, excluded_checks=excluded)
    if response.status_code == 200 and operation == "POST /answers":
        check_items(case.body["questions"], response.json()["items"])
    if response.status_code == 200 and operation == "POST /answer/stream":
        check_events(events_of(response.text))


def refused_in_words(body: object) -> bool:
    """Whether it follows its schema, and two of its documents have the same id: no schema can say that of them."""
    if not isinstance(body, dict) or not (REQUEST.is_valid(body) or CHECK.is_valid(body)):
        return False
    documents = enumerate(body.get("documents") or [], start=1)
    ids = [
        document.get("document_id") or document.get("id") or f"document-{number}"
        for number, document in documents
    ]
    return len(set(ids)) < len(ids)


def about_a_filter(problem: dict[str, Any]) -> bool:
    """Whether it says that a filter names what no document has: no schema can know the fields."""
    return problem["detail"].startswith(("The filter's field ", "The filter names ", "A filter is about "))


def filters_in(case: schemathesis.Case) -> bool:
    given = case.body.get("filter") if isinstance(case.body, dict) else None
    return given is not None or bool((case.query or {}).get("filter"))


def check_items(questions: list[Any], items: list[dict[str, Any]]) -> None:
    assert len(items) == len(questions)
    for question, item in zip(questions, items, strict=True):
        refused = not QUESTION.is_valid(question) or ("problem" in item and about_a_filter(item["problem"]))
        assert item.keys() == ({"problem"} if refused else {"response"}), question
        assert item.get("problem", {"status": 422})["status"] == 422


def check_events(events: list[tuple[str, dict[str, Any]]]) -> None:
    *stages, (last, response) = events
    assert [name for name, _ in stages] in (STAGES, [*STAGES, "composed"])
    assert last == "response"
    RESPONSE.validate(response)


@OPERATIONS.parametrize()
@few(max_examples=40)
def test_an_operation_does_what_its_description_says(case, call):
    check(case, call(case))


@WITH_KEYS.parametrize()
@few(max_examples=8)
def test_with_keys_an_operation_does_so_for_who_has_one_alone(case, guarded):
    call, key = guarded
    if case.path.startswith("/v1/"):
        assert error_of(call(case), 401)["code"] == "invalid_api_key"
    elif case.path not in OPEN_PATHS:
        PROBLEM.validate(problem_of(call(case), 401))
    check(case, call(case, **{"X-API-Key": key}))
