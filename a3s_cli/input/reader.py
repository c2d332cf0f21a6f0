"""Reads the lines of a descriptor on a thread of its own, for an asyncio loop.

A thread, because a file and a terminal cannot be polled by every loop, and
because O_NONBLOCK may not be set on a descriptor that other processes share. It
reads on whatever the program is doing, so that a word to cancel always arrives;
what it has read is handed over before it reads again, so that what lies between
is one read and the line that has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable

from ..jsontext import LineSplitter

#: Bytes of one read.
_PIECE = 64 * 1024


class LineReader:
    """Hands the lines of `descriptor` to `take` in the running loop, and tells their `end` once.

    A line that is longer than `limit` comes as its beginning, `limit` + 1 bytes.
    """

    def __init__(
        self,
        descriptor: int,
        take: Callable[[list[bytes]], None],
        end: Callable[[], None],
        *,
        limit: int,
    ) -> None:
        self._descriptor = descriptor
        self._take = take
        self._end = end
        self._lines = LineSplitter(limit)
        self._taken = threading.Semaphore(0)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._read, name="a3s-stdin", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # Signals are for the thread that waits for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        # The loop may be gone by the time that anything comes.
        with contextlib.suppress(RuntimeError):
            while data := self._next():
                if lines := self._lines.feed(data):
                    self._hand_over(self._take, lines)
            if lines := self._lines.finish():
                self._hand_over(self._take, lines)
            self._hand_over(self._end)

    def _hand_over(self, take: Callable[..., None], *given: object) -> None:
        def taken() -> None:
            try:
                take(*given)
            finally:
                self._taken.release()

        self._loop.call_soon_threadsafe(taken)
        self._taken.acquire()

    def _next(self) -> bytes:
        while True:
            try:
                return os.read(self._descriptor, _PIECE)
            except BlockingIOError:
                # Another process made the shared descriptor non-blocking.
                poller = select.poll()
                poller.register(self._descriptor, select.POLLIN)
                poller.poll()
            except OSError:
                return b""  # A terminal that hung up, or a descriptor that was closed, has ended.
