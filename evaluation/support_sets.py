"""How well a support scorer agrees with people: claims with evidence that annotators judged.

AttributionBench (Li et al. 2024: question, claim, references, attributable or not) and WiCE (Kamoi et al. 2023:
claim, evidence sentences, supported, partially or not). Evidence is mostly longer than a scorer reads, so it is
cut into windows of whole sentences that overlap by half, and a claim's score is the maximum over all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.answering.support import Claim, SupportScorer
from common.errors import LoccitError
from evaluation.metrics.types import Floats
from evaluation.question_sets.file import records_of
from evaluation.question_sets.record import Record
from evaluation.report.tables import Table, number, percent
from retriever.text.sentences import sentence_spans

WINDOW_WORDS = 90
_SCORED_TOGETHER = 64
_TITLE, _TEXT = "Title: ", "\nText: "
_META = "(meta data) TITLE: "


class Verdict(StrEnum):
    """What annotators said of a claim and its evidence. Only the first counts as supported."""

    SUPPORTED = "supported"
    PARTIALLY = "partially supported"
    NOT = "not supported"


_VERDICTS: Mapping[str, Verdict] = {
    "attributable": Verdict.SUPPORTED,
    "not attributable": Verdict.NOT,
    "supported": Verdict.SUPPORTED,
    "partially_supported": Verdict.PARTIALLY,
    "not_supported": Verdict.NOT,
}


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim with its evidence in windows. ``question``: empty where there was none. ``group``: its source."""

    question: str
    claim: str
    windows: tuple[tuple[str, str], ...]
    verdict: Verdict
    group: str

    @property
    def supported(self) -> bool:
        """Whether annotators found all of it backed."""
        return self.verdict is Verdict.SUPPORTED


@dataclass(frozen=True, slots=True)
class Agreement:
    """How scores agree with verdicts, over ``claims`` of which ``supported`` are.

    ``auroc``: None when all verdicts are alike. ``accuracy``: of "supported" from 0.5 on; ``best_accuracy``:
    from ``best_threshold`` on, the best one for these very claims, so it flatters.
    """

    claims: int
    supported: int
    auroc: float | None
    accuracy: float
    best_accuracy: float
    best_threshold: float


def load_judged(path: Path) -> list[JudgedClaim]:
    """The claims of a file of AttributionBench or WiCE; its keys tell which.

    Raises:
        LoccitError: naming the line, when the file is damaged or of another form, or holds nothing.
    """
    claims = [_judged(record) for record in records_of(path.read_bytes(), str(path))]
    if not claims:
        raise LoccitError(f"{path} holds no claims; give a file of AttributionBench or WiCE.")
    return claims


def scores_of(scorer: SupportScorer, claims: Sequence[JudgedClaim]) -> list[float]:
    """Each claim's score: the best over the windows of its evidence; 0 without evidence."""
    asked = [
        (place, Claim(one.question, one.claim, title, text))
        for place, one in enumerate(claims)
        for title, text in one.windows
    ]
    best = [0.0] * len(claims)
    for at in range(0, len(asked), _SCORED_TOGETHER):
        some = asked[at : at + _SCORED_TOGETHER]
        for (place, _), score in zip(some, scorer.score([claim for _, claim in some]), strict=True):
            best[place] = max(best[place], score)
    return best


def agreement(scores: Sequence[float], claims: Sequence[JudgedClaim]) -> Agreement:
    """How these scores agree with the verdicts on these claims, of which there is at least one."""
    values = np.asarray(scores, dtype=np.float64)
    supported = np.array([one.supported for one in claims], dtype=bool)
    mixed = bool(supported.any() and not supported.all())
    threshold = _best_threshold(values, supported)
    return Agreement(
        claims=len(claims),
        supported=int(supported.sum()),
        auroc=float(roc_auc_score(supported, values)) if mixed else None,
        accuracy=float(((values >= 0.5) == supported).mean()),
        best_accuracy=float(((values >= threshold) == supported).mean()),
        best_threshold=threshold,
    )


