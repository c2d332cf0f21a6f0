"""The way to a server through a proxy, by httpx, which knows every kind of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import httpx

from ..errors import ProviderError
from ..processes.time_limit import TimeLimit
from .client import new_client, unreachable
from .faults import broken
from .patience import Patience

if TYPE_CHECKING:
    from .exchange import Exchange


class Proxied:
    """Connections through a proxy."""

    def __init__(self, url: str) -> None:
        self._client = new_client(url)

    async def send(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        patience: Patience,
        method: str = "POST",
    ) -> Exchange:
        """Send a request; see `Route.send`."""
        try:
            outgoing = self._client.build_request(
                method, url, headers=dict(headers), content=content
            )
            async with TimeLimit(patience.first_byte):
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
        try:
            async for data in self._response.aiter_raw():
                yield data
        except httpx.HTTPError as error:
            raise broken(self._url, error) from error

    async def close(self) -> None:
        await self._response.aclose()
