"""An index that one user builds and another one may only read: it is searched and served all the same."""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.errors import IndexUnusableError
from retriever.encoder import HashingEncoder
from retriever.generations import current_generation
from retriever.index import open_index

ROOT = Path(__file__).parent.parent
NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs")
READ_ONLY_MOUNT = (
    "unshare",
    "--mount",
    "sh",
    "-ec",
    'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; ! touch "$1/probe" 2>/dev/null; shift; exec "$@"',
    "sh",
)
LOCCIT = (sys.executable, "-c", "from app.cli import main; main()")
UNTRAINED = ("--generator", "reader", "--reader", "lexical")


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def common_folder() -> Iterator[Path]:
    """A folder that every user may pass through, which pytest's own is not."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not works(*AS_NOBODY, sys.executable, "-c", f"open({str(ROOT / 'pyproject.toml')!r})"):
        pytest.skip("another user cannot run this interpreter, or setpriv is not here")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def index(common_folder, notes, loccit) -> Path:
    """Two notes indexed by root; another user may read them and nothing else."""
    before = os.umask(0o022)
    try:
        status, _, said = loccit(
            "index", "build", notes, "--out", common_folder / "index", "--encoder", "hashing", "--words", 20
        )
    finally:
        os.umask(before)
    assert status == 0, said
    return common_folder / "index"


@pytest.fixture
def temporary(common_folder) -> Path:
    """The one folder that the other user may write to."""
    folder = common_folder / "tmp"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


@pytest.fixture(params=["another user's files", "a read-only file system"])
def prefix(request, index) -> tuple[str, ...]:
    """What to put before a command, so that it can only read the index."""
    if request.param == "another user's files":
        return AS_NOBODY
    mounted = (*READ_ONLY_MOUNT, str(index))
    if not works(*mounted, "true"):
        pytest.skip("nothing can be mounted here")
    return (*mounted, *AS_NOBODY)


def environment(temporary: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
        "HOME": "/nonexistent",
    }


@contextmanager
def running(command: Sequence[str], temporary: Path) -> Iterator[str]:
    """The address of the server that this command starts, once it is ready; it is killed at the end."""
    log = temporary.parent / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(command, env=environment(temporary), cwd="/", stderr=file) as server,
    ):
        try:
            yield until_ready(server, log)
        finally:
            server.kill()


def until_ready(server: subprocess.Popen, log: Path) -> str:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and server.poll() is None:
        for line in log.read_text().splitlines():
            address = line.partition("Listening on ")[2]
            if address and answers(f"{address}/health/ready"):
                return address
        time.sleep(0.1)
    pytest.fail(log.read_text())


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def test_every_file_of_an_index_is_readable_by_whoever_may_read_its_folder(index):
    files = [path for path in index.rglob("*") if path.is_file()]
    assert {"manifest.sha256", "CURRENT", "build.lock"} <= {path.name for path in files}
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {
        path.name: "0o644" for path in files
    }


def test_files_of_an_index_stay_private_where_its_folder_is(common_folder, notes, loccit):
    before = os.umask(0o077)
    try:
        loccit("index", "build", notes, "--out", common_folder / "private", "--encoder", "hashing")
    finally:
        os.umask(before)
    for path in (common_folder / "private").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_another_user_searches_an_index_that_it_can_only_read(index, temporary, prefix):
    before = sorted(index.rglob("*"))
    done = subprocess.run(
        [*prefix, *LOCCIT, "search", "horse tram in Lisbon", "--index", str(index)],
        env=environment(temporary),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1873" in done.stdout
    assert sorted(index.rglob("*")) == before
    assert list(temporary.glob("loccit*")) == []


@pytest.mark.enable_socket
def test_another_user_serves_an_index_that_it_can_only_read(index, temporary, prefix):
    before = sorted(index.rglob("*"))
    command = [*prefix, *LOCCIT, "serve", "--index", str(index), "--port", "0", *UNTRAINED]
    with running(command, temporary) as address:
        asked = json.dumps({"question": "when did a horse tram run in Lisbon", "min_confidence": 0})
        request = urllib.request.Request(
            f"{address}/answer", asked.encode(), {"content-type": "application/json"}
        )
        (citation,) = json.load(urllib.request.urlopen(request, timeout=30))["citations"]
        assert "1873" in citation["quote"]
        # so that a process which is killed, as this one is, leaves nothing either
        assert list(temporary.glob("loccit*")) == []
    assert sorted(index.rglob("*")) == before


@contextmanager
def acting_as_nobody() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["manifest.json", "lexical/meta.json", "documents.sqlite"])
def test_a_file_that_may_not_be_read_is_told_in_a_sentence(index, name):
    path = current_generation(index) / name
    path.chmod(0o600)
    said = re.escape(f"{path} may not be read by this user; build the index again")
    with acting_as_nobody(), pytest.raises(IndexUnusableError, match=said):
        open_index(index, HashingEncoder())
