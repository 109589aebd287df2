"""The log's one line for each question: how it went and how long it took, never what was asked unless that is set."""

import asyncio
import logging
import time

from app.answering.trace_json.writing import timings_as_json
from app.answering.types import Abstention, CitedAnswer, Trace
from app.http.telemetry.metrics import Metrics
from app.http.worker import BusyError, StoppingError
from app.service.ask import Ask

_LOG = logging.getLogger(__name__)
_ABANDONED = (asyncio.CancelledError, GeneratorExit)  # whoever asked was cancelled, or stopped reading


class AnswerLog:
    """Logs and counts how one question ends, once.

    A line at INFO, ``key=value`` pairs; the record's ``answer`` holds the same as a dict, with the reason of an
    abstention and the documents cited. ``generation``: of the index. ``arrived``: a ``time.monotonic()`` value.
    ``with_question``: the line holds the question, too.
    """

    def __init__(
        self, ask: Ask, metrics: Metrics, *, generation: str | None, arrived: float, with_question: bool
    ) -> None:
        self._ask, self._metrics, self._arrived = ask, metrics, arrived
        self._about: dict[str, object] = {"documents": len(ask.documents or ())}
        if ask.documents is None:
            self._about["generation"] = generation
        if with_question:
            self._about["question"] = ask.question
        self._ended = False

    def decided(self, trace: Trace) -> None:
        """It was answered, or there was an abstention."""
        self._ended = True
        self._metrics.count_answer(trace)
        decision = trace.decision
        reason = decision.reason.value if isinstance(decision, Abstention) else None
        fields: dict[str, object] = {
            "outcome": reason or "answered",
            "confidence": round(decision.confidence, 4),
            "hits": len(trace.hits),
            "candidates": len(trace.candidates),
            **self._about,
        }
        fields.update({f"{stage}_ms": value for stage, value in timings_as_json(trace).items()})
        _write(fields, abstained=reason is not None, reason=reason, cited=self._cited(trace))

    def failed(self, error: BaseException) -> None:
        """There will be no decision, unless there was one.

        The outcome is ``abandoned``, or the error's name; metrics tell refusals from failures.
        """
        if self._ended:
            return
        self._ended = True
        abandoned = isinstance(error, _ABANDONED)
        refused = isinstance(error, (BusyError, StoppingError))
        self._metrics.count_failure("abandoned" if abandoned else "refused" if refused else "failed")
        outcome = "abandoned" if abandoned else type(error).__name__
        seconds = time.monotonic() - self._arrived
        _write({"outcome": outcome, **self._about, "total_ms": round(1000 * seconds, 2)})

    def _cited(self, trace: Trace) -> list[str]:
        """The ids of the documents that the answer cites, of the index: those handed in are their owner's."""
        decision = trace.decision
        if not isinstance(decision, CitedAnswer) or self._ask.documents is not None:
            return []
        return list(dict.fromkeys(citation.doc_id for citation in decision.citations))


def _write(fields: dict[str, object], **beside: object) -> None:
    line = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    _LOG.info("answer %s", line, extra={"answer": {**fields, **beside}})
