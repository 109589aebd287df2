"""What the service counts and measures of itself, for Prometheus.

No label holds what a client or a document wrote: routes are templates, and outcomes, reasons and stages are names of
ours. So the number of series has a bound.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from app.answering.types import AbstainReason, Abstention, Trace
from app.http.telemetry.watch import Answered
from quote_check.check import Verdict

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CONFIDENCES = tuple(step / 10 for step in range(1, 11))
_OUTCOMES = ("answered", "abstained", "failed", "abandoned", "refused")


@dataclass(frozen=True, slots=True)
class HostState:
    """What a scrape finds. ``generation``: of the index; None before one is open, and where it has none."""

    ready: bool
    waiting: int
    busy: bool
    generation: str | None


class Metrics:
    """Counters and measures of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "loccit_requests",
            "Requests that are over, by the template of their path and their status.",
            ["route", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "loccit_request_seconds",
            "Seconds from a request's first byte to its response's last.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._questions = Counter(
            "loccit_questions",
            "Questions that are over: answered, abstained, failed, or abandoned by whoever asked.",
            ["outcome"],
            registry=self.registry,
        )
        self._abstentions = Counter(
            "loccit_abstentions", "Abstentions, by their reason.", ["reason"], registry=self.registry
        )
        self._stage_seconds = Histogram(
            "loccit_answer_stage_seconds",
            "Seconds of a question in each stage; wait is the queue, index what was handed in.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._confidence = Histogram(
            "loccit_answer_confidence",
            "Confidence of what was decided, abstentions included.",
            buckets=_CONFIDENCES,
            registry=self.registry,
        )
        self._quotes = Counter(
            "loccit_checked_quotes",
            "Quotes of others' answers that were checked, by their verdict.",
            ["verdict"],
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "loccit_requests_in_progress", "Requests under way now.", registry=self.registry
        )
        # they are there, at 0, before the first of their kind: a rate needs two points
        for outcome in _OUTCOMES:
            self._questions.labels(outcome)
        for reason in AbstainReason:
            self._abstentions.labels(reason.value)
        for verdict in Verdict:
            self._quotes.labels(verdict.value)

    def watch(self, state: Callable[[], HostState]) -> None:
        """From now on a scrape also tells what ``state`` returns."""
        self.registry.register(_HostCollector(state))

    def count_request(self, request: Answered) -> None:
        """A request is over."""
        self._requests.labels(request.route, str(request.status)).inc()
        self._request_seconds.labels(request.route).observe(request.seconds)

    def count_answer(self, trace: Trace) -> None:
        """A question has its decision."""
        decision = trace.decision
        if isinstance(decision, Abstention):
            self._questions.labels("abstained").inc()
            self._abstentions.labels(decision.reason.value).inc()
        else:
            self._questions.labels("answered").inc()
        self._confidence.observe(decision.confidence)
        for stage, seconds in trace.timings.items():
            self._stage_seconds.labels(stage).observe(seconds)

    def count_check(self, verdicts: Mapping[Verdict, int]) -> None:
        """An answer was checked; ``verdicts``: how many of its quotes have each."""
        for verdict, count in verdicts.items():
            self._quotes.labels(verdict.value).inc(count)

    def count_failure(self, outcome: Literal["failed", "abandoned", "refused"]) -> None:
        """A question ended without a decision."""
        self._questions.labels(outcome).inc()


class _HostCollector(Collector):
    """The state of the host, read when it is asked for."""

    def __init__(self, state: Callable[[], HostState]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        state = self._state()
        for name, meaning, value in (
            ("loccit_ready", "1 once questions can be answered.", state.ready),
            ("loccit_questions_waiting", "Questions in the queue.", state.waiting),
            ("loccit_worker_busy", "1 while a question is being answered.", state.busy),
        ):
            yield GaugeMetricFamily(name, meaning, value=float(value))
        if state.generation is not None:
            yield InfoMetricFamily(
                "loccit_index", "The index that is served.", value={"generation": state.generation}
            )

    def describe(self) -> Iterator[Metric]:
        return iter(())


def metrics_router(metrics: Metrics) -> APIRouter:
    """The route that tells them."""
    router = APIRouter()

    @router.get(
        "/metrics",
        tags=["health"],
        summary="What the service measures of itself",
        response_class=Response,
        response_description="In the text format of Prometheus, or in OpenMetrics where that is accepted.",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def tell(request: Request) -> Response:
        """Requests, answers, abstentions, latency by stage, the queue, the index and the process. Holds no
        question and no document.
        """
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), headers={"Content-Type": content_type})

    return router
