"""Seconds by stage for texts that are made to cost more than their length, handed in as documents or asked.

python -m benchmarks.hostile --index data/indexes/vital-articles
python -m benchmarks.hostile --characters 200000 --kinds letters emoji
python -m benchmarks.hostile --other ../before        # beside another checkout, text by text
"""

import argparse
from contextlib import ExitStack
from pathlib import Path

from app.service.settings import DEFAULT_INDEX
from benchmarks.answer_process import HERE, AnswerProcess, Outcome
from benchmarks.hostile_texts import KINDS, hostile

QUESTION = "what is the key"
QUESTION_CHARACTERS = 2_000
STAGES = ("index", "retrieve", "read", "generate", "cite", "support", "decide")


def row(kind: str, name: str, outcome: Outcome) -> str:
    """A line of the table."""
    seconds = (f"{outcome.timings.get(stage, 0.0):9.2f}" for stage in STAGES)
    return f"{kind:24s} {name:6s}{''.join(seconds)}{outcome.cpu_s:11.2f}{outcome.peak_mib:10.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument("--characters", type=int, default=12_000, help="of a document")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--other", type=Path, metavar="DIR", help="Another checkout, to set beside this one.")
    arguments = parser.parse_args()

    checkouts = {"this": HERE} | ({"other": arguments.other} if arguments.other else {})
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(AnswerProcess(arguments.index, checkout))
            for name, checkout in checkouts.items()
        }
        print(f"{'kind':31s}{''.join(f'{stage:>9s}' for stage in STAGES)}  processor  peak MiB")
        for kind in arguments.kinds:
            text = hostile(kind, arguments.characters)
            asked = hostile(kind, QUESTION_CHARACTERS).strip()
            for name, process in processes.items():
                print(row(kind, name, process.ask(QUESTION, [("Key", text)])), flush=True)
            for name, process in processes.items():
                print(row(f"{kind}, asked", name, process.ask(asked)), flush=True)


if __name__ == "__main__":
    main()
