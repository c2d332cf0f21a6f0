"""Messages between the driver and a worker: frames, and the socket that carries them.

A frame is its kind (a byte), the job that it is about, the length of its payload and the
payload. Frames that are made in neighbouring turns of the loop leave in one write.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable

#: Bytes that may wait for the other side before producers have to wait.
HIGH_WATER = 256 * 1024
#: Turns of the loop for which frames are gathered: what one answer causes leaves together. A turn
#: waits for nothing while there is anything to do.
TURNS = 3
_HEAD = struct.Struct("<cIQ")

#: From the driver: what all jobs share, a job, its cancellation, a permit or why there is
#: none, and the state of the gate.
SETUP, START, CANCEL, GRANT, GATE = b"S", b"J", b"C", b"G", b"P"
#: A piece of the shipped workspace by its number, empty after the last; a worker wants it.
PIECE, WANT = b"A", b"w"
#: Bytes of such a piece.
PIECE_SIZE = 64 * 1024
#: From a worker: it is ready, lines, an outcome, a request for a permit, and what it heard.
READY, LINES, ENDED, ASK, SENT = b"r", b"l", b"e", b"a", b"t"
REFUSED, CLOSE, SPENT = b"x", b"c", b"s"

Frame = tuple[bytes, int, bytes]


class Parser:
    """Cuts bytes, as they come, into frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        data = self._data
        data += piece
        frames, place = [], 0
        while len(data) - place >= _HEAD.size:
            kind, job, size = _HEAD.unpack_from(data, place)
            end = place + _HEAD.size + size
            if len(data) < end:
                break
            frames.append((kind, job, bytes(data[place + _HEAD.size : end])))
            place = end
        del data[:place]
        return frames


class Gathering:
    """Gathers frames, and hands them over as one piece of bytes."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._gathered: list[bytes] = []

    def send(self, kind: bytes, job: int = 0, payload: bytes = b"") -> None:
        """Send a frame soon."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush_after, TURNS)
        self._gathered += (_HEAD.pack(kind, job, len(payload)), payload)

    def _flush_after(self, turns: int) -> None:
        if turns and self._gathered:
            asyncio.get_running_loop().call_soon(self._flush_after, turns - 1)
        else:
            self.flush()

    def flush(self) -> None:
        """Send at once what was gathered."""
        if self._gathered:
            data, self._gathered = b"".join(self._gathered), []
            self._write(data)


class Channel(Gathering):
    """One end of the socket. What is sent is dropped where the other side is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(self._pass_on)
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=HIGH_WATER)

    @classmethod
    async def of(cls, connection: object) -> Channel:
        """Return the channel on a connected socket."""
        reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
        return cls(reader, writer)

    def _pass_on(self, data: bytes) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the other side has taken enough."""
        self.flush()
        try:
            await self._writer.drain()
        except (ConnectionError, OSError):
            return

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """Yield the frames of each read, until the other side is gone."""
        parser = Parser()
        while piece := await self._read():
            if frames := parser.feed(piece):
                yield frames

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(1 << 20)
        except (ConnectionError, OSError):
            return b""

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()
