"""Who writes the answers: the reader alone, a language model by examples, or an adapted one."""

from dataclasses import dataclass

from app.answering.evidence_generator import EvidenceGenerator
from app.answering.evidence_model.adapter import ADAPTER_KIND, AdaptedModel, adapted
from app.answering.generator import Generator, JointGenerator, LMGenerator, ReaderGenerator
from app.answering.language_models.protocol import LanguageModel
from app.answering.language_models.transformers_lm import TransformersLM, load_model
from app.answering.shipped_weights import WEIGHTS_FOLDER, name_of
from app.service.settings import AdapterKind, CiterKind, GeneratorKind, ReaderKind, Settings
from common.errors import InvalidRequestError
from common.packaged import default_cache_dir


@dataclass(frozen=True, slots=True)
class Writing:
    """A generator with the models it writes with. ``language_model``: None when it is adapted or there is none."""

    generator: Generator
    name: str | None = None
    sha256: str | None = None
    adapter_sha256: str | None = None
    language_model: LanguageModel | None = None


def writing(settings: Settings) -> Writing:
    """The generator that these settings ask for, its models loaded.

    Raises:
        InvalidRequestError: when the citer needs an adapter and there is none.
        ModelUnusableError: when a model is not there or damaged.
    """
    if settings.generator is GeneratorKind.READER:
        _require_adapter(settings, "the reader alone answers")
        return Writing(ReaderGenerator())
    model, reader = language_model(settings), _reader(settings)
    if isinstance(model, AdaptedModel):
        generator = EvidenceGenerator(
            model.lm,
            reader,
            together=settings.passages_together,
            quoting=settings.citer is CiterKind.CONSTRAINED,
        )
        return Writing(generator, model.name, model.sha256, model.adapter_sha256)
    _require_adapter(
        settings,
        "it is switched off"
        if settings.adapter is AdapterKind.NONE
        else f"{settings.language_model} has none",
    )
    writer = LMGenerator(model, evidence_tokens=settings.evidence_tokens)
    return Writing(
        writer if reader is None else JointGenerator(reader, writer),
        model.name,
        model.sha256,
        language_model=model,
    )


def language_model(settings: Settings) -> AdaptedModel | LanguageModel:
    """The language model of these settings, adapted where they want that and there is an adapter for it."""
    loaded = load_model(
        settings.language_model,
        cache_dir=default_cache_dir(),
        offline=not settings.allow_download,
        dtype=None,
    )
    if settings.adapter is AdapterKind.TRAINED:
        for folder in (settings.weights, WEIGHTS_FOLDER):
            if folder is not None and name_of(ADAPTER_KIND, loaded.sha256, folder) is not None:
                return adapted(loaded, folder, evidence_tokens=settings.evidence_tokens)
    return TransformersLM.of(loaded)


def _reader(settings: Settings) -> ReaderGenerator | None:
    """None with the lexical reader: what it points at are whole sentences, quotes but no answers."""
    return None if settings.reader is ReaderKind.LEXICAL else ReaderGenerator()


def _require_adapter(settings: Settings, otherwise: str) -> None:
    if settings.citer is not CiterKind.READER:
        raise InvalidRequestError(
            f"The citer {settings.citer} is an adapted language model's work, but {otherwise}; leave it at reader."
        )
