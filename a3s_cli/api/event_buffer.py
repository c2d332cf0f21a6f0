"""A bounded buffer of events between a run and its reader, across threads or in one loop.

The run puts batches and awaits `drain` when the reader is slow; the reader takes
what there is. With one writer and one reader, a deque and two counters need no
lock: each side changes only its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..events import Event

#: Events that may be buffered before the run waits for its reader.
ROOM = 1024


class Buffer:
    """A bounded queue of events. It calls `wake` whenever there is something to take."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._batches: deque[list[Event]] = deque()
        self._put = 0
        self._taken = 0
        # Set only while the writer waits for room.
        self._parked: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        #: Whether the last event has been put, or the reader is gone.
        self.closed = False

    def put(self, events: list[Event]) -> None:
        """Add a batch, from the run's thread."""
        self._batches.append(events)
        self._put += len(events)
        self._wake()

    async def drain(self) -> None:
        """Wait, in the run's thread, until the reader has caught up."""
        while self._put - self._taken > ROOM and not self.closed:
            room = asyncio.Event()
            self._parked = asyncio.get_running_loop(), room
            # The reader may have been quicker than the line above.
            if self._put - self._taken > ROOM and not self.closed:
                await room.wait()
            self._parked = None

    def take(self) -> list[Event]:
        """Return everything that is buffered, in the reader's thread; empty if nothing is."""
        events: list[Event] = []
        while self._batches:
            events += self._batches.popleft()
        self._taken += len(events)
        self._unpark()
        return events

    def close(self) -> None:
        """Declare that nothing more will be put, or taken."""
        self.closed = True
        self._wake()
        self._unpark()

    def _unpark(self) -> None:
        if parked := self._parked:
            loop, room = parked
            try:
                loop.call_soon_threadsafe(room.set)
            except RuntimeError:
                self._parked = None  # The run's loop is gone, and nothing waits there.
