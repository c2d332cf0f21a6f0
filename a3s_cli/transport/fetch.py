"""One GET of a small document from a configured server."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from .client import new_client, unreachable

#: Bytes of a document, and seconds that it may take.
LARGEST, PATIENCE = 16 << 20, 30.0


async def fetch(url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body. Raises A3SError if there is no answer."""
    try:
        async with new_client(url) as client:
            request = client.build_request("GET", url, headers=headers, timeout=PATIENCE)
            response = await client.send(request, stream=True)
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    break
            await response.aclose()
            return response.status_code, dict(response.headers), bytes(body)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
