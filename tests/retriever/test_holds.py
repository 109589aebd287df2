"""A generation that a reader holds is not removed, whichever process reads."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import IndexUnusableError
from retriever import generations
from retriever.encoder import HashingEncoder
from retriever.generations import current_generation, hold_current, prune
from retriever.holds import Hold, remove_unless_held
from retriever.index import open_index
from tests.server_process import build

HOLDING = """
import sys
from pathlib import Path
from retriever.generations import hold_current
hold = hold_current(Path(sys.argv[1]))
print(hold.folder.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path) -> Path:
    build(tmp_path / "index", {"a": "One."})
    return tmp_path / "index"


def names(directory: Path) -> set[str]:
    return {folder.name for folder in (directory / "generations").iterdir()}


def test_what_an_open_index_reads_stays_until_it_is_let_go(directory):
    index = open_index(directory, HashingEncoder())
    first = index.generation
    second, third = build(directory, {"a": "Two."}), build(directory, {"a": "Three."})
    assert names(directory) == {first, second, third}
    assert prune(directory) == generations.Pruned((second,), third, (first,))
    assert index.store.document("a").text == "One."
    del index
    assert prune(directory) == generations.Pruned((first,), third, ())
    assert names(directory) == {third}


def test_building_keeps_the_generation_before_and_removes_older_ones(directory):
    second, third = build(directory, {"a": "Two."}), build(directory, {"a": "Three."})
    assert names(directory) == {second, third}


def test_what_another_process_reads_stays_until_it_is_killed(directory):
    command = [sys.executable, "-c", HOLDING, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        first = reader.stdout.readline().strip()
        second = build(directory, {"a": "Two."})
        assert prune(directory) == generations.Pruned((), second, (first,))
        reader.kill()
    assert prune(directory).removed == (first,)


def test_a_reader_that_comes_while_a_generation_is_removed_opens_the_next(directory, monkeypatch):
    second = build(directory, {"a": "Two."})
    first = next(folder for folder in (directory / "generations").iterdir() if folder.name != second)
    told = iter([first, first])
    current = generations.current_generation
    monkeypatch.setattr(generations, "current_generation", lambda where: next(told, None) or current(where))
    assert remove_unless_held(first)
    assert hold_current(directory).folder.name == second


def test_a_generation_that_is_gone_is_not_held(directory):
    folder = current_generation(directory)
    assert remove_unless_held(folder)
    with pytest.raises(FileNotFoundError):
        Hold(folder)


def test_a_hold_ends_with_its_object(directory):
    folder = current_generation(directory)
    hold = Hold(folder)
    assert not remove_unless_held(folder)
    del hold
    assert remove_unless_held(folder)
    assert list(folder.parent.iterdir()) == []


def test_pruning_clears_what_killed_writers_left(directory):
    (directory / "generations" / ".unfinished-dead").mkdir()
    assert prune(directory).removed == ()
    assert names(directory) == {current_generation(directory).name}


def test_where_there_is_no_index_nothing_is_pruned_and_nothing_made(tmp_path):
    with pytest.raises(IndexUnusableError, match="There is no index"):
        prune(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
