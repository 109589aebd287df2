"""Settings of a running service: from arguments, then the environment (``LOCCIT_...``), then defaults."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_serializer
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.answering.limits import EVIDENCE_TOKENS, PASSAGES_READ_AGAIN, PASSAGES_SHOWN
from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE, AnswerLength
from app.answering.stages import Stage
from app.service.setting_marks import SHAPES_BY_DIGEST, SHAPES_NOTHING, Option, Shapes
from common.errors import InvalidRequestError
from common.packaged import DEFAULT_LANGUAGE_MODEL
from retriever.types import RetrievalMode

DEFAULT_INDEX = Path("data/indexes/vital-articles")
_THRESHOLDS = {"min_confidence", "target_accuracy"}
MOST_QUESTIONS = 1_000
MOST_DOCUMENTS = 1_000
"""Of one request, however it is set."""

LANGUAGE_MODEL_CHOICES = (
    "smollm2-135m, gemma-3-270m, a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or hub name."
)
_A_SERVER = "a server"
"""What stands for its address wherever settings are shown."""
_HIDDEN = "**********"
_UNSHOWN = frozenset({"language_model", "language_model_key", "language_model_request"})
"""Settings whose value no sentence repeats: an address, a key, and fields of which one may be a key."""
_MOST_NESTED = 16


class GeneratorKind(StrEnum):
    """Who writes the answers."""

    LM = "lm"
    READER = "reader"


class ReaderKind(StrEnum):
    """Who reads the passages."""

    SMALL = "small"
    STRONG = "strong"
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


class LogFormat(StrEnum):
    """What the lines of a server's log are for."""

    TEXT = "text"
    JSON = "json"


def _listed(value: object) -> object:
    """``a, b`` as a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""Texts that the environment has with commas between them."""


def _json(value: object) -> object:
    """What a text says in JSON, if it can be sent on.

    Raises:
        ValueError: where it is no JSON, is nested deeper than any request, or holds what JSON cannot say.
    """
    try:
        read = json.loads(value) if isinstance(value, str) else value
        json.dumps(read, ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, UnicodeEncodeError, TypeError):
        raise ValueError("Input should be JSON of plain values, not nested too deep") from None
    if _depth(read) > _MOST_NESTED:
        raise ValueError(f"Input should be nested at most {_MOST_NESTED} deep")
    return read


def _depth(value: object) -> int:
    """How many objects and lists are within each other."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _without_texts(value: object) -> object:
    """The value with a mark in the place of each text: a key may be among them."""
    if isinstance(value, dict):
        return {name: _without_texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_texts(inner) for inner in value]
    return _HIDDEN if isinstance(value, str) else value


JsonObject = Annotated[dict[str, Any], NoDecode, BeforeValidator(_json)]
"""An object that the environment has as JSON."""


def is_server(language_model: str) -> bool:
    """Whether a language model is named by a server's address."""
    return language_model.lower().startswith(("http://", "https://"))


def _writes_quotes(citer: str) -> bool:
    return citer == CiterKind.CONSTRAINED


