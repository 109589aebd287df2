"""The clients that adapters keep, before a running server: how many there are, and how many sockets they hold open."""

import asyncio
import copy
import gc
import pickle
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from weakref import WeakSet

import pytest
from loccit_client import kept
from loccit_client.async_client import AsyncClient
from loccit_client.client import Client
from loccit_client.kept import Connecting, KeptClients

from tests.server_process import build, running

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.skipif(sys.platform != "linux", reason="sockets are counted in /proc"),
]


@pytest.fixture(scope="module")
def connecting(tmp_path_factory):
    index = tmp_path_factory.mktemp("kept") / "index"
    build(index)
    with running(index) as server:
        yield Connecting(url=server.url, api_key=None, timeout=30, retries=0)


@pytest.fixture
def made(monkeypatch) -> WeakSet:
    """The clients that were made and are still there."""
    alive: WeakSet = WeakSet()

    def counted(kind):
        def make(**connecting):
            client = kind(**connecting)
            alive.add(client)
            return client

        return make

    monkeypatch.setattr(kept, "AsyncClient", counted(AsyncClient))
    monkeypatch.setattr(kept, "Client", counted(Client))
    return alive


def sockets() -> int:
    """Those that this process has open."""
    gc.collect()
    opened = [place for place in Path("/proc/self/fd").iterdir() if place.is_symlink()]
    return sum(str(place.readlink()).startswith("socket:") for place in opened)


async def search(clients: KeptClients, connecting: Connecting) -> AsyncClient:
    client = await clients.of_this_loop(connecting)
    assert (await client.search("tower")).hits
    return client


async def until(open_sockets: int) -> None:
    async with asyncio.timeout(10):
        while sockets() != open_sockets:
            await asyncio.sleep(0.01)


def test_a_client_and_its_sockets_are_closed_with_their_event_loop(connecting, made):
    clients, before = KeptClients(), sockets()
    for _ in range(30):
        asyncio.run(search(clients, connecting))
    assert sockets() == before
    assert len(made) == 1


@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # asyncio's, of a loop that is closed like that
def test_a_loop_that_is_closed_without_its_end_leaves_nothing_when_the_next_one_asks(connecting, made):
    clients, before = KeptClients(), sockets()
    for _ in range(10):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(search(clients, connecting))
        loop.close()
    asyncio.run(search(clients, connecting))
    assert sockets() == before
    assert len(made) == 1


async def test_a_loop_has_one_client_with_one_connection_until_it_is_closed(connecting, made):
    clients, before = KeptClients(), sockets()
    used = {await search(clients, connecting) for _ in range(5)}
    assert used == set(made)
    assert sockets() == before + 1
    assert await asyncio.gather(*[clients.of_this_loop(connecting) for _ in range(5)]) == [*used] * 5
    await clients.aclose()
    assert sockets() == before
    assert await search(clients, connecting) not in used
    await clients.aclose()


async def test_a_client_is_closed_when_its_owner_has_gone(connecting, made):
    before = sockets()
    await search(KeptClients(), connecting)
    await until(before)
    assert len(made) == 0


@pytest.fixture
async def other_loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """One that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    await asyncio.to_thread(thread.join)
    loop.close()


async def test_a_loop_that_lives_keeps_its_client_whoever_else_comes_and_goes(connecting, other_loop):
    clients = KeptClients()

    async def there():
        asked = asyncio.run_coroutine_threadsafe(search(clients, connecting), other_loop)
        return await asyncio.wrap_future(asked)

    first = await there()
    for _ in range(3):
        await asyncio.to_thread(asyncio.run, search(clients, connecting))
    assert await search(clients, connecting) is not first
    assert await there() is first
    closing = asyncio.run_coroutine_threadsafe(clients.aclose(), other_loop)
    await asyncio.wrap_future(closing)
    await clients.aclose()


def test_a_copy_makes_its_own_clients():
    connecting = Connecting(url="http://127.0.0.1:9", api_key=None, timeout=30, retries=0)
    owner = KeptClients()
    client = owner.waiting(connecting)
    for other in (copy.deepcopy(owner), pickle.loads(pickle.dumps(owner))):
        assert other.waiting(connecting) is not client
        other.close()
    assert owner.waiting(connecting) is client
    owner.close()


def test_the_client_that_waits_is_one_until_it_is_closed_and_then_let_go(connecting, made):
    clients, before = KeptClients(), sockets()
    for _ in range(10):
        client = clients.waiting(connecting)
        assert clients.waiting(connecting) is client
        assert client.search("tower").hits
        assert sockets() == before + 1
        clients.close()
        assert sockets() == before
    del client
    assert len(made) == 0
    clients.waiting(connecting).search("tower")
    del clients
    assert (sockets(), len(made)) == (before, 0)
