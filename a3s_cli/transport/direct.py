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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import h11

from ..errors import ProviderError
from ..processes.time_limit import TimeLimit
from ..version import __version__
from .faults import CONNECT_TIMEOUT, broken, connection_timed_out, no_answer, not_connected
from .framing import BadFraming, Framing, framing
from .incoming import Incoming
from .patience import Patience

if TYPE_CHECKING:
    from .exchange import Exchange
    from .trust import Trust

#: Bytes that the head of an answer may have.
HEAD_LIMIT = 100 * 1024
#: Seconds after which the next address of a host is tried beside the one before.
RACE_DELAY = 0.25
#: What a URL's path and query may hold as it stands.
_PLAIN = "%/:@!$&'()*+,;=~?"


class Connection:
    """One connection to one server; it serves one exchange at a time."""

    def __init__(self, transport: asyncio.Transport, incoming: Incoming, url: str) -> None:
        self._transport = transport
        self._incoming = incoming
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
            raise ProviderError(f"{url} is not a valid URL: {error}") from None
        context = await trust.context() if secure else None
        # A host whose IPv6 leads nowhere is not waited for; other loops than asyncio's try in turn.
        loop = asyncio.get_running_loop()
        race: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop):
            race["happy_eyeballs_delay"] = RACE_DELAY
        try:
            async with TimeLimit(CONNECT_TIMEOUT):
                transport, incoming = await loop.create_connection(
                    Incoming, parts.hostname or "", port, ssl=context, **race
                )
        except TimeoutError:
            raise connection_timed_out(url) from None
        except (OSError, UnicodeError) as error:
            raise not_connected(url, error) from error
        return cls(transport, incoming, url)

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the last answer is whole, and the server stays."""
        idle = self._body is None or (self._body.done and not self._body.rest and self._stays)
        # Of a request that was refused early, a part may not have left us yet.
        sent = not self._transport.is_closing() and not self._transport.get_write_buffer_size()
        return idle and sent and self._incoming.silent

    async def send(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        patience: Patience,
        method: str = "POST",
    ) -> tuple[int, dict[str, str]]:
        """Send a request; return its answer's status and headers. Raises an A3SError."""
        self._url = url
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        try:
            self._write(http, method, url, headers, content)
            head = await self._head(http, patience)
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

    def _write(
        self,
        http: h11.Connection,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
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
            method=method,
            target=quote(target, safe=_PLAIN),
            headers=list({**own, **given}.items()),
        )
        request = (http.send(one) for one in (head, h11.Data(content), h11.EndOfMessage()))
        # Not waited for: a server may answer before it has read all, or refuse to read it.
        self._transport.write(b"".join(part for part in request if part))

    async def _head(self, http: h11.Connection, patience: Patience) -> h11.Response:
        """Read the head of the answer, and the informational ones before it."""
        try:
            # All of them together: a server may send informational ones for ever.
            async with TimeLimit(patience.first_byte):
                return await self._heads(http, patience)
        except TimeoutError:
            raise patience.no_answer(self._url) from None

    async def _heads(self, http: h11.Connection, patience: Patience) -> h11.Response:
        seconds = None
        while not isinstance(event := http.next_event(), h11.Response):
            if event is not h11.NEED_DATA:
                # One read may hold thousands of them: signals and deadlines must get through.
                await asyncio.sleep(0)
                continue
            try:
                async with TimeLimit(seconds):
                    http.receive_data(await self._incoming.read())
            except TimeoutError:
                raise patience.broken_off(self._url) from None
            seconds = patience.idle
        return event

    async def read(self) -> bytes:
        """Return what has arrived of the body, b"" at its end; raises BrokenResponse."""
        body = self._body
        assert body is not None
        try:
            while not body.done:
                data, self._read_already = self._read_already, b""
                if piece := body.feed(data or await self._incoming.read()):
                    return piece
        except (OSError, BadFraming) as error:
            raise broken(self._url, error) from error
        return b""

    def close(self) -> None:
        """Hang up, without the politeness that could be kept waiting."""
        self._transport.abort()


class Direct:
    """Connections straight to a server; an idle one is used again."""

    def __init__(
        self, trust: Trust, connect: Callable[[str, Trust], Awaitable[Connection]]
    ) -> None:
        self._trust = trust
        self._connect = connect
        self._idle: list[Connection] = []

    async def send(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        patience: Patience,
        method: str = "POST",
    ) -> Exchange:
        """Send a request; see `Route.send`."""
        connection = await self._connection(url)
        try:
            status, named = await connection.send(url, headers, content, patience, method)
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
