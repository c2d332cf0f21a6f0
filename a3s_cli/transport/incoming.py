"""What a server has sent and is not read yet, and how the connection ended.

asyncio's own `StreamReader` forgets what it holds when the connection breaks, and
does not tell whether it holds anything. Both matter here: what arrived before a
reset is shown, and a connection that has something to say while nothing was asked
is not used again.
"""

from __future__ import annotations

import asyncio
from typing import cast

#: Bytes that may wait to be read before the server is held back.
HIGH_WATER = 1024 * 1024


class Incoming(asyncio.Protocol):
    """The reading side of one connection; its writing side is the transport."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._held_back = False
        self._ended = False
        self._failure: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None

    @property
    def silent(self) -> bool:
        """Whether the connection is open and nothing waits to be read."""
        return not self._pieces and not self._ended

    async def read(self) -> bytes:
        """Return what has arrived, b"" at the end; raises OSError once all before it was read."""
        while not self._pieces:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            self._arrival = asyncio.get_running_loop().create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._held_back and self._transport and not self._ended:
            self._held_back = False
            self._transport.resume_reading()
        return data

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # uvloop's transports are asyncio's by what they can do, not by their class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._pieces.append(bytes(data))
        self._size += len(data)
        if self._size > HIGH_WATER and not self._held_back and self._transport:
            self._held_back = True
            self._transport.pause_reading()
        self._arrived()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`; the transport closes itself."""
        self._ended = True
        self._arrived()

    def connection_lost(self, failure: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._ended, self._failure = True, failure
        self._arrived()

    def _arrived(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
