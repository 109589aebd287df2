"""Who writes the answers: the reader alone, a language model by examples, an adapted one, or one behind a server."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.answering.evidence_model.adapter import ADAPTER_KIND, AdaptedModel, adapted
from app.answering.evidence_model.loaded_when_asked import EvidenceLM, LoadedWhenAsked
from app.answering.generators.claim_generator import ClaimGenerator
from app.answering.generators.evidence_generator import EvidenceGenerator
from app.answering.generators.joint_generator import JointGenerator
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.protocol import Generator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.language_models import claims_prompt
from app.answering.language_models.openai_server import OpenAIServer
from app.answering.language_models.protocol import LanguageModel
from app.answering.language_models.transformers_lm import TransformersLM, load_model, model_sha256
from app.answering.shipped_weights import name_of, shipped_weights, weights_folders
from app.service.quote_location import StandingQuotes
from app.service.settings import AdapterKind, CiterKind, GeneratorKind, ReaderKind, Settings, is_server
from common.digest import json_digest
from common.errors import InvalidRequestError
from common.int8_linear import use_int8
from common.packaged import default_cache_dir
from retriever.retriever import Retriever


@dataclass(frozen=True, slots=True)
class Writing:
    """How answers are written, with the models that write them."""

    generator_over: Callable[[Retriever], Generator]
    """The generator for whatever answers with passages from this retriever.

    It is called for the index, and again where a question brings documents of its own or hides one. Most generators
    read what they are given and are the same for all; one that looks passages up while it writes keeps the retriever.
    """
    name: str | None = None
    """Of the language model; None where the reader alone answers."""
    identity: str | None = None
    """What tells the language model from others: the digest of its weights where they are here."""
    adapter_sha256: str | None = None
    language_model: LanguageModel | None = None
    """None where it is adapted or behind a server, or the reader alone answers."""
    server: OpenAIServer | None = None
    """The server that the language model is behind; None where it is here."""


def language_model(settings: Settings) -> AdaptedModel | LanguageModel:
    """The language model of these settings, adapted where they want that and there is an adapter for it."""
    loaded = load_model(
        settings.language_model,
        cache_dir=default_cache_dir(),
        offline=not settings.allow_download,
        dtype=None,
    )
    adapter = _adapter(loaded.sha256, settings)
    model = None if adapter is None else adapted(loaded, adapter[1], evidence_tokens=settings.evidence_tokens)
    if settings.int8:
        use_int8(loaded.model.base_model)
    return TransformersLM.of(loaded) if model is None else model


def language_model_when_asked(settings: Settings) -> AdaptedModel | LanguageModel:
    """As ``language_model``, but where it is adapted it is loaded when it is asked first, for whoever may never ask."""
    sha256 = model_sha256(settings.language_model, offline=not settings.allow_download)
    adapter = _adapter(sha256, settings)
    if adapter is None:
        return language_model(settings)

    def loaded() -> EvidenceLM:
        model = language_model(settings)
        assert isinstance(model, AdaptedModel)  # there is an adapter for it
        return model.lm

    name, folder = adapter
    entry = shipped_weights(name, ADAPTER_KIND, folder)[1]
    return AdaptedModel(settings.language_model, sha256, entry.sha256, LoadedWhenAsked(loaded))


def _adapter(base_sha256: str, settings: Settings) -> tuple[str, Path] | None:
    """Name and folder of the adapter for this model; None where there is none, or none is wanted."""
    if settings.adapter is AdapterKind.TRAINED:
        for folder in weights_folders(settings.weights):
            name = name_of(ADAPTER_KIND, base_sha256, folder)
            if name is not None:
                return name, folder
    return None


def writing(
    settings: Settings,
    *,
    load: Callable[[Settings], AdaptedModel | LanguageModel] = language_model,
) -> Writing:
    """How these settings want answers to be written, the models loaded.

    ``load``: what loads the language model.

    Raises:
        InvalidRequestError: when the citer needs an adapter and there is none, when a server's model has no name, or
            when there is a name and no server.
        ModelUnusableError: when a model is not there or damaged.
    """
    if settings.generator is GeneratorKind.READER:
        _require_adapter(settings, "the reader alone answers")
        return Writing(_for_all(ReaderGenerator()))
    if is_server(settings.language_model):
        _require_adapter(settings, "the language model is behind a server")
        return _by_server(settings, server_of(settings))
    if settings.model_name is not None:
        raise InvalidRequestError(
            f"The model {settings.model_name} is named, but no server that serves it; give its address with "
            "--language-model, such as http://127.0.0.1:11434/v1."
        )
    model, reader = load(settings), _reader(settings)
    if isinstance(model, AdaptedModel):
        generator = EvidenceGenerator(
            model.lm,
            reader,
            together=settings.passages_together,
            quoting=settings.citer is CiterKind.CONSTRAINED,
        )
        return Writing(_for_all(generator), model.name, model.sha256, model.adapter_sha256)
    _require_adapter(
        settings,
        "it is switched off"
        if settings.adapter is AdapterKind.NONE
        else f"{settings.language_model} has none",
    )
    writer = LMGenerator(model, evidence_tokens=settings.evidence_tokens)
    return Writing(
        _for_all(writer if reader is None else JointGenerator(reader, writer)),
        model.name,
        model.identity,
        language_model=model,
    )


def server_of(settings: Settings) -> OpenAIServer:
    """The server that these settings name; it need not be up.

    Raises:
        InvalidRequestError: when the model has no name, or address or key cannot be one.
    """
    if settings.model_name is None:
        raise InvalidRequestError(
            "A language model behind a server needs its name there; give it with --model-name, such as qwen3:4b."
        )
    key = settings.language_model_key
    return OpenAIServer(
        settings.language_model,
        settings.model_name,
        key=None if key is None else key.get_secret_value(),
        request=settings.language_model_request,
        seconds=settings.timeout_s,
    )


def _by_server(settings: Settings, server: OpenAIServer) -> Writing:
    """The server's model writes every answer: whoever brings a model wants its answers, and the reader judges them."""

    def generator_over(retriever: Retriever) -> ClaimGenerator:
        return ClaimGenerator(
            server,
            StandingQuotes(),
            retriever,
            passages=settings.passages_shown,
            evidence_tokens=settings.evidence_tokens,
        )

    identity = json_digest(
        {
            "model": server.name,
            "request": settings.language_model_request or {},
            "passages_shown": settings.passages_shown,
            "prompt": claims_prompt.VERSION,
        }
    )
    return Writing(generator_over, server.name, identity, server=server)


def _for_all(generator: Generator) -> Callable[[Retriever], Generator]:
    return lambda _: generator


def _reader(settings: Settings) -> ReaderGenerator | None:
    """None with the lexical reader: what it points at are whole sentences, quotes but no answers."""
    return None if settings.reader is ReaderKind.LEXICAL else ReaderGenerator()


def _require_adapter(settings: Settings, otherwise: str) -> None:
    if settings.citer is not CiterKind.READER:
        raise InvalidRequestError(
            f"The citer {settings.citer} is an adapted language model's work, but {otherwise}; leave it at reader."
        )
