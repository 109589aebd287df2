"""Changes of the index that wait for one another: those that wait together are made together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.http.worker import STOPPING, StoppingError
from app.service.changes import Outcome, Wanted
from common.errors import (
    ChangeRefusedError,
    IndexBusyError,
    IndexNotWritableError,
    IndexUnusableError,
    LoccitError,
)

_LOG = logging.getLogger(__name__)


class ChangeNotServedError(LoccitError):
    """The change is in the index, but the generation that holds it cannot be served."""


_TOLD_AS_IT_IS = (ChangeRefusedError, IndexBusyError, IndexNotWritableError)
_OF_ALL = (IndexBusyError, IndexNotWritableError, StoppingError)
"""What is no fault of one change: each of those that were to be made together is told it."""


Became = Outcome | ChangeNotServedError
MakeAll = Callable[[Sequence[Wanted]], Awaitable[Sequence[Became]]]
"""Makes several changes as one generation; what became of each."""


@dataclass(slots=True, eq=False)
class _Waiting:
    wanted: Wanted
    became: Outcome | Exception | None = None

    @property
    def over(self) -> bool:
        return self.became is not None


class Changes:
    """Makes changes in the order in which they came. While one is made, ``most`` others may wait for the next."""

    def __init__(self, make_all: MakeAll, *, most: int) -> None:
        self._make_all, self._most = make_all, most
        self._waiting: list[_Waiting] = []
        self._turn = asyncio.Lock()

    async def make(self, wanted: Wanted) -> Outcome:
        """What became of it, once it is made; whoever's turn comes first makes all that wait.

        Where they cannot be made together they are made one at a time, so that each has an outcome of its own.

        Raises:
            IndexBusyError: when too many wait.
            LoccitError: what making it raises.
        """
        if len(self._waiting) >= self._most:
            raise IndexBusyError(
                f"{self._most} changes of the index are waiting; try again in a few seconds."
            )
        mine = _Waiting(wanted)
        self._waiting.append(mine)
        async with self._turn:
            if not mine.over:
                together, self._waiting = self._waiting, []
                await self._make(together)
        assert mine.became is not None  # it is over
        if isinstance(mine.became, Exception):
            raise mine.became
        return mine.became

    async def _make(self, together: Sequence[_Waiting]) -> None:
        try:
            if not await self._made(together):
                for each in together:
                    await self._made([each])
        finally:
            for each in together:
                if not each.over:
                    each.became = StoppingError(STOPPING)

    async def _made(self, together: Sequence[_Waiting]) -> bool:
        """Whether all of these are over now; not where there are several, and one may be at fault for the others."""
        try:
            became = await self._make_all([each.wanted for each in together])
        except Exception as error:
            if len(together) > 1 and not isinstance(error, _OF_ALL):
                return False
            told = _refused(error)
            for each in together:
                each.became = told
        else:
            for each, its in zip(together, became, strict=True):
                each.became = its
        return True


def _refused(error: Exception) -> Exception:
    """The error, or a refusal that tells it: what the disk or the index refuses is not the service's failure."""
    if type(error) is LoccitError or isinstance(error, IndexUnusableError):
        error = ChangeRefusedError(str(error))
    if isinstance(error, _TOLD_AS_IT_IS):
        _LOG.error("The index was not changed: %s", error)
    return error
