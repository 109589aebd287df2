"""The names that a request may call the service by, and pages of other origins."""

from contextlib import asynccontextmanager

import httpx
import pytest

from app.http.admission.trusted_hosts import hosts_of, is_loopback
from app.http.server import create_app
from app.service.settings import Settings
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_requests import problem_of

ORIGIN = "https://ask.example.org"


@asynccontextmanager
async def answering_to(*hosts: str):
    app = create_app(Settings.of(), open_service=lambda _: service_over(), hosts=hosts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:

        async def status(host: str | None) -> int:
            headers = {} if host is None else {"Host": host}
            return (await client.get("/health/live", headers=headers)).status_code

        status.client = client
        yield status


async def test_only_names_of_its_own_are_answered_to():
    async with answering_to("localhost", "127.0.0.1", "::1") as status:
        for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000", "[::1]"):
            assert await status(host) == 200, host
        for host in (
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8000",
            "",
            "[::2]",
            "*",
        ):
            assert await status(host) == 400, host
        response = await status.client.get("/health/live", headers={"Host": "evil.example:8000"})
        problem = problem_of(response, 400)
        assert problem["type"] == "urn:loccit:problem:unknown-host"
        assert problem["detail"] == (
            "This service does not answer to the name 'evil.example'; its operator lists the names that it "
            "answers to in LOCCIT_ALLOWED_HOSTS."
        )


async def test_a_star_stands_for_the_names_below_a_domain_and_alone_for_any():
    async with answering_to("*.example.org") as status:
        assert await status("a.example.org:1") == 200
        assert await status("example.org") == 400
        assert await status("evilexample.org") == 400
    async with answering_to("*") as status:
        assert await status("anything") == 200


@pytest.mark.parametrize(
    ("allowed", "listening_on", "hosts"),
    [
        (None, "127.0.0.1", ("localhost", "127.0.0.1", "::1")),
        (None, "127.0.0.5", ("localhost", "127.0.0.1", "::1", "127.0.0.5")),
        (None, "localhost", ("localhost", "127.0.0.1", "::1")),
        (None, "::1", ("localhost", "127.0.0.1", "::1")),
        (None, "0.0.0.0", ("*",)),
        (None, "::", ("*",)),
        (None, "10.0.0.1", ("*",)),
        ((), "127.0.0.1", ("localhost", "127.0.0.1", "::1")),
        (("loccit.example.org",), "127.0.0.1", ("loccit.example.org",)),
        (("loccit.example.org",), "0.0.0.0", ("loccit.example.org",)),
    ],
)
def test_on_loopback_only_loopback_names_count_unless_names_are_set(allowed, listening_on, hosts):
    assert hosts_of(allowed, listening_on=listening_on) == hosts


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("h", False)],
)
def test_loopback_is_what_only_this_machine_reaches(host, is_it):
    assert is_loopback(host) is is_it


def test_lists_come_from_the_environment_with_commas(monkeypatch):
    monkeypatch.setenv("LOCCIT_ALLOWED_HOSTS", "a.example.org, b.example.org")
    monkeypatch.setenv("LOCCIT_ALLOWED_ORIGINS", ORIGIN)
    settings = Settings.of()
    assert settings.allowed_hosts == ("a.example.org", "b.example.org")
    assert settings.allowed_origins == (ORIGIN,)
    assert settings.trusted_proxies == ()


PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization",
}


async def test_pages_of_other_origins_may_not_ask(client):
    assert (await client.options("/answer", headers=PREFLIGHT)).status_code == 405
    response = await client.get("/health/live", headers={"Origin": ORIGIN})
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_pages_of_origins_that_are_set_may_ask_without_a_key_for_the_preflight(tmp_path):
    from app.service.api_keys import add_key

    add_key(tmp_path / "keys.json", "alice")
    given = {"key_file": tmp_path / "keys.json", "allowed_origins": (ORIGIN,)}
    async with serving(lambda _: service_over(), **given) as client:
        response = await client.options("/answer", headers=PREFLIGHT)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == ORIGIN
        refused = await client.post("/answer", json={}, headers={"Origin": ORIGIN})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == ORIGIN
        assert "X-Request-ID" in refused.headers["access-control-expose-headers"]
        other = await client.options("/answer", headers={**PREFLIGHT, "Origin": "https://evil.example"})
        assert other.status_code == 400
        assert "access-control-allow-origin" not in other.headers
