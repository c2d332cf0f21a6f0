"""Keeps the head and the tail of an endless text, and its size.

A command may print gigabytes; an event and a model want the beginning, the end
and an honest count of what lies between. Memory is bounded by what is kept.
"""

from __future__ import annotations

from collections import deque

from ..jsontext import HEAD, TAIL, clean


class Capture:
    """A text of which `head` + `tail` bytes are remembered."""

    def __init__(self, head: int = HEAD, tail: int = TAIL) -> None:
        self._head_room = head
        self._tail_size = tail
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        #: Bytes of UTF-8 that were added.
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
        """Whether something between head and tail is gone."""
        return self.bytes > sum(map(len, self._head)) + min(self._tail_bytes, self._tail_size)

    def text(self) -> str:
        """Give the whole text, or its head and tail with a note of what is missing."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        if not self.truncated:
            return (head + tail).decode()
        first = head.decode(errors="ignore")
        last = tail[-self._tail_size :].decode(errors="ignore")
        missing = self.bytes - len(first.encode()) - len(last.encode())
        return f"{first}\n[… {missing} bytes left out …]\n{last}"
