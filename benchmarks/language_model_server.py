"""How often a language model behind a server quotes verbatim, and what becomes of its claims.

Settings come from LOCCIT_... variables, such as LOCCIT_PASSAGES_SHOWN.

python -m benchmarks.language_model_server --index DIR --language-model URL --model-name NAME --count 80
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.answering.generators.claim_generator import ChatModel, ClaimGenerator, ShownPlaces
from app.answering.language_models.written_claims import written_claims
from app.answering.pipeline import Pipeline
from app.answering.text.answer_score import exact_match
from app.answering.text.words import has_words
from app.answering.types import CitedAnswer, Trace
from app.service.assembly import AnswerService, open_service
from app.service.quote_location import StandingQuotes
from app.service.settings import Settings
from common.errors import LoccitError
from evaluation.questions import Question, load_questions
from evaluation.slices import sampled


class Recording:
    """The server's model, its texts kept."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.written: list[str] = []

    def texts(self, messages: Sequence[dict[str, str]], **named: object) -> list[str]:
        self.written = self._model.texts(messages, **named)
        return self.written


def fates(texts: Sequence[str], trace: Trace, service: AnswerService) -> Counter[str]:
    """What became of the quote of each claim, where it was looked for as the service does."""
    worded = [one.hit.passage for one in trace.readings if has_words(one.hit.passage.window)]
    shown = worded[: service.settings.passages_shown]
    places, told = ShownPlaces(shown, StandingQuotes(), service.pipeline.retriever), Counter[str]()
    for claim in (claim for text in texts for claim in written_claims(text)):
        found = places.of(claim)
        told["dropped" if found is None else "verbatim" if found[1].verbatim else "mended"] += 1
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="?", default="own")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--language-model", required=True, metavar="URL")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--count", type=int, default=80)
    arguments = parser.parse_args()

    settings = Settings.of(
        index=arguments.index,
        language_model=arguments.language_model,
        model_name=arguments.model_name,
        length="short",
    )
    service = open_service(settings)
    assert service.server is not None
    recording = Recording(service.server)
    generator = ClaimGenerator(
        recording,
        StandingQuotes(),
        service.pipeline.retriever,
        passages=settings.passages_shown,
        evidence_tokens=settings.evidence_tokens,
    )
    pipeline = replace(service.pipeline, generator=generator)
    told, seconds = Counter[str](), list[float]()
    try:
        for question in sampled(load_questions(arguments.questions), arguments.count):
            ask(question, pipeline, recording, service, told, seconds)
    except KeyboardInterrupt:
        print("interrupted: of the questions asked so far")
    for name, count in told.items():
        print(f"{name:30} {count}")
    if seconds:
        print(f"{'seconds, median and 90%':30} {np.median(seconds):.1f}, {np.percentile(seconds, 90):.1f}")


def ask(
    question: Question,
    pipeline: Pipeline,
    recording: Recording,
    service: AnswerService,
    told: Counter[str],
    seconds: list[float],
) -> None:
    """Adds what became of a question to what is told of all."""
    recording.written, started = [], time.perf_counter()
    try:
        trace = pipeline.answer(question.question, replace(pipeline.options, min_confidence=0.0))
    except LoccitError as error:
        told[f"failed: {error}"] += 1
        return
    seconds.append(time.perf_counter() - started)
    told["questions"] += 1
    told["answerable"] += bool(question.answers)
    told["wrote no claim"] += not any(map(written_claims, recording.written))
    told += fates(recording.written, trace, service)
    if isinstance(trace.decision, CitedAnswer):
        right = exact_match(trace.decision.short_answer, question.answers)
        sure = trace.decision.confidence >= pipeline.options.min_confidence
        told["answered"] += 1
        told["exact"] += right
        told["answered, sure enough"] += sure
        told["exact, sure enough"] += right and sure


if __name__ == "__main__":
    main()
