"""What can be checked in a moment before a server listens, so that a mistake shows at once."""

from pathlib import Path

from app.service.api_keys import KeyRing
from app.service.generation import server_of
from app.service.settings import GeneratorKind, Settings, is_server
from common.hub import model_folder
from common.packaged import LANGUAGE_MODELS, MINILM, PackagedFile
from retriever.encoder import HashingEncoder
from retriever.index import read_manifest


def check_startable(settings: Settings) -> None:
    """Refuses a key file that cannot be read, an index without a manifest, models whose files are missing, and a server
    of a language model that is none; it need not be up.

    Digests are checked on opening.

    Raises:
        KeyFileError, IndexUnusableError, ModelUnusableError, InvalidRequestError: with what was wrong and what would
            be right.
    """
    if settings.key_file is not None:
        KeyRing.load(settings.key_file)
    recorded = read_manifest(settings.index).encoder
    encoders = {MINILM.name: MINILM}
    _check_model(settings.encoder or recorded.name, encoders, settings)
    if settings.generator is GeneratorKind.LM and is_server(settings.language_model):
        server_of(settings)
    elif settings.generator is GeneratorKind.LM:
        _check_model(settings.language_model, LANGUAGE_MODELS, settings)


def _check_model(name: str, packaged: dict[str, PackagedFile], settings: Settings) -> None:
    if name in packaged:
        packaged[name].paths()
    elif name != HashingEncoder.name and not Path(name).exists() and not settings.allow_download:
        model_folder(name, allow_download=False)
