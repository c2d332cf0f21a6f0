"""Messages between the driver and a worker on this machine: frames on a socket.

A frame is its kind (a byte), the job that it is about, the length of its payload and the
payload. Frames that are made in neighbouring turns of the loop leave in one write.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

#: Bytes that may wait for the other side before producers have to wait.
HIGH_WATER = 256 * 1024
#: Turns of the loop for which frames are gathered: what one answer causes leaves together. A turn
#: waits for nothing while there is anything to do.
TURNS = 3
_HEAD = struct.Struct("<cIQ")

#: From the driver: what all jobs share, a job, its cancellation, a permit or why there is
#: none, and the state of the gate.
SETUP, START, CANCEL, GRANT, GATE = b"S", b"J", b"C", b"G", b"P"
#: From a worker: it is ready, lines, an outcome, a request for a permit, and what it heard.
READY, LINES, ENDED, ASK, SENT = b"r", b"l", b"e", b"a", b"t"
REFUSED, CLOSE, SPENT = b"x", b"c", b"s"

Frame = tuple[bytes, int, bytes]


class Channel:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._gathered: list[bytes] = []

    @classmethod
    async def of(cls, connection: object) -> Channel:
        """Return the channel on a connected socket."""
        reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
        return cls(reader, writer)

    def send(self, kind: bytes, job: int = 0, payload: bytes = b"") -> None:
        """Send a frame soon; it is dropped where the other side is gone."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush_after, TURNS)
        self._gathered += (_HEAD.pack(kind, job, len(payload)), payload)

    def _flush_after(self, turns: int) -> None:
        if turns and self._gathered:
            asyncio.get_running_loop().call_soon(self._flush_after, turns - 1)
        elif self._gathered:
            self._flush()

    def _flush(self) -> None:
        data, self._gathered = b"".join(self._gathered), []
        if not self._writer.transport.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the other side has taken enough."""
        if self._gathered:
            self._flush()
        try:
            await self._writer.drain()
        except (ConnectionError, OSError):
            return

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """Yield the frames of each read, until the other side is gone."""
        data = bytearray()
        while True:
            try:
                piece = await self._reader.read(1 << 20)
            except (ConnectionError, OSError):
                return
            if not piece:
                return
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
            if frames:
                yield frames

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()
