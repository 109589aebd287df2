"""HEAD is answered as GET would be, without the body."""

import logging

import pytest

from tests.app.http.conftest import called, service_over

PATHS = [
    "/",
    "/health/live",
    "/health/ready",
    "/indexes/current",
    "/search?q=lighthouse",
    "/documents/nowhere",
    "/metrics",
    "/openapi.json",
    "/v1/models",
    "/web/style.css",
    "/web/none.css",
    "/nowhere",
]


@pytest.fixture(scope="module")
def call():
    with called(lambda _: service_over()) as call:
        yield call


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_head_is_get_without_its_body(call, path, accept):
    headers = {"accept": accept}
    whole, head = call("GET", path, headers=headers), call("HEAD", path, headers=headers)
    assert head.status_code == whole.status_code
    assert (head.content, bool(whole.content)) == (b"", True)
    varying = {"x-request-id", "date"} | (
        {"content-length"} if path in ("/metrics", "/search?q=lighthouse") else set()
    )
    of_whole, of_head = (
        {name: value for name, value in each.headers.items() if name not in varying} for each in (whole, head)
    )
    assert of_head == of_whole


def test_where_nothing_can_be_got_head_is_not_possible(call):
    head = call("HEAD", "/answer")
    assert (head.status_code, head.headers["allow"], head.content) == (405, "POST", b"")


def test_the_log_tells_a_head(call, caplog):
    caplog.set_level(logging.INFO)
    call("HEAD", "/health/live")
    [request] = [
        record.request for record in caplog.records if record.name == "app.http.telemetry.access_log"
    ]
    assert (request["method"], request["route"], request["status"]) == ("HEAD", "/health/live", 200)
