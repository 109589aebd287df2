"""Readers given the passage that answers: exact match, F1 and milliseconds a passage, side by side in one run.

python -m benchmarks.gold_passage QUESTIONS PASSAGES
python -m benchmarks.gold_passage QUESTIONS PASSAGES --weights runs/reader/weights --threads 1
python -m benchmarks.gold_passage --data data/training

QUESTIONS name their passage by gold_document_id; PASSAGES are records with id, title and text. Or the development
groups of prepared training data, each with its first passage that answers.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.answering.cross_encoders.reader_model import ReaderModel, load_reader_model
from app.answering.cross_encoders.reader_weights import READER_KIND
from app.answering.shipped_weights import WEIGHTS_FOLDER, names_of
from app.answering.text.answer_score import exact_match, f1
from common.files import records
from common.torch_runtime import use_threads
from evaluation.questions import Side, load_questions
from evaluation.slices import on_side
from training.data.prepared import PreparedData

_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Case:
    """``part``: of the questions, such as a data set."""

    part: str
    question: str
    answers: tuple[str, ...]
    title: str
    window: str


def of_files(questions: str, passages: Path, side: Side) -> Iterator[Case]:
    """The questions of this side whose passage is there."""
    by_id = {record["id"]: record for record in records(passages)}
    for asked in on_side(load_questions(questions), side):
        passage = by_id[asked.gold_document_id]
        yield Case(side, asked.question, tuple(asked.answers), passage["title"], passage["text"])


def of_development(folder: Path) -> Iterator[Case]:
    """The development groups that have an answer."""
    data = PreparedData(folder)
    for record in data.development:
        group = record.group(data.store)
        if group.positives:
            passage = next(one for one in group.passages if one.answers).passage
            yield Case(group.source, group.question, group.answers, passage.title, passage.window)


def answers_of(reader: ReaderModel, cases: Iterable[Case]) -> list[str]:
    """The best span for each."""
    found = []
    for case in cases:
        (judged,) = reader.judge(case.question, [(case.title, case.window)])
        found.append(judged.spans[0][0].of(case.window) if judged.spans else "")
    return found


def milliseconds(reader: ReaderModel, cases: Sequence[Case]) -> float:
    """The median time of a passage when eight are read for a question."""
    passages = [(case.title, case.window) for case in cases]
    taken = []
    for at in range(0, min(len(cases), 20 * _TOGETHER) - _TOGETHER + 1, _TOGETHER):
        started = time.perf_counter()
        reader.judge(cases[at].question, passages[at : at + _TOGETHER])
        taken.append(1000 * (time.perf_counter() - started) / _TOGETHER)
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="?", help="with gold_document_id")
    parser.add_argument("passages", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, help="prepared training data, instead of questions and passages")
    parser.add_argument("--side", type=Side, default=Side.TEST)
    parser.add_argument(
        "--weights", type=Path, nargs="*", default=[], help="folders with readers, beside the shipped"
    )
    parser.add_argument("--threads", type=int)
    parser.add_argument("--int8", action="store_true", help="in 8-bit integers")
    arguments = parser.parse_args()
    if (arguments.data is None) == (arguments.passages is None):
        parser.error("give QUESTIONS and PASSAGES, or --data")

    if arguments.threads:
        use_threads(arguments.threads)
    cases = list(
        of_development(arguments.data)
        if arguments.data
        else of_files(arguments.questions, arguments.passages, arguments.side)
    )
    for folder in (WEIGHTS_FOLDER, *arguments.weights):
        for name in names_of(READER_KIND, folder):
            reader = load_reader_model(name, folder)
            if arguments.int8:
                reader.use_int8()
            answers = answers_of(reader, cases)
            print(f"{folder / name}: {milliseconds(reader, cases):.1f} ms a passage")
            for part in dict.fromkeys(case.part for case in cases):
                pairs = [pair for pair in zip(answers, cases, strict=True) if pair[1].part == part]
                right = np.mean([exact_match(answer, case.answers) for answer, case in pairs])
                overlap = np.mean([f1(answer, case.answers) for answer, case in pairs])
                print(f"  {part}, {len(pairs)}: exact match {100 * right:.1f}, F1 {100 * overlap:.1f}")


if __name__ == "__main__":
    main()
