"""Download one file whose size is known, from an offset, over HTTP.

A server in between may answer with something else (a login page, a notice, the
whole instead of the rest): nothing is passed on that is not from the right
place of a file of the right size. What the bytes are is for a hash to say.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

import httpx

from ..errors import NetworkError, ProviderError

#: Seconds: an unreachable host is to be noticed soon, because there is another source.
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0


async def download(url: str, *, size: int, offset: int = 0) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a file from `offset` to its end."""
    host = httpx.URL(url).host
    timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
    # Identity: a size and an offset only mean something for the bytes as they are.
    headers = {"accept-encoding": "identity"}
    if offset:
        headers["range"] = f"bytes={offset}-"
    try:
        async with (
            httpx.AsyncClient(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            skip = leading(response.status_code, response.headers, size, offset, host)
            async for piece in response.aiter_raw():
                if skip < len(piece):
                    yield piece[skip:]
                skip = max(0, skip - len(piece))
    except httpx.TimeoutException:
        raise NetworkError(f"{host} did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkError(f"{host} could not be reached: {error}") from error


async def small_text(url: str, limit: int) -> str:
    """Return a text of at most `limit` bytes. Raises NetworkError or ProviderError."""
    host = httpx.URL(url).host
    timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
    content = b""
    try:
        async with (
            httpx.AsyncClient(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != 200:
                status = response.status_code
                raise ProviderError(f"{host} answered with status {status}", status=status)
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > limit:
                    raise ProviderError(f"{host} answered with more than was asked for")
    except httpx.TimeoutException:
        raise NetworkError(f"{host} did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkError(f"{host} could not be reached: {error}") from error
    return content.decode(errors="replace")


def leading(status: int, headers: Mapping[str, str], size: int, offset: int, host: str) -> int:
    """Return how many bytes of the answer lie before `offset`, or refuse the answer."""
    if status == 206:
        expected = f"bytes {offset}-{size - 1}/{size}"
        if headers.get("content-range", "").strip() == expected:
            return 0
        raise ProviderError(f"{host} answered with another range than the one asked for")
    if status != 200:
        raise ProviderError(f"{host} answered with status {status}", status=status)
    if headers.get("content-length") not in (None, str(size)):
        raise ProviderError(f"{host} offers a file of another size")
    return offset
