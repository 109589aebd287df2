"""The log's one line for each question: how it went and how long it took, never what was asked."""

import asyncio
import logging

from app.answering.trace_json import timings_as_json
from app.answering.types import Abstention, Trace
from app.service.ask import Ask

_LOG = logging.getLogger(__name__)
_ABANDONED = (asyncio.CancelledError, GeneratorExit)  # whoever asked was cancelled, or stopped reading


def log_answer(trace: Trace, ask: Ask) -> None:
    """One line at INFO, ``key=value`` pairs; the record's ``answer`` holds the same as a dict."""
    decision = trace.decision
    fields: dict[str, object] = {
        "outcome": decision.reason.value if isinstance(decision, Abstention) else "answered",
        "confidence": round(decision.confidence, 4),
        "hits": len(trace.hits),
        "candidates": len(trace.candidates),
        "documents": 0 if ask.documents is None else len(ask.documents),
    }
    fields.update({f"{stage}_ms": value for stage, value in timings_as_json(trace).items()})
    _write(fields)


def log_failure(error: BaseException, ask: Ask, *, seconds: float) -> None:
    """The same line for a question that got no decision: its outcome is the error's name, or ``abandoned``."""
    _write(
        {
            "outcome": "abandoned" if isinstance(error, _ABANDONED) else type(error).__name__,
            "documents": 0 if ask.documents is None else len(ask.documents),
            "total_ms": round(1000 * seconds, 2),
        }
    )


def _write(fields: dict[str, object]) -> None:
    line = " ".join(f"{name}={value}" for name, value in fields.items())
    _LOG.info("answer %s", line, extra={"answer": fields})
