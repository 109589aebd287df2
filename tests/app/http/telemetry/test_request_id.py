"""A request's id: taken where it is well-formed, made where not, and told everywhere."""

import re

import pytest

from app.answering.generators.reader_generator import ReaderGenerator
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_event_stream import events_of
from tests.app.http.test_requests import ASKED, problem_of


async def test_a_well_formed_id_is_taken_and_returned(client):
    for given in ("a", "5f0c6f1e-8a5b-4b7c-9f0e", "Root=1-67891233:abc/def+x_y.z==", "x" * 128):
        response = await client.get("/health/live", headers={"X-Request-ID": given})
        assert response.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a;b", 'a"', "a\tb", "<a>"])
async def test_any_other_is_replaced(client, given):
    response = await client.get("/health/live", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


async def test_each_request_gets_an_id_of_its_own(client):
    made = {(await client.get("/health/live")).headers["x-request-id"] for _ in range(5)}
    assert len(made) == 5


async def test_problems_of_every_kind_name_their_request(client):
    for response, status in (
        (await client.get("/nowhere", headers={"X-Request-ID": "a"}), 404),
        (await client.post("/answer", json={}, headers={"X-Request-ID": "a"}), 422),
        (await client.post("/answer", content=b"x", headers={"X-Request-ID": "a"}), 415),
        (await client.get("/documents/none", headers={"X-Request-ID": "a"}), 404),
    ):
        assert problem_of(response, status)["request_id"] == "a"


async def test_an_unforeseen_failure_names_its_request_as_a_response_and_in_a_stream():
    class Broken(ReaderGenerator):
        def generate(self, question, readings, **options):
            if question == "break":
                raise KeyError("x")
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Broken())) as client:
        broken, named = {"question": "break"}, {"X-Request-ID": "mine"}
        response = await client.post("/answer", json=broken, headers=named)
        assert problem_of(response, 500)["request_id"] == "mine"
        stream = await client.post("/answer/stream", json=ASKED | broken, headers=named)
        *_, (name, problem) = events_of(stream.text)
        assert (name, problem["request_id"]) == ("error", "mine")
