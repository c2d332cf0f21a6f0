"""One request and its answer, straight to the server or through a proxy.

Both kinds give the same: a status, headers, the bytes of the body as they
arrive, and failures in our own words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from .patience import Patience
from .proxies import proxy_for
from .trust import Trust


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

    async def send(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        patience: Patience,
        method: str = "POST",
    ) -> Exchange:
        """Send a request; raises an A3SError where no answer comes."""

    async def close(self) -> None:
        """Close every connection."""


def route_to(url: str, trust: Trust) -> Route:
    """Return the route to a URL's server: the environment may name a proxy."""
    if proxy_for(url):
        from .proxied import Proxied

        return Proxied(url)
    from .direct import Connection, Direct

    return Direct(trust, Connection.open)
