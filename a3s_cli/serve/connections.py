"""A connection to a client, which has so many seconds to say what it wants.

uvicorn waits for the rest of a request for ever, so that a few hundred clients
that begin one and fall silent would take every descriptor of the process.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import h11  # noqa: TID251  # serve/ is where HTTP is spoken as a server
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds for the head of a request, and then for its body.
HEAD, BODY = 10.0, 60.0


class Connection(H11Protocol):
    """uvicorn's connection, closed where a request is not whole in its time."""

    _late: asyncio.TimerHandle | None = None
    _awaited: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the head of the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what has come, and wait for the rest."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Start the clock of the part that comes next; more of the same part does not reset it."""
        state = self.conn.their_state
        if state is self._awaited:
            return
        self._stop()
        if state in (h11.IDLE, h11.SEND_BODY):
            self._awaited = state
            seconds = HEAD if state is h11.IDLE else BODY
            self._late = self.loop.call_later(seconds, self._give_up)

    def _stop(self) -> None:
        self._awaited = None
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        # The answer to the last request may have made room for the next one meanwhile.
        if self.conn.their_state is self._awaited:
            cast("Any", self.transport).abort()
        self._stop()
