"""Scoring: figures out of a file of predictions. Loads no model."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from evaluation.metrics import aurc, ece, exact_match, f1, has_answer
from evaluation.predict import read_description, read_predictions
from evaluation.questions import ANSWERABLE, Side, side_of
from retriever.errors import DocumentNotFoundError
from retriever.index import STORE_FILE
from retriever.store import DocumentStore

REPORT_FILE = "report.json"
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(20))

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question, threshold aside. ``confidence`` is 0 where there was no answer at all.

    ``article_retrieved`` and ``article_cited`` are None where the question names no article.
    """

    kind: str
    side: Side
    confidence: float
    answered: bool
    exact_match: bool
    f1: float
    quote_has_answer: bool
    quote_verbatim: bool | None
    article_retrieved: bool | None
    article_cited: bool | None

    def given(self, min_confidence: float) -> bool:
        """Whether the answer is given at this threshold."""
        return self.answered and self.confidence >= min_confidence


def score(run: Path, *, min_confidence: float) -> Json:
    """The report of a run at this threshold, also written to ``report.json``.

    Raises:
        LoccitError: when the run is missing or damaged.
    """
    predictions = read_predictions(run)
    description = read_description(run)
    store = _store(description)
    outcomes = [_outcome(line, store) for line in predictions]
    report = {
        "min_confidence": min_confidence,
        **_figures(outcomes, min_confidence),
        "sides": {
            side.value: _figures([one for one in outcomes if one.side is side], min_confidence)
            for side in Side
        },
        "thresholds": [_threshold(outcomes, threshold) for threshold in THRESHOLDS],
        "run": description,
    }
    (run / REPORT_FILE).write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def _outcome(line: Json, store: DocumentStore | None) -> Outcome:
    trace = line["trace"]
    decision, answers = trace["decision"], line["answers"]
    answer = decision["answer"]
    citations, title = decision["citations"], line["title"]
    return Outcome(
        kind=line["kind"],
        side=side_of(line["question"]),
        confidence=decision["confidence"],
        answered=answer is not None,
        exact_match=answer is not None and exact_match(answer, answers),
        f1=f1(answer or "", answers) if answers else 0.0,
        quote_has_answer=any(has_answer(citation["quote"], answers) for citation in citations),
        quote_verbatim=_all_verbatim(list(_every_citation(trace)), store),
        article_retrieved=_any_of_title(title, trace["hits"]),
        article_cited=_any_of_title(title, citations),
    )


def _any_of_title(title: str | None, items: Iterable[Json]) -> bool | None:
    return None if title is None else any(item["title"] == title for item in items)


def _every_citation(trace: Json) -> Iterator[Json]:
    """Of the decision, its alternatives and every candidate that was cited."""
    decision = trace["decision"]
    yield from decision["citations"]
    yield from decision["nearest"]
    for cited in (*decision["alternatives"], *trace["cited"]):
        yield from cited["citations"]


def _all_verbatim(citations: Sequence[Json], store: DocumentStore | None) -> bool | None:
    """Whether every quote stands where it says, looked up in the stored documents; None without a store."""
    if store is None or not citations:
        return None
    return all(_verbatim(citation, store) for citation in citations)


def _verbatim(citation: Json, store: DocumentStore) -> bool:
    try:
        document = store.document(citation["document_id"])
    except DocumentNotFoundError:
        return False
    return bool(document.text[citation["start"] : citation["end"]] == citation["quote"])


def _store(description: Mapping[str, Any]) -> DocumentStore | None:
    """The documents that were answered from, when that generation is still there."""
    folder = Path(description["settings"]["index"]) / "generations" / str(description["generation"])
    return DocumentStore.open(folder / STORE_FILE) if folder.is_dir() else None


def _figures(outcomes: Sequence[Outcome], min_confidence: float) -> Json:
    answerable = [one for one in outcomes if one.kind == ANSWERABLE]
    given = [one for one in answerable if one.given(min_confidence)]
    answered = [one for one in outcomes if one.answered]
    return {
        "questions": len(outcomes),
        "exact_match": _share(one.given(min_confidence) and one.exact_match for one in answerable),
        "f1": mean(one.f1 if one.given(min_confidence) else 0.0 for one in answerable)
        if answerable
        else None,
        "exact_match_of_answered": _share(one.exact_match for one in given),
        "exact_match_without_threshold": _share(one.exact_match for one in answerable),
        "quote_has_answer": _share(one.given(min_confidence) and one.quote_has_answer for one in answerable),
        "quote_verbatim": _share(one.quote_verbatim for one in outcomes),
        "article_retrieved": _share(one.article_retrieved for one in answerable),
        "article_cited": _share(one.article_cited and one.given(min_confidence) for one in answerable),
        "ece": ece([one.confidence for one in answered], [one.exact_match for one in answered]),
        "aurc": aurc([one.confidence for one in answerable], [one.exact_match for one in answerable]),
        "abstained": {
            kind: _share(not one.given(min_confidence) for one in outcomes if one.kind == kind)
            for kind in dict.fromkeys(one.kind for one in outcomes)
        },
        "abstained_unanswerable": _share(
            not one.given(min_confidence) for one in outcomes if one.kind != ANSWERABLE
        ),
    }


def _threshold(outcomes: Sequence[Outcome], threshold: float) -> Json:
    return {
        "min_confidence": threshold,
        **{side.value: _shown([one for one in outcomes if one.side is side], threshold) for side in Side},
    }


def _shown(outcomes: Sequence[Outcome], threshold: float) -> Json:
    figures = _figures(outcomes, threshold)
    shown = ("exact_match", "exact_match_of_answered", "abstained_unanswerable")
    return {
        "answered": _share(one.given(threshold) for one in outcomes if one.kind == ANSWERABLE),
        **{name: figures[name] for name in shown},
    }


def _share(flags: Iterable[bool | None]) -> float | None:
    """The share that is true of those that are not None; None of nothing."""
    counted = [flag for flag in flags if flag is not None]
    return sum(counted) / len(counted) if counted else None
