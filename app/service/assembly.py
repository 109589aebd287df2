"""Putting the parts together: from settings to a service that answers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.answering.cite import SentenceCiter
from app.answering.compose import SentenceComposer
from app.answering.confidence.scorers import CalibratedConfidence, ConfidenceScorer, ScoreConfidence
from app.answering.cross_encoders.reader_model import READER_KIND, load_reader_model
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.cross_encoders.trained_support import SUPPORT_KIND, load_support
from app.answering.generator import SPANS_EXTRACTED
from app.answering.language_models.protocol import LanguageModel
from app.answering.options import AnswerOptions
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader, Reader
from app.answering.shipped_weights import require_weights, weights_folder
from app.answering.support import LexicalSupport, SupportScorer
from app.answering.text.overlap import Overlap
from app.service.calibration import Calibration, Digests, calibration_of, threshold
from app.service.generation import writing
from app.service.settings import CiterKind, ReaderKind, Settings, SupportKind
from common.torch_runtime import use_threads
from retriever.encoder import Encoder, load_encoder
from retriever.index import PassageIndex, open_index, read_manifest
from retriever.indexing import index_in_memory
from retriever.retriever import IndexRetriever
from retriever.types import Document, RetrievalMode


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Which models answer, for whoever reads a response or a prediction file.

    ``support``: digest of the support scorer's weights, or its name when it has none.
    """

    encoder: str
    reader: str
    reader_sha256: str | None
    language_model: str | None
    language_model_sha256: str | None
    adapter_sha256: str | None
    support: str

    def digests(self, encoder: Encoder) -> Digests:
        """What a calibrator's weights depend on."""
        return {
            "encoder": encoder.sha256,
            "reader": self.reader_sha256,
            "language_model": self.language_model_sha256,
            "adapter": self.adapter_sha256,
            "support": self.support,
        }


@dataclass(frozen=True, slots=True)
class AnswerService:
    """An opened index with the models that answer from it.

    ``language_model``: None when it is adapted, or the reader alone answers.
    ``calibration``: None where no calibrator knows these models or a score is wanted; the confidence is then a score.
    """

    pipeline: Pipeline
    index: PassageIndex
    encoder: Encoder
    models: ModelNames
    retrieval: RetrievalMode
    language_model: LanguageModel | None
    calibration: Calibration | None

    def over(self, documents: Sequence[Document]) -> Pipeline:
        """The same pipeline, answering from these documents alone (GopherCite's single-document mode)."""
        index = index_in_memory(documents, self.encoder, self.index.settings)
        return replace(self.pipeline, retriever=IndexRetriever(index, self.encoder, mode=self.retrieval))

    def description(self, settings: Settings) -> dict[str, Any]:
        """What answers, in full: settings, models and index, for whoever keeps a record of the answers."""
        manifest = self.index.manifest
        return {
            "settings": {**settings.model_dump(mode="json"), "index": str(settings.index.resolve())},
            "models": asdict(self.models),
            "generation": self.index.generation,
            "manifest": None if manifest is None else manifest.model_dump(mode="json", exclude_unset=True),
            "calibration": None
            if self.calibration is None
            else {"sha256": self.calibration.calibrator.sha256, "applies": self.calibration.applies},
            "min_confidence": self.pipeline.options.min_confidence,
            "stages": self._stages(settings),
        }

    def _stages(self, settings: Settings) -> dict[str, dict[str, Any]]:
        """What decides the outcome of each stage that is worth keeping, beside the stages before it."""
        return {
            "retrieve": {
                "generation": self.index.generation,
                "encoder_sha256": self.encoder.sha256,
                "retrieval": self.retrieval.value,
                "top_k": settings.top_k,
            },
            "read": {
                "reader": self.models.reader,
                "reader_sha256": self.models.reader_sha256,
                "passages_read": settings.passages_read,
            },
            "generate": {
                "generator": settings.generator.value,
                "language_model_sha256": self.models.language_model_sha256,
                "adapter_sha256": self.models.adapter_sha256,
                "passages_together": settings.passages_together,
                "quoting": settings.citer is CiterKind.CONSTRAINED,
                "candidates": settings.candidates,
                "spans_extracted": list(SPANS_EXTRACTED),
                "evidence_tokens": settings.evidence_tokens,
                "seed": settings.seed,
            },
        }


