"""What the harnesses of all peers share: they read what is given, ask the questions, and write answers and costs.

It runs in the peers' environments: the standard library and numpy alone.

A line of answers is what `loccit evaluate score --system` reads. ``cpu_s`` are seconds of the processor, which other
programs on the machine change less than ``wall_s``.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

INDEXED = 256
"""Passages that the rate of indexing is measured on."""
LONGEST_ANSWER_S = 120
"""Seconds of the processor after which an answer that asks a language model more than once is given up."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage. ``start``, ``end``: where it stands in the text of its document."""

    id: str
    document_id: str
    title: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a system calls a citation or evidence. ``start``, ``end``: in its document, where the system says so."""

    quote: str
    document_id: str | None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a system answered. ``answer``: None where it abstains. ``confidence``: None where it tells none."""

    answer: str | None
    quotes: Sequence[Quote] = ()
    confidence: float | None = None
    more: Json = field(default_factory=dict)


class Peer(Protocol):
    """A system under measurement.

    It may have ``servers``: identifiers of processes that it asks, whose seconds and memory count as its own. And it
    may have ``warm``, which does whatever is done once; another is asked a question for that.
    """

    @property
    def packages(self) -> Sequence[str]:
        """Whose releases are recorded."""

    def index(self, passages: Sequence[Passage]) -> None:
        """Embed these passages and index them, as the system does it."""

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Get ready to answer from these passages, whose vectors are given: (passages, dimension)."""

    def answer(self, question: str) -> Told:
        """Answer one question."""


@dataclass(frozen=True, slots=True)
class Given:
    """The folder that benchmarks.peers.given wrote."""

    folder: Path

    @property
    def encoder(self) -> str:
        """Folder of the encoder."""
        return str(self.folder / "encoder")

    @property
    def reader(self) -> str:
        """Folder of the small reader as a model for question answering."""
        return str(self.folder / "reader")

    @property
    def untyped_reader(self) -> str:
        """The same for systems that do not tell a model which tokens are the question's."""
        return str(self.folder / "reader-without-types")

    @property
    def language_model(self) -> str:
        """Folder of the language model."""
        return str(self.folder / "language-model")

    def passages(self) -> list[Passage]:
        """All passages."""
        return [Passage(**record) for record in _lines(self.folder / "passages.jsonl")]

    def vectors(self) -> np.ndarray:
        """Their vectors, (passages, dimension)."""
        vectors: np.ndarray = np.load(self.folder / "vectors.npy")
        return vectors

    def questions(self) -> list[Json]:
        """The questions, with what would be right."""
        return _lines(self.folder / "questions.jsonl")


def main(**makes: Callable[[Given], Peer]) -> None:
    """Measure one of these peers: its indexing or its answers, as the command line says."""
    arguments = _arguments(list(makes))
    os.sched_setaffinity(0, {arguments.core})
    given, out, name = Given(arguments.given), arguments.out, arguments.name
    out.mkdir(parents=True, exist_ok=True)
    peer = makes[name.replace("-", "_")](given)
    if arguments.step == "index":
        _write(out / f"{name}.index.json", _indexing(peer, given))
    else:
        _answer_all(peer, given, out, name, arguments.questions)


def _indexing(peer: Peer, given: Given) -> Json:
    passages = given.passages()[: 2 * INDEXED]
    peer.index(passages[:8])  # loads models, and whatever is done once
    with Clock() as clock:
        peer.index(passages[INDEXED:])
    return {"passages": INDEXED, **clock.seconds(), **_described(peer)}


def _answer_all(peer: Peer, given: Given, out: Path, name: str, limit: int | None) -> None:
    path = out / f"{name}.jsonl"
    done = _answered(path)
    questions = given.questions()[:limit]
    with Clock() as opening:
        peer.open(given.passages(), given.vectors())
    warm = getattr(peer, "warm", lambda: peer.answer("what is the first thing that is asked"))
    warm()  # not measured: whatever is done once
    with path.open("a", encoding="utf-8") as file:
        for number, question in enumerate(questions, start=1):
            if question["id"] in done:
                continue
            with Clock(_servers(peer)) as clock:
                told = peer.answer(question["question"])
            line = _line(question, told) | clock.seconds()
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            _describe(out / f"{name}.answers.json", peer, opening)
            said = "abstains" if told.answer is None else repr(told.answer[:60])
            print(f"{number} of {len(questions)}, {clock.cpu_s:.2f} s: {said}", file=sys.stderr, flush=True)


def _describe(path: Path, peer: Peer, opening: "Clock") -> None:
    """What stands beside the answers; the peak is that of every run that answered some of them."""
    before = json.loads(path.read_text(encoding="utf-8"))["peak_mb"] if path.exists() else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 + sum(map(_peak_mb, _servers(peer)))
    _write(path, {"opening": opening.seconds(), "peak_mb": max(before, peak), **_described(peer)})


def _answered(path: Path) -> set[str]:
    """The questions that have a line; half a line, where the process was killed, is taken out."""
    if not path.exists():
        return set()
    written = path.read_bytes()
    path.write_bytes(written[: written.rfind(b"\n") + 1])
    return {record["id"] for record in _lines(path)}


def _line(question: Json, told: Told) -> Json:
    quotes = [
        {
            key: value
            for key, value in (("quote", each.quote), ("document_id", each.document_id))
            if value is not None
        }
        | ({} if each.start is None else {"start": each.start, "end": each.end})
        for each in told.quotes
    ]
    confidence = {} if told.confidence is None else {"confidence": round(float(told.confidence), 6)}
    return {
        "id": question["id"],
        "question": question["question"],
        "answer": told.answer,
        **confidence,
        "quotes": quotes,
        **told.more,
    }


class Clock:
    """Seconds of a block: of the clock and of the processor, all threads of this process and of these others."""

    def __init__(self, others: Sequence[int] = ()) -> None:
        self._others = others

    def __enter__(self) -> "Clock":
        self.wall_s, self.cpu_s = time.perf_counter(), processor_s(self._others)
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self.wall_s, processor_s(self._others) - self.cpu_s

    def seconds(self) -> Json:
        """As data."""
        return {"wall_s": round(self.wall_s, 4), "cpu_s": round(self.cpu_s, 4)}


def _servers(peer: Peer) -> Sequence[int]:
    return getattr(peer, "servers", ())


def processor_s(others: Sequence[int]) -> float:
    """Seconds of the processor that this process and these others have used."""
    return time.process_time() + sum(map(_processor_s, others))


def _processor_s(process: int) -> float:
    """Seconds of the processor that another process has used."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    user, system = told.rpartition(")")[2].split()[11:13]  # its name comes before, and may hold spaces
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(process: int) -> float:
    """The most memory that another process has held."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    told = next(line for line in lines if line.startswith("VmHWM:"))
    return int(told.split()[1]) / 1024


def _described(peer: Peer) -> Json:
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in peer.packages},
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _arguments(names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=[name.replace("_", "-") for name in names])
    parser.add_argument("step", choices=["index", "answer"])
    parser.add_argument("--given", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--questions", type=int)
    return parser.parse_args()


def _lines(path: Path) -> list[Json]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def _write(path: Path, record: Json) -> None:
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