def evaluate_support(scorer: SupportScorer, claims: Sequence[JudgedClaim]) -> dict[str, Agreement]:
    """The agreement over all claims, then of each group and, where some are partial, without those."""
    scores = scores_of(scorer, claims)
    chosen = {"all": list(range(len(claims)))}
    groups = sorted({one.group for one in claims})
    if len(groups) > 1:
        chosen |= {group: [n for n, one in enumerate(claims) if one.group == group] for group in groups}
    whole = [n for n, one in enumerate(claims) if one.verdict is not Verdict.PARTIALLY]
    if whole and len(whole) < len(claims):
        chosen["without partially supported"] = whole
    return {
        name: agreement([scores[n] for n in places], [claims[n] for n in places])
        for name, places in chosen.items()
    }


def support_table(name: str, found: Mapping[str, Agreement]) -> Table:
    """The agreements as a table."""
    rows = tuple(
        (
            group,
            str(one.claims),
            str(one.supported),
            number(one.auroc),
            percent(one.accuracy),
            percent(one.best_accuracy),
            number(one.best_threshold),
        )
        for group, one in found.items()
    )
    columns = (
        "claims of",
        "claims",
        "supported",
        "AUROC",
        "accuracy at 0.5",
        "at the best",
        "best threshold",
    )
    note = (
        f"Evidence in windows of whole sentences, about {WINDOW_WORDS} words; the best window's score counts. "
        "The best threshold is chosen on these claims. Partially supported counts as not supported."
    )
    return Table(f"Support: {name}", columns, rows, note)


def windows_of(sentences: Sequence[str], *, words: int = WINDOW_WORDS) -> list[str]:
    """Runs of whole sentences of up to so many words (one alone may be longer), each half over the one before."""
    lengths = [len(sentence.split()) for sentence in sentences]
    found: list[str] = []
    first = covered = 0
    while covered < len(sentences):
        last, total = first + 1, lengths[first]
        while last < len(sentences) and total + lengths[last] <= words:
            total += lengths[last]
            last += 1
        if last > covered:
            found.append(" ".join(sentences[first:last]))
            covered = last
        passed = lengths[first]
        first += 1
        while first < last - 1 and passed < total / 2:
            passed += lengths[first]
            first += 1
    return found


def _judged(record: Record) -> JudgedClaim:
    if record.has("references"):
        windows = [one for text in record.texts("references") for one in _of_reference(text)]
        group = record.optional_text("src_dataset") or "AttributionBench"
        return _claim(record, record.possibly_blank("question"), windows, "attribution_label", group)
    if record.has("evidence"):
        return _claim(record, "", _of_sentences(record.texts("evidence")), "label", "WiCE")
    raise record.malformed(
        "there is neither references nor evidence, so this is no line of AttributionBench or WiCE"
    )


def _claim(
    record: Record, question: str, windows: Sequence[tuple[str, str]], label: str, group: str
) -> JudgedClaim:
    verdict = _VERDICTS.get(record.text(label))
    if verdict is None:
        raise record.malformed(
            f"{label} is {record.text(label)!r}, but it must be one of {sorted(_VERDICTS)}"
        )
    return JudgedClaim(question, record.text("claim"), tuple(windows), verdict, group)


def _of_reference(text: str) -> Iterator[tuple[str, str]]:
    """The windows of ``Title: ...`` and ``Text: ...``, or of a text alone."""
    title = ""
    if text.startswith(_TITLE) and _TEXT in text:
        title, _, text = text.removeprefix(_TITLE).partition(_TEXT)
    for window in windows_of([span.of(text) for span in sentence_spans(text)]):
        yield title.strip(), window


def _of_sentences(sentences: Sequence[str]) -> list[tuple[str, str]]:
    """The windows of evidence in sentences, of which the first may name the page."""
    title = ""
    if sentences and sentences[0].startswith(_META):
        title, sentences = sentences[0].removeprefix(_META), sentences[1:]
    return [(title, window) for window in windows_of([one.strip() for one in sentences])]


def _best_threshold(scores: Floats, supported: NDArray[np.bool_]) -> float:
    """The lowest of the thresholds with the most right; one above all scores calls nothing supported."""
    tried = [*sorted(set(scores.tolist())), float(np.nextafter(scores.max(), 2.0))]
    right = [int(((scores >= threshold) == supported).sum()) for threshold in tried]
    return float(tried[int(np.argmax(right))])
