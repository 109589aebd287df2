"""Settings of a running service: from arguments, then the environment (``LOCCIT_...``), then defaults."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.answering.options import DEFAULT_MIN_CONFIDENCE
from retriever.errors import InvalidRequestError
from retriever.types import RetrievalMode

DEFAULT_INDEX = Path("data/indexes/vital-articles")
DEFAULT_LANGUAGE_MODEL = "gemma-3-270m"


class GeneratorKind(StrEnum):
    """Who writes the answers."""

    LM = "lm"
    READER = "reader"


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
    generator: GeneratorKind = Field(
        GeneratorKind.LM,
        description="lm: the language model writes; reader: the best sentence is the answer.",
    )
    retrieval: RetrievalMode = Field(RetrievalMode.HYBRID, description="hybrid, dense or lexical.")
    top_k: int = Field(20, ge=1, le=100, description="Passages retrieved and read for a question.")
    candidates: int = Field(3, ge=1, le=64, description="Answers generated, the best passages first.")
    evidence_tokens: int = Field(256, ge=16, le=8192, description="Tokens of a passage the model reads.")
    seed: int = Field(0, ge=0, description="Of the sampled candidates.")
    min_confidence: float = Field(
        DEFAULT_MIN_CONFIDENCE, ge=0, le=1, description="Abstain below this confidence."
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

        Raises:
            InvalidRequestError: naming the first setting that is out of range, and its value.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise InvalidRequestError(
                f"The setting {name} is {first.get('input')!r}: {first['msg'].lower()}."
            ) from error
