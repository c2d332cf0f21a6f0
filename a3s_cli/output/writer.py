"""Writes bytes to a descriptor whose other end belongs to another process.

The only place that writes stdout. It has a thread of its own, because a reader
that does not read must delay neither a signal nor a deadline, and because
O_NONBLOCK must not be set on a descriptor that other processes share. While
there is nothing to write, the thread polls the descriptor, so that a reader
that goes away is noticed even if the run is silent for an hour.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
import threading
from collections.abc import Callable

#: Bytes that may wait for the reader before bulk producers have to wait.
HIGH_WATER = 1024 * 1024


class Writer:
    """Owns one descriptor. `lost` is called once, on the writer's thread, when it fails."""

    def __init__(self, fd: int, lost: Callable[[OSError], None]) -> None:
        self._fd = fd
        self._lost = lost
        self._queue: list[bytes] = []
        self._pending = 0
        self._state = threading.Condition()
        #: Waiters: the number of pending bytes to fall below, and a callback.
        self._room_wanted: list[tuple[int, Callable[[], None]]] = []
        self._sleeping = False
        self._closing = False
        self._failed = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="a3s-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Queue `data` without waiting. After a failure, data is dropped."""
        with self._state:
            if self._failed:
                return
            self._queue.append(data)
            self._pending += len(data)
            wake = self._sleeping
            self._sleeping = False
        if wake:
            os.write(self._wake_write, b"!")

    @property
    def pending(self) -> int:
        """The number of bytes that the reader has not taken."""
        return self._pending

    async def flush(self) -> None:
        """Wait until the reader has everything."""
        await self._until_below(1)

    async def drain(self) -> None:
        """Wait until fewer than `HIGH_WATER` bytes are pending."""
        await self._until_below(HIGH_WATER)

    async def _until_below(self, mark: int) -> None:
        if self._pending < mark:
            return
        import asyncio

        loop = asyncio.get_running_loop()
        room = asyncio.Event()

        def tell() -> None:
            # The run may be over by the time the reader reads.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(room.set)

        with self._state:
            if self._failed or self._pending < mark:
                return
            self._room_wanted.append((mark, tell))
        await room.wait()

    def wait_for_room(self) -> None:
        """Like `drain`, but block: for a producer without an event loop."""
        with self._state:
            self._state.wait_for(lambda: self._failed or self._pending < HIGH_WATER)

    def close(self, patience: Callable[[], float | None]) -> bool:
        """Write what is left and stop; return False if the reader did not take it.

        `patience` returns the seconds left to wait, or None for no limit. It is
        called repeatedly, because a signal may arrive during the wait.
        """
        with self._state:
            self._closing = True
            self._sleeping = False
        os.write(self._wake_write, b"!")
        while self._thread.is_alive():
            left = patience()
            if left is not None and left <= 0:
                return False
            self._thread.join(0.05 if left is None else min(left, 0.05))
        return not self._failed

    def _run(self) -> None:
        try:
            while (data := self._next()) is not None:
                self._write_all(data)
                self._release(len(data))
        except OSError as failure:
            with self._state:
                self._failed = True
                self._queue.clear()
                self._pending = 0
            self._release(0)
            self._lost(failure)

    def _next(self) -> bytes | None:
        """Wait for data and return it; return None at the end."""
        while True:
            with self._state:
                if self._queue:
                    data = b"".join(self._queue)
                    self._queue.clear()
                    return data
                if self._closing:
                    return None
                self._sleeping = True
            self._wait()

    def _wait(self) -> None:
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        if sys.platform == "linux" or not stat.S_ISCHR(os.fstat(self._fd).st_mode):
            # With no events requested, poll only reports that the other end is gone. macOS cannot
            # poll a terminal; there, its end arrives as a SIGHUP.
            poller.register(self._fd, 0)
        for fd, event in poller.poll():
            if fd == self._wake_read:
                os.read(fd, 4096)
            elif event & (select.POLLERR | select.POLLHUP):
                raise BrokenPipeError("the reader went away")
            elif event & select.POLLNVAL:
                raise OSError(9, "the descriptor was closed")

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view[: 1 << 20]) :]
            except BlockingIOError:
                # Another process made the shared descriptor non-blocking.
                poller = select.poll()
                poller.register(self._fd, select.POLLOUT)
                poller.poll()

    def _release(self, written: int) -> None:
        with self._state:
            self._pending -= written
            self._state.notify_all()
            waiting = [tell for mark, tell in self._room_wanted if self._pending < mark]
            self._room_wanted = [
                (mark, tell) for mark, tell in self._room_wanted if self._pending >= mark
            ]
        for tell in waiting:
            tell()
