"""Keeps the head, the tail and the size of a text of any length.

A command may print gigabytes; an event and the model get the beginning, the end and
an exact count of what is missing. Memory is bounded by what is kept.
"""

from __future__ import annotations

from collections import deque

from ..jsontext import HEAD, TAIL, clean


class Capture:
    """A text of which `head` + `tail` bytes are kept."""

    def __init__(self, head: int = HEAD, tail: int = TAIL) -> None:
        self._head_room = head
        self._tail_size = tail
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        #: Size of the whole text in bytes of UTF-8.
        self.bytes = 0

    def add(self, text: str) -> None:
        """Append a piece."""
        data = clean(text).encode()
        self.bytes += len(data)
        if self._head_room:
            first = data[: self._head_room]
            self._head.append(first)
            self._head_room -= len(first)
            data = data[len(first) :]
        if data:
            self._tail.append(data[-self._tail_size :])
            self._tail_bytes += len(self._tail[-1])
            while self._tail_bytes - len(self._tail[0]) >= self._tail_size:
                self._tail_bytes -= len(self._tail.popleft())

    @property
    def truncated(self) -> bool:
        """Whether anything between head and tail is missing."""
        return self.bytes > sum(map(len, self._head)) + min(self._tail_bytes, self._tail_size)

    def text(self) -> str:
        """Return the whole text, or its head and tail with a count of what is missing."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        if not self.truncated:
            return (head + tail).decode()
        first = head.decode(errors="ignore")
        last = tail[-self._tail_size :].decode(errors="ignore")
        missing = self.bytes - len(first.encode()) - len(last.encode())
        return f"{first}\n[… {missing} bytes left out …]\n{last}"
