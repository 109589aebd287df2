"""A new generation of the index is served without a request being dropped, and a damaged one is not served."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from common.files import whole_file
from tests.server_process import ServerProcess, build, running

pytestmark = pytest.mark.enable_socket

OLD = {"towers": "Henry Winstanley built the first Eddystone tower in 1698. A storm took it in 1703."}
NEW = {"towers": "John Smeaton built the first Eddystone tower in 1759. It stands in Plymouth now."}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """What ``server`` serves."""
    return tmp_path_factory.mktemp("towers") / "index"


@pytest.fixture(scope="module")
def server(directory):
    """One that does not look for generations by itself."""
    build(directory, OLD)
    with running(directory, admin=True, watch_index_s=0) as server:
        yield server


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """What ``watching`` serves."""
    return tmp_path_factory.mktemp("watched") / "index"


@pytest.fixture(scope="module")
def watching(watched):
    """One that does."""
    build(watched, OLD)
    with running(watched, watch_index_s=0.2) as server:
        yield server


def reload(server: ServerProcess) -> httpx.Response:
    return httpx.post(f"{server.url}/admin/reload", timeout=60)


def served(server: ServerProcess) -> str:
    return server.get("/health/ready").json()["generation"]


def wait_until_served(server: ServerProcess, generation: str) -> None:
    end = time.monotonic() + 20
    while served(server) != generation:
        assert time.monotonic() < end, server.log
        time.sleep(0.05)


def build_damaged(directory: Path) -> None:
    """Make a generation current of which a file is damaged."""
    elsewhere = directory.parent / "elsewhere"
    name = build(elsewhere, NEW)
    (elsewhere / "generations" / name / "vectors.faiss").write_bytes(b"damaged")
    (elsewhere / "generations" / name).rename(directory / "generations" / name)
    with whole_file(directory / "CURRENT") as path:
        path.write_text(name)


def test_unless_it_is_allowed_a_reload_is_refused(watching):
    response = reload(watching)
    assert response.status_code == 403
    assert response.json() == {
        "type": "urn:loccit:problem:admin-off",
        "title": "Administration over HTTP is off",
        "status": 403,
        "detail": "Administration over HTTP is off; start the server with LOCCIT_ADMIN=true, or with a key file and "
        "send an admin key.",
        "request_id": response.headers["x-request-id"],
    }


def test_a_reload_serves_the_current_generation_and_lets_the_old_one_go(server, directory):
    old = served(server)
    new = build(directory, NEW)
    assert served(server) == old
    assert any(old in name for name in server.open_files())
    response = reload(server)
    assert response.status_code == 200
    assert response.json() == {"generation": new, "previous": old, "calibration": None}
    answer = server.ask()
    assert answer.json()["generation"] == new
    assert "Smeaton" in answer.json()["citations"][0]["quote"]
    assert "Smeaton" in server.get("/documents/towers").json()["text"]
    assert f"Generation {new} answers in the place of {old}." in server.log
    assert not any(old in name for name in server.open_files())
    assert reload(server).json() == {"generation": new, "previous": new, "calibration": None}


def test_a_hang_up_reloads(server, directory):
    new = build(directory, NEW)
    server.signal(signal.SIGHUP)
    wait_until_served(server, new)
    assert server.process.poll() is None


def test_a_new_generation_is_seen(watching, watched):
    wait_until_served(watching, build(watched, NEW))
    assert "Smeaton" in watching.ask().json()["citations"][0]["quote"]


def test_a_damaged_generation_is_refused(server, directory):
    old = reload(server).json()["generation"]
    build_damaged(directory)
    response = reload(server)
    assert response.status_code == 409
    problem = response.json()
    assert problem["type"] == "urn:loccit:problem:reload-refused"
    assert problem["detail"].startswith(f"The index was not reloaded, and generation {old} serves on: ")
    assert "vectors.faiss is not the file that was built" in problem["detail"]
    assert problem["detail"] in server.log
    assert server.ask().json()["generation"] == served(server) == old


def test_a_damaged_generation_is_tried_once_and_the_next_whole_one_is_served(watching, watched):
    build_damaged(watched)
    watching.wait_for("The index was not reloaded")
    time.sleep(1)
    assert watching.log.count("The index was not reloaded") == 1
    assert watching.ask().status_code == 200
    wait_until_served(watching, build(watched, NEW))


def test_an_index_made_with_another_encoder_is_refused(server, directory):
    old = served(server)
    build(directory, NEW, dimension=64)
    response = reload(server)
    assert response.status_code == 409
    assert "was made with the encoder 'hashing'" in response.json()["detail"]
    assert served(server) == old
    assert server.ask().status_code == 200


def test_an_index_that_is_gone_is_refused(server, directory):
    generation = served(server)
    (directory / "CURRENT").unlink()
    assert reload(server).status_code == 409
    assert server.ask().json()["generation"] == generation
    build(directory, NEW)
    assert reload(server).status_code == 200


def test_answers_and_quotes_are_of_one_generation_while_generations_change_under_load(watching, watched):
    """Every response is whole, and its quotes are those of the generation that it names."""
    builders = {"Winstanley": OLD, "Smeaton": NEW}
    told: list[dict] = []
    stop = threading.Event()
    first = build(watched, OLD)
    wait_until_served(watching, first)
    by_generation = {first: "Winstanley"}

    def ask() -> None:
        with httpx.Client(base_url=watching.url, timeout=60) as client:
            while not stop.is_set():
                response = client.post("/answer", json={"question": "who built the first Eddystone tower"})
                assert response.status_code == 200, response.text
                told.append(response.json())

    with ThreadPoolExecutor(5) as pool:
        asking = [pool.submit(ask) for _ in range(5)]
        try:
            for name in ("Smeaton", "Winstanley", "Smeaton"):
                generation = build(watched, builders[name])
                by_generation[generation] = name
                while not told or told[-1]["generation"] != generation:
                    assert not any(asked.done() for asked in asking), watching.log
                    time.sleep(0.05)
        finally:
            stop.set()
        for asked in asking:
            asked.result()
    assert {response["generation"] for response in told} == set(by_generation)
    for response in told:
        assert by_generation[response["generation"]] in response["citations"][0]["quote"]
