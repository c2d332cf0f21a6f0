"""A provider that is reached over HTTP: the meeting of a wire and the transport.

`Transport` brings bytes, `sse` makes events of them, the wire's decoder makes
chunks. What is decided here is only when a response is whole: a body that ends
before the protocol's own end is a `TruncatedStream`, however cleanly it closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from ..errors import A3SError, AuthError, ProviderError, TruncatedStream
from ..model import AdviceChunk, Chunk, Endpoint, Gate, Request, UsageChunk, Way, Wire
from ..sse import Parser
from ..transport.faults import BrokenResponse
from ..transport.patience import Patience, Quiet
from ..transport.post import HttpFailure, Transport
from .codec import finish, secrets
from .failures import classify

#: Seconds in which a whole answer may still be followed by its usage.
LINGER = 2.0
#: Bytes of a request that are about one token.
BYTES_A_TOKEN = 4


class HttpProvider:
    """One model behind one endpoint."""

    def __init__(
        self,
        wire: Wire,
        endpoint: Endpoint,
        transport: Transport,
        patience: Patience,
        gate: Gate | None = None,
    ) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._transport = transport
        self._patience = patience
        self._gate = gate
        if gate is not None:
            transport.answered = gate.answered

    @property
    def ways(self) -> Sequence[Way]:
        """The ways to ask for a value of a schema; see `Provider.ways`."""
        return self._wire.ways(self._endpoint)

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request; see `Provider.stream`. A field that is refused by name is left out."""
        tried: set[str] = set()
        while True:
            try:
                async for chunks in self._exchange(request):
                    yield chunks
                return
            except HttpFailure as failure:
                refusal = self._classified(failure.status, failure.headers, failure.body)
                advice = self._refitted(request, failure, refusal, tried)
                if not advice:
                    self._tell(refusal)
                    raise refusal from None
            except A3SError as error:
                error.provider = error.provider or self._endpoint.provider
                self._tell(error)
                raise
            yield advice

    async def close(self) -> None:
        """Close the run's connections."""
        await self._transport.close()

    async def _exchange(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        parser, decoder = Parser(), self._wire.decoder(self._endpoint)
        post = self._wire.encode(request, self._endpoint)
        if self._gate is not None:
            await self._gate.permit(len(post.body) // BYTES_A_TOKEN)
        answer = self._transport.post(post.url, post.headers, post.body, self._patience)
        until: float | None = None
        clock = asyncio.get_running_loop().time
        quiet = Quiet(self._patience)
        async with aclosing(answer) as body:
            try:
                while data := await _next(body, until):
                    chunks = decoder.feed(parser.feed(data))
                    if quiet.over(clock(), content=_says_something(chunks)):
                        raise self._patience.no_content(post.url)
                    if chunks:
                        yield chunks
                    if until is None and decoder.complete:
                        until = clock() + LINGER
            except BrokenResponse as error:
                # What comes after the protocol's end is not worth failing for.
                if not decoder.complete:
                    raise TruncatedStream(f"{error}, before the answer's end") from error
        if chunks := finish(parser, decoder, self._endpoint):
            yield chunks

    def _refitted(
        self, request: Request, failure: HttpFailure, error: A3SError, tried: set[str]
    ) -> list[Chunk]:
        """Change the endpoint by what its server has refused; return what the user is told."""
        if failure.status not in (400, 422) or not isinstance(error, ProviderError):
            return []
        from .fitting import changed, hint, refused

        told: list[Chunk] = []
        for change in refused(failure.body, self._endpoint):
            other = changed(self._endpoint, change)
            sent = self._wire.encode(request, self._endpoint).body
            if change.field not in tried and self._wire.encode(request, other).body != sent:
                tried.add(change.field)
                self._endpoint = other
                text = f"{other.provider} refuses the field {change.advice}"
                told.append(AdviceChunk(text, change.key))
        error.hint = error.hint or (None if told else hint(failure.body))
        return told

    def _tell(self, error: A3SError) -> None:
        if self._gate is not None:
            self._gate.refused(error)

    def _classified(self, status: int, headers: Mapping[str, str], body: bytes) -> A3SError:
        name = self._endpoint.provider
        error = classify(status, headers, body, name, secrets(self._endpoint))
        if isinstance(error, AuthError) and not self._endpoint.api_key:
            from ..config.vendors import key_variables

            unset = self._endpoint.unset_key
            why = f'env("{unset}") has no value' if unset else "no key was sent"
            error.hint = f"{why}: export {unset or key_variables(name)[0]}=…"
        return error


def _says_something(chunks: list[Chunk]) -> bool:
    return bool(chunks) and any(type(one) is not UsageChunk for one in chunks)


async def _next(body: AsyncIterator[bytes], until: float | None) -> bytes:
    """Return the next bytes, or none at the end or once `until` has passed."""
    try:
        async with asyncio.timeout_at(until):
            return await anext(body, b"")
    except TimeoutError:
        return b""
