import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.peers.harness import INDEXED, Given, Quote, Told, main
from benchmarks.peers.table import table
from evaluation.questions import load_questions

PASSAGE = {"id": "1", "document_id": "d", "title": "T", "text": "Ann built it.", "start": 5, "end": 18}


class Fake:
    """Answers every question but one, and remembers what it was asked."""

    packages = ("numpy",)

    def __init__(self, given: Given) -> None:
        self.asked: list[str] = []
        self.indexed: list[int] = []
        made.append(self)

    def index(self, passages):
        self.indexed.append(len(passages))

    def open(self, passages, vectors):
        assert [passage.text for passage in passages][:1] == ["Ann built it."]
        assert vectors.shape == (2 * INDEXED, 3)

    def answer(self, question):
        self.asked.append(question)
        if question == "who painted it":
            return Told(None)
        return Told("Ann", [Quote("Ann built it", "d", 5, 17), Quote("it", "d")], 0.25, {"abstained": True})


made: list[Fake] = []
QUESTIONS = [
    {"id": f"q{n}", "question": question} for n, question in enumerate(["who", "who painted it", "why"])
]


WORKS_WHEN_TOLD = """
import time
for line in open(0):
    until = time.process_time() + float(line)
    while time.process_time() < until:
        pass
    print("done", flush=True)
"""


class Asking(Fake):
    """Asks another process, which works for a quarter of a second on each question, and warms up by itself."""

    warmed = 0

    def open(self, passages, vectors):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKS_WHEN_TOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.servers = (self.process.pid,)

    def warm(self):
        self.warmed += 1

    def answer(self, question):
        self.asked.append(question)
        self.process.stdin.write("0.25\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        return Told("Ann")


@pytest.fixture
def given(tmp_path):
    lines = [json.dumps(PASSAGE)] * (2 * INDEXED)
    (tmp_path / "passages.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(each) + "\n" for each in QUESTIONS))
    np.save(tmp_path / "vectors.npy", np.zeros((2 * INDEXED, 3)))
    return tmp_path


@pytest.fixture
def run(given, monkeypatch):
    """A harness from its command line, on a core that this process may use; the peer that it made."""
    cores = os.sched_getaffinity(0)

    def run(step, *options, peer=Fake):
        core = str(min(cores))
        command = ["fake", step, "--given", given, "--out", given / "out", "--core", core, *options]
        monkeypatch.setattr("sys.argv", ["harness", *map(str, command)])
        main(fake=peer)
        return made[-1]

    yield run
    os.sched_setaffinity(0, cores)


def lines_in(folder):
    return [json.loads(line) for line in (folder / "out" / "fake.jsonl").read_text().splitlines()]


def test_a_line_has_the_answer_its_quotes_and_what_it_took(run, given):
    run("answer")
    first, second, _ = lines_in(given)
    assert first.pop("wall_s") >= 0
    assert first.pop("cpu_s") >= 0
    assert first == {
        "id": "q0",
        "question": "who",
        "answer": "Ann",
        "confidence": 0.25,
        "quotes": [
            {"quote": "Ann built it", "document_id": "d", "start": 5, "end": 17},
            {"quote": "it", "document_id": "d"},
        ],
        "abstained": True,
    }
    assert (second["answer"], second["quotes"], "confidence" in second) == (None, [], False)
    told = json.loads((given / "out" / "fake.answers.json").read_text())
    assert told["peak_mb"] > 1
    assert told["packages"] == {"numpy": np.__version__}


def test_what_was_answered_is_not_asked_again(run, given):
    first = run("answer", "--questions", "2")
    assert [each["id"] for each in lines_in(given)] == ["q0", "q1"]
    with (given / "out" / "fake.jsonl").open("a") as file:
        file.write('{"id": "q2", "que')  # it was killed here
    second = run("answer")
    assert first.asked[1:] == ["who", "who painted it"]
    assert second.asked[1:] == ["why"]
    assert [each["id"] for each in lines_in(given)] == ["q0", "q1", "q2"]


def test_what_a_peer_asks_another_process_counts_as_its_own(run, given):
    peer = run("answer", peer=Asking)
    with peer.process:
        peer.process.stdin.close()
    assert (peer.warmed, peer.asked) == (1, ["who", "who painted it", "why"])
    assert [line["cpu_s"] >= 0.2 for line in lines_in(given)] == [True, True, True]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert json.loads((given / "out" / "fake.answers.json").read_text())["peak_mb"] > own


def test_indexing_is_measured_after_what_is_done_once(run, given):
    assert run("index").indexed == [8, INDEXED]
    told = json.loads((given / "out" / "fake.index.json").read_text())
    assert told["passages"] == INDEXED


def test_the_table_has_a_row_for_each_system(tmp_path):
    known = load_questions("own")[0]
    line = {"id": known.id, "answer": known.answers[0], "cpu_s": 1.5, "wall_s": 2.0}
    (tmp_path / "theirs.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "theirs.index.json").write_text('{"passages": 256, "cpu_s": 2.0}')
    (tmp_path / "theirs.answers.json").write_text('{"peak_mb": 900.4}')
    *_, row = table(tmp_path, index=None).splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:9] == [
        "theirs",
        "1 (1 answerable)",
        "128",
        "1.50",
        "2.00",
        "900",
        "100.0%",
        "100.0%",
        "100.0%",
    ]
