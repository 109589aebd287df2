"""Scoring: figures out of a run's predictions. Loads no model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from evaluation.configurations import AnswerFrom
from evaluation.documents import Documents
from evaluation.long_answer import LongAnswer
from evaluation.metrics.confidence import brier, ece, ece_band, reliability
from evaluation.metrics.ranking import hit_at, ndcg_at, reciprocal_rank
from evaluation.metrics.resampling import bootstrap_interval
from evaluation.metrics.selective import (
    accuracy_at,
    aurc,
    auroc,
    coverage_at,
    precision_recall_f1,
    relative_aurc,
    risk_coverage,
)
from evaluation.outcome import Outcome, OutcomeReader
from evaluation.questions import Side
from evaluation.run_folder import PredictionLine, read_description, read_predictions

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(20))
COVERAGES = (1.0, 0.9, 0.7, 0.5, 0.3)
CUTS = (1, 2, 5, 10, 20, 50, 100)
INTERVAL_SAMPLES = 2_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """A run with what became of each of its questions, line by line."""

    description: Json
    lines: Sequence[PredictionLine]
    outcomes: Sequence[Outcome]

    @property
    def min_confidence(self) -> float:
        """The threshold that the run answered with, unless another is asked for."""
        return float(self.description["min_confidence"])

    @property
    def unanswered_yet(self) -> int:
        """How many questions an unfinished run still has to ask."""
        return int(self.description["asked"]) - len(self.lines) if "asked" in self.description else 0


def scored(run: Path) -> Scored:
    """The outcomes of a run, every quote looked up in the stored documents.

    Raises:
        LoccitError: when the run is missing or damaged.
    """
    lines, description = read_predictions(run), read_description(run)
    reader = OutcomeReader(
        Documents.of_run(description), AnswerFrom(description["configuration"]["answer_from"])
    )
    return Scored(description, lines, [reader.outcome(line) for line in lines])


def report_of(run: Scored, *, min_confidence: float) -> Json:
    """The figures at this threshold.

    The keys on top are those of the test side (of all questions, where there is no test side): what was fitted
    was fitted on the calibrate side. ``sides`` holds either side and all.
    """
    sides: dict[str, Sequence[Outcome]] = {
        "all": run.outcomes,
        **{side.value: [outcome for outcome in run.outcomes if outcome.side is side] for side in Side},
    }
    figures = {name: _figures(outcomes, min_confidence) for name, outcomes in sides.items()}
    reported = Side.TEST.value if sides[Side.TEST] else "all"
    return {
        "min_confidence": min_confidence,
        "unanswered_yet": run.unanswered_yet,
        "reported": reported,
        **figures[reported],
        "intervals": _intervals(sides[reported], min_confidence),
        "curves": _curves(sides[reported]),
        "sides": figures,
        "thresholds": [
            {
                "min_confidence": threshold,
                **{name: _at_threshold(outcomes, threshold) for name, outcomes in sides.items()},
            }
            for threshold in THRESHOLDS
        ],
        "run": run.description,
    }


def _figures(outcomes: Sequence[Outcome], min_confidence: float) -> Json:
    answerable = [outcome for outcome in outcomes if outcome.answerable]
    return {
        "questions": len(outcomes),
        "answerable": len(answerable),
        **_answers(answerable, min_confidence),
        **_long_answers(answerable, min_confidence),
        **_quotes(outcomes, answerable, min_confidence),
        **_retrieval(answerable),
        **_calibration(outcomes),
        **_selective(answerable),
        **_abstention(outcomes, min_confidence),
        "latency_ms": _latency(outcomes),
    }


def _answers(answerable: Sequence[Outcome], min_confidence: float) -> Json:
    """Abstentions count as wrong, but in those ``_of_answered``.

    ``candidate_exact_match``: what always choosing the best cited candidate would give, so that its distance from
    ``exact_match_without_threshold`` is what choosing loses.
    """
    given = [outcome for outcome in answerable if outcome.given(min_confidence)]
    return {
        "answered": _share(outcome.given(min_confidence) for outcome in answerable),
        "exact_match": _share(
            outcome.given(min_confidence) and outcome.exact_match for outcome in answerable
        ),
        "f1": _mean(outcome.f1 if outcome.given(min_confidence) else 0.0 for outcome in answerable),
        "exact_match_of_answered": _share(outcome.exact_match for outcome in given),
        "contains_answer": _share(
            outcome.given(min_confidence) and outcome.contains_answer for outcome in answerable
        ),
        "right_of_answered": _share(outcome.right for outcome in given),
        "exact_match_without_threshold": _share(outcome.exact_match for outcome in answerable),
        "f1_without_threshold": _mean(outcome.f1 for outcome in answerable),
        "candidate_exact_match": _share(outcome.candidate_exact_match for outcome in answerable),
        "misled_of_answered": _share(outcome.misled for outcome in given),
    }


_OF_LONG: Mapping[str, Callable[[LongAnswer], float | None]] = {
    "rouge_l": lambda long: long.rouge_l,
    "unigram_f1": lambda long: long.unigram_f1,
    "citation_precision": lambda long: long.citation_precision,
    "citation_recall": lambda long: long.citation_recall,
}


def _long_answers(answerable: Sequence[Outcome], min_confidence: float) -> Json:
    """Of questions with long answers. Abstentions count as nothing, but in those ``_of_answered`` and the sentences."""
    every = [
        (outcome.long, outcome.given(min_confidence)) for outcome in answerable if outcome.long is not None
    ]
    given = [long for long, is_given in every if is_given]
    figures: Json = {}
    for name, value in _OF_LONG.items():
        told = [(value(long), is_given) for long, is_given in every]
        figures[name] = _mean(figure if is_given or figure is None else 0.0 for figure, is_given in told)
        figures[f"{name}_of_answered"] = _mean(map(value, given))
        figures[f"{name}_without_threshold"] = _mean(figure for figure, _ in told)
    return {**figures, "answer_sentences": _mean(long.sentences for long in given)}


def _quotes(outcomes: Sequence[Outcome], answerable: Sequence[Outcome], min_confidence: float) -> Json:
    """Abstentions count as unquoted and unsupported; a verbatim quote is verbatim, given or not."""
    answerable = [outcome for outcome in answerable if outcome.quoted]
    given = [outcome for outcome in answerable if outcome.given(min_confidence)]
    sentences = [outcome.quote_sentences for outcome in answerable if outcome.quote_sentences is not None]
    return {
        "quote_verbatim": _share(outcome.quote_verbatim for outcome in outcomes),
        "quote_has_answer": _share(
            outcome.given(min_confidence) and outcome.quote_has_answer for outcome in answerable
        ),
        "quote_sentences_median": median(sentences) if sentences else None,
        "gold_document_cited": _share(
            None if outcome.gold_cited is None else outcome.gold_cited and outcome.given(min_confidence)
            for outcome in answerable
        ),
        "gold_document_cited_without_threshold": _share(outcome.gold_cited for outcome in answerable),
        "supported": _share(outcome.given(min_confidence) and outcome.supported for outcome in answerable),
        "supported_of_answered": _share(outcome.supported for outcome in given),
        "correct_and_supported": _share(
            outcome.given(min_confidence) and outcome.correct_and_supported for outcome in answerable
        ),
        "correct_and_supported_of_answered": _share(outcome.correct_and_supported for outcome in given),
        "correct_and_supported_without_threshold": _share(
            outcome.correct_and_supported for outcome in answerable
        ),
    }


def _retrieval(answerable: Sequence[Outcome]) -> Json:
    """Of passages as they are ranked; ``answerable_from_hits``, with continuations, is the ceiling of reading them."""
    answers = [outcome.holds_answer for outcome in answerable if outcome.holds_answer is not None]
    gold = [outcome.is_gold for outcome in answerable if outcome.is_gold is not None]
    return {
        "answerable_from_hits": _share(outcome.answer_in_hits for outcome in answerable),
        "gold_document_retrieved": _share(outcome.gold_in_hits for outcome in answerable),
        "answer_recall": {str(k): _share(hit_at(flags, k=k) for flags in answers) for k in CUTS},
        "gold_document_recall": {str(k): _share(hit_at(flags, k=k) for flags in gold) for k in CUTS},
        "gold_document_mrr": _mean(reciprocal_rank(flags) for flags in gold),
        "gold_document_ndcg_at_10": _mean(ndcg_at(flags, k=10, total=1) for flags in gold),
    }


def _selective(answerable: Sequence[Outcome]) -> Json:
    """How well confidence orders right and supported answers before others; no answer has confidence 0."""
    confidences = [outcome.confidence for outcome in answerable]
    right = [outcome.right for outcome in answerable]
    exact = [outcome.exact_match for outcome in answerable]
    return {
        "aurc": aurc(confidences, right),
        "relative_aurc": relative_aurc(confidences, right),
        "accuracy_at_coverage": {
            f"{coverage:.0%}": accuracy_at(confidences, right, coverage=coverage) for coverage in COVERAGES
        },
        "coverage_at_90_accuracy": coverage_at(confidences, right, accuracy=0.9),
        "aurc_exact_match": aurc(confidences, exact),
        "exact_match_at_coverage": {
            f"{coverage:.0%}": accuracy_at(confidences, exact, coverage=coverage) for coverage in COVERAGES
        },
    }


def _calibration(outcomes: Sequence[Outcome]) -> Json:
    """How far confidence is the probability of a right and supported answer.

    Of every answer, its question answerable or not: a service cannot know. A question without one claims nothing.
    """
    claimed, held = _claims(outcomes)
    of_answerable = _claims([outcome for outcome in outcomes if outcome.answerable])
    return {
        "ece": ece(claimed, held),
        "ece_band": ece_band(claimed),
        "ece_answerable": ece(*of_answerable),
        "brier": brier(claimed, held),
    }


def _claims(outcomes: Sequence[Outcome]) -> tuple[list[float], list[bool]]:
    """Confidence and verdict of each answer."""
    answered = [outcome for outcome in outcomes if outcome.answer is not None]
    return [outcome.confidence for outcome in answered], [outcome.right for outcome in answered]


def _abstention(outcomes: Sequence[Outcome], min_confidence: float) -> Json:
    """``set_aside``: asked without their gold document, yet another passage holds an answer; counted nowhere else.

    ``kinds_with_answers``: the kinds of which some question is answerable; the others are not, all of them.
    """
    counted = [outcome for outcome in outcomes if outcome.answerable or outcome.unanswerable]
    unanswerable = [outcome for outcome in outcomes if outcome.unanswerable]
    aside = [outcome for outcome in outcomes if outcome.set_aside]
    right = [outcome for outcome in counted if outcome.answerable and outcome.exact_match]
    detection = precision_recall_f1(
        [not outcome.given(min_confidence) for outcome in counted],
        [outcome.unanswerable for outcome in counted],
    )
    contrast = [*right, *unanswerable]
    return {
        "abstained": {
            kind: _share(not outcome.given(min_confidence) for outcome in counted if outcome.kind == kind)
            for kind in dict.fromkeys(outcome.kind for outcome in outcomes)
        },
        "kinds_with_answers": sorted({outcome.kind for outcome in outcomes if outcome.answerable}),
        "unanswerable": len(unanswerable),
        "abstained_unanswerable": _share(not outcome.given(min_confidence) for outcome in unanswerable),
        "auroc_right_against_unanswerable": auroc(
            [outcome.confidence for outcome in contrast], [outcome.answerable for outcome in contrast]
        ),
        "abstention": asdict(detection) if unanswerable else None,
        "set_aside": len(aside),
        "set_aside_exact_match": _share(outcome.exact_match for outcome in aside),
    }


def _latency(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Of the stages whose time is known for every question (see ``Replay.as_json``)."""
    stages = dict.fromkeys(stage for outcome in outcomes for stage in outcome.timings_ms)
    return {
        stage: _spread([outcome.timings_ms[stage] for outcome in outcomes])
        for stage in stages
        if all(stage in outcome.timings_ms for outcome in outcomes)
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    middle, high = np.percentile(values, (50, 95))
    return {"p50": round(float(middle), 2), "p95": round(float(high), 2), "mean": round(fmean(values), 2)}


_OF_ANSWERS: Mapping[str, Callable[[Outcome], float]] = {
    "exact_match": lambda outcome: outcome.exact_match,
    "f1": lambda outcome: outcome.f1,
}
_OF_LONG_ANSWERS: Mapping[str, Callable[[Outcome], float]] = {
    "rouge_l": lambda outcome: 0.0 if outcome.long is None else outcome.long.rouge_l,
}
_OF_QUOTES: Mapping[str, Callable[[Outcome], float]] = {
    "supported": lambda outcome: outcome.supported,
    "correct_and_supported": lambda outcome: outcome.correct_and_supported,
}


def _intervals(outcomes: Sequence[Outcome], min_confidence: float) -> dict[str, tuple[float, float] | None]:
    """95% bootstrap intervals of figures over the answerable questions, abstentions counted as nothing."""
    answerable = [outcome for outcome in outcomes if outcome.answerable]
    quoted = [outcome for outcome in answerable if outcome.quoted]
    long = [outcome for outcome in answerable if outcome.long is not None]
    return {
        name: bootstrap_interval(
            [float(value(outcome)) if outcome.given(min_confidence) else 0.0 for outcome in counted],
            samples=INTERVAL_SAMPLES,
        )
        for figures, counted in ((_OF_ANSWERS, answerable), (_OF_LONG_ANSWERS, long), (_OF_QUOTES, quoted))
        for name, value in figures.items()
    }


def _curves(outcomes: Sequence[Outcome]) -> Json:
    """The points of the plots: risk by coverage, and the bins of the reliability diagram."""
    answerable = [outcome for outcome in outcomes if outcome.answerable]
    return {
        "risk_coverage": risk_coverage(
            [outcome.confidence for outcome in answerable], [outcome.right for outcome in answerable]
        ),
        "reliability": [asdict(point) for point in reliability(*_claims(outcomes))],
    }


def _at_threshold(outcomes: Sequence[Outcome], threshold: float) -> Json:
    answers = _answers([outcome for outcome in outcomes if outcome.answerable], threshold)
    shown = ("answered", "exact_match", "exact_match_of_answered")
    unanswerable = [outcome for outcome in outcomes if outcome.unanswerable]
    return {
        **{name: answers[name] for name in shown},
        "abstained_unanswerable": _share(not outcome.given(threshold) for outcome in unanswerable),
    }


def _share(flags: Iterable[bool | None]) -> float | None:
    """The share that is true of those that are not None; None of nothing."""
    return _mean(None if flag is None else float(flag) for flag in flags)


def _mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are not None; None of nothing."""
    counted = [value for value in values if value is not None]
    return fmean(counted) if counted else None
