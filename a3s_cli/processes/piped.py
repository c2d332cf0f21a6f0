"""A child that is spoken to: bytes to its stdin, from its stdout, its stderr beside.

It has the supervision of every other child. It is ended politely: its stdin is
closed, and only what is still there after a moment is told to end, then killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .spawner import READ_SIZE, Child, Confinement, end, forget, spawn

#: Bytes that may wait for a child which does not read.
MOST_UNREAD = 64 * 1024 * 1024


class Piped:
    """One such child. `start` it in a running event loop, which all of it is bound to."""

    def __init__(
        self, child: Child, stdin: int, stderr: int, receive_error: Callable[[bytes], None]
    ) -> None:
        self._child = child
        self._stdin: int | None = stdin
        self._stderr: int | None = stderr
        self._receive_error = receive_error
        self._unsent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(stderr, self._read_error)
        #: Called once it has ended.
        self.on_end: Callable[[], None] = lambda: None

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        receive_error: Callable[[bytes], None],
        confinement: Confinement | None = None,
    ) -> Piped:
        """Start a child; what it prints on stderr goes to `receive_error`.

        Raises OSError if the directory cannot be entered. A program that cannot be run ends
        the child with 126 or 127 and a line on stderr.
        """
        theirs, stdin = os.pipe()
        stderr, their_stderr = os.pipe()
        try:
            child = spawn(argv, cwd, environment, their_stderr, confinement, stdin=theirs)
        except BaseException:
            os.close(stdin)
            os.close(stderr)
            raise
        finally:
            os.close(theirs)
            os.close(their_stderr)
        os.set_blocking(stdin, False)
        os.set_blocking(stderr, False)
        return cls(child, stdin, stderr, receive_error)

    @property
    def exit_code(self) -> int | None:
        """How it ended, 128 + n for a signal; None while it lives."""
        code = self._child.returncode
        return code if code is None or code >= 0 else 128 - code

    def write(self, data: bytes) -> None:
        """Send bytes, in order; they are dropped if the child does not read any more."""
        if self._stdin is None:
            return
        waiting = bool(self._unsent)
        self._unsent += data
        if len(self._unsent) > MOST_UNREAD:
            self._close_stdin()
        elif not waiting:
            self._send()

    async def read(self) -> bytes:
        """Return the next piece of its stdout; empty at the end."""
        return await self._child.read()

    async def stop(self, grace: float) -> None:
        """Close its stdin, wait `grace` seconds, then end it and all that it started."""
        self._close_stdin()
        until = time.monotonic() + grace
        try:
            while self._child.returncode is None and time.monotonic() < until:
                await forget(self._child)
        finally:
            try:
                await end(self._child)
            finally:
                self._close_stderr()
                self.on_end()

    def _send(self) -> None:
        assert self._stdin is not None
        try:
            sent = os.write(self._stdin, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:  # It has closed its stdin, or is gone.
            self._close_stdin()
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._stdin, self._send)
        else:
            self._loop.remove_writer(self._stdin)

    def _read_error(self) -> None:
        assert self._stderr is not None
        try:
            data = os.read(self._stderr, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._receive_error(data)
        else:
            self._close_stderr()

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            with contextlib.suppress(RuntimeError):  # The loop is closed.
                self._loop.remove_writer(self._stdin)
            os.close(self._stdin)
            self._stdin = None
            self._unsent.clear()

    def _close_stderr(self) -> None:
        if self._stderr is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = None
