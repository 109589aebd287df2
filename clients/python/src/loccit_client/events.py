"""Server-sent events, from bytes as they come."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from loccit_client.calls import answer_in
from loccit_client.decoding import decoded
from loccit_client.errors import UnexpectedResponseError, problem_error
from loccit_client.models import Answer, Problem, Stage
from loccit_client.responses import object_in


@dataclass(slots=True)
class EventReader:
    """Reads the events of ``POST /answer/stream``. ``request_id``: of the request."""

    request_id: str | None
    ended: bool = False
    _rest: bytes = field(default=b"")

    def feed(self, received: bytes) -> Iterator[Stage | Answer]:
        """What these bytes complete.

        Raises:
            ProblemError: when the server tells one in the place of the answer.
        """
        # in bytes: U+2028 and its like end no line of a stream
        *blocks, self._rest = (self._rest + received).split(b"\n\n")
        for block in blocks:
            lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"event" in lines:
                yield self._event(lines[b"event"].decode(), lines.get(b"data", b""))

    def check_ended(self) -> None:
        """UnexpectedResponseError when the stream stopped before its last event."""
        if not self.ended:
            raise UnexpectedResponseError("The stream ended before the answer was there; ask again.")

    def _event(self, name: str, data: bytes) -> Stage | Answer:
        told = object_in(data, "What sends these events")
        if name not in {"error", "response"}:
            return Stage(name, told)
        self.ended = True
        if name == "error":
            raise problem_error(decoded(Problem, told))
        return answer_in(told, self.request_id)
