"""Messages to a server over streamable HTTP: each is a POST, and its answer comes back in it.

An answer is one JSON message or a stream of server-sent events. A stream that ends too
early, but whose events had ids, is taken up again where it broke off, after the time
that the server asked for. There is no OAuth dance: who wants a token is given one by the
configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import A3SError
from ..jsonrpc import MCP, PARSE_ERROR, Id, Malformed, Peer, Response, message_of, parse
from ..jsontext import clean, loads
from ..sse import Parser
from ..transport.post import Transport
from .failure import ServerFailure, Unreached, no_message

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer
    from ..transport.exchange import Exchange

#: Bytes of an answer that is no stream, and of one that is an error.
LARGEST, LARGEST_ERROR = 16 * 1024 * 1024, 64 * 1024
#: Seconds before a broken stream is taken up again, unless the server says; and at most.
RETRY, LONGEST_RETRY = 1.0, 60.0
#: Times that this is tried in a row without a new event.
MOST_RESUMES = 5
#: Seconds that the end of a session may take.
FAREWELL = 0.5
#: The parameter that a request's header has to repeat, by its method.
_NAMES = {"tools/call": "name"}


class Http:
    """A `Carrier` over HTTP."""

    peer: Peer
    #: A server elsewhere says nothing beside its messages.
    last_words = ""

    def __init__(self, server: McpServer, drain: Callable[[], Awaitable[None]]) -> None:
        self._server = server
        self._url = server.url
        self._drain = drain
        self._transport = Transport()
        self._session = ""
        self._version = ""
        self._later = False
        self._sending: dict[asyncio.Task[None], Id | None] = {}
        # What has no answer of its own is received before what is sent after it.
        self._before: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin with what the first request needs. Raises ServerFailure."""
        if self._server.project:
            await _require_public(self._url)
        self._transport.expect(self._url)

    def speaks(self, version: str, *, later: bool) -> None:
        """Say this version in every request from now on."""
        self._version, self._later = version, later

    def send(self, line: bytes) -> None:
        """Send one message; what goes wrong becomes the answer to its request."""
        message = loads(line)
        if self._later and message.get("method") == MCP.cancel:
            # In the later era, hanging up says so.
            for task, id in self._sending.items():
                if id == message["params"]["requestId"]:
                    task.cancel()
            return
        id = message.get("id") if "method" in message else None
        task = asyncio.get_running_loop().create_task(self._sent(line, message, self._before))
        self._sending[task] = id
        if id is None:
            self._before = task
        task.add_done_callback(lambda done: self._sending.pop(done, None))

    async def listen(self) -> None:
        """Take what the server says unasked, for as long as it does."""
        if not self._later:
            stream = _Stream(self)
            while await stream.resumed():
                pass

    async def close(self) -> None:
        """Break off what goes on, and end the session."""
        for task in self._sending:
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)
        if self._session:
            with contextlib.suppress(A3SError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    farewell = self._transport.exchange("DELETE", self._url, self.headers())
                    async with farewell:
                        pass
        await self._transport.close()

    def headers(self, message: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Return the headers of a request that carries a message, or of one without."""
        named = {**self._server.headers, "accept": "application/json, text/event-stream"}
        if self._session:
            named["mcp-session-id"] = self._session
        if self._version:
            named["mcp-protocol-version"] = self._version
        if message is None:
            return named
        named["content-type"] = "application/json"
        method = message.get("method")
        if self._later and method is not None:
            named["mcp-method"] = method
            if method in _NAMES:
                named["mcp-name"] = _header_value(message["params"][_NAMES[method]])
        return named

    async def _sent(
        self, line: bytes, message: Mapping[str, Any], before: asyncio.Task[None] | None
    ) -> None:
        id = message.get("id") if "method" in message else None
        if before is not None and not before.done():
            await asyncio.wait([before])
        try:
            await self._post(line, message, id)
        except A3SError as error:
            self._failed(id, Unreached(str(error), error.hint))
        except Unreached as error:
            self._failed(id, error)

    def _failed(self, id: Id | None, error: Unreached) -> None:
        if id is not None:
            self.peer.take(Response(id, error=error))

    async def _post(self, line: bytes, message: Mapping[str, Any], id: Id | None) -> None:
        headers = self.headers(message)
        stream: _Stream | None = None
        async with self._transport.exchange("POST", self._url, headers, line) as (answer, body):
            if message.get("method") == "initialize":
                session = answer.headers.get("mcp-session-id", "")
                # Another one cannot be sent back: the server has to do without.
                self._session = session if session.isascii() and session.isprintable() else ""
            if not 200 <= answer.status < 300:
                await self._refused(answer, body, id)
            elif id is not None and _kind(answer) == "text/event-stream":
                stream = _Stream(self, id)
                await stream.read(body)
            elif id is not None:
                self._take(await _whole(body, LARGEST), id)
        while stream is not None and not stream.answered:
            if not await stream.resumed():
                raise Unreached("the stream of its answer broke off")

    async def _refused(self, answer: Exchange, body: AsyncIterator[bytes], id: Id | None) -> None:
        """Take an error status for what it says. Raises Unreached."""
        status, words = answer.status, b""
        with contextlib.suppress(A3SError):
            words = await _whole(body, LARGEST_ERROR)
        if status == 404 and self._session:
            self.peer.close("its session has expired")
            return
        with contextlib.suppress(Unreached):
            self._take(words, id, errors_only=True)
            return
        if status in (401, 403):
            raise Unreached(
                f"it refused the credentials (HTTP status {status})",
                'a3s does not support OAuth: set bearer_token = env("NAME") or headers',
            )
        said = " ".join(clean(words[:200].decode(errors="replace")).split())
        raise Unreached(f"it answered with HTTP status {status}{': ' if said else ''}{said}")

    def _take(self, data: bytes, id: Id | None, *, errors_only: bool = False) -> None:
        """Take the message of an answer, or several. Raises Unreached."""
        try:
            value = loads(data)
            messages = [message_of(one) for one in (value if isinstance(value, list) else [value])]
        except Malformed as malformed:
            raise no_message(malformed) from None
        except ValueError as why:
            raise no_message(Malformed(PARSE_ERROR, f"this is not JSON: {why}")) from None
        for message in messages:
            error = message.error if isinstance(message, Response) else None
            if errors_only and error is None:
                raise Unreached("its answer is not an error")
            if isinstance(message, Response) and message.id is None:
                # It could not read our request, not even whose it was.
                self.peer.take(Response(id, message.result, error))
            else:
                self.peer.take(message)

    def message(self, text: str, id: Id | None) -> bool:
        """Take the message of one event; return whether it answers the request `id`."""
        try:
            message = parse(text)
        except Malformed as error:
            return self.peer.fail_answer(text, no_message(error)) and id is not None
        self.peer.take(message)
        return isinstance(message, Response) and message.id == id and id is not None

    def get(self, last_event_id: str) -> contextlib.AbstractAsyncContextManager[Any]:
        """Ask for a stream, from behind an event on."""
        headers = {**self.headers(), "accept": "text/event-stream"}
        if last_event_id:
            headers["last-event-id"] = last_event_id
        return self._transport.exchange("GET", self._url, headers)

    async def drained(self) -> None:
        """Wait for slow readers."""
        await self._drain()


class _Stream:
    """A stream of events that may break off and be taken up again."""

    def __init__(self, http: Http, id: Id | None = None) -> None:
        self._http = http
        self._id = id
        self._last = ""
        self._retry = RETRY
        self._tries = 0
        self._begun = False
        #: Whether the response to the request has come.
        self.answered = False

    async def read(self, body: AsyncIterator[bytes]) -> None:
        """Take events until the answer has come, or the stream ends or breaks off."""
        self._begun = True
        parser = Parser()
        with contextlib.suppress(A3SError):
            async for data in body:
                for _, text in parser.feed(data):
                    self._tries = 0
                    if text.strip():
                        self.answered = self._http.message(text, self._id) or self.answered
                self._last = parser.last_event_id or self._last
                if parser.retry is not None:
                    self._retry = min(parser.retry / 1000, LONGEST_RETRY)
                if self.answered:
                    return
                await self._http.drained()

    async def resumed(self) -> bool:
        """Take the stream up again; return False where that cannot be done."""
        if self._begun:
            if not self._last or self._tries >= MOST_RESUMES:
                return False
            self._tries += 1
            await asyncio.sleep(self._retry)
        try:
            async with self._http.get(self._last) as (answer, body):
                if answer.status != 200 or _kind(answer) != "text/event-stream":
                    return False
                await self.read(body)
        except A3SError:
            self._begun = True
        return True


def _kind(answer: Exchange) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _whole(body: AsyncIterator[bytes], limit: int) -> bytes:
    data = bytearray()
    async for piece in body:
        data += piece
        if len(data) > limit:
            raise Unreached(f"its answer has more than {limit >> 10} KiB")
    return bytes(data)


def _header_value(text: str) -> str:
    """Return a value that a header can hold, as the protocol says."""
    plain = text.isascii() and text.isprintable() and text == text.strip()
    if plain and not (text.startswith("=?base64?") and text.endswith("?=")):
        return text
    return f"=?base64?{b64encode(text.encode(errors='replace')).decode()}?="


async def _require_public(url: str) -> None:
    """Raise ServerFailure for a URL of a project that leads into a private network."""
    from ..transport.get import resolve
    from ..web.address import is_public, parse

    hint = "copy its entry to your own configuration, which may name any address"
    try:
        target = parse(url)
        addresses = [target.host] if target.literal else await resolve(target.host, target.port)
    except ValueError as why:
        raise ServerFailure(f"its URL is not used, because {why}", hint) from None
    except A3SError as error:
        raise ServerFailure(str(error)) from None
    if not all(map(is_public, addresses)):
        raise ServerFailure("its URL leads to a private network", hint)
