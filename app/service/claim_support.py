"""Who judges the claims of others' answers: the trained support scorer, with what was measured of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from app.answering.cross_encoders.reader_weights import READER_NAME
from app.answering.cross_encoders.trained_support import SUPPORT_KIND, SUPPORT_NAME
from app.answering.shipped_weights import folder_of, shipped_weights, ships
from app.answering.support import SupportScorer

SUPPORTED_FROM = 0.5
"""Support from which a claim counts as backed: the accuracy of the trained scorer was measured there."""


@dataclass(frozen=True, slots=True)
class ClaimScorer:
    """A support scorer. ``measured``: its figures on held-out claims, as its weights' manifest has them, by kind.

    ``sha256``: of its weights; None where it has none.
    """

    name: str
    scorer: SupportScorer
    sha256: str | None = None
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def lazy_claim_scorer(
    folders: Sequence[Path], load: Callable[..., SupportScorer]
) -> Callable[[], ClaimScorer] | None:
    """The trained scorer of the first of these folders that has one, loaded when it is called first.

    None where none has. ``load``: see ``load_support``. Calling it raises ModelUnusableError when its weights are
    damaged.
    """
    folder = folder_of(SUPPORT_NAME, folders)
    if not ships(SUPPORT_NAME, folder):
        return None

    @cache
    def loaded() -> ClaimScorer:
        scorer = load(folder=folder, reader_folder=folder_of(READER_NAME, folders))
        _, entry = shipped_weights(SUPPORT_NAME, SUPPORT_KIND, folder)
        return ClaimScorer(SUPPORT_NAME, scorer, entry.sha256, entry.quality)

    return loaded
