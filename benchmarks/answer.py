"""Seconds per answer over 50 questions, each stage's share, and the memory of the process.

python -m benchmarks.answer --index data/indexes/vital-articles
python -m benchmarks.answer --candidates 16           # what writing more candidates costs
python -m benchmarks.answer --other ../before         # beside another checkout, question by question
python -m benchmarks.answer --int8                    # as usual beside in 8-bit integers
"""

import argparse
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from app.service.settings import DEFAULT_INDEX
from benchmarks.answer_process import HERE, AnswerProcess, Outcome
from evaluation.questions import Question, load_questions

_SAME = 1e-6


def evenly(questions: Sequence[Question], count: int) -> list[Question]:
    """``count`` of the questions, evenly spread so that all kinds are among them; all when there are fewer."""
    count = min(count, len(questions))
    return [questions[number * len(questions) // count] for number in range(count)]


def report(name: str, outcomes: Sequence[Outcome]) -> None:
    """What a checkout took."""
    totals = [sum(outcome.timings.values()) for outcome in outcomes]
    p50, p95 = np.percentile(totals, [50, 95])
    print(
        f"{name}, {len(totals)} questions: p50 {p50:.2f} s, p95 {p95:.2f} s, mean {statistics.mean(totals):.2f} s; "
        f"processor {statistics.mean(outcome.cpu_s for outcome in outcomes):.3f} s each"
    )
    for stage in outcomes[0].timings:
        seconds = [outcome.timings[stage] for outcome in outcomes]
        share = sum(seconds) / sum(totals)
        print(f"  {stage:9s} p50 {1000 * np.percentile(seconds, 50):7.1f} ms  {100 * share:5.1f}%")
    tokens, candidates = (sum(getattr(one, field) for one in outcomes) for field in ("tokens", "candidates"))
    print(f"  {tokens} tokens in {candidates} candidates")
    print(
        f"  resident memory {outcomes[-1].resident_mib:.0f} MiB at the end, {outcomes[-1].peak_mib:.0f} MiB at its peak"
    )


def report_differences(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> None:
    """How many questions two checkouts answer differently, and how far their confidences are apart."""
    pairs = list(zip(ours, theirs, strict=True))
    decided = sum(one.decision[0] != other.decision[0] for one, other in pairs)
    cited = sum(
        [answer[:2] for answer in one.answers] != [answer[:2] for answer in other.answers]
        for one, other in pairs
    )
    apart = np.array([abs(one.decision[1] - other.decision[1]) for one, other in pairs])
    print(f"{decided} answers differ, {cited} lists of cited candidates or their quotes")
    print(
        f"{int((apart > _SAME).sum())} confidences differ by more than {_SAME:g}, {apart.max():.2g} at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--candidates", type=int, help="Answers that the language model writes.")
    parser.add_argument("--other", type=Path, metavar="DIR", help="Another checkout, to set beside this one.")
    parser.add_argument("--int8", action="store_true", help="Set beside this one that it computes in 8 bits.")
    arguments = parser.parse_args()
    if arguments.other and arguments.int8:
        parser.error("give --other or --int8")

    questions = evenly(load_questions("own"), arguments.questions)
    checkouts = {"this": HERE}
    if arguments.other or arguments.int8:
        checkouts["other" if arguments.other else "int8"] = arguments.other or HERE
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                AnswerProcess(arguments.index, checkout, candidates=arguments.candidates, int8=name == "int8")
            )
            for name, checkout in checkouts.items()
        }
        print(", ".join(f"{name} opened in {process.opened_s:.1f} s" for name, process in processes.items()))
        for process in processes.values():
            process.ask(questions[-1].question)
        outcomes: dict[str, list[Outcome]] = {name: [] for name in processes}
        for question in questions:
            for name, process in processes.items():
                outcomes[name].append(process.ask(question.question))
    for name, found in outcomes.items():
        report(name, found)
    if len(outcomes) > 1:
        report_differences(*outcomes.values())


if __name__ == "__main__":
    main()
