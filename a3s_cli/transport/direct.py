"""One connection straight to a server: HTTP/1.1 by h11 over asyncio's streams.

h11 is the protocol beneath httpx; asked directly, without httpx's cookies,
redirects, authentication and compatibility with other event loops, it is loaded
in a fifth of the time. It reads the head of an answer; the body, which comes in
thousands of chunks, is for `framing`. All that is added here is what a request to
a model needs: TLS, an answer that is read as it arrives, a connection that serves
the next turn as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import h11

from .. import __version__
from ..errors import ProviderError
from .faults import CONNECT_TIMEOUT, broken, connection_timed_out, no_answer, not_connected
from .framing import BadFraming, Framing, framing
from .inflate import PIECE

if TYPE_CHECKING:
    from .trust import Trust

#: Bytes that the head of an answer may have.
HEAD_LIMIT = 100 * 1024
#: Seconds after which the next address of a host is tried beside the one before.
RACE_DELAY = 0.25
#: What a URL's path and query may hold as it stands.
_PLAIN = "%/:@!$&'()*+,;=~?"


class Connection:
    """One connection to one server; it serves one exchange at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, url: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._url = url
        self._body: Framing | None = None
        # What came behind the head of the answer, in the same read.
        self._read_already = b""
        self._stays = True

    @classmethod
    async def open(cls, url: str, trust: Trust) -> Connection:
        """Connect to a URL's server; raises NetworkError."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        try:
            port = parts.port or (443 if secure else 80)
        except ValueError as error:
            raise ProviderError(f"{url} is no URL that can be requested: {error}") from None
        context = await trust.context() if secure else None
        # A host whose IPv6 leads nowhere is not waited for; other loops than asyncio's try in turn.
        own_loop = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
        race: dict[str, Any] = {"happy_eyeballs_delay": RACE_DELAY} if own_loop else {}
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                reader, writer = await asyncio.open_connection(
                    parts.hostname, port, ssl=context, limit=PIECE, **race
                )
        except TimeoutError:
            raise connection_timed_out(url) from None
        except (OSError, UnicodeError) as error:
            raise not_connected(url, error) from error
        return cls(reader, writer, url=url)

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the last answer is whole, and the server stays."""
        idle = self._body is None or (self._body.done and not self._body.rest and self._stays)
        return idle and not self._reader.at_eof() and not self._writer.is_closing()

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, dict[str, str]]:
        """Send a request; give its answer's status and headers. Raises NetworkError."""
        self._url = url
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        try:
            await self._send(http, url, headers, content)
            head = await self._head(http)
            named = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers
            }
            self._body = framing(head.status_code, named)
        except (OSError, h11.RemoteProtocolError, BadFraming) as error:
            raise no_answer(url, error) from error
        except h11.LocalProtocolError as error:
            raise ProviderError(f"{url} cannot be requested: {error}") from error
        self._read_already = http.trailing_data[0]
        closing = "close" in named.get("connection", "").lower()
        self._stays = head.http_version == b"1.1" and not closing
        return head.status_code, named

    async def _send(
        self, http: h11.Connection, url: str, headers: Mapping[str, str], content: bytes
    ) -> None:
        parts = urlsplit(url)
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        own = {
            "host": parts.netloc.rpartition("@")[2],
            "user-agent": f"a3s/{__version__}",
            "accept-encoding": "identity",
            "content-length": str(len(content)),
        }
        given = {name.lower(): value for name, value in headers.items()}
        head = h11.Request(
            method="POST",
            target=quote(target, safe=_PLAIN),
            headers=list({**own, **given}.items()),
        )
        request = (http.send(one) for one in (head, h11.Data(content), h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in request if part))
        # A server may refuse without reading the rest: its answer tells more than our failure.
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def _head(self, http: h11.Connection) -> h11.Response:
        while not isinstance(event := http.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                http.receive_data(await self._reader.read(PIECE))
        return event

    async def read(self) -> bytes:
        """Give what has arrived of the body, b"" at its end; raises BrokenResponse."""
        body = self._body
        assert body is not None
        try:
            while not body.done:
                data, self._read_already = self._read_already, b""
                if piece := body.feed(data or await self._reader.read(PIECE)):
                    return piece
        except (OSError, BadFraming) as error:
            raise broken(self._url, error) from error
        return b""

    def close(self) -> None:
        """Hang up, without the politeness that could be kept waiting."""
        self._writer.transport.abort()
