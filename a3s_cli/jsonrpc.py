"""JSON-RPC 2.0: lines to messages and back, ids, and cancelling; no I/O.

An editor's agent speaks it, and so does a server of tools. Both sides of a
connection may ask, so there is one `Peer` for either role: what it wants sent
goes to a function, what has arrived is handed to `receive`. It owns no
descriptor, no thread and no process, and a connection over HTTP can use it too.

The two protocols cancel differently, which is all that a `Dialect` says. A
request that was cancelled here is awaited no longer; whatever still comes as its
answer is ignored.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from math import isfinite
from typing import Any, Protocol

from .jsontext import clean, dumps, loads
from .values import Value, field

#: What is wrong with a message, as the specification numbers it.
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = (
    -32700, -32600, -32601, -32602, -32603,
)  # fmt: skip
#: The request was cancelled by the side that sent it (ACP, LSP).
REQUEST_CANCELLED = -32800
#: Bytes of one line.
LONGEST = 16 * 1024 * 1024
#: Requests of the other side that may be open at a time: more is a flood.
MOST_OPEN = 1000

#: What names a request. A fraction is a number as well, and comes back as it was.
Id = str | int | float


class RpcError(Exception):
    """The answer to a request is an error: the other side's, or ours for it."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        #: Anything that JSON can say; None where there is nothing more to say.
        self.data = data

    def wire(self) -> dict[str, Any]:
        """Return the error object of a response."""
        told = {"code": self.code, "message": clean(self.message)}
        return told if self.data is None else {**told, "data": self.data}


class Malformed(RpcError):
    """A line that is no message. `id` is the request's, where one can be told."""

    def __init__(self, code: int, message: str, id: Id | None = None) -> None:
        super().__init__(code, message)
        self.id = id


class Disconnected(Exception):
    """The other side has gone, and will not answer any more."""


