"""What is counted, by value: each request, each answer, and nothing that a client wrote."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.answering.generators.reader_generator import ReaderGenerator
from app.http.telemetry.answer_log import AnswerLog
from app.http.telemetry.metrics import Metrics
from app.http.worker import BusyError, StoppingError
from app.service.ask import Ask
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_requests import ASKED
from tests.app.http.test_serving import HeldGenerator

SECRET = "zyzzyva"


async def scraped(client) -> dict[tuple, float]:
    """Every sample: (name, label values in the order of their names) -> value."""
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.text)
    samples = [sample for family in families for sample in family.samples]
    return {(s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for s in samples}


async def test_requests_are_counted_by_route_template_and_status(client):
    await client.get("/documents/lighthouses/eddystone")
    await client.get("/documents/towers/eiffel tower")
    await client.get("/documents/none")
    await client.post("/answer", json={})
    found = await scraped(client)
    assert found["loccit_requests_total", "/documents/{document_id}", "200"] == 2
    assert found["loccit_requests_total", "/documents/{document_id}", "404"] == 1
    assert found["loccit_requests_total", "/answer", "422"] == 1
    assert found["loccit_request_seconds_count", "/documents/{document_id}"] == 3
    assert found["loccit_request_seconds_sum", "/documents/{document_id}"] > 0
    assert (await scraped(client))["loccit_requests_total", "/metrics", "200"] == 1


async def test_unknown_paths_and_methods_are_one_label(client):
    for number in range(20):
        await client.get(f"/{SECRET}{number}")
        await client.request(f"{SECRET.upper()}{number}", "/answer")
    found = await scraped(client)
    assert found["loccit_requests_total", "none", "404"] == 20
    assert found["loccit_requests_total", "/answer", "405"] == 20
    assert SECRET not in str(found).lower()


async def test_answers_are_counted_timed_by_stage_and_their_confidence_kept(client):
    await client.post("/answer", json=ASKED)
    await client.post("/answer/stream", json=ASKED)
    await client.post("/answer", json={**ASKED, "min_confidence": 1, "question": f"who {SECRET} tower"})
    documents = [{"title": SECRET, "text": f"Ann built the {SECRET}.", "document_id": SECRET}]
    await client.post(
        "/answer", json={**ASKED, "documents": documents, "length": "long", "min_confidence": 0}
    )
    found = await scraped(client)
    assert found["loccit_questions_total", "answered"] == 3
    assert found["loccit_questions_total", "abstained"] == 1
    assert found["loccit_abstentions_total", "low_confidence"] == 1
    assert found["loccit_abstentions_total", "no_passages"] == 0
    assert found["loccit_answer_confidence_count",] == 4
    assert found["loccit_answer_confidence_bucket", "1.0"] == 4
    counts = {key[1]: value for key, value in found.items() if key[0] == "loccit_answer_stage_seconds_count"}
    assert counts.pop("index") == 1
    assert counts.pop("compose") == 1
    assert counts == dict.fromkeys(("wait", "retrieve", "read", "generate", "cite", "support", "decide"), 4)
    assert SECRET not in str(found)


async def test_a_question_that_fails_is_counted_as_failed():
    class Broken(ReaderGenerator):
        def generate(self, question, readings, **options):
            if question == "break":
                raise KeyError(SECRET)
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Broken())) as client:
        await client.post("/answer", json={"question": "break"})
        found = await scraped(client)
    assert found["loccit_questions_total", "failed"] == 1
    assert found["loccit_requests_total", "/answer", "500"] == 1
    assert found["loccit_questions_total", "answered"] == 0


async def rested(client):
    """What is measured once the worker, which has told its last answer, has noticed that no other is wanted."""
    async with asyncio.timeout(10):
        while (found := await scraped(client))["loccit_worker_busy",]:
            await asyncio.sleep(0.01)
    return found


async def test_the_queue_the_worker_and_what_is_under_way_are_told():
    held = HeldGenerator()
    async with serving(lambda _: service_over(generator=held)) as client:
        before = await rested(client)
        asking = [asyncio.create_task(client.post("/answer", json=ASKED)) for _ in range(3)]
        await held.wait_until_entered()
        async with asyncio.timeout(10):  # until the others have come, too
            while (during := await scraped(client))["loccit_questions_waiting",] < 2:
                await asyncio.sleep(0.01)
        held.released.set()
        await asyncio.gather(*asking)
        after = await rested(client)
    busy, waiting = ("loccit_worker_busy",), ("loccit_questions_waiting",)
    assert [state[busy] for state in (before, during, after)] == [0, 1, 0]
    assert [state[waiting] for state in (before, during, after)] == [0, 2, 0]
    under_way = ("loccit_requests_in_progress",)
    assert [state[under_way] for state in (before, during, after)] == [1, 4, 1]  # the scrape is one


async def test_the_index_and_the_process_are_told():
    async with serving(lambda _: service_over()) as client:
        host = client._transport.app.state.host
        found = await scraped(client)
        assert found["loccit_ready",] == 1
        assert not [key for key in found if key[0] == "loccit_index_info"]  # one in memory has no generation
        object.__setattr__(host._service.index, "generation", "g1")
        found = await scraped(client)
    assert found["loccit_index_info", "g1"] == 1
    assert found["process_resident_memory_bytes",] > 10_000_000


async def test_before_the_models_have_answered_it_is_not_ready_and_metrics_are_there():
    def fail(_):
        raise RuntimeError("no weights")

    async with serving(fail, ready=False) as client:
        assert (await scraped(client))["loccit_ready",] == 0


async def test_each_app_counts_for_itself():
    for _ in range(2):
        async with serving(lambda _: service_over()) as client:
            await client.post("/answer", json=ASKED)
            assert (await scraped(client))["loccit_questions_total", "answered"] == 1


async def test_open_metrics_are_given_to_who_takes_them(client):
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


async def test_they_can_be_switched_off():
    async with serving(lambda _: service_over(), metrics=False) as client:
        assert (await client.get("/metrics")).status_code == 404
        assert "/metrics" not in (await client.get("/openapi.json")).json()["paths"]


@pytest.mark.parametrize("path", ["/answer", "/answer/stream"])
async def test_a_client_that_leaves_is_counted_as_gone(path):
    held = HeldGenerator()
    async with serving(lambda _: service_over(generator=held)) as client:
        app, left, sent = client._transport.app, asyncio.Event(), []
        body = b'{"question": "gone?"}'
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "client": None,
            "server": ("loccit", 80),
        }
        leaving = asyncio.create_task(app(scope, receive, send))
        await held.wait_until_entered()
        left.set()
        await asyncio.wait_for(leaving, 10)
        held.released.set()
        found = await scraped(client)
    assert found["loccit_questions_total", "abandoned"] == 1
    assert found["loccit_requests_total", path, str(sent[0]["status"])] == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BusyError("full"), "refused"),
        (StoppingError("stopping"), "refused"),
        (KeyError("x"), "failed"),
        (asyncio.CancelledError(), "abandoned"),
    ],
)
def test_refusals_are_no_failures(error, outcome):
    metrics = Metrics()
    AnswerLog(Ask("why"), metrics, generation=None, arrived=0.0, with_question=False).failed(error)
    counted = {
        sample.labels["outcome"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "loccit_questions_total"
    }
    assert {name for name, count in counted.items() if count} == {outcome}
