"""Putting the parts together: from settings to a service that answers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

from app.answering.cite import SentenceCiter
from app.answering.composing.claim_composer import ClaimComposer
from app.answering.composing.protocol import Composer
from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.confidence.scorers import CalibratedConfidence, ConfidenceScorer, ScoreConfidence
from app.answering.cross_encoders.reader_model import ReaderModel, load_reader_model
from app.answering.cross_encoders.reader_weights import READER_NAME, STRONG_READER_NAME
from app.answering.cross_encoders.second_reader import SecondReader
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.cross_encoders.trained_support import SUPPORT_NAME, TrainedSupport, load_support
from app.answering.generators.protocol import Generator
from app.answering.generators.reader_generator import SPANS_EXTRACTED
from app.answering.language_models.openai_server import OpenAIServer
from app.answering.language_models.protocol import LanguageModel
from app.answering.options import AnswerLength, AnswerOptions
from app.answering.pipeline import Pipeline
from app.answering.reader import LexicalReader, Reader
from app.answering.rules import RULES
from app.answering.shipped_weights import WEIGHTS_FOLDER, folder_of, require_weights, weights_folders
from app.answering.stages import Stage
from app.answering.support import LexicalSupport, SupportScorer
from app.answering.text.overlap import Overlap
from app.service.calibration import Calibration, Digests, calibration_of, threshold
from app.service.claim_support import ClaimScorer, lazy_claim_scorer
from app.service.generation import Writing, language_model_when_asked, writing
from app.service.setting_marks import stage_settings
from app.service.settings import CiterKind, ReaderKind, Settings, SupportKind
from common.deadline import NO_DEADLINE, Deadline
from common.errors import IndexUnusableError
from common.torch_runtime import return_freed_memory, use_threads
from retriever.encoder import Encoder, load_encoder
from retriever.fields import Selection
from retriever.filters import Filter
from retriever.index import PassageIndex, open_index, read_manifest
from retriever.index_writer import index_in_memory
from retriever.lexical import LexicalIndex
from retriever.retriever import IndexRetriever, Retriever
from retriever.types import Document


class LoadEncoder(Protocol):
    """What loads an encoder by its name or path."""

    def __call__(self, name: str, *, allow_download: bool) -> Encoder: ...


class LoadReaderModel(Protocol):
    """What loads the reader's model of this name from a folder of weights."""

    def __call__(self, name: str, folder: Path) -> ReaderModel: ...


