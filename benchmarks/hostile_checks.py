"""Processor seconds of checking answers that are made to cost more than their length, each against texts of its kind.

python -m benchmarks.hostile_checks
python -m benchmarks.hostile_checks --other ../before        # beside another checkout, answer by answer
python -m benchmarks.hostile_checks --index data/indexes/vital-articles --kinds "quotes of 240"
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

from app.service.check import Checker
from common.deadline import Deadline
from common.errors import LoccitError
from quote_check.check_answer import AnswerToCheck
from quote_check.corpus import IndexCorpus
from retriever.types import Document

HERE = Path(__file__).parent.parent
ANSWER_CHARACTERS = 50_000
TEXT_CHARACTERS = 200_000
MOST = 200  # quotes
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def repeated(piece: str, characters: int) -> str:
    return "".join(islice(cycle(piece), characters))


def prose(characters: int, rng: random.Random, vocabulary: Sequence[str]) -> str:
    return " ".join(rng.choices(vocabulary, k=characters // 2))[:characters].strip()


def in_marks(quotes: Sequence[str]) -> str:
    return " ".join(f'"{quote}"' for quote in quotes)


def vocabulary_of(rng: random.Random, count: int = 3_000) -> list[str]:
    return ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(count)]


def quotes_of(characters: int, rng: random.Random, vocabulary: Sequence[str]) -> str:
    count = min(MOST, ANSWER_CHARACTERS // (characters + 4))
    return in_marks([prose(characters, rng, vocabulary) for _ in range(count)])


def in_other_cases(phrase: str, count: int, rng: random.Random) -> list[str]:
    """The phrase in capitals here and there."""
    return ["".join(rng.choice((each, each.upper())) for each in phrase) for _ in range(count)]


Made = tuple[str, Sequence[str]]
"""An answer and the texts it is checked against."""


def _marks(rng: random.Random) -> Made:
    return repeated('"', ANSWER_CHARACTERS), [prose(TEXT_CHARACTERS, rng, vocabulary_of(rng))]


def _nested(rng: random.Random) -> Made:
    half = ANSWER_CHARACTERS // 2
    return "“" * half + "”" * half, [prose(TEXT_CHARACTERS, rng, vocabulary_of(rng))]


def _brackets(rng: random.Random) -> Made:
    return repeated("[1-50]", ANSWER_CHARACTERS), [prose(TEXT_CHARACTERS, rng, vocabulary_of(rng))]


def _entities(rng: random.Random) -> Made:
    return repeated("&quot;", ANSWER_CHARACTERS), [prose(TEXT_CHARACTERS, rng, vocabulary_of(rng))]


def _letters(_: random.Random) -> Made:
    return f'"{"a" * (ANSWER_CHARACTERS - 2)}"', ["a" * TEXT_CHARACTERS]


def _quoted_lines(_: random.Random) -> Made:
    return repeated("> a\n", ANSWER_CHARACTERS), [repeated("> a\n", TEXT_CHARACTERS)]


def _of(characters: int, texts: int) -> Callable[[random.Random], Made]:
    def made(rng: random.Random) -> Made:
        words = vocabulary_of(rng)
        each = [prose(TEXT_CHARACTERS // texts, rng, words) for _ in range(texts)]
        return quotes_of(characters, rng, words), each

    return made


def _in_other_looks(rng: random.Random) -> Made:
    phrase = "the keeper of the lamp came home"
    places = TEXT_CHARACTERS // (len(phrase) + 1)
    return in_marks(in_other_cases(phrase, MOST, rng)), [" ".join(in_other_cases(phrase, places, rng))]


def _parts(_: random.Random) -> Made:
    quote = " ... ".join(["of a"] * 30)
    return in_marks([quote] * (ANSWER_CHARACTERS // (len(quote) + 3))), [repeated("of a ", TEXT_CHARACTERS)]


KINDS: dict[str, Callable[[random.Random], Made]] = {
    "quotation marks": _marks,
    "nested marks": _nested,
    "brackets": _brackets,
    "entities": _entities,
    "one letter": _letters,
    "quoted lines": _quoted_lines,
    "quotes of 30": _of(30, 20),
    "quotes of 240": _of(240, 20),
    "quotes of 990": _of(990, 20),
    "quotes of 9,900": _of(9_900, 20),
    "one quote": _of(ANSWER_CHARACTERS - 4, 20),
    "other looks": _in_other_looks,
    "omissions": _parts,
}


def measure(kind: str, index: Path | None, seconds: float) -> tuple[float, str]:
    """Processor seconds, and what came of it."""
    answer, texts = KINDS[kind](random.Random(kind))
    documents = tuple(Document(str(number), "", text, None) for number, text in enumerate(texts, start=1))
    checker = Checker() if index is None else Checker(IndexCorpus.open(index))
    asked = AnswerToCheck(answer[:ANSWER_CHARACTERS], documents=documents if index is None else None)
    started = time.process_time()
    try:
        response = checker.check(asked, most=MOST, deadline=Deadline.after(seconds))
        came = f"{len(response.quotes)} quotes"
    except LoccitError as error:
        came = type(error).__name__
    return time.process_time() - started, came


def _measured_in(checkout: Path, kind: str, arguments: argparse.Namespace) -> tuple[float, str]:
    """The same in a process of its own, of this checkout or of another."""
    index = [] if arguments.index is None else ["--index", str(arguments.index.resolve())]
    command = [sys.executable, __file__, "--one", kind, "--seconds", str(arguments.seconds), *index]
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    told = subprocess.run(
        command, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    spent, came = json.loads(told.stdout)
    return spent, came


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, help="Check against it, not against texts handed in.")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seconds", type=float, default=30.0, help="allowed for a check, by the clock")
    parser.add_argument("--other", type=Path, metavar="DIR", help="Another checkout, to set beside this one.")
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.index, arguments.seconds)))
        return
    checkouts = {"this": HERE} | ({"other": arguments.other} if arguments.other else {})
    print(f"{'kind':18s}{'checkout':10s}processor")
    for kind in arguments.kinds:
        for name, checkout in checkouts.items():
            spent, came = _measured_in(checkout, kind, arguments)
            print(f"{kind:18s}{name:10s}{spent:9.2f}  {came}", flush=True)


if __name__ == "__main__":
    main()
