"""Seconds per answer over 50 questions, each stage's share, and the resident memory of the process.

python -m benchmarks.answer --index data/indexes/vital-articles
python -m benchmarks.answer --candidates 16     # what writing more candidates costs
"""

import argparse
import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.service.assembly import open_service
from app.service.settings import DEFAULT_INDEX, Settings
from evaluation.questions import Question, load_questions


def evenly(questions: Sequence[Question], count: int) -> list[Question]:
    """``count`` of the questions, evenly spread so that all kinds are among them; all when there are fewer."""
    count = min(count, len(questions))
    return [questions[number * len(questions) // count] for number in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--candidates", type=int, help="Answers that the language model writes.")
    arguments = parser.parse_args()

    started = time.perf_counter()
    settings = Settings.of(index=arguments.index, candidates=arguments.candidates)
    service = open_service(settings)
    print(f"opened in {time.perf_counter() - started:.1f} s, candidates {settings.candidates}")
    questions = evenly(load_questions("own"), arguments.questions)
    service.pipeline.answer(questions[-1].question)
    traces = [service.pipeline.answer(question.question) for question in questions]

    totals = [sum(trace.timings.values()) for trace in traces]
    p50, p95 = np.percentile(totals, [50, 95])
    print(f"{len(totals)} questions: p50 {p50:.2f} s, p95 {p95:.2f} s, mean {statistics.mean(totals):.2f} s")
    for stage in traces[0].timings:
        seconds = [trace.timings[stage] for trace in traces]
        share = sum(seconds) / sum(totals)
        print(f"  {stage:9s} p50 {1000 * np.percentile(seconds, 50):7.1f} ms  {100 * share:5.1f}%")
    tokens = sum(candidate.tokens for trace in traces for candidate in trace.candidates)
    print(f"  {tokens} tokens in {sum(len(trace.candidates) for trace in traces)} candidates")
    print(f"peak resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
