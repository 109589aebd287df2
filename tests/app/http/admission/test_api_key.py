"""Who may ask: no key, a wrong one, one that is limited, one for admins; a file that changes while it serves."""

import json
import os

import pytest

from app.service.api_keys import add_key, remove_key
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_requests import ASKED, problem_of


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def alice(keys):
    return add_key(keys, "alice")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
async def guarded(keys, alice):
    async with serving(lambda _: service_over(), key_file=keys) as client:
        yield client


PROTECTED = [
    ("POST", "/answer"),
    ("POST", "/answer/stream"),
    ("GET", "/documents/lighthouses/eddystone"),
    ("GET", "/openapi.json"),
    ("GET", "/metrics"),
    ("GET", "/nowhere"),
    ("GET", "/health/other"),
    ("GET", "/web"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_without_a_key_nothing_is_told(guarded, method, path):
    response = await guarded.request(method, path)
    problem = problem_of(response, 401)
    assert problem["type"] == "urn:loccit:problem:unauthorized"
    assert problem["detail"] == (
        "This service wants an API key; send one as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'."
    )
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/", "/web/main.js"])
async def test_health_and_page_are_open(guarded, path):
    assert (await guarded.get(path, headers={"Accept": "text/html"})).status_code == 200


async def test_a_key_opens_everything_but_admin_routes_sent_either_way(guarded, alice):
    for headers in (bearer(alice), {"Authorization": f"bearer  {alice} "}, {"X-API-Key": alice}):
        assert (await guarded.post("/answer", json=ASKED, headers=headers)).status_code == 200
        assert (await guarded.get("/metrics", headers=headers)).status_code == 200
        assert (await guarded.get("/nowhere", headers=headers)).status_code == 404


@pytest.mark.parametrize("wrong", ["x", "", "loccit_", "ö".encode(), b"\xff"])
async def test_a_wrong_key_is_turned_away(guarded, alice, wrong):
    given = wrong if isinstance(wrong, bytes) else wrong.encode()
    for headers in ([(b"authorization", b"Bearer " + given)], [(b"x-api-key", given)]):
        problem_of(await guarded.post("/answer", json=ASKED, headers=headers), 401)
    almost = alice[:-1] + ("a" if alice[-1] != "a" else "b")
    problem = problem_of(await guarded.post("/answer", json=ASKED, headers=bearer(almost)), 401)
    assert problem["detail"] == "The API key is not one that this service knows; ask its operator for one."
    basic = {"Authorization": f"Basic {alice}"}
    problem_of(await guarded.post("/answer", json=ASKED, headers=basic), 401)


async def test_metrics_can_be_opened(keys, alice):
    async with serving(lambda _: service_over(), key_file=keys, metrics_open=True) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/openapi.json")).status_code == 401


async def test_a_body_is_not_read_before_the_key(guarded):
    read = []

    async def body():
        read.append(1)
        yield b"{}"

    assert (await guarded.post("/answer", content=body())).status_code == 401
    assert read == []


async def test_a_key_allows_so_many_requests_a_minute_and_others_are_not_held_up(keys, alice):
    limited = add_key(keys, "bob", per_minute=3)
    async with serving(lambda _: service_over(), key_file=keys) as client:
        statuses = [(await client.get("/nowhere", headers=bearer(limited))).status_code for _ in range(3)]
        assert statuses == [404] * 3
        response = await client.get("/nowhere", headers=bearer(limited))
        problem = problem_of(response, 429)
        assert problem["type"] == "urn:loccit:problem:too-many-requests"
        assert problem["detail"] == "The key 'bob' allows 3 requests a minute; wait for 20 seconds."
        assert response.headers["retry-after"] == "20"
        assert (await client.get("/nowhere", headers=bearer(alice))).status_code == 404
        add_key(keys, "carol")  # the file is read again; what bob used up stays used up
        assert (await client.get("/nowhere", headers=bearer(limited))).status_code == 429


async def test_a_changed_key_file_is_noticed(keys, guarded, alice):
    bob = add_key(keys, "bob")
    assert (await guarded.get("/metrics", headers=bearer(bob))).status_code == 200
    remove_key(keys, "alice")
    problem_of(await guarded.get("/metrics", headers=bearer(alice)), 401)
    assert (await guarded.get("/metrics", headers=bearer(bob))).status_code == 200


@pytest.mark.parametrize("damage", ["remove", "garble", "unknown field"])
async def test_a_key_file_that_cannot_be_read_lets_nobody_in_until_it_can(
    keys, guarded, alice, damage, caplog
):
    good = keys.read_text()
    if damage == "remove":
        keys.unlink()
    elif damage == "garble":
        keys.write_text("{")
    else:
        whole = json.loads(good)
        whole["keys"][0]["documents"] = "public/*"
        keys.write_text(json.dumps(whole))
    for _ in range(3):
        problem_of(await guarded.get("/metrics", headers=bearer(alice)), 401)
    said = [record for record in caplog.records if "Nobody is let in" in record.getMessage()]
    assert len(said) == 1
    keys.write_text(good)
    os.utime(keys, ns=(1, 1))
    assert (await guarded.get("/metrics", headers=bearer(alice))).status_code == 200


async def test_the_log_names_the_key_and_never_holds_it(guarded, alice, caplog):
    caplog.set_level("INFO")
    await guarded.get("/nowhere", headers=bearer(alice))
    await guarded.get("/nowhere", headers=bearer("wrong-key"))
    requests = [record.request for record in caplog.records if record.name == "app.http.telemetry.access_log"]
    assert [request["key"] for request in requests] == ["alice", None]
    everything = str([record.__dict__ for record in caplog.records])
    assert alice not in everything
    assert "wrong-key" not in everything


async def test_admin_routes_are_for_admin_keys_alone(keys, alice):
    root = add_key(keys, "root", admin=True)
    async with serving(lambda _: service_over(), key_file=keys, admin=True) as client:
        problem = problem_of(await client.post("/admin/reload", headers=bearer(alice)), 403)
        assert problem["detail"] == "This needs an admin key, and the key 'alice' is none."
        problem_of(await client.post("/admin/reload"), 401)
        let_on = await client.post("/admin/reload", headers=bearer(root))
        assert let_on.status_code not in {401, 403}  # what this service is asked to open again is not on disk


async def test_the_description_says_how_a_key_is_sent_and_where_none_is_needed(guarded, alice):
    description = (await guarded.get("/openapi.json", headers=bearer(alice))).json()
    assert description["security"] == [{"bearer": []}, {"header": []}]
    schemes = description["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["header"]["in"], schemes["header"]["name"]) == ("header", "X-API-Key")
    opened = {
        path
        for path, operations in description["paths"].items()
        if all(operation.get("security") == [] for operation in operations.values())
    }
    assert opened == {"/", "/health/live", "/health/ready"}
    assert {"401", "429"} <= set(description["paths"]["/answer"]["post"]["responses"])


async def test_without_a_key_file_nobody_needs_a_key(client):
    description = (await client.get("/openapi.json", headers=bearer("any"))).json()
    assert "security" not in description
    assert "401" not in description["paths"]["/answer"]["post"]["responses"]


async def test_a_page_of_another_site_may_not_reload_where_there_are_no_keys():
    async with serving(lambda _: service_over(), admin=True) as client:
        for site in ("cross-site", "same-site"):
            response = await client.post("/admin/reload", headers={"Sec-Fetch-Site": site})
            problem = problem_of(response, 403)
            assert problem["detail"].startswith("A page of another site may not administer this service")
        own = await client.post("/admin/reload", headers={"Sec-Fetch-Site": "same-origin"})
        assert own.status_code != 403


async def test_a_key_file_whose_owner_is_changed_is_read_again(keys, alice):
    kept = keys.read_bytes()
    async with serving(lambda _: service_over(), key_file=keys) as client:
        keys.write_bytes(b"{")
        before = keys.stat()
        assert (await client.get("/metrics", headers=bearer(alice))).status_code == 401
        keys.write_bytes(kept)
        os.utime(keys, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (await client.get("/metrics", headers=bearer(alice))).status_code == 200
