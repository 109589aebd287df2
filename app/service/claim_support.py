"""Who judges the claims of others' answers: the trained support scorer, with what was measured of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from app.answering.shipped_weights import folder_of, shipped_weights, ships
from app.answering.support import SupportScorer

_READER = "reader"
_SUPPORT = "support"  # the name of the trained scorer's weights, and their kind

SUPPORTED_FROM = 0.5
"""Support from which a claim counts as backed: the accuracy of the trained scorer was measured there."""


class LoadSupport(Protocol):
    """What loads the support scorer from a folder of weights, over the reader in another."""

    def __call__(self, *, folder: Path, reader_folder: Path) -> SupportScorer: ...


@dataclass(frozen=True, slots=True)
class ClaimScorer:
    """A support scorer. ``measured``: its figures on held-out claims, as its weights' manifest has them, by kind.

    ``sha256``: of its weights; None where it has none.
    """

    name: str
    scorer: SupportScorer
    sha256: str | None = None
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def lazy_claim_scorer(folders: Sequence[Path], load: LoadSupport) -> Callable[[], ClaimScorer] | None:
    """The trained scorer of the first of these folders that has one, loaded when it is called first.

    None where none has. Calling it raises ModelUnusableError when its weights are damaged.
    """
    folder = folder_of(_SUPPORT, folders)
    if not ships(_SUPPORT, folder):
        return None

    @cache
    def loaded() -> ClaimScorer:
        _, entry = shipped_weights(_SUPPORT, _SUPPORT, folder)
        scorer = load(folder=folder, reader_folder=folder_of(_READER, folders))
        return ClaimScorer(_SUPPORT, scorer, entry.sha256, entry.quality)

    return loaded
