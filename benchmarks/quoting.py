"""How often the adapted language model quotes verbatim by itself, and what each way of citing costs.

Each question's two best passages are read by the language model in three ways: it answers and its citation head points;
it writes GopherCite's syntax held to the passages' words; it writes the same syntax with nothing forbidden.

python -m benchmarks.quoting QUESTIONS --index DIR --count 200
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.answering.cross_encoders.reader_model import load_reader_model
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.evidence_model.adapted_lm import AdaptedLM, QuotedAnswer, Written
from app.answering.evidence_model.adapter import AdaptedModel
from app.answering.evidence_model.quote_mask import CLAIM_TOKENS, QUOTE_TOKENS, parse_quoted
from app.answering.generators.written_answers import ANSWER_TOKENS
from app.answering.language_models.few_shot_prompt import one_line
from app.service.assembly import open_retriever
from app.service.generation import language_model
from app.service.settings import Settings
from evaluation.questions import Side, load_questions
from evaluation.slices import on_side, sampled

_SYNTAX_TOKENS = 60  # title and delimiters
T = TypeVar("T")


def timed(seconds: list[float], work: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = work()
    seconds.append(time.perf_counter() - started)
    return result


def pointed(lm: AdaptedLM, question: str, passages: list[tuple[str, str]]) -> list[Written]:
    return lm.read(question, passages).write(max_tokens=ANSWER_TOKENS)


def held(lm: AdaptedLM, question: str, passages: list[tuple[str, str]]) -> QuotedAnswer | None:
    return lm.read(question, passages, quoted=True).write_quoted()


def free(lm: AdaptedLM, question: str, passages: list[tuple[str, str]]) -> str:
    most = CLAIM_TOKENS + QUOTE_TOKENS + _SYNTAX_TOKENS
    return lm.read(question, passages, quoted=True).write_unmasked(max_tokens=most)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--side", type=Side, default=Side.TEST)
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()

    settings = Settings.of(index=arguments.index, weights=arguments.weights)
    retriever, reader = open_retriever(settings), TrainedReader(load_reader_model())
    model = language_model(settings)
    if not isinstance(model, AdaptedModel):
        raise SystemExit(
            "There is no adapter for this language model; name a folder that has one with --weights."
        )
    lm = model.lm
    seconds: dict[str, list[float]] = {"answer, head points": [], "held to the passages": [], "free": []}
    quoted = parsed = titled = verbatim = 0
    questions = sampled(on_side(load_questions(arguments.questions), arguments.side), arguments.count)
    for question in questions:
        readings = reader.read(question.question, retriever.retrieve(question.question, k=settings.top_k))
        best = [reading.hit.passage for reading in readings[: settings.passages_together]]
        given = lm, question.question, [(passage.title, passage.text) for passage in best]
        timed(seconds["answer, head points"], partial(pointed, *given))
        quoted += timed(seconds["held to the passages"], partial(held, *given)) is not None
        written = parse_quoted(timed(seconds["free"], partial(free, *given)))
        if written is not None:
            parsed += 1
            texts = [
                one_line(passage.text)
                for passage in best
                if one_line(passage.title) == one_line(written.title)
            ]
            titled += bool(texts)
            verbatim += any(one_line(written.quote) in text for text in texts)
    count = len(questions)
    print(f"{count} questions; held to the passages, {quoted} have a quote, each verbatim")
    print(
        f"free: {parsed} of {count} keep to the syntax, {titled} name a title they read, {verbatim} quote it verbatim"
    )
    for name, taken in seconds.items():
        p50, p95 = np.percentile(1000 * np.array(taken), [50, 95])
        print(f"{name}: {p50:.0f} / {p95:.0f} ms, p50 / p95")


if __name__ == "__main__":
    main()
