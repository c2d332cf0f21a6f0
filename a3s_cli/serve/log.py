"""The lines of an active run, for any number of readers.

Readers have no queues: each has the `seq` of the line that it wants next and
looks it up here. Only the newest lines stay in memory; older ones are already in
the session's file. If the session cannot be saved, all lines stay in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: The least bytes of a run that stay in memory; older lines are read from disk.
WINDOW = 1 << 20
_TERMINAL = (b'{"type":"end"', b'{"type":"error"')


class Log:
    """The newest lines of one run. `on_disk` tells whether every line so far is also in a file."""

    def __init__(self, on_disk: Callable[[], bool]) -> None:
        #: The `seq` of the first line in memory, and of the next one to come.
        self.first = 0
        self.next = 0
        #: Whether the terminal event has arrived.
        self.over = False
        self._on_disk = on_disk
        self._lines: list[bytes] = []
        self._bytes = 0
        self._waiting: set[asyncio.Future[bool]] = set()

    def append(self, lines: bytes) -> None:
        """Add complete lines, with their newlines."""
        new = lines[:-1].split(b"\n")
        self._lines += new
        self.next += len(new)
        self._bytes += len(lines)
        self.over = new[-1].startswith(_TERMINAL)
        if self._bytes > 2 * WINDOW and self._on_disk():
            self._trim(WINDOW)
        waiting, self._waiting = self._waiting, set()
        for woken in waiting:
            _wake(woken, True)

    def lines(self, seq: int, room: int) -> list[bytes]:
        """Return lines from `seq` on: at least one if there is any, and about `room` bytes."""
        found: list[bytes] = []
        for place in range(seq - self.first, len(self._lines)):
            found.append(self._lines[place])
            room -= len(self._lines[place])
            if room <= 0:
                break
        return found

    async def more(self, seq: int, timeout: float) -> bool:
        """Wait for the line `seq`; return False if it did not arrive in `timeout` seconds."""
        if self.next > seq or self.over:
            return True
        # Cheaper than `asyncio.timeout`: this runs for each event and each reader.
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[bool] = loop.create_future()
        self._waiting.add(woken)
        timer = loop.call_later(timeout, _wake, woken, False)
        try:
            return await woken
        finally:
            timer.cancel()
            self._waiting.discard(woken)

    def forget(self) -> None:
        """Drop every line that is also on disk from memory."""
        if self._on_disk():
            self._trim(0)

    def _trim(self, room: int) -> None:
        gone = 0
        while self._bytes > room and gone < len(self._lines):
            self._bytes -= len(self._lines[gone]) + 1
            gone += 1
        del self._lines[:gone]
        self.first += gone


def _wake(woken: asyncio.Future[bool], has_more: bool) -> None:
    if not woken.done():
        woken.set_result(has_more)
