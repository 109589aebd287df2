"""The access log: requests, not questions."""

import logging

from tests.app.http.test_requests import ASKED


def requests_of(caplog) -> list[dict]:
    return [record.request for record in caplog.records if record.name == "app.http.telemetry.access_log"]


async def test_a_request_is_one_line_without_its_query(client, caplog):
    caplog.set_level(logging.INFO)
    await client.get("/?q=secret", headers={"Accept": "text/html"})
    [request] = requests_of(caplog)
    assert (request["method"], request["path"], request["route"], request["status"]) == ("GET", "/", "/", 200)
    assert request["client"] == "127.0.0.1"
    assert 0 <= request["ms"] < 60_000
    ours = [record for record in caplog.records if record.name.startswith("app")]
    assert ours[-1].getMessage().startswith('127.0.0.1 "GET /" 200 in ')
    assert "secret" not in str([record.__dict__ for record in ours])


async def test_a_request_is_known_by_the_template_of_its_path(client, caplog):
    caplog.set_level(logging.INFO)
    for path in ("/documents/lighthouses/eddystone", "/documents/none", "/web/api.js", "/nowhere", "/answer"):
        await client.get(path)
    await client.post("/answer/stream", json=ASKED)
    assert [(request["route"], request["status"]) for request in requests_of(caplog)] == [
        ("/documents/{document_id}", 200),
        ("/documents/{document_id}", 404),
        ("/web", 200),
        ("none", 404),
        ("/answer", 405),
        ("/answer/stream", 200),
    ]


async def test_a_long_path_is_cut(client, caplog):
    caplog.set_level(logging.INFO)
    await client.get(f"/{'x' * 5000}")
    [request] = requests_of(caplog)
    assert request["path"] == f"/{'x' * 199}"
