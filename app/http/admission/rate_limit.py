"""A limit on how often something may happen: a bucket of tokens that fills at an even rate."""

import time
from collections.abc import Callable


class TokenBucket:
    """Allows ``per_minute`` at once, and as many a minute in the long run. ``clock``: seconds."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._tokens, self._filled = self._capacity, clock()

    def take(self) -> float:
        """0 when it may happen now; else the seconds until it may."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0
