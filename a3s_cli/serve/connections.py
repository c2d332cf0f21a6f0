"""A connection that closes if a client takes too long to send its request.

uvicorn waits forever for the rest of a request, so a few hundred clients that start
one and fall silent would use up every descriptor of the process.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import h11  # noqa: TID251  # serve/ is where HTTP is spoken as a server
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..jsontext import dumps

#: Seconds for the headers of a request, and then for its body.
HEAD, BODY = 10.0, 60.0


class Connection(H11Protocol):
    """uvicorn's connection, closed if a request is not complete in time."""

    _late: asyncio.TimerHandle | None = None
    _awaited: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the headers of the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Process the data and wait for the rest of the request."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request, in JSON like every other refusal."""
        transport = cast("Any", self.transport)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = dumps({"error": {"code": "http", "message": "this is not a valid HTTP request"}})
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("cache-control", "no-store"),
                ("connection", "close"),
            ]
            answer = h11.Response(status_code=400, headers=headers, reason="Bad Request")
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                transport.write(self.conn.send(event))
        if self.cycle is not None:
            # A body that broke off: the request that waits for the rest must not be answered again.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        transport.close()

    def _wait(self) -> None:
        """Start the timer for the next part of a request; data of the same part keeps it."""
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
        # The response to the last request may have started the wait for the next one.
        if self.conn.their_state is self._awaited:
            cast("Any", self.transport).abort()
        self._stop()
