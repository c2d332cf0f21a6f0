"""A model provider that plays a script: HTTP/1.1 on loopback, raw sockets, one thread a connection.

Raw sockets, because the tests need what no HTTP library offers: a body that
ends in its middle, a reset, silence before the status line, a byte at a time,
and the moment at which the client went away. Every wait ends when the client
leaves or the server is closed, so nothing outlives its test.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from .replies import Pause, Reply, Wire, error

_LARGEST_REQUEST = 64 * 1024 * 1024
#: Longer than any test looks on; then a forgotten client is let go.
_LONGEST_WAIT = 120.0


class _Gone(Exception):
    """The client left, or the server is being closed."""


@dataclass
class Seen:
    """One request, and what became of its reply."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    size: int
    at: float
    reply: Reply | None
    answered: bool = False
    #: When the client was found to have left before its reply was complete.
    left_at: float | None = None


class Server:
    """Answers the n-th request with the n-th reply."""

    def __init__(
        self, script: Sequence[Reply], wire: Wire, after: Literal["fail", "repeat"] = "fail"
    ) -> None:
        self.script = list(script)
        self.wire = wire
        self.after = after
        self.requests: list[Seen] = []
        #: Requests for which the script had no reply.
        self.unexpected = 0
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for_request(self, number: int = 1, timeout: float = 30) -> Seen:
        """Wait until the n-th request has been read."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= number, timeout):
                raise AssertionError(f"request {number} did not come within {timeout} s")
            return self.requests[number - 1]

    def wait_for_departure(self, number: int = 1, timeout: float = 30) -> float:
        """Wait until the client has dropped the n-th request; give the moment."""
        seen = self.wait_for_request(number, timeout)
        with self._changed:
            if not self._changed.wait_for(lambda: seen.left_at is not None, timeout):
                raise AssertionError(f"the client did not leave request {number} in {timeout} s")
        assert seen.left_at is not None
        return seen.left_at

    def close(self) -> None:
        self._closing = True
        # close() alone does not wake a thread that is blocked in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._changed:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            while self._exchange(connection):
                pass
        except (_Gone, OSError):
            pass
        finally:
            with self._changed:
                self._connections.discard(connection)
            connection.close()

    def _exchange(self, connection: socket.socket) -> bool:
        """One request and its reply; True if another may follow on the connection."""
        seen = _read_request(connection)
        if seen is None:
            return False
        with self._changed:
            number = len(self.requests)
            if number < len(self.script):
                reply = self.script[number]
            elif self.after == "repeat":
                reply = self.script[-1]
            else:
                self.unexpected += 1
                reply = error(500, {"error": {"message": "the script has ended"}})
            seen.reply = reply
            self.requests.append(seen)
            self._changed.notify_all()
        try:
            keep = self._play(connection, reply)
            seen.answered = True
        except (_Gone, OSError):
            with self._changed:
                seen.left_at = time.monotonic()
                self._changed.notify_all()
            raise
        return keep

    def _play(self, connection: socket.socket, reply: Reply) -> bool:
        self._wait(connection, reply.delay)
        phrase = HTTPStatus(reply.status).phrase if reply.status in list(HTTPStatus) else "Odd"
        lines = [f"HTTP/1.1 {reply.status} {phrase}"]
        headers = {"content-type": "text/event-stream; charset=utf-8", **reply.headers}
        framing = ("transfer-encoding", "chunked")
        if reply.body is not None:
            framing = ("content-length", str(len(reply.body)))
        lines += [f"{name}: {value}" for name, value in [*headers.items(), framing]]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        if reply.body is not None:
            connection.sendall(reply.body)
            return True
        for step in reply.steps(self.wire):
            if isinstance(step, bytes):
                connection.sendall(b"%x\r\n%b\r\n" % (len(step), step))
            elif isinstance(step, Pause):
                self._wait(connection, step.seconds)
            else:
                self._wait(connection, step)
        if reply.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply.ending == "close":
            return False
        connection.sendall(b"0\r\n\r\n")
        return True

    def _wait(self, connection: socket.socket, until: float | threading.Event) -> None:
        """Sleep, or wait for a gate, but only for as long as the client is there."""
        gate = until if isinstance(until, threading.Event) else None
        deadline = time.monotonic() + (
            _LONGEST_WAIT if isinstance(until, threading.Event) else until
        )
        while (left := deadline - time.monotonic()) > 0:
            if gate is not None and gate.is_set():
                return
            readable, _, _ = select.select([connection], [], [], left if gate is None else 0.02)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                raise _Gone


def _read_request(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    size = int(headers.get("content-length", "0"))
    assert size <= _LARGEST_REQUEST, f"a request of {size} bytes"
    body = bytearray(rest)
    while len(body) < size:
        piece = connection.recv(1 << 20)
        if not piece:
            return None
        body += piece
    value = json.loads(bytes(body)) if body else None
    return Seen(method, path, headers, value, size, time.monotonic(), None)


def refusing_port() -> tuple[socket.socket, int]:
    """A port on which nothing listens, for as long as the socket is kept."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]
