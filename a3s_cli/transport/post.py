"""Asking a provider: one POST, and its answer as it arrives.

One `Transport` serves one run: its connections are reused from turn to turn.
What it adds to httpx are the promises of the event contract: a silent server is
noticed (before its first byte and between bytes), a failure is a sentence that
names the host and the cause, credentials never follow a redirect to another
host, and cancelling the task closes the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urljoin, urlsplit

import httpx

from ..errors import InvalidResponse, ProviderError, ProviderTimeout
from ..values import Value
from .client import PIECE, BrokenResponse, cause, host, new_client, unreachable

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


class Patience(Value):
    """Seconds that a server may be silent: before its first byte, and between bytes."""

    first_byte: float | None = 300.0
    idle: float | None = 60.0


class Transport:
    """The HTTP connections of one run."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, ...], httpx.AsyncClient] = {}

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> AsyncGenerator[bytes, None]:
        """Send a POST and give the body of its answer as it arrives.

        Raises HttpFailure for an error status, NetworkError when the server
        cannot be reached, BrokenResponse when the connection is lost in the
        middle, ProviderTimeout when it is silent for too long.
        """
        response = await self._respond(url, headers, content, patience)
        try:
            if response.status_code != 200:
                raise await _failure(response)
            body = response.aiter_bytes()
            while True:
                try:
                    async with asyncio.timeout(patience.idle):
                        data = await anext(body, b"")
                except TimeoutError:
                    raise ProviderTimeout(
                        f"{host(url)} was silent for {patience.idle:g} s in mid-answer",
                        hint="--idle-timeout sets how long a3s waits",
                    ) from None
                except httpx.DecodingError as error:
                    raise InvalidResponse(
                        f"{host(url)} sent a body that cannot be decompressed"
                    ) from error
                except httpx.HTTPError as error:
                    raise BrokenResponse(
                        f"the connection to {host(url)} broke: {cause(error)}"
                    ) from error
                if not data:
                    return
                for start in range(0, len(data), PIECE):
                    yield data[start : start + PIECE]
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _respond(
        self, url: str, headers: Mapping[str, str], content: bytes, patience: Patience
    ) -> httpx.Response:
        for _ in range(REDIRECTS):
            response = await self._send(url, headers, content, patience.first_byte)
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            await response.aclose()
            url = _redirected(response, url)
        raise ProviderError(f"{host(url)} redirects in a circle")

    async def _send(
        self, url: str, headers: Mapping[str, str], content: bytes, timeout: float | None
    ) -> httpx.Response:
        try:
            client = self._client(url)
            outgoing = client.build_request("POST", url, headers=dict(headers), content=content)
            async with asyncio.timeout(timeout):
                return await client.send(outgoing, stream=True)
        except TimeoutError:
            raise ProviderTimeout(f"{host(url)} gave no answer for {timeout:g} s") from None
        except httpx.InvalidURL as error:
            raise ProviderError(f"{url} is no URL that can be requested: {error}") from error
        except httpx.HTTPError as error:
            raise unreachable(url, error) from error

    def _client(self, url: str) -> httpx.AsyncClient:
        """Give the client for this server: TLS and proxies cost time, so only where used."""
        origin = urlsplit(url)[:2]
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = new_client(url)
        return client


async def _failure(response: httpx.Response) -> HttpFailure:
    body = bytearray()
    try:
        async with asyncio.timeout(ERROR_PATIENCE):
            async for data in response.aiter_bytes():
                body += data
                if len(body) > ERROR_BODY:
                    break
    except (TimeoutError, httpx.HTTPError):
        pass  # The status alone says enough.
    return HttpFailure(response.status_code, dict(response.headers), bytes(body[:ERROR_BODY]))


def _redirected(response: httpx.Response, url: str) -> str:
    """Give where to send the request instead; only the same host gets the key again."""
    location = response.headers.get("location", "")
    try:
        target: str = urljoin(url, location)
        elsewhere = urlsplit(target)[:2] != urlsplit(url)[:2]
    except ValueError:
        raise ProviderError(f"{host(url)} redirects to what is no URL") from None
    if elsewhere or response.status_code not in (307, 308):
        raise ProviderError(
            f"{host(url)} redirects to {host(target)} (HTTP status {response.status_code}); "
            "a3s does not send a key where it was not told to",
            hint="set the provider's base URL to the final address",
            status=response.status_code,
        )
    return target
