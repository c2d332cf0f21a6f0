"""Where the body of an answer ends: in chunks, after so many bytes, or with the connection.

Pure, and exact at any cut (RFC 9112, 6 and 7). h11 could tell as well, but it
makes an object of every chunk, and servers send each word of a model in a chunk
of its own: this reads ten times as many of them in the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

#: Bytes that the line before a chunk, or the trailers behind the last one, may have.
LIMIT = 16 * 1024
_HEX = b"0123456789abcdefABCDEF"
#: Digits of the size of a chunk.
_MOST_DIGITS = 15


class BadFraming(Exception):
    """The bytes do not fit the framing that the head of the answer announced."""


class Framing(Protocol):
    """The body of one answer, as it arrives."""

    #: Whether its end was seen.
    done: bool
    #: What came behind its end, and belongs to no answer.
    rest: bytes

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes add to the body; no bytes mean the end of the connection.

        Raises BadFraming, once what came before has been given.
        """


def framing(status: int, headers: Mapping[str, str]) -> Framing:
    """Return the framing that an answer's head announces; raises BadFraming."""
    if status in (204, 304):
        return Sized(0)
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.strip().lower() != "chunked":
            raise BadFraming(f"a transfer-encoding that was not asked for: {coding[:40]}")
        return Chunked()
    length = headers.get("content-length")
    if length is None:
        return UntilClosed()
    if not length.isascii() or not length.isdigit():
        raise BadFraming(f"a content-length that is not a number: {length[:40]}")
    return Sized(int(length))


class Sized:
    """So many bytes."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.done = size == 0
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """See `Framing.feed`."""
        if not data:
            raise BadFraming(f"the answer is {self._left} bytes short")
        piece, self.rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self.done = self._left == 0
        return piece


class UntilClosed:
    """All there is."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """See `Framing.feed`."""
        self.done = not data
        return data


class Chunked:
    """Chunks, each with its size before it, until one of no size."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        # What has arrived and is not read yet, and how much of a chunk is still to come.
        self._buffer = b""
        self._left = 0
        self._trailing = False
        self._failure: BadFraming | None = None

    def feed(self, data: bytes) -> bytes:
        """See `Framing.feed`."""
        if self._failure is not None:
            raise self._failure
        if not data:
            raise BadFraming("the answer ends within a chunk, or between two of them")
        pieces: list[bytes] = []
        try:
            self._read(self._buffer + data, pieces)
        except BadFraming as failure:
            if not pieces:
                raise
            self._failure = failure
        return b"".join(pieces)

    def _read(self, data: bytes, pieces: list[bytes]) -> None:
        place = 0
        if self._left:
            place = self._payload(data, 0, self._left, pieces)
        while not self._left and not self._trailing:
            end = data.find(b"\r\n", place)
            size = _size(data[place:end]) if end >= 0 else None
            if size is None:
                self._wait(data[place:])
                return
            if size == 0:
                self._trailing, place = True, end + 2
            else:
                # With the line end behind it.
                place = self._payload(data, end + 2, size + 2, pieces)
        self._buffer = data[place:]
        if self._trailing:
            self._end()

    def _payload(self, data: bytes, start: int, size: int, pieces: list[bytes]) -> int:
        """Take what is here of a chunk of `size` bytes, its line end included."""
        stop = start + size
        if stop <= len(data):
            if data[stop - 2 : stop] != b"\r\n":
                raise BadFraming("a chunk is longer than it said")
            pieces.append(data[start : stop - 2])
            self._left = 0
            return stop
        # The line end is kept back, so that it is seen as a whole.
        here = min(len(data), stop - 2)
        pieces.append(data[start:here])
        self._left = stop - here
        return here

    def _wait(self, data: bytes) -> None:
        """Keep the beginning of a chunk's head, if it can be one."""
        if b"\n" in data or len(data) > LIMIT:
            raise BadFraming(f"no chunk begins with {data[:20]!r}")
        self._buffer = data

    def _end(self) -> None:
        """Pass over the trailers, once they are here."""
        data = b"\r\n" + self._buffer
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > LIMIT:
                raise BadFraming(f"trailers of more than {LIMIT // 1024} KiB")
            return
        self.done, self.rest = True, data[end + 4 :]


def _size(head: bytes) -> int | None:
    """Return the size that stands in the line before a chunk; None if it is no such line."""
    digits, _, extension = head.partition(b";")
    digits = digits.rstrip(b" \t")
    if not 0 < len(digits) <= _MOST_DIGITS or digits.strip(_HEX):
        return None
    return None if b"\r" in extension or b"\n" in extension else int(digits, 16)
