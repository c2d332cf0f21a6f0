"""A pseudo-terminal, and the person in front of it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time

SOON = 30.0


class Terminal:
    """A terminal, and the person in front of it."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.person, self.side = os.openpty()
        self.resize(columns, lines)
        self.settings = termios.tcgetattr(self.side)
        self.shown = ""
        self._read = 0

    def resize(self, columns: int, lines: int = 24) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, size)

    def type(self, keys: str) -> None:
        os.write(self.person, keys.encode())

    def wait_for(self, wanted: str) -> str:
        """Return everything new up to the end of the awaited text."""
        deadline = time.monotonic() + SOON
        while (end := self.shown.find(wanted, self._read)) < 0:
            assert time.monotonic() < deadline, f"{wanted!r} was not shown: {self.shown!r}"
            self._take(0.1)
        end += len(wanted)
        new, self._read = self.shown[self._read : end], end
        return new

    def rest(self) -> str:
        while self._take(0.05):
            pass
        new, self._read = self.shown[self._read :], len(self.shown)
        return new

    def _take(self, patience: float) -> bool:
        if not select.select([self.person], [], [], patience)[0]:
            return False
        self.shown += os.read(self.person, 1 << 16).decode().replace("\r\n", "\n")
        return True

    def unread(self) -> int:
        """The bytes that were typed and not read."""
        count = bytearray(4)
        fcntl.ioctl(self.side, termios.FIONREAD, count)
        return int.from_bytes(count, "little")

    def close(self) -> None:
        os.close(self.person)
        os.close(self.side)
