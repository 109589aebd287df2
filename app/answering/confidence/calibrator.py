"""The calibrator: turns what is known of an answer into the probability that it is right and supported."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from app.answering.confidence.features import FEATURES, FloatArray
from common.digest import json_digest
from common.errors import InvalidRequestError, ModelUnusableError
from common.files import whole_file

CALIBRATOR_FILE = "calibrator.json"
CALIBRATOR_KIND = "calibrator"
FORMAT = 3
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""At each of these a calibrator keeps what answers were worth."""
_LEAST_SEEN = 20


@dataclass(frozen=True, slots=True)
class FittedOn:
    """What a calibrator was fitted on: it promises nothing on anything else.

    ``index``: digest of the document store. ``models``: digests by part. ``settings``: what shapes an answer.
    ``questions``: their name and digest, which of them, and how many with and without an answer in the index.
    """

    name: str
    index: str
    models: Mapping[str, str | None]
    settings: Mapping[str, Any]
    questions: Mapping[str, Any]

    def knows(self, models: Mapping[str, str | None]) -> bool:
        """Whether its weights mean anything for what these models say.

        So they do where reader and support are the same, and both or neither have an adapted language model's opinion.
        """
        same = all(self.models.get(part) == models.get(part) for part in ("reader", "support"))
        return same and (self.models.get("adapter") is None) == (models.get("adapter") is None)


@dataclass(frozen=True, slots=True)
class JudgedAnswers:
    """The cited candidates of one question with the verdict on each: what a calibrator learns from.

    ``question``: its text, the same whether or not its answer was in the index. ``answerable``: whether it was.
    ``rows``: (n, len(FEATURES)). ``right``: right and supported, (n,).
    """

    question: str
    answerable: bool
    rows: FloatArray
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What answers were worth: ``given`` at or above ``min_confidence``, and of those ``right``."""

    min_confidence: float
    given: int
    right: int


@dataclass(frozen=True, slots=True)
class ThresholdRecord(Seen):
    """What a threshold gave on the calibration questions, each judged by a fit that had not seen it.

    Right is right and supported. ``at_least``: the accuracy that the one-sided 95% bound reaches, corrected for the
    thresholds tried.
    """

    at_least: float


@dataclass(frozen=True, slots=True)
class Law:
    """A logistic regression over standardised features (Platt 1999).

    ``confidence = sigmoid(intercept + sum(weight * (feature - mean) / scale))``. ``mean``, ``scale``, ``weights``:
    one for each of ``features``, which name columns of ``FEATURES``. ``elsewhere``: what its confidences were worth on
    sets of documents that it was not fitted on, at each of ``THRESHOLDS``; nothing where nobody looked.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    elsewhere: tuple[Seen, ...] = field(default=(), kw_only=True)

    def confidences(self, rows: FloatArray) -> FloatArray:
        """0-1 for each row of ``features``' columns: (rows, len(FEATURES)) -> (rows,)."""
        return sigmoid(self.logits(rows))

    def logits(self, rows: FloatArray) -> FloatArray:
        """The confidences' logits, (rows,).

        Raises:
            ValueError: when a row has not one number for each of ``FEATURES``.
        """
        if rows.shape[1:] != (len(FEATURES),):
            raise ValueError(f"Rows of {len(FEATURES)} features are wanted, but their shape is {rows.shape}.")
        columns = [FEATURES.index(name) for name in self.features]
        standard = (rows[:, columns] - np.array(self.mean)) / np.array(self.scale)
        return np.asarray(self.intercept + standard @ np.array(self.weights), dtype=np.float64)

    def seen_elsewhere(self, confidence: float) -> Seen | None:
        """What answers at least about as sure were worth elsewhere: at the highest threshold that is not above this
        confidence, and at which at least 20 were given; None where there is none.
        """
        reached = [
            seen for seen in self.elsewhere if seen.min_confidence <= confidence and seen.given >= _LEAST_SEEN
        ]
        return max(reached, key=lambda seen: seen.min_confidence, default=None)

    def check(self) -> None:
        """ValueError unless its numbers can be computed with."""
        lengths = {len(numbers) for numbers in (self.features, self.mean, self.scale, self.weights)}
        if len(lengths) != 1 or not set(self.features) <= set(FEATURES):
            raise ValueError("its features do not fit its weights")
        if not np.isfinite([*self.mean, *self.scale, *self.weights, self.intercept]).all():
            raise ValueError("a number in it is not finite")
        if min(self.scale, default=1.0) <= 0:
            raise ValueError("a scale is not above 0")


@dataclass(frozen=True, slots=True)
class Calibrator(Law):
    """The law of short answers, with what it was fitted on.

    ``thresholds``: what each gave. ``quality``: what holding out found. ``broad``: the law of yes or no, lists and
    explanations, which is fitted apart, on texts that no reader learnt from; None where there is none.
    """

    fitted_on: FittedOn
    thresholds: tuple[ThresholdRecord, ...] = ()
    quality: Mapping[str, Any] = field(default_factory=dict)
    broad: Law | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of all it holds."""
        return json_digest(asdict(self))

    def threshold_for(self, accuracy: float) -> float:
        """The lowest threshold whose bound on the calibration questions reached this accuracy.

        Raises:
            InvalidRequestError: when none did, naming the best that was reached.
        """
        enough = [record.min_confidence for record in self.thresholds if record.at_least >= accuracy]
        if enough:
            return min(enough)
        best = max(self.thresholds, key=lambda record: record.at_least, default=None)
        reached = (
            "none was tried"
            if best is None
            else f"{best.min_confidence:g} came nearest and is sure of {best.at_least:.2f} ({best.right} right of "
            f"{best.given})"
        )
        raise InvalidRequestError(
            f"No threshold reached the target accuracy {accuracy:g} on {self.fitted_on.name}: {reached}; ask for less, "
            "or calibrate with more questions."
        )

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        with whole_file(path) as unfinished:
            text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
            unfinished.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The calibrator in this file.

        Raises:
            ModelUnusableError: when it is damaged, or of another version.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(record, dict) or record.pop("format", None) != FORMAT:
                raise ValueError("another format version")
            calibrator = TypeAdapter(cls).validate_json(json.dumps(record), strict=True)
            calibrator._check()
        except (OSError, ValueError) as error:  # pydantic's and json's errors are ValueErrors too
            raise ModelUnusableError(
                f"{path} is no calibrator that this version reads ({_first_line(error)}); make it with "
                "`loccit calibrate`."
            ) from error
        return calibrator

    def _check(self) -> None:
        """ValueError unless its numbers can be computed with."""
        self.check()
        if self.broad is not None:
            self.broad.check()
        bounds = [number for record in self.thresholds for number in (record.min_confidence, record.at_least)]
        if not np.isfinite(bounds).all():
            raise ValueError("a number in it is not finite")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()}"
    return str(error)


def sigmoid(logits: FloatArray) -> FloatArray:
    """Probabilities of these logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))), dtype=np.float64)