def open_retriever(settings: Settings) -> IndexRetriever:
    """Search over the index, without a language model; raises like ``open_service``."""
    index, encoder = _open_index(settings)
    return IndexRetriever(index, encoder, mode=settings.retrieval)


def open_service(settings: Settings, *, abstains: bool = True) -> AnswerService:
    """Open the index and load the models.

    ``abstains`` False: whoever asks keeps every answer, so that a target accuracy which nothing promises is not
    refused.

    Raises:
        IndexUnusableError, ModelUnusableError: with what was wrong and what would be right.
    """
    if settings.weights is not None:
        require_weights(settings.weights)
    index, encoder = _open_index(settings)
    written = writing(settings)
    overlap = Overlap(index.lexical)
    reader, reader_sha256 = _reader(settings, overlap, encoder)
    support, support_name = _support(settings, overlap, encoder)
    models = ModelNames(
        encoder=encoder.name,
        reader=settings.reader.value,
        reader_sha256=reader_sha256,
        language_model=written.name,
        language_model_sha256=written.sha256,
        adapter_sha256=written.adapter_sha256,
        support=support_name,
    )
    calibration = calibration_of(settings, models.digests(encoder), index)
    pipeline = Pipeline(
        retriever=IndexRetriever(index, encoder, mode=settings.retrieval),
        reader=reader,
        generator=written.generator,
        citer=SentenceCiter(overlap, lm_points=settings.citer is CiterKind.LM_HEAD),
        support=support,
        confidence=_confidence(calibration),
        composer=SentenceComposer(encoder),
        options=AnswerOptions(
            top_k=settings.top_k,
            candidates=settings.candidates,
            seed=settings.seed,
            min_confidence=threshold(settings, calibration, abstains=abstains),
            length=settings.length,
        ),
    )
    return AnswerService(
        pipeline=pipeline,
        index=index,
        encoder=encoder,
        models=models,
        retrieval=settings.retrieval,
        language_model=written.language_model,
        calibration=calibration,
    )


def _open_index(settings: Settings) -> tuple[PassageIndex, Encoder]:
    if settings.threads is not None:
        use_threads(settings.threads)
    recorded = read_manifest(settings.index).encoder
    encoder = load_encoder(settings.encoder or recorded.name, allow_download=settings.allow_download)
    return open_index(settings.index, encoder), encoder


def _reader(settings: Settings, overlap: Overlap, encoder: Encoder) -> tuple[Reader, str | None]:
    """The reader, and the digest of its weights when it has any."""
    if settings.reader is ReaderKind.LEXICAL:
        return LexicalReader(overlap, encoder), None
    folder = weights_folder(READER_KIND, settings.weights)
    trained = TrainedReader(load_reader_model(folder=folder), passages=settings.passages_read)
    return trained, trained.sha256


def _support(settings: Settings, overlap: Overlap, encoder: Encoder) -> tuple[SupportScorer, str]:
    """The support scorer, and the digest of its weights, or its name when it has none."""
    if settings.support is SupportKind.LEXICAL:
        return LexicalSupport(overlap, encoder), LexicalSupport.__name__
    folder = weights_folder(SUPPORT_KIND, settings.weights)
    trained = load_support(folder=folder, reader_folder=weights_folder(READER_KIND, settings.weights))
    return trained, trained.sha256


def _confidence(calibration: Calibration | None) -> ConfidenceScorer:
    return ScoreConfidence() if calibration is None else CalibratedConfidence(calibration.calibrator)
