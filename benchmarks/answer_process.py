"""A process that answers, of this checkout or of another: what the benchmarks set side by side.

It reads a question a line and writes what came of it, both JSON. It asks no more of a checkout than opening the
service and answering, so that it can run an earlier one: ``python benchmarks/answer_process.py INDEX``.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from app.answering.types import CitedCandidate

HERE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question.

    ``timings``: seconds by stage. ``cpu_s``: seconds of processor time. ``answers``: each cited candidate's answer,
    the places of its quotes (document, start, end) and confidence. ``decision``: the answer, None for an
    abstention, and the confidence.
    ``resident_mib``: memory of the process afterwards; ``peak_mib``: at its highest so far.
    """

    timings: dict[str, float]
    cpu_s: float
    tokens: int
    candidates: int
    answers: list[tuple[str, list[tuple[str, int, int]], float]]
    decision: tuple[str | None, float]
    resident_mib: float
    peak_mib: float


class AnswerProcess:
    """A service in a process of its own. ``checkout``: the code that answers. ``int8``: whether in 8-bit integers."""

    def __init__(
        self, index: Path, checkout: Path = HERE, *, candidates: int | None = None, int8: bool = False
    ) -> None:
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [
                sys.executable,
                __file__,
                str(index.resolve()),
                *([] if candidates is None else [str(candidates)]),
            ],
            cwd=checkout,
            env={
                **os.environ,
                "PYTHONPATH": str(checkout.resolve()),
                **({"LOCCIT_INT8": "true"} if int8 else {}),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._told()  # it is ready
        self.opened_s = time.perf_counter() - started

    def ask(self, question: str, documents: Sequence[tuple[str, str]] | None = None) -> Outcome:
        """``documents``: (title, text) to answer from, in place of the index."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"question": question, "documents": documents}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._told())
        told["answers"] = [
            (answer, [tuple(place) for place in places], confidence)
            for answer, places, confidence in told["answers"]
        ]
        return Outcome(**{**told, "decision": tuple(told["decision"])})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _told(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process that answers ended with {self._process.wait()}.")
        return line


def memory_mib(name: str) -> float:
    """A figure of Linux's own account of this process: VmRSS is what it has now, VmHWM the most it had."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.M)
    return int(found[1]) / 1024 if found else 0.0


def _with_places(cited: "CitedCandidate") -> tuple[str, list[tuple[str, int, int]], float]:
    places = [(each.doc_id, each.span.start, each.span.end) for each in cited.citations]
    return cited.candidate.answer, places, cited.confidence


def main() -> None:
    from app.answering.events import Decided
    from app.answering.types import CitedAnswer
    from app.service.ask import Ask, events
    from app.service.assembly import open_service
    from app.service.settings import Settings
    from retriever.types import Document

    index, *candidates = sys.argv[1:]
    service = open_service(
        Settings.of(index=Path(index), candidates=int(candidates[0]) if candidates else None)
    )
    print("ready", flush=True)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        documents = asked["documents"] and tuple(
            Document(f"document-{number}", title, text, None)
            for number, (title, text) in enumerate(asked["documents"], start=1)
        )
        started = time.process_time()
        *_, last = events(service, Ask(asked["question"], documents=documents))
        spent = time.process_time() - started
        assert isinstance(last, Decided)
        trace = last.trace
        answer = trace.decision.answer if isinstance(trace.decision, CitedAnswer) else None
        told = {
            "timings": trace.timings,
            "cpu_s": spent,
            "tokens": sum(candidate.tokens for candidate in trace.candidates),
            "candidates": len(trace.candidates),
            "answers": [_with_places(cited) for cited in trace.cited],
            "decision": (answer, trace.decision.confidence),
            "resident_mib": memory_mib("VmRSS"),
            "peak_mib": memory_mib("VmHWM"),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
