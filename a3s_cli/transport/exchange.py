"""One POST and its answer, straight to the server or through a proxy.

Both kinds give the same: a status, headers, the bytes of the body as they
arrive, and failures in our own words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from ..errors import ProviderError
from .faults import broken
from .patience import Patience
from .proxies import proxy_for
from .trust import Trust

if TYPE_CHECKING:
    import httpx

    from .direct import Connection


class Exchange(Protocol):
    """An answer whose head is here."""

    status: int
    headers: Mapping[str, str]

    def body(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they arrive; raises BrokenResponse."""

    async def close(self) -> None:
        """End the exchange, whether or not its body was read to the end."""


class Route(Protocol):
    """The way to one server, for as long as a run lasts."""

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> Exchange:
        """Send a POST; raises an A3SError where no answer comes."""

    async def close(self) -> None:
        """Close every connection."""


def route_to(url: str, trust: Trust) -> Route:
    """Return the route to a URL's server: the environment may name a proxy."""
    if proxy_for(url):
        return Proxied(url)
    from .direct import Connection

    return Direct(trust, Connection.open)


class Direct:
    """Connections straight to a server; an idle one is used again."""

    def __init__(
        self, trust: Trust, connect: Callable[[str, Trust], Awaitable[Connection]]
    ) -> None:
        self._trust = trust
        self._connect = connect
        self._idle: list[Connection] = []

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> Exchange:
        """Send a POST; see `Route.post`."""
        connection = await self._connection(url)
        try:
            status, named = await connection.post(url, headers, content, patience)
        except BaseException:
            connection.close()
            raise
        return _DirectExchange(connection, self._idle, status, named)

    async def close(self) -> None:
        """Close the idle connections; one in use belongs to its exchange."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self, url: str) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return await self._connect(url, self._trust)


class _DirectExchange:
    def __init__(
        self,
        connection: Connection,
        idle: list[Connection],
        status: int,
        headers: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._idle = idle
        self.status = status
        self.headers = headers

    async def body(self) -> AsyncIterator[bytes]:
        while data := await self._connection.read():
            yield data

    async def close(self) -> None:
        if self._connection.usable:
            self._idle.append(self._connection)
        else:
            self._connection.close()


class Proxied:
    """Connections through a proxy, by httpx, which knows every kind of them."""

    def __init__(self, url: str) -> None:
        from .client import new_client

        self._client = new_client(url)

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> Exchange:
        """Send a POST; see `Route.post`."""
        import asyncio

        import httpx

        from .client import unreachable

        try:
            outgoing = self._client.build_request(
                "POST", url, headers=dict(headers), content=content
            )
            async with asyncio.timeout(patience.first_byte):
                return _ProxiedExchange(await self._client.send(outgoing, stream=True), url)
        except TimeoutError:
            raise patience.no_answer(url) from None
        except httpx.InvalidURL as error:
            raise ProviderError(f"{url} is not a valid URL: {error}") from error
        except httpx.HTTPError as error:
            raise unreachable(url, error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class _ProxiedExchange:
    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self._url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def body(self) -> AsyncIterator[bytes]:
        import httpx

        try:
            async for data in self._response.aiter_raw():
                yield data
        except httpx.HTTPError as error:
            raise broken(self._url, error) from error

    async def close(self) -> None:
        await self._response.aclose()
