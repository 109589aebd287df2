"""Loccit itself: as it comes, but with the peers' language model; and its small reader alone."""

import json
import tempfile
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from rich.console import Console

from app.answering.events import Decided
from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE
from app.answering.types import CitedAnswer
from app.service.ask import Ask, events
from app.service.assembly import open_service
from app.service.settings import GeneratorKind, ReaderKind, Settings
from benchmarks.peers.harness import Given, Passage, Quote, Told, main
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import Encoder, load_encoder
from retriever.text.passages import PassageSettings


class Loccit:
    """Defaults, but the language model. Answers below the usual threshold are kept, and marked as abstentions."""

    packages = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "tantivy")

    def __init__(self, given: Given, **settings: object) -> None:
        self._given, self._settings = given, settings
        self._encoder: Encoder | None = None

    def index(self, passages: Sequence[Passage]) -> None:
        self._encoder = self._encoder or load_encoder()
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "passages.jsonl"
            lines = [{"id": passage.id, "title": passage.title, "text": passage.text} for passage in passages]
            source.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
            build_index(
                [open_corpus(str(source))],
                Path(folder) / "index",
                encoder=self._encoder,
                settings=PassageSettings(),
                strict=True,
                console=Console(file=StringIO()),
            )

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:  # noqa: ARG002 - it opens its index
        settings = Settings.of(index=self._given.folder / "index", min_confidence=0.0, **self._settings)
        self._service = open_service(settings)

    def answer(self, question: str) -> Told:
        *_, last = events(self._service, Ask(question))
        assert isinstance(last, Decided)
        decision = last.trace.decision
        calibration = self._service.calibration
        usual = SCORE_MIN_CONFIDENCE if calibration is None else FITTED_MIN_CONFIDENCE
        if not isinstance(decision, CitedAnswer):
            return Told(None, confidence=decision.confidence)
        quotes = [
            Quote(citation.quote, citation.doc_id, citation.span.start, citation.span.end)
            for citation in decision.citations
        ]
        more = {"whole_answer": decision.answer, "abstained": decision.confidence < usual}
        return Told(decision.short_answer, quotes, decision.confidence, more)


if __name__ == "__main__":
    main(
        loccit=lambda given: Loccit(given, language_model="smollm2-135m"),
        loccit_reader=lambda given: Loccit(given, reader=ReaderKind.SMALL, generator=GeneratorKind.READER),
    )
