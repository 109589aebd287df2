"""Fills the volume of models: `python models.py NAME...` installs what is missing, converts language models and
unpacks the larger reader's base model.

NAME is that of a packaged file, such as smollm2-135m or vital-articles. What is there already stays as it is, and
nothing is then asked of the network.
"""

import argparse
import importlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from common.errors import LoccitError
from common.mpnet import MPNET, mpnet_folder
from common.packaged import GEMMA, LANGUAGE_MODELS, SMOLLM2, VITAL_ARTICLES, PackagedFile, default_cache_dir

MODELS = Path("/models")
KNOWN = {file.name: file for file in (GEMMA, SMOLLM2, MPNET, VITAL_ARTICLES)}


def fill(names: Iterable[str], target: Path = MODELS) -> None:
    """Every one of these is in ``target``, or on the path otherwise, and whole; language models are converted.

    Names that are not known are left alone: models of a folder or of the hub are their owner's affair.

    Raises:
        LoccitError: when a package cannot be installed or is not the published one.
    """
    for name in names:
        if name not in KNOWN:
            _say(f"{name} does not come in a package; it has to be where the service looks for it.")
            continue
        _install(KNOWN[name], target)
        if name in LANGUAGE_MODELS:
            _convert(KNOWN[name])
        elif name == MPNET.name:
            mpnet_folder()  # unpacked here: the server may write nowhere


def _install(file: PackagedFile, target: Path) -> None:
    try:
        file.checked_paths()
    except file.error:
        _say(f"Installing {file.name} ({file.licence}) into {target} ...")
        _pip(file, target)
        importlib.invalidate_caches()
        file.checked_paths()
    _say(f"{file.name} is there.")


def _pip(file: PackagedFile, target: Path) -> None:
    """Run the file's own ``pip install`` line with ``target`` for its destination."""
    # unpacked beside its destination: /tmp is memory, and a model is large
    temporary = target / ".unfinished"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    pip, *line = shlex.split(file.install)
    command = [sys.executable, "-m", pip, *line, "--target", str(target), "--upgrade"]
    command += ["--no-cache-dir", "--no-compile", "--no-input", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run(command, check=True, env={**os.environ, "TMPDIR": str(temporary)})  # noqa: S603 - a line of this project's
    except subprocess.CalledProcessError as error:
        raise LoccitError(
            f"{file.name} could not be installed; see what pip said above. It takes a network once, or a mirror in "
            "PIP_INDEX_URL."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _convert(file: PackagedFile) -> None:
    from app.answering.language_models.gguf_conversion import converted

    folder = converted(file.paths(), file.sha256, default_cache_dir())
    _say(f"{file.name} is converted, in {folder}.")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - the service's log


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="+")
    try:
        fill(parser.parse_args().names)
    except (LoccitError, OSError) as error:
        _say(str(error))
        sys.exit(1)
