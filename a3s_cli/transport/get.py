"""One page of the web, from addresses that are checked before the first packet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

import httpx

from ..errors import NetworkError
from ..values import Value
from .client import new_client, unreachable
from .faults import CONNECT_TIMEOUT, broken, host
from .inflate import inflated
from .proxies import proxy_for

#: Seconds in which one of several addresses must answer before the next is tried.
ADDRESS_PATIENCE = 5.0


class Answer(Value):
    """What a GET got; `body` is decompressed, in pieces of a bounded size."""

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]


async def resolve(host: str, port: int) -> list[str]:
    """Return every address that a name has now."""
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
    return proxy_for(url) is not None


@contextlib.asynccontextmanager
async def get(
    url: str, addresses: Sequence[str], headers: Mapping[str, str]
) -> AsyncIterator[Answer]:
    """GET a URL from the first of these addresses that answers, and from nowhere else.

    Its host is what the request names and what the certificate must be for, but
    it is not looked up again, and redirects are the caller's to follow. Through
    a proxy the addresses do not count.
    """
    async with new_client(url) as client:
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
                raise unreachable(url, error) from error
    raise NetworkError(f"{host(url)} has no address")


async def _body(response: httpx.Response, url: str) -> AsyncGenerator[bytes, None]:
    """Yield the body, decompressed."""
    coding = response.headers.get("content-encoding", "")
    try:
        async for piece in inflated(response.aiter_raw(), coding, host(url)):
            yield piece
    except httpx.HTTPError as error:
        raise broken(url, error) from error