class Call(Value):
    """A request, or a notification, which has no id and gets no answer."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    id: Id | None = None


class Response(Value):
    """The answer to a request of ours."""

    id: Id | None
    result: Any = None
    error: RpcError | None = None


def parse(line: str | bytes) -> Call | Response:
    """Return the message on a line; raises Malformed."""
    if len(line) > LONGEST:
        raise Malformed(PARSE_ERROR, f"a message is longer than {LONGEST >> 20} MiB")
    try:
        value = loads(line)
    except ValueError as error:
        raise Malformed(PARSE_ERROR, f"this is not JSON: {error}") from None
    return message_of(value)


def message_of(value: Any) -> Call | Response:
    """Return the message that a JSON value is; raises Malformed."""
    if not isinstance(value, dict):
        what = "batches are not supported" if isinstance(value, list) else "it is not an object"
        raise Malformed(INVALID_REQUEST, f"this is not a JSON-RPC message: {what}")
    id = value.get("id")
    known = id if isinstance(id, str | int | float) and _names(id) else None
    if value.get("jsonrpc") != "2.0":
        raise Malformed(INVALID_REQUEST, 'a JSON-RPC message has "jsonrpc": "2.0"', known)
    if id is not None and known is None:
        raise Malformed(INVALID_REQUEST, "the id of a request must be a string or a number")
    if "method" not in value:
        return _response(value, known)
    method, params = value["method"], value.get("params")
    if not isinstance(method, str):
        raise Malformed(INVALID_REQUEST, "the method of a request must be a string", known)
    if not isinstance(params, dict | None) and known is not None:
        raise Malformed(INVALID_PARAMS, f"the params of {method} are an object", known)
    return Call(method, params if isinstance(params, dict) else {}, known)


def _names(id: Id) -> bool:
    # Infinity is how 1e999 reads, and true is an integer to Python alone.
    return not isinstance(id, bool) and (isinstance(id, str) or isfinite(id))


def _response(value: dict[str, Any], id: Id | None) -> Response:
    error = value.get("error")
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        number = code if isinstance(code, int) else INTERNAL_ERROR
        return Response(id, error=RpcError(number, str(message), error.get("data")))
    if error is not None:
        # Not as the protocol has it, but an answer: the request must not wait for another.
        return Response(id, error=RpcError(INTERNAL_ERROR, str(error)[:1000]))
    if "result" not in value:
        raise Malformed(
            INVALID_REQUEST, "a JSON-RPC message must have a method, a result or an error"
        )
    return Response(id, value["result"])


def call_line(method: str, params: Mapping[str, Any], id: Id | None = None) -> bytes:
    """Return the line of a request, or without an id of a notification."""
    named = {} if id is None else {"id": id}
    return dumps({"jsonrpc": "2.0", **named, "method": method, "params": params}) + b"\n"


def result_line(id: Id, result: Any) -> bytes:
    """Return the line that answers a request."""
    return dumps({"jsonrpc": "2.0", "id": id, "result": result}) + b"\n"


def error_line(id: Id | None, error: RpcError) -> bytes:
    """Return the line that says what was wrong with a request, or with a line."""
    return dumps({"jsonrpc": "2.0", "id": id, "error": error.wire()}) + b"\n"


class Dialect(Value):
    """How a protocol on top of JSON-RPC cancels a request."""

    #: The notification that does so, whose `requestId` names the request.
    cancel: str = "$/cancel_request"
    #: Whether a cancelled request is still answered, by an error.
    answers_cancelled: bool = True


ACP = Dialect()
MCP = Dialect("notifications/cancelled", answers_cancelled=False)


#: What tells a call from an answer, and an id as we number requests, in what may be no JSON.
_MEMBER = re.compile(r'"(method|result|error)"\s*:')
_ID = re.compile(r'"id"\s*:\s*(\d{1,15})\b')


class Handler(Protocol):
    """What one side does for the other."""

    def request(self, method: str, params: Mapping[str, Any]) -> Awaitable[Any]:
        """Return what answers a request; raises RpcError. It may be cancelled."""

    def notification(self, method: str, params: Mapping[str, Any]) -> None:
        """Take note of something; what is unknown is ignored."""


class Peer:
    """One end of a connection, in one asyncio loop. `send` takes whole lines, in order."""

    def __init__(
        self, send: Callable[[bytes], object], handler: Handler, dialect: Dialect = ACP
    ) -> None:
        self._send = send
        self._handler = handler
        self._dialect = dialect
        self._asked: dict[Id, asyncio.Future[Any]] = {}
        self._last = 0
        self._serving: dict[Id, asyncio.Task[None]] = {}
        self._closed: Disconnected | None = None

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""
        return self._closed is not None

    async def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask the other side and return its result; cancelling tells it so.

        Raises RpcError for an error of the other side, Disconnected if it has gone.
        """
        if self._closed is not None:
            raise self._closed
        self._last += 1
        id = self._last
        answer = self._asked[id] = asyncio.get_running_loop().create_future()
        self._send(call_line(method, params, id))
        try:
            return await answer
        except asyncio.CancelledError:
            if self._closed is None:
                self.notify(self._dialect.cancel, {"requestId": id})
            raise
        finally:
            self._asked.pop(id, None)

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the other side something that needs no answer."""
        self._send(call_line(method, params))

    def receive(self, line: str | bytes) -> None:
        """Take one line that has arrived; blank ones mean nothing."""
        if not line.strip():
            return
        try:
            self.take(parse(line))
        except Malformed as error:
            self._send(error_line(error.id, error))

    def take(self, message: Call | Response) -> None:
        """Take one message that has arrived."""
        if isinstance(message, Response):
            self._answered(message)
        elif message.id is not None:
            self._serve(message, message.id)
        elif message.method == self._dialect.cancel:
            id = message.params.get("requestId")
            if isinstance(id, str | int | float) and id in self._serving:
                self._serving[id].cancel()
        else:
            self._handler.notification(message.method, message.params)

    def close(self, why: str = "the connection was closed") -> None:
        """Fail what was asked, and cancel what is being done for the other side."""
        self._closed = self._closed or Disconnected(why)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(self._closed)
        for task in self._serving.values():
            task.cancel()

    def fail_answer(self, line: bytes | str, error: RpcError) -> bool:
        """Fail the request that a line which is no message can only be the answer to.

        Such a line begins an object with a result or an error. It names one open request,
        or none while only one is open. Return whether there is such a request.
        """
        text = line if isinstance(line, str) else line.decode(errors="replace")
        first = _MEMBER.search(text) if text.lstrip().startswith("{") else None
        if first is None or first[1] == "method":
            return False
        named = {int(found[1]) for found in _ID.finditer(text)}
        open_ones = self._asked.keys() & named if named else [*self._asked]
        if len(open_ones) != 1:
            return False
        self._answered(Response(next(iter(open_ones)), error=error))
        return True

    async def settled(self) -> None:
        """Wait until nothing is being done for the other side."""
        while self._serving:
            await asyncio.wait([*self._serving.values()])

    def _answered(self, response: Response) -> None:
        answer = None if response.id is None else self._asked.get(response.id)
        if answer is None or answer.done():
            return  # We have stopped waiting for it, or never asked.
        if response.error is not None:
            answer.set_exception(response.error)
        else:
            answer.set_result(response.result)

    def _serve(self, call: Call, id: Id) -> None:
        if id in self._serving:
            wrong = f"a request with the id {id!r} is still being answered"
            self._send(error_line(id, RpcError(INVALID_REQUEST, wrong)))
        elif len(self._serving) >= MOST_OPEN:
            wrong = f"more than {MOST_OPEN} requests are open"
            self._send(error_line(id, RpcError(INVALID_REQUEST, wrong)))
        else:
            task = asyncio.get_running_loop().create_task(self._answer(call, id))
            self._serving[id] = task
            # A task that is cancelled before its first step never gets to its own `finally`.
            task.add_done_callback(lambda done: self._served(id, done))

    async def _answer(self, call: Call, id: Id) -> None:
        try:
            line = result_line(id, await self._handler.request(call.method, call.params))
        except RpcError as error:
            line = error_line(id, error)
        except Exception as error:  # noqa: BLE001 - a bug of ours is an answer as well
            sentence = f"a3s has a bug: {type(error).__name__}: {error}"
            line = error_line(id, RpcError(INTERNAL_ERROR, sentence))
        if self._closed is None:
            self._send(line)

    def _served(self, id: Id, task: asyncio.Task[None]) -> None:
        self._serving.pop(id, None)
        if task.cancelled() and self._dialect.answers_cancelled and self._closed is None:
            cancelled = RpcError(REQUEST_CANCELLED, "the request was cancelled")
            self._send(error_line(id, cancelled))
