"""The response to a question: its decision, what was asked to be included, and who answered from what."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from app.answering.trace_json import (
    candidate_as_json,
    decision_as_json,
    document_as_json,
    hit_as_json,
    timings_as_json,
)
from app.answering.types import Trace
from app.service.ask import Ask
from app.service.assembly import AnswerService
from retriever.manifest import Manifest

Json = dict[str, Any]


def response_as_json(
    trace: Trace, ask: Ask, service: AnswerService, *, include: Collection[str] = ()
) -> Json:
    """What ``POST /answer`` returns. ``include``: any of ``hits``, ``candidates``, ``alternatives``."""
    decision = decision_as_json(trace.decision)
    optional = {
        "hits": [hit_as_json(hit) for hit in trace.hits],
        "candidates": [candidate_as_json(candidate) for candidate in trace.candidates],
        "alternatives": decision.pop("alternatives"),
    }
    from_index = ask.documents is None
    return {
        "question": trace.question,
        **decision,
        "calibration": calibration_as_json(service, ask, trace),
        **{name: value for name, value in optional.items() if name in include},
        "model": asdict(service.models),
        "generation": service.index.generation if from_index else None,
        "attribution": attribution_as_json(service.index.manifest) if from_index else [],
        "timings_ms": timings_as_json(trace),
    }


def calibration_as_json(service: AnswerService, ask: Ask, trace: Trace) -> Json | None:
    """What the confidence was fitted on, and whether it applies to this question; None: it is a score."""
    calibration = service.calibration
    if calibration is None:
        return None
    as_set = (
        not trace.cut_short and ask.documents is None and ask.top_k in (None, service.pipeline.options.top_k)
    )
    return {
        "fitted_on": calibration.calibrator.fitted_on.name,
        "applies": calibration.applies and as_set,
    }


def document_response_as_json(document_id: str, service: AnswerService) -> Json:
    """What ``GET /documents/{document_id}`` returns; DocumentNotFoundError when there is none of this id."""
    return {
        **document_as_json(service.pipeline.retriever.document(document_id)),
        "attribution": attribution_as_json(service.index.manifest),
    }


def attribution_as_json(manifest: Manifest | None) -> list[Json]:
    """Licence and attribution of each source of the index, to be shown wherever its text is."""
    return [
        {
            "source": source.name,
            "licence": source.licence,
            "attribution": source.attribution,
            "snapshot": source.snapshot,
        }
        for source in (() if manifest is None else manifest.sources)
    ]
