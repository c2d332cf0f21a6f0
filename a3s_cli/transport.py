"""The only place that speaks HTTP, and the only one that imports httpx.

One `Transport` serves one run: its connections are reused from turn to turn.
What it adds to httpx are the promises of the event contract: a silent server is
noticed (before its first byte and between bytes), a failure is a sentence that
names the host and the cause, credentials never follow a redirect to another
host, and cancelling the task closes the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from . import __version__
from .config.base_urls import is_loopback
from .errors import (
    A3SError,
    ConfigError,
    InvalidResponse,
    NetworkError,
    ProviderError,
    ProviderTimeout,
)

CONNECT_TIMEOUT = 30.0
#: Bytes of an error's body that are read, and the seconds that may take.
ERROR_BODY, ERROR_PATIENCE = 256 * 1024, 10.0
#: Bytes that are passed on at once: what was compressed may come out a thousand times as large.
PIECE = 256 * 1024
REDIRECTS = 3
#: Seconds in which one of several addresses must answer before the next is tried.
ADDRESS_PATIENCE = 5.0
#: Characters of a host's name that are shown: no real one is longer.
HOST_LIMIT = 253


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a GET got; `body` is decompressed, in pieces of a bounded size."""

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]


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
        """Give the client for this server: TLS and proxies cost time, so only where used."""
        origin = urlsplit(url)[:2]
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = _new_client(url)
        return client


def _new_client(url: str) -> httpx.AsyncClient:
    verify, proxy = _trusted() if url.startswith("https:") else False, _proxy(url)
    try:
        return httpx.AsyncClient(
            verify=verify,
            proxy=proxy,
            trust_env=False,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            headers={"user-agent": f"a3s/{__version__}", "accept-encoding": "identity"},
        )
    except ImportError:
        raise ConfigError(
            "a SOCKS proxy needs the package socksio",
            hint="pip install socksio, or name an HTTP proxy",
        ) from None
    except (httpx.InvalidURL, ValueError):
        # What httpx says of it may hold the proxy's password.
        raise ConfigError(
            "the address of the proxy in the environment cannot be used",
            hint="expected http://HOST:PORT in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY",
        ) from None


def _trusted() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise ConfigError(
            f"{variable}: no certificates could be read from {os.environ.get(variable)}:"
            f" {_cause(error)}"
        ) from None


def _proxy(url: str) -> str | None:
    """Give the proxy of the environment for this URL; loopback is never behind one.

    The one that is used and not, as httpx does, all that are set: a SOCKS proxy
    for other programs, or an IPv6 network in NO_PROXY, would fail the run.
    """
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_loopback(url) or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


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
        raise ProviderError(f"{_host(url)} redirects to what is no URL") from None
    if elsewhere or response.status_code not in (307, 308):
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
        proxy = _proxy(url)
        through = f" through the proxy {_host(proxy)}" if proxy else ""
        return NetworkError(f"could not connect to {_host(url)}{through}: {_cause(error)}")
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
        if isinstance(one, OSError) and isinstance(one.errno, int) and one.errno > 0:
            return os.strerror(one.errno)
        if isinstance(one, OSError) and one.strerror:
            return str(one.strerror)
    return str(error) or type(error).__name__


def _host(url: str) -> str:
    return (urlsplit(url).netloc.rpartition("@")[2] or url)[:HOST_LIMIT]


# -- one page of the web ---------------------------------------------------------------


async def resolve(host: str, port: int) -> list[str]:
    """Give every address that a name has now."""
    import socket

    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NetworkError(f"{host} does not resolve: {error.strerror or error}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_own(address: str) -> bool:
    """Whether an address is this machine's; nothing is sent to find out."""
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # Chooses a route for what is never written.
            return bool(probe.getsockname()[0] == address)
    except OSError:
        return False


def is_proxied(url: str) -> bool:
    """Whether the environment names a proxy for this URL: it will resolve the host by itself."""
    return _proxy(url) is not None


@contextlib.asynccontextmanager
async def get(
    url: str, addresses: Sequence[str], headers: Mapping[str, str]
) -> AsyncIterator[Answer]:
    """GET a URL from the first of these addresses that answers, and from nowhere else.

    Its host is what the request names and what the certificate must be for, but
    it is not looked up again, and redirects are the caller's to follow. Through
    a proxy the addresses do not count.
    """
    async with _new_client(url) as client:
        response = await _first(client, url, [""] if is_proxied(url) else addresses, headers)
        try:
            yield Answer(response.status_code, response.headers, _body(response, url))
        finally:
            await response.aclose()


async def _first(
    client: httpx.AsyncClient, url: str, addresses: Sequence[str], headers: Mapping[str, str]
) -> httpx.Response:
    """Send a GET to each address until one accepts the connection."""
    name = httpx.URL(url)
    named = {**headers, "host": name.netloc.decode(), "accept-encoding": "gzip"}
    for address in addresses:
        last = address == addresses[-1]
        request = client.build_request(
            "GET",
            name.copy_with(host=address) if address else name,
            headers=named,
            # A literal address is not looked up; TLS is told for which name it stands.
            extensions={"sni_hostname": name.raw_host.decode()} if address else None,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT if last else ADDRESS_PATIENCE),
        )
        try:
            return await client.send(request, stream=True)
        except httpx.HTTPError as error:
            if last or not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise _unreachable(url, error) from error
    raise NetworkError(f"{_host(url)} has no address")


async def _body(response: httpx.Response, url: str) -> AsyncGenerator[bytes, None]:
    """Give the body; what is compressed is inflated a piece at a time, however large it gets."""
    import zlib

    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise InvalidResponse(f"{_host(url)} sent a {coding[:40]} body, where gzip was asked for")
    gzip = zlib.decompressobj(wbits=31) if "gzip" in coding else None
    try:
        async for data in response.aiter_raw(PIECE):
            if gzip is None:
                yield data
            rest = data
            while gzip is not None and rest and not gzip.eof:
                yield gzip.decompress(rest, PIECE)
                rest = gzip.unconsumed_tail
    except zlib.error as error:
        raise InvalidResponse(f"{_host(url)} sent a body that cannot be decompressed") from error
    except httpx.HTTPError as error:
        raise BrokenResponse(f"the connection to {_host(url)} broke: {_cause(error)}") from error
