"""Events on their way from a run to whoever reads them, between threads or within one loop.

The run pushes batches and awaits `drain` where a reader is slow; the reader
takes what there is. There is one writer and one reader, so a deque and two
counters do without a lock: each side changes only what is its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..events import Event

#: Events that may wait for a slow reader before the run waits as well.
ROOM = 1024


class Buffer:
    """A bounded queue of events; `wake` is called whenever there is something to take."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._batches: deque[list[Event]] = deque()
        self._put = 0
        self._taken = 0
        # Only while the writer waits for room.
        self._parked: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        #: Whether everything has been put, or nobody reads any more.
        self.closed = False

    def put(self, events: list[Event]) -> None:
        """Add a batch, from the run's thread."""
        self._batches.append(events)
        self._put += len(events)
        self._wake()

    async def drain(self) -> None:
        """Wait, in the run's thread, until a slow reader has caught up."""
        while self._put - self._taken > ROOM and not self.closed:
            room = asyncio.Event()
            self._parked = asyncio.get_running_loop(), room
            # The reader may have been quicker than the line above.
            if self._put - self._taken > ROOM and not self.closed:
                await room.wait()
            self._parked = None

    def take(self) -> list[Event]:
        """Give everything that waits, from the reader's thread; empty where nothing does."""
        events: list[Event] = []
        while self._batches:
            events += self._batches.popleft()
        self._taken += len(events)
        self._unpark()
        return events

    def close(self) -> None:
        """Say that no more will be put, or taken."""
        self.closed = True
        self._wake()
        self._unpark()

    def _unpark(self) -> None:
        if parked := self._parked:
            loop, room = parked
            try:
                loop.call_soon_threadsafe(room.set)
            except RuntimeError:
                self._parked = None  # The run's loop is gone, and so is its wait.
