"""Events: what the pipeline tells of a question on its way, one a stage."""

from dataclasses import dataclass

from app.answering.types import Candidate, CitedCandidate, Decision, Quote, Reading, Trace
from retriever.types import Hit


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits are in."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """The hits have been read."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """The candidates are written, none checked yet."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """Each candidate whose quotes were found in its document, with these."""

    quoted: tuple[tuple[Candidate, tuple[Quote, ...]], ...]


@dataclass(frozen=True, slots=True)
class Supported:
    """The quotes are scored."""

    cited: tuple[CitedCandidate, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """What was decided where a long answer was asked for: one in several sentences, or an abstention."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Decided:
    """The end: everything that happened, the decision included."""

    trace: Trace


Event = Retrieved | Read | Generated | Located | Supported | Composed | Decided
