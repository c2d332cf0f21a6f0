"""Asking a server: one request, most often a POST, and its answer as it arrives.

One `Transport` serves one run: its connections are reused from turn to turn.
What it adds to HTTP are the promises of the event contract: a silent server is
noticed (before its first byte and between bytes), a failure is a sentence that
names the host and the cause, credentials never follow a redirect to another
host, and cancelling the task closes the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from urllib.parse import urljoin, urlsplit

from ..errors import A3SError, ProviderError
from ..processes.time_limit import TimeLimit
from .exchange import Exchange, Route, route_to
from .faults import host
from .inflate import inflated
from .patience import Comments, Patience
from .trust import Trust

#: Bytes of an error's body that are read, and the seconds that may take.
ERROR_BODY, ERROR_PATIENCE = 256 * 1024, 10.0
REDIRECTS = 3


class HttpFailure(Exception):
    """The server answered with an error; what it means is for a provider to say."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.headers = headers
        self.body = body


class Transport:
    """The HTTP connections of one run."""

    def __init__(self) -> None:
        self._trust = Trust()
        self._routes: dict[tuple[str, ...], Route] = {}
        #: Is told the headers of each successful answer.
        self.answered: Callable[[Mapping[str, str]], None] | None = None

    def expect(self, url: str) -> None:
        """Begin with what a request to this URL will need."""
        if url.startswith("https:"):
            self._trust.begin()
        self._route(url)

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> AsyncGenerator[bytes, None]:
        """Send a POST and yield the body of its answer as it arrives.

        Raises HttpFailure for an error status, NetworkError when the server
        cannot be reached, BrokenResponse when the connection is lost in the
        middle, ProviderTimeout when it is silent for too long.
        """
        clock = asyncio.get_running_loop().time
        started = clock()  # later by the time in which this process was stopped
        async with TimeLimit(math.inf) as limit:
            exchange = await self._respond(url, headers, content, patience)
        started += limit.lost
        try:
            if not 200 <= exchange.status < 300:
                raise await _failure(exchange, url)
            if self.answered is not None:
                self.answered(exchange.headers)
            body = _body(exchange, url)
            # A server that is not ready may send comments to keep the connection open.
            comments: Comments | None = Comments()
            while True:
                limit = TimeLimit(patience.left(clock() - started, waiting=comments is not None))
                try:
                    async with limit:
                        data = await anext(body, b"")
                except TimeoutError:
                    late = patience.broken_off if comments is None else patience.no_answer
                    raise late(url) from None
                started += limit.lost
                if not data:
                    return
                if comments is not None and not comments.only(data):
                    comments = None
                yield data
        finally:
            await exchange.close()

    @contextlib.asynccontextmanager
    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> AsyncGenerator[tuple[Exchange, AsyncIterator[bytes]], None]:
        """Send any request; yield its answer, whatever its status is, and the body as it arrives.

        How long is waited is the caller's business. Raises NetworkError, ProviderError, and
        while the body is read BrokenResponse.
        """
        answer = await self._respond(url, headers, content, Patience(None, None), method)
        try:
            yield answer, _body(answer, url)
        finally:
            await answer.close()

    async def close(self) -> None:
        """Close every connection."""
        for route in self._routes.values():
            await route.close()
        self._routes.clear()

    async def _respond(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        patience: Patience,
        method: str = "POST",
    ) -> Exchange:
        for _ in range(REDIRECTS):
            exchange = await self._route(url).send(url, headers, content, patience, method)
            if exchange.status not in (301, 302, 303, 307, 308):
                return exchange
            await exchange.close()
            url = _redirected(exchange, url)
        raise ProviderError(f"{host(url)} redirects in a circle")

    def _route(self, url: str) -> Route:
        origin = urlsplit(url)[:2]
        if origin not in self._routes:
            self._routes[origin] = route_to(url, self._trust)
        return self._routes[origin]


def _body(exchange: Exchange, url: str) -> AsyncIterator[bytes]:
    return inflated(exchange.body(), exchange.headers.get("content-encoding", ""), host(url))


async def _failure(exchange: Exchange, url: str) -> HttpFailure:
    body = bytearray()
    try:
        async with asyncio.timeout(ERROR_PATIENCE):
            async for data in _body(exchange, url):
                body += data
                if len(body) > ERROR_BODY:
                    break
    except (TimeoutError, A3SError):
        pass  # The status alone says enough.
    return HttpFailure(exchange.status, dict(exchange.headers), bytes(body[:ERROR_BODY]))


def _redirected(exchange: Exchange, url: str) -> str:
    """Return where to send the request instead; only the same host gets the key again."""
    location = exchange.headers.get("location", "")
    try:
        target: str = urljoin(url, location)
        elsewhere = urlsplit(target)[:2] != urlsplit(url)[:2]
    except ValueError:
        raise ProviderError(f"{host(url)} redirects to an invalid URL") from None
    if elsewhere or exchange.status not in (307, 308):
        raise ProviderError(
            f"{host(url)} redirects to {host(target)} (HTTP status {exchange.status}); "
            "a3s does not send a key to an address that is not configured",
            hint="set the provider's base URL to the final address",
            status=exchange.status,
        )
    return target
