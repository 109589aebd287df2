"""What reading k passages gives and takes: exact match, gold document and milliseconds, by k.

python -m benchmarks.read QUESTIONS --index DIR
python -m benchmarks.read QUESTIONS --index DIR --weights runs/reader/weights --passages 8
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.answering.cross_encoders.reader_model import load_reader_model
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.shipped_weights import WEIGHTS_FOLDER
from app.answering.text.answer_score import exact_match
from app.answering.types import Reading
from app.service.assembly import open_retriever
from app.service.settings import Settings
from evaluation.questions import Side, load_questions
from evaluation.slices import on_side
from retriever.types import Hit, RetrievalMode


def best_answer(readings: Sequence[Reading]) -> str:
    """The best span of the best passage; empty without one."""
    best = readings[0]
    return best.hit.passage.text_at(best.spans[0].span) if best.spans else ""


def positive(text: str) -> int:
    """A number from 1 on."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def alone(hit: Hit) -> Hit:
    """The hit whose passage has no continuation."""
    return replace(hit, passage=replace(hit.passage, continuation=""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", help="with gold_document_id")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--side", type=Side, default=Side.TEST)
    parser.add_argument("--retrieval", type=RetrievalMode, default=RetrievalMode.HYBRID)
    parser.add_argument(
        "--weights", type=Path, default=WEIGHTS_FOLDER, help="folder with a reader; the shipped one"
    )
    parser.add_argument("--passages", type=positive, nargs="+", default=[2, 4, 8, 16], help="k, one or more")
    parser.add_argument("--without-continuations", action="store_true")
    arguments = parser.parse_args()

    questions = on_side(load_questions(arguments.questions), arguments.side)
    retriever = open_retriever(Settings.of(index=arguments.index, retrieval=arguments.retrieval))
    hits = [retriever.retrieve(question.question, k=max(arguments.passages)) for question in questions]
    if arguments.without_continuations:
        hits = [[alone(hit) for hit in ranked] for ranked in hits]
    model = load_reader_model(folder=arguments.weights)
    print(f"{len(questions)} questions, {arguments.retrieval}; in percent, and ms p50 / p95")
    for k in arguments.passages:
        reader = TrainedReader(model, passages=k)
        reader.read(questions[0].question, hits[0])
        right, gold, seconds = [], [], []
        for question, ranked in zip(questions, hits, strict=True):
            started = time.perf_counter()
            readings = reader.read(question.question, ranked)
            seconds.append(time.perf_counter() - started)
            right.append(exact_match(best_answer(readings), question.answers))
            gold.append(readings[0].hit.passage.doc_id == question.gold_document_id)
        p50, p95 = np.percentile(1000 * np.array(seconds), [50, 95])
        print(
            f"k={k:2d}: exact match {100 * np.mean(right):.1f}, best passage of the gold document "
            f"{100 * np.mean(gold):.1f}, {p50:.0f} / {p95:.0f} ms"
        )


if __name__ == "__main__":
    main()
