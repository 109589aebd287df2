"""Resident memory of the process after 10, 50, 100, 200 and 300 different questions.

python -m benchmarks.memory --index data/indexes/vital-articles
python -m benchmarks.memory --more nq/open_dev.jsonl       # more questions than the 150 of our own
python -m benchmarks.memory --other ../before              # beside another checkout
"""

import argparse
from contextlib import ExitStack
from pathlib import Path

from app.service.settings import DEFAULT_INDEX
from benchmarks.answer_process import HERE, AnswerProcess
from evaluation.questions import load_questions

MARKS = (1, 10, 20, 50, 100, 150, 200, 300)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument("--more", help="a file of further questions")
    parser.add_argument("--questions", type=int, default=MARKS[-1], help="at most")
    parser.add_argument("--other", type=Path, metavar="DIR", help="Another checkout, to set beside this one.")
    arguments = parser.parse_args()

    names = ["own", *([arguments.more] if arguments.more else [])]
    asked = dict.fromkeys(question.question for name in names for question in load_questions(name))
    checkouts = {"this": HERE} | ({"other": arguments.other} if arguments.other else {})
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(AnswerProcess(arguments.index, checkout))
            for name, checkout in checkouts.items()
        }
        print(f"questions{''.join(f'{name:>10s} MiB' for name in processes)}   at the peak")
        for number, question in enumerate(list(asked)[: arguments.questions], start=1):
            outcomes = [process.ask(question) for process in processes.values()]
            if number in MARKS:
                resident = "".join(f"{outcome.resident_mib:14.0f}" for outcome in outcomes)
                peaks = " / ".join(f"{outcome.peak_mib:.0f}" for outcome in outcomes)
                print(f"{number:9d}{resident}{peaks:>14s}", flush=True)


if __name__ == "__main__":
    main()
