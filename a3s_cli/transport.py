"""The only place that speaks HTTP, and the only one that imports httpx.

One `Transport` serves one run: its connections are reused from turn to turn.
What it adds to httpx are the promises of the event contract: a silent server is
noticed (before its first byte and between bytes), a failure is a sentence that
names the host and the cause, credentials never follow a redirect to another
host, and cancelling the task closes the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from . import __version__
from .base_urls import is_loopback
from .errors import A3SError, InvalidResponse, NetworkError, ProviderError, ProviderTimeout

CONNECT_TIMEOUT = 30.0
#: Bytes of an error's body that are read, and the seconds that may take.
ERROR_BODY, ERROR_PATIENCE = 256 * 1024, 10.0
REDIRECTS = 3


class BrokenResponse(NetworkError):
    """The connection was lost after the response had begun."""


class HttpFailure(Exception):
    """The server answered with an error; what it means is for a provider to say."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.headers = headers
        self.body = body


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a server may be silent: before its first byte, and between bytes."""

    first_byte: float | None = 300.0
    idle: float | None = 60.0


class Transport:
    """The HTTP connections of one run."""

    def __init__(self) -> None:
        self._clients: dict[tuple[bool, bool], httpx.AsyncClient] = {}

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
                        f"{_host(url)} was silent for {patience.idle:g} s in mid-answer",
                        hint="--idle-timeout sets how long a3s waits",
                    ) from None
                except httpx.DecodingError as error:
                    raise InvalidResponse(
                        f"{_host(url)} sent a body that cannot be decompressed"
                    ) from error
                except httpx.HTTPError as error:
                    raise BrokenResponse(
                        f"the connection to {_host(url)} broke: {_cause(error)}"
                    ) from error
                if not data:
                    return
                yield data
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
        raise ProviderError(f"{_host(url)} redirects in a circle")

    async def _send(
        self, url: str, headers: Mapping[str, str], content: bytes, timeout: float | None
    ) -> httpx.Response:
        try:
            client = self._client(url)
            outgoing = client.build_request("POST", url, headers=dict(headers), content=content)
            async with asyncio.timeout(timeout):
                return await client.send(outgoing, stream=True)
        except TimeoutError:
            raise ProviderTimeout(f"{_host(url)} gave no answer for {timeout:g} s") from None
        except httpx.InvalidURL as error:
            raise ProviderError(f"{url} is no URL that can be requested: {error}") from error
        except httpx.HTTPError as error:
            raise _unreachable(url, error) from error

    def _client(self, url: str) -> httpx.AsyncClient:
        """Give the client for this URL: TLS and proxies cost time, so only where they are used."""
        secure, loopback = url.startswith("https:"), is_loopback(url)
        client = self._clients.get((secure, loopback))
        if client is None:
            client = self._clients[secure, loopback] = httpx.AsyncClient(
                verify=httpx.create_ssl_context() if secure else False,
                trust_env=not loopback,
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
                headers={"user-agent": f"a3s/{__version__}", "accept-encoding": "identity"},
            )
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
    target: str = urljoin(url, response.headers.get("location", ""))
    if response.status_code not in (307, 308) or urlsplit(target)[:2] != urlsplit(url)[:2]:
        raise ProviderError(
            f"{_host(url)} redirects to {_host(target)} (HTTP status {response.status_code}); "
            "a3s does not send a key where it was not told to",
            hint="set the provider's base URL to the final address",
            status=response.status_code,
        )
    return target


def _unreachable(url: str, error: httpx.HTTPError) -> A3SError:
    if isinstance(error, httpx.ConnectTimeout):
        return NetworkError(f"could not connect to {_host(url)} within {CONNECT_TIMEOUT:g} s")
    if isinstance(error, httpx.ProxyError):
        return NetworkError(f"the proxy did not connect to {_host(url)}: {error}")
    if isinstance(error, httpx.ConnectError):
        return NetworkError(f"could not connect to {_host(url)}: {_cause(error)}")
    if isinstance(error, httpx.UnsupportedProtocol):
        return ProviderError(f"{url} has no scheme that a3s speaks: http or https")
    return NetworkError(f"{_host(url)} broke off before answering: {_cause(error)}")


def _cause(error: BaseException) -> str:
    """Give the innermost reason: httpx's own words for a refused connection say nothing."""
    reason: Any = error
    seen = [reason]
    while (reason := reason.__cause__ or reason.__context__) and reason not in seen:
        seen.append(reason)
    for one in reversed(seen):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed: {one.reason or str(one)}"
        if isinstance(one, OSError) and one.strerror:
            return str(one.strerror)
    return str(error) or type(error).__name__


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or url
