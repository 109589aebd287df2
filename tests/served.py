"""A server without weights as a process of its own: ``python -m tests.served INDEX``.

Settings come from LOCCIT_... variables. A question ``take 2 s`` takes two seconds, whatever its deadline; the others
are answered by the reader at once.
"""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.answering.answer_kind import AnswerKind
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import Candidate, Reading
from app.http.server import run_server
from app.service.assembly import REAL_PARTS, open_service
from app.service.generation import Writing
from app.service.settings import GeneratorKind, ReaderKind, Settings
from common.deadline import Deadline
from common.errors import LoccitError


class TakingTime(ReaderGenerator):
    """Takes as long as the question says."""

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        if asked := re.match(r"take ([\d.]+) s", question):
            time.sleep(float(asked[1]))
        return super().generate(question, readings, kind=kind, n=n, seed=seed, deadline=deadline)


def main() -> None:
    settings = Settings.of(
        index=Path(sys.argv[1]),
        generator=GeneratorKind.READER,
        reader=ReaderKind.LEXICAL,
        min_confidence=0.0,
    )
    parts = replace(REAL_PARTS, writing=lambda _: Writing(lambda _: TakingTime()))
    try:
        run_server(settings, host="127.0.0.1", port=0, open_service=partial(open_service, parts=parts))
    except LoccitError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
