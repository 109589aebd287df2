"""What a disk refuses is one sentence."""

import errno
import json
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import IndexNotWritableError, LoccitError
from index_builder import storage_faults
from index_builder.storage_faults import faults_as_sentences
from tests.server_process import TOWERS, build

DIRECTORY = Path("data/notes")


def sentence(error: Exception) -> str:
    with pytest.raises(LoccitError) as caught, faults_as_sentences(DIRECTORY):
        raise error
    return str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        ValueError("An IO error occurred: 'No space left on device (os error 28)'"),
    ],
)
def test_a_full_disk(error):
    assert sentence(error).startswith("The disk of data/notes is full; free some space and build again: ")


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EFBIG, "File too large"), ValueError("IoError { File too large (os error 27) }")],
)
def test_a_file_that_is_too_large(error):
    assert sentence(error).startswith(
        "A file of the index in data/notes became larger than this process may write;"
    )


def test_what_may_not_be_read_or_written_names_the_file():
    error = OSError(errno.EROFS, "Read-only file system", "/index/build.lock")
    with pytest.raises(IndexNotWritableError), faults_as_sentences(DIRECTORY):
        raise error
    assert sentence(error) == (
        "The index in data/notes cannot be changed, because /index/build.lock may not be read or written by this user "
        "(Read-only file system); let the user do so."
    )


def test_any_other_fault_names_the_file_and_the_reason():
    said = sentence(OSError(errno.EIO, "Input/output error", "/index/a"))
    assert said.startswith(
        "/index/a cannot be read or written (Input/output error); see to the disk and build again"
    )


def test_what_sqlite_meets_is_told_the_same_way(tmp_path):
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    with pytest.raises(IndexNotWritableError), faults_as_sentences(tmp_path):
        connection.execute("INSERT INTO a VALUES (1)")
    connection.close()
    with pytest.raises(IndexNotWritableError), faults_as_sentences(tmp_path):
        sqlite3.connect(tmp_path / "none" / "a.sqlite").execute("CREATE TABLE a (b)")


@pytest.mark.parametrize("error", [ValueError("A span needs"), KeyError("a")])
def test_what_is_no_fault_of_a_disk_stays_what_it_is(error):
    with pytest.raises(type(error)), faults_as_sentences(DIRECTORY):
        raise error


def test_a_mistake_in_a_query_is_no_fault_of_a_disk():
    with (
        sqlite3.connect(":memory:") as connection,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        faults_as_sentences(DIRECTORY),
    ):
        connection.execute("SELECT * FROM a")
    connection.close()


def test_an_io_error_of_sqlite_where_files_are_limited_is_a_file_too_large(monkeypatch):
    monkeypatch.setattr(storage_faults.resource, "getrlimit", lambda _: (1000, 1000))
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    assert "became larger than this process may write" in sentence(error)
    monkeypatch.setattr(storage_faults.resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert "(Input/output error)" in sentence(error)


BUILD_LIMITED = """
import resource, sys
from pathlib import Path
from rich.console import Console
from common.errors import LoccitError
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings
for kilobytes in map(int, sys.argv[3:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, resource.RLIM_INFINITY))
    try:
        build_index([open_corpus(sys.argv[2])], Path(sys.argv[1]), encoder=HashingEncoder(),
                    settings=PassageSettings(), strict=True, console=Console(quiet=True))
        print("built")
    except LoccitError as error:
        print(error)
"""


def test_under_any_limit_on_the_size_of_files_a_build_ends_in_a_sentence_and_the_old_index_stays(tmp_path):
    first = build(tmp_path / "index", TOWERS)
    towers = [
        {"id": number, "text": f"Tower {number} is {number} metres tall. " * 30} for number in range(200)
    ]
    source = tmp_path / "towers.jsonl"
    source.write_text("\n".join(map(json.dumps, towers)))
    limits = (0, 4, 16, 64, 256, 600)
    command = [sys.executable, "-c", BUILD_LIMITED, str(tmp_path / "index"), str(source), *map(str, limits)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(limits)
    assert [line for line in said if "became larger than this process may write" not in line] == []
    assert (tmp_path / "index" / "CURRENT").read_text().strip() == first