class LoadSupport(Protocol):
    """What loads the support scorer from a folder of weights, over the reader in another."""

    def __call__(self, *, folder: Path, reader_folder: Path) -> TrainedSupport: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is put together from: whatever takes time, memory or packages to load.

    Each is the real one unless another is given, as tests do.
    """

    load_encoder: LoadEncoder = load_encoder
    load_reader_model: LoadReaderModel = load_reader_model
    load_support: LoadSupport = load_support
    writing: Callable[[Settings], Writing] = writing
    """Loads the language model and says how answers are written with it."""
    composer: Callable[[Encoder], Composer] = SentenceComposer
    shipped: Path = WEIGHTS_FOLDER
    """The folder of the shipped reader, support scorer and calibrator; an adapter is loaded by ``writing``."""


REAL_PARTS = Parts()
LAZY_PARTS = Parts(writing=partial(writing, load=language_model_when_asked))
"""Real ones, but an adapted language model is loaded when it is asked first: for commands that may not ask it."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Which models answer, for whoever reads a response or a prediction file."""

    encoder: str
    reader: str
    reader_sha256: str | None
    language_model: str | None
    language_model_sha256: str | None
    """The language model's identity: the digest of its weights where they are here, else of how a server is asked."""
    adapter_sha256: str | None
    support: str
    """Digest of the support scorer's weights, or its identity where it has none."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        encoder: Encoder,
        written: Writing,
        *,
        reader_sha256: str | None,
        support: str,
    ) -> Self:
        """Those that were loaded as these settings say."""
        return cls(
            encoder=encoder.name,
            reader=settings.reader.value,
            reader_sha256=reader_sha256,
            language_model=written.name,
            language_model_sha256=written.identity,
            adapter_sha256=written.adapter_sha256,
            support=support,
        )

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
    """An opened index with the models that answer from it."""

    settings: Settings
    pipeline: Pipeline
    index: PassageIndex
    encoder: Encoder
    models: ModelNames
    generator_over: Callable[[Retriever], Generator]
    """The generator for passages from this retriever (see ``Writing``)."""
    language_model: LanguageModel | None = None
    """None where it is adapted or behind a server, or the reader alone answers."""
    server: OpenAIServer | None = None
    """The server that the language model is behind; None where it is here, or the reader alone answers."""
    calibration: Calibration | None = None
    """None where no calibrator knows these models or a score is wanted: the confidence is then a score."""
    claim_scorer: Callable[[], ClaimScorer] | None = None
    """The trained scorer for the claims of others' answers, loaded when it is called first. None where there are no
    weights of it."""
    over_index: Callable[[PassageIndex], "AnswerService"] | None = None
    """The same models over another index, made with the same encoder. None where the index is in memory."""

    @property
    def vocabulary(self) -> LexicalIndex:
        """The words of the index and how rare they are."""
        return self.index.lexical

    @property
    def evidence_tokens(self) -> int:
        """Tokens of a passage that the language model reads."""
        return self.settings.evidence_tokens

    def over(self, documents: Sequence[Document], *, deadline: Deadline = NO_DEADLINE) -> Pipeline:
        """The same pipeline, answering from these documents alone (GopherCite's single-document mode).

        Raises:
            DeadlineExceededError, GivenUpError: when the deadline is over before they can be searched.
        """
        index = index_in_memory(documents, self.encoder, self.index.settings, deadline=deadline)
        return self.with_retriever(IndexRetriever(index, self.encoder, mode=self.settings.retrieval))

    def within(self, selection: Selection | None) -> Pipeline:
        """The same pipeline, for which there are only these documents of the index; None: all of them."""
        if selection is None:
            return self.pipeline
        retriever = IndexRetriever(
            self.index, self.encoder, mode=self.settings.retrieval, selection=selection
        )
        return self.with_retriever(retriever)

    def with_retriever(self, retriever: Retriever) -> Pipeline:
        """The same pipeline with passages from this retriever, in every stage that asks for some."""
        return replace(self.pipeline, retriever=retriever, generator=self.generator_over(retriever))

    def reopened(self) -> "AnswerService":
        """The same models over what is current now: the index's generation and its calibrator are opened anew.

        Raises:
            IndexUnusableError: when the index cannot be opened, or was made with another encoder.
            InvalidRequestError: when a target accuracy is set that nothing promises any more.
        """
        if self.over_index is None:
            raise IndexUnusableError("An index in memory cannot be opened again; serve one from a folder.")
        return self.over_index(open_index(self.settings.index, self.encoder))

    def description(self) -> dict[str, Any]:
        """What answers, in full: settings, models and index, for whoever keeps a record of the answers."""
        settings = self.settings
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
            "stages": self._stages(),
        }

    def _stages(self) -> dict[str, dict[str, Any]]:
        """What decides the outcome of each stage that is worth keeping, beside the stages before it."""
        beside_settings: dict[Stage, dict[str, Any]] = {
            Stage.RETRIEVE: {
                "generation": self.index.generation,
                "encoder_sha256": self.encoder.sha256,
            },
            Stage.READ: {"reader_sha256": self.models.reader_sha256, "rules": RULES},
            Stage.GENERATE: {
                "language_model_sha256": self.models.language_model_sha256,
                "adapter_sha256": self.models.adapter_sha256,
                "spans_extracted": list(SPANS_EXTRACTED),
            },
        }
        return {
            stage.value: {**record, **stage_settings(self.settings, stage)}
            for stage, record in beside_settings.items()
        }


def open_retriever(
    settings: Settings, *, asked: Filter | None = None, parts: Parts = REAL_PARTS
) -> IndexRetriever:
    """Search over the documents of the index that match, without a language model; raises like ``open_service``.

    Raises:
        InvalidRequestError: when the filter names a field that no document has.
    """
    index, encoder = _open_index(settings, parts)
    return IndexRetriever(index, encoder, mode=settings.retrieval, selection=index.fields.selected(asked))


def open_service(settings: Settings, *, abstains: bool = True, parts: Parts = REAL_PARTS) -> AnswerService:
    """Open the index and load the models.

    ``abstains`` False: whoever asks keeps every answer, so that a target accuracy which nothing promises is not
    refused. ``parts``: what loads the models.

    Raises:
        IndexUnusableError, ModelUnusableError: with what was wrong and what would be right.
    """
    if settings.target_accuracy is not None and "length" not in settings.model_fields_set:
        # only of short answers is counted how many are right
        settings = settings.model_copy(update={"length": AnswerLength.SHORT})
    if settings.weights is not None:
        require_weights(settings.weights)
    folders = weights_folders(settings.weights, parts.shipped)
    index, encoder = _open_index(settings, parts)
    written = parts.writing(settings)
    reader_over, reader_sha256 = _reader(settings, encoder, folders, parts)
    support_over, support_name = _support(settings, encoder, folders, parts)
    claim_scorer = lazy_claim_scorer(folders, parts.load_support)
    composer = ClaimComposer(parts.composer(encoder))
    models = ModelNames.of(settings, encoder, written, reader_sha256=reader_sha256, support=support_name)

    def over_index(index: PassageIndex) -> AnswerService:
        calibration = calibration_of(settings, models.digests(encoder), index, folders)
        retriever = IndexRetriever(index, encoder, mode=settings.retrieval)
        overlap = Overlap(index.lexical)
        pipeline = Pipeline(
            retriever=retriever,
            reader=reader_over(overlap),
            generator=written.generator_over(retriever),
            citer=SentenceCiter(overlap, lm_points=settings.citer is CiterKind.LM_HEAD),
            support=support_over(overlap),
            confidence=_confidence(calibration),
            composer=composer,
            options=_options(settings, min_confidence=threshold(settings, calibration, abstains=abstains)),
        )
        return AnswerService(
            settings=settings,
            pipeline=pipeline,
            index=index,
            encoder=encoder,
            models=models,
            generator_over=written.generator_over,
            language_model=written.language_model,
            server=written.server,
            calibration=calibration,
            claim_scorer=claim_scorer,
            over_index=over_index,
        )

    service = over_index(index)
    return_freed_memory()
    return service


def _options(settings: Settings, *, min_confidence: float) -> AnswerOptions:
    return AnswerOptions(
        top_k=settings.top_k,
        candidates=settings.candidates,
        seed=settings.seed,
        min_confidence=min_confidence,
        length=settings.length,
    )


def _open_index(settings: Settings, parts: Parts) -> tuple[PassageIndex, Encoder]:
    if settings.threads is not None:
        use_threads(settings.threads)
    recorded = read_manifest(settings.index).encoder
    encoder = parts.load_encoder(settings.encoder or recorded.name, allow_download=settings.allow_download)
    return open_index(settings.index, encoder), encoder


def _reader(
    settings: Settings, encoder: Encoder, folders: Sequence[Path], parts: Parts
) -> tuple[Callable[[Overlap], Reader], str | None]:
    """The reader for an index with these words, and the digest of its weights when it has any."""
    if settings.reader is ReaderKind.LEXICAL:
        return lambda overlap: LexicalReader(overlap, encoder), None

    def load(name: str) -> ReaderModel:
        model = parts.load_reader_model(name, folder_of(name, folders))
        if settings.int8:
            model.use_int8()
        return model

    small = TrainedReader(load(READER_NAME), passages=settings.passages_read)
    if settings.reader is ReaderKind.SMALL:
        return lambda _: small, small.sha256
    strong = SecondReader(small, load(STRONG_READER_NAME), passages=settings.passages_read_again)
    return lambda _: strong, strong.sha256


def _support(
    settings: Settings, encoder: Encoder, folders: Sequence[Path], parts: Parts
) -> tuple[Callable[[Overlap], SupportScorer], str]:
    """The support scorer for an index with these words, and the digest of its weights, or its identity."""
    if settings.support is SupportKind.LEXICAL:
        return lambda overlap: LexicalSupport(overlap, encoder), LexicalSupport.identity
    trained = parts.load_support(
        folder=folder_of(SUPPORT_NAME, folders), reader_folder=folder_of(READER_NAME, folders)
    )
    return lambda _: trained, trained.sha256


def _confidence(calibration: Calibration | None) -> ConfidenceScorer:
    return ScoreConfidence() if calibration is None else CalibratedConfidence(calibration.calibrator)
