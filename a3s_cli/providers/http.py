"""A provider that is reached over HTTP: the meeting of a wire and the transport.

`Transport` brings bytes, `sse` makes events of them, the wire's decoder makes
chunks. What is decided here is only when a response is whole: a body that ends
before the protocol's own end is a `TruncatedStream`, however cleanly it closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from ..errors import A3SError, TruncatedStream
from ..model import Chunk, Endpoint, Request, Way, Wire
from ..sse import Parser
from ..transport.faults import BrokenResponse
from ..transport.patience import Patience
from ..transport.post import HttpFailure, Transport
from .codec import finish, secrets
from .failures import classify

#: Seconds in which a whole answer may still be followed by its usage.
LINGER = 2.0


class HttpProvider:
    """One model behind one endpoint."""

    def __init__(
        self, wire: Wire, endpoint: Endpoint, transport: Transport, patience: Patience
    ) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._transport = transport
        self._patience = patience

    @property
    def ways(self) -> Sequence[Way]:
        """The ways to ask for a value of a schema; see `Provider.ways`."""
        return self._wire.ways(self._endpoint)

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once; see `Provider.stream`."""
        try:
            async for chunks in self._exchange(request):
                yield chunks
        except HttpFailure as failure:
            raise self._classified(failure.status, failure.headers, failure.body) from None
        except A3SError as error:
            error.provider = error.provider or self._endpoint.provider
            raise

    async def close(self) -> None:
        """Close the run's connections."""
        await self._transport.close()

    async def _exchange(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        parser, decoder = Parser(), self._wire.decoder(self._endpoint)
        post = self._wire.encode(request, self._endpoint)
        answer = self._transport.post(post.url, post.headers, post.body, self._patience)
        until: float | None = None
        async with aclosing(answer) as body:
            try:
                while data := await _next(body, until):
                    if chunks := decoder.feed(parser.feed(data)):
                        yield chunks
                    if until is None and decoder.complete:
                        until = asyncio.get_running_loop().time() + LINGER
            except BrokenResponse as error:
                # What comes after the protocol's end is not worth failing for.
                if not decoder.complete:
                    raise TruncatedStream(f"{error}, before the answer's end") from error
        if chunks := finish(parser, decoder, self._endpoint):
            yield chunks

    def _classified(self, status: int, headers: Mapping[str, str], body: bytes) -> A3SError:
        return classify(status, headers, body, self._endpoint.provider, secrets(self._endpoint))


async def _next(body: AsyncIterator[bytes], until: float | None) -> bytes:
    """Return the next bytes, or none at the end or once `until` has passed."""
    try:
        async with asyncio.timeout_at(until):
            return await anext(body, b"")
    except TimeoutError:
        return b""