class Settings(BaseSettings):
    """Everything that can be set, checked when it is built.

    A field says once what a setting is, what it shapes and how it is typed (see ``setting_marks``). The options of
    the commands, the record of each stage in a prediction file and what a calibrator depends on are read off the
    fields.
    """

    model_config = SettingsConfigDict(
        env_prefix="LOCCIT_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    index: Annotated[Path, SHAPES_BY_DIGEST, Option(metavar="DIR", resolved=True)] = Field(
        DEFAULT_INDEX, description="Folder of the index."
    )
    encoder: Annotated[str | None, SHAPES_BY_DIGEST] = Field(
        None, description="Encoder by name or path; the index's own unless given."
    )
    top_k: Annotated[int, Shapes(Stage.RETRIEVE), Option("-k")] = Field(
        20, ge=1, le=100, description="Passages to retrieve."
    )
    retrieval: Annotated[RetrievalMode, Shapes(Stage.RETRIEVE), Option()] = Field(
        RetrievalMode.HYBRID, description="Which search is used."
    )
    # a calibrator names the reader by the digest of its weights
    reader: Annotated[ReaderKind, Shapes(Stage.READ, calibrator=False), Option()] = Field(
        ReaderKind.STRONG,
        description="Who reads the passages. small: a cross-encoder judges each and points at answers; strong: a "
        "larger one, of all-mpnet-base-v2, reads the best of them again, and answers beyond a few words; lexical: word "
        "overlap, untrained.",
    )
    passages_read: Annotated[int, Shapes(Stage.READ)] = Field(
        8, ge=1, le=100, description="Of the passages retrieved, how many the trained reader reads."
    )
    passages_read_again: Annotated[int, SHAPES_BY_DIGEST] = Field(
        PASSAGES_READ_AGAIN,
        ge=1,
        le=20,
        description="Of the passages read, how many the strong reader reads again.",
    )
    generator: Annotated[GeneratorKind, Shapes(Stage.GENERATE), Option()] = Field(
        GeneratorKind.LM,
        description="Who writes answers. lm: the language model too; reader: the reader alone, which needs no "
        "language model.",
    )
    language_model: Annotated[str, SHAPES_BY_DIGEST, Option()] = Field(
        DEFAULT_LANGUAGE_MODEL,
        repr=False,
        description=f"{LANGUAGE_MODEL_CHOICES} Or the base address of a server that speaks OpenAI's protocol, "
        "such as http://127.0.0.1:11434/v1.",
    )
    model_name: Annotated[str | None, SHAPES_BY_DIGEST, Option()] = Field(
        None, min_length=1, description="The language model's name on its server, such as qwen3:4b."
    )
    language_model_key: Annotated[SecretStr | None, SHAPES_NOTHING] = Field(
        None, description="API key that the language model's server wants. It is never shown."
    )
    language_model_request: Annotated[JsonObject | None, NoDecode, SHAPES_BY_DIGEST] = Field(
        None,
        repr=False,
        description="Further fields of every request to the language model's server, as a JSON object, such as "
        '{"reasoning_effort": "none", "max_tokens": 1024}.',
    )
    passages_shown: Annotated[int, SHAPES_BY_DIGEST] = Field(
        PASSAGES_SHOWN,
        ge=1,
        le=20,
        description="Passages that a language model behind a server is shown at once, the best ones.",
    )
    adapter: Annotated[AdapterKind, SHAPES_BY_DIGEST, Option()] = Field(
        AdapterKind.TRAINED,
        description="trained: the language model answers with the adapter that was trained for it, if any; none: as "
        "it was published, by examples.",
    )
    # the candidates differ only where the language model writes its quotes under the mask; any citer cites the others
    citer: Annotated[CiterKind, Shapes(Stage.GENERATE, recorded=("quoting", _writes_quotes)), Option()] = (
        Field(
            CiterKind.READER,
            description="Who points at what is quoted: the reader, or the adapted language model with its head; "
            "constrained: the language model writes its quotes, held to the passages' words.",
        )
    )
    passages_together: Annotated[int, Shapes(Stage.GENERATE)] = Field(
        2,
        ge=1,
        le=8,
        description="Passages that the adapted language model reads at once; it has mostly learnt from one and two.",
    )
    evidence_tokens: Annotated[int, Shapes(Stage.GENERATE)] = Field(
        EVIDENCE_TOKENS, ge=16, le=8192, description="Tokens of a passage that the language model reads."
    )
    candidates: Annotated[int, Shapes(Stage.GENERATE), Option("-n")] = Field(
        1, ge=1, le=64, description="Answers that the language model writes; the best one is given."
    )
    seed: Annotated[int, Shapes(Stage.GENERATE)] = Field(0, ge=0, description="Of the sampled candidates.")
    int8: Annotated[bool, Shapes(Stage.READ), Option()] = Field(
        False,
        description="Readers and language model compute in 8-bit integers, which gives nearly the same answers, and "
        "sooner on CPUs that have AVX2 and no bfloat16. For CPUs with AVX2.",
    )
    support: Annotated[SupportKind, SHAPES_BY_DIGEST, Option()] = Field(
        SupportKind.LEXICAL,
        description="Who judges how well a quote backs an answer. trained: a cross-encoder; lexical: word overlap and "
        "cosine, untrained.",
    )
    confidence: Annotated[ConfidenceKind, SHAPES_NOTHING, Option()] = Field(
        ConfidenceKind.FITTED,
        description="fitted: from a calibrator, where one knows the models; score: of support and the writer's "
        "probability, as if no calibrator did.",
    )
    weights: Annotated[Path | None, SHAPES_BY_DIGEST, Option(metavar="DIR")] = Field(
        None,
        description="Use the weights that `loccit train` left in this folder, in place of the shipped ones.",
    )
    length: Annotated[AnswerLength, Shapes(Stage.GENERATE, calibrator=False), Option(everywhere=False)] = (
        Field(
            AnswerLength.AUTO,
            description="auto: what the question asks for, a few words, yes or no, a list or sentences; short: a few "
            "words alone, as usual with a target accuracy; long: sentences in any case. Each sentence is quoted.",
        )
    )
    min_confidence: Annotated[
        float | None,
        SHAPES_NOTHING,
        Option(help="Abstain below this confidence, 0 to 1; 0 never abstains for it.", everywhere=False),
    ] = Field(
        None,
        ge=0,
        le=1,
        description=f"Abstain below this confidence; {FITTED_MIN_CONFIDENCE} unless given, {SCORE_MIN_CONFIDENCE} "
        "where the confidence is a score.",
    )
    target_accuracy: Annotated[
        float | None,
        SHAPES_NOTHING,
        Option(
            help="Instead of --min-confidence: abstain so that this share of the answers is right, as calibrated.",
            everywhere=False,
        ),
    ] = Field(
        None,
        gt=0,
        lt=1,
        description="Instead of min_confidence: the lowest threshold at which this share of the answers was right and "
        "supported on the calibration questions, with 95% certainty.",
    )
    threads: Annotated[int | None, SHAPES_NOTHING, Option(everywhere=False)] = Field(
        None, ge=1, description="CPU threads; all cores unless given."
    )
    timeout_s: Annotated[float, SHAPES_NOTHING] = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds allowed for an answer, waiting included."
    )
    max_waiting: Annotated[int, SHAPES_NOTHING] = Field(
        64, ge=1, description="Questions waiting at most; more are refused with 503, those of a batch wait."
    )
    max_questions: Annotated[int, SHAPES_NOTHING] = Field(
        32, ge=1, le=MOST_QUESTIONS, description="Questions in one request at most."
    )
    max_connections: Annotated[int, SHAPES_NOTHING] = Field(
        512,
        ge=1,
        description="Connections open at most. For one more, the one that has kept the server waiting longest is "
        "closed; where all are being answered, the new one is refused with 503.",
    )
    header_timeout_s: Annotated[float, SHAPES_NOTHING] = Field(
        10.0, gt=0, allow_inf_nan=False, description="Seconds for a request's header to come whole."
    )
    body_timeout_s: Annotated[float, SHAPES_NOTHING] = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds for a request's body to come whole."
    )
    unread_timeout_s: Annotated[float, SHAPES_NOTHING] = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds that a client may leave its response unread."
    )
    max_documents: Annotated[int, SHAPES_NOTHING] = Field(
        20, ge=1, le=MOST_DOCUMENTS, description="Documents handed in with a question at most."
    )
    max_document_characters: Annotated[int, SHAPES_NOTHING] = Field(
        200_000, ge=1, description="Characters of the documents handed in with a question at most, in all."
    )
    watch_index_s: Annotated[float, SHAPES_NOTHING] = Field(
        5.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds between two looks for a new generation of the index, which is then served; 0 never looks.",
    )
    admin: Annotated[bool, SHAPES_NOTHING] = Field(
        False,
        description="Allow POST /admin/reload, and PUT and DELETE /documents, to whoever reaches the port, where "
        "there are no keys.",
    )
    log_format: Annotated[LogFormat, SHAPES_NOTHING, Option(everywhere=False)] = Field(
        LogFormat.TEXT, description="Lines of the server's log. text: for eyes; json: one object each."
    )
    log_questions: Annotated[bool, SHAPES_NOTHING] = Field(
        False, description="The log holds the text of every question."
    )
    metrics: Annotated[bool, SHAPES_NOTHING] = Field(True, description="Serve GET /metrics.")
    metrics_open: Annotated[bool, SHAPES_NOTHING] = Field(
        False, description="GET /metrics needs no API key, even where there are keys."
    )
    key_file: Annotated[Path | None, SHAPES_NOTHING, Option(metavar="FILE", everywhere=False)] = Field(
        None, description="File of API keys that `loccit keys add` made; without one, requests need no key."
    )
    allowed_hosts: Annotated[CommaList | None, SHAPES_NOTHING] = Field(
        None,
        description="Host names to answer to, with commas between them; * is any. Unless given, any, but loopback "
        "names alone where the server listens on loopback.",
    )
    allowed_origins: Annotated[CommaList, SHAPES_NOTHING] = Field(
        (), description="Origins whose pages may ask (CORS), with commas between them; none unless given."
    )
    trusted_proxies: Annotated[CommaList, SHAPES_NOTHING] = Field(
        (),
        description="Addresses of reverse proxies whose X-Forwarded-For is believed, with commas between them; none "
        "unless given.",
    )
    allow_download: Annotated[bool, SHAPES_NOTHING, Option()] = Field(
        False, description="Fetch models from the hub when they are not here."
    )

    @field_serializer("language_model")
    def _without_address(self, language_model: str) -> str:
        return _A_SERVER if is_server(language_model) else language_model

    @field_serializer("language_model_request")
    def _without_keys(self, request: dict[str, Any] | None) -> object:
        return _without_texts(request)

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
            if not _UNSHOWN.isdisjoint(map(str, first["loc"])):
                raise InvalidRequestError(
                    f"The setting {name} is wrong: {first['msg'].lower().removeprefix('value error, ')}."
                ) from None
            raise InvalidRequestError(
                f"The setting {name} is {first.get('input')!r}: {first['msg'].lower()}."
            ) from error
