"""Settings of a running service: from arguments, then the environment (``LOCCIT_...``), then defaults."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE, AnswerLength
from common.errors import InvalidRequestError
from retriever.types import RetrievalMode

DEFAULT_INDEX = Path("data/indexes/vital-articles")
_THRESHOLDS = {"min_confidence", "target_accuracy"}
DEFAULT_LANGUAGE_MODEL = "gemma-3-270m"


class GeneratorKind(StrEnum):
    """Who writes the answers."""

    LM = "lm"
    READER = "reader"


class ReaderKind(StrEnum):
    """Who reads the passages."""

    TRAINED = "trained"
    LEXICAL = "lexical"


class AdapterKind(StrEnum):
    """What was trained onto the language model."""

    TRAINED = "trained"
    NONE = "none"


class CiterKind(StrEnum):
    """Who says which words back an answer."""

    READER = "reader"
    LM_HEAD = "lm-head"
    CONSTRAINED = "constrained"


class SupportKind(StrEnum):
    """Who judges how well a quote backs an answer."""

    TRAINED = "trained"
    LEXICAL = "lexical"


class ConfidenceKind(StrEnum):
    """What says how sure an answer is."""

    FITTED = "fitted"
    SCORE = "score"


class Settings(BaseSettings):
    """Everything that can be set, checked when it is built."""

    model_config = SettingsConfigDict(env_prefix="LOCCIT_", frozen=True, extra="forbid")

    index: Path = Field(DEFAULT_INDEX, description="Folder of the index to answer from.")
    encoder: str | None = Field(None, description="Encoder by name or path; the index's own unless given.")
    language_model: str = Field(
        DEFAULT_LANGUAGE_MODEL,
        description="gemma-3-270m, smollm2-135m, a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or "
        "hub name.",
    )
    adapter: AdapterKind = Field(
        AdapterKind.TRAINED,
        description="trained: the language model answers with what was trained onto it, where there is such; none: as "
        "it was published, by examples.",
    )
    weights: Path | None = Field(
        None,
        description="Folder with weights as `loccit train` leaves them, used in place of the shipped ones.",
    )
    citer: CiterKind = Field(
        CiterKind.READER,
        description="reader: the reader points at what is quoted; lm-head: the adapted language model does; "
        "constrained: the language model writes its quotes itself, held to the passages' words.",
    )
    generator: GeneratorKind = Field(
        GeneratorKind.LM,
        description="lm: the language model writes too; reader: the reader's answers alone.",
    )
    reader: ReaderKind = Field(
        ReaderKind.TRAINED,
        description="trained: a cross-encoder judges passages and points at answers; lexical: word overlap, untrained.",
    )
    support: SupportKind = Field(
        SupportKind.LEXICAL,
        description="trained: a cross-encoder judges question, answer, title and quote; lexical: word overlap and "
        "cosine, untrained.",
    )
    confidence: ConfidenceKind = Field(
        ConfidenceKind.FITTED,
        description="fitted: the calibrator's word, where one knows the models; score: of support and the writer's "
        "probability, unfitted.",
    )
    retrieval: RetrievalMode = Field(RetrievalMode.HYBRID, description="hybrid, dense or lexical.")
    top_k: int = Field(20, ge=1, le=100, description="Passages retrieved for a question.")
    passages_read: int = Field(8, ge=1, le=100, description="Of those, how many the trained reader reads.")
    candidates: int = Field(
        1, ge=1, le=64, description="Answers the language model writes, the best passages first."
    )
    passages_together: int = Field(
        2,
        ge=1,
        le=8,
        description="Passages that the adapted language model reads at once; it has mostly learnt from one and two.",
    )
    evidence_tokens: int = Field(256, ge=16, le=8192, description="Tokens of a passage the model reads.")
    seed: int = Field(0, ge=0, description="Of the sampled candidates.")
    min_confidence: float | None = Field(
        None,
        ge=0,
        le=1,
        description=f"Abstain below this confidence; {FITTED_MIN_CONFIDENCE} unless given, {SCORE_MIN_CONFIDENCE} "
        "where the confidence is a score.",
    )
    target_accuracy: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Instead of min_confidence: the lowest threshold at which so many of the answers were right and "
        "supported on the calibration questions, with 95% certainty.",
    )
    length: AnswerLength = Field(
        AnswerLength.SHORT,
        description="short: what was asked for alone; long: the sentences that back it and up to two more of its "
        "passage.",
    )
    threads: int | None = Field(None, ge=1, description="CPU threads; all cores unless given.")
    timeout_s: float = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds allowed for an answer, waiting included."
    )
    max_waiting: int = Field(64, ge=1, description="Questions waiting at most; more are refused with 503.")
    max_documents: int = Field(20, ge=1, description="Documents handed in with a question at most.")
    max_document_characters: int = Field(
        200_000, ge=1, description="Characters of the documents handed in with a question at most, in all."
    )
    allow_download: bool = Field(False, description="Fetch models from the hub when they are not here.")

    @classmethod
    def of(cls, **given: object) -> "Settings":
        """Settings with these arguments, where not None, over the environment.

        A threshold that is given as an argument counts, whichever one the environment sets.

        Raises:
            InvalidRequestError: naming the first setting that is out of range, and its value.
        """
        arguments: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if len(_THRESHOLDS & arguments.keys()) == 1:
            arguments = {**dict.fromkeys(_THRESHOLDS), **arguments}
        try:
            return cls(**arguments)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise InvalidRequestError(
                f"The setting {name} is {first.get('input')!r}: {first['msg'].lower()}."
            ) from error
