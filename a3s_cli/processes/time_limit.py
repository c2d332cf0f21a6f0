"""A limit of time in which this process ran: time in which it was stopped does not count.

A process that is stopped (Ctrl-Z, SIGSTOP, a laptop that sleeps) hears nothing. When it
goes on, the silence of a server or the length of a call was its own: what came
meanwhile is still to be read. The time is looked at once a second; a look that comes
late says how long the process did not run, to within that second.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

#: Seconds between two looks at the time.
_LOOK = 1.0
#: Seconds by which a look is late only if the process did not run.
_LATE = 0.25


class TimeLimit:
    """Raise TimeoutError after so many seconds; None is no limit. An `async with` block.

    With an infinite limit it only counts what was lost.
    """

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds
        #: Seconds in which the process was found not to have run.
        self.lost = 0.0
        self._until = self._next = 0.0
        self._look_again: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> TimeLimit:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        await self._timeout.__aenter__()
        if self._left is not None:
            now = self._loop.time()
            self._until = now + self._left
            self._wait(now)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
            # What was waited for may have come before the process did not run.
            if (late := self._loop.time() - self._next) > _LATE:
                self.lost += late
        await self._timeout.__aexit__(kind, error, trace)

    def _wait(self, now: float) -> None:
        self._next = min(now + _LOOK, self._until)
        self._look_again = self._loop.call_at(self._next, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        late = now - self._next
        if late > _LATE:
            # At least another look: what has come meanwhile is to be read first.
            late = max(late, now + _LOOK - self._until)
            self.lost += late
            self._until += late
        if now < self._until:
            self._wait(now)
        else:
            self._timeout.reschedule(now)
