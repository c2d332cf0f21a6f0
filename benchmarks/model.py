"""A model that takes no time: an HTTP server on loopback, in a process of its own.

    python -m benchmarks.model        prints its port; ends when stdin does

The tests have a scripted server too. It writes every delta on its own, from a
thread of the process that reads the answer, because that is what tests of timing
need; here both would be measured along with the program. This one sends bytes
that were rendered before, hundreds of deltas in one write, and knows nothing but
the request: the path says what to do, the body how many calls are done.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from functools import cache

from .replies import MARK, PROTOCOLS, Part, Protocol, Scenario

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_HUGE = 1 << 26
_JSON = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"


@cache
def response(protocol: Protocol, segment: str, turn: int) -> list[tuple[bytes, int]]:
    """Return what to send in a turn, and how often."""
    scenario = Scenario.of(segment)
    parts: list[Part] = [((protocol.call(scenario.tool, scenario.call(turn), turn),), 1)]
    if turn > scenario.turns:
        parts = list(protocol.answer(scenario.words))
    sent = [(b"".join(map(chunked, chunks)), times) for chunks, times in parts]
    return together([(_HEAD, 1), *sent, (b"0\r\n\r\n", 1)])


def chunked(data: bytes) -> bytes:
    """Frame bytes as a chunk; an empty one would be the end."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def together(writes: list[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
    """Make one write of many, unless it were a huge one."""
    if sum(len(data) * times for data, times in writes) > _HUGE:
        return writes
    return [(b"".join(data * times for data, times in writes), 1)]


def reply(connection: socket.socket, path: str, request: bytes) -> None:
    """Answer one request."""
    path = path.partition("?")[0]
    segment = path.split("/")[1]
    for protocol in PROTOCOLS:
        if path.endswith(protocol.suffix):
            scenario = Scenario.of(segment)
            # What a program asks on the side (a title, a summary) offers no such tool.
            offered = scenario.turns and f'"{scenario.tool}"'.encode() in request
            done = request.count(protocol.result) if offered else scenario.turns
            for data, times in response(protocol, segment, done + 1):
                for _ in range(times):
                    connection.sendall(data)
            return
    status, value = aside(path)
    connection.sendall(_JSON % (status, len(value), value))


def aside(path: str) -> tuple[bytes, bytes]:
    """Answer what is not the conversation."""
    if path.endswith(":generateContent"):
        candidate = b'{"content":{"role":"model","parts":[{"text":"%s"}]},"finishReason":"STOP"}'
        return b"200 OK", b'{"candidates":[' + candidate % MARK.encode() + b"]}"
    if path.endswith("/models"):
        return b"200 OK", b'{"object":"list","data":[{"id":"m","object":"model"}]}'
    if path.endswith("/count_tokens"):
        return b"200 OK", b'{"input_tokens":10}'
    return b"404 Not Found", b'{"error":{"message":"there is no such thing here"}}'


def serve(connection: socket.socket) -> None:
    """Answer the requests of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    with connection, contextlib.suppress(OSError):
        while True:
            while b"\r\n\r\n" not in data:
                if not (piece := connection.recv(1 << 16)):
                    return
                data += piece
            head, _, data = data.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            names = dict(line.lower().split(":", 1) for line in lines[1:])
            if "100-continue" in names.get("expect", ""):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            request, data = read(connection, names, data)
            reply(connection, lines[0].split(" ")[1], request)


def read(connection: socket.socket, names: dict[str, str], data: bytes) -> tuple[bytes, bytes]:
    """Read the body of a request; give it, and what came after it."""
    if "chunked" in names.get("transfer-encoding", ""):
        while not data.endswith(b"0\r\n\r\n"):  # a client that sends chunks waits for the answer
            if not (piece := connection.recv(1 << 20)):
                raise OSError("the client left")
            data += piece
        return data, b""
    size = int(names.get("content-length", "0"))
    pieces, missing = [data], size - len(data)
    while missing > 0:
        if not (piece := connection.recv(1 << 20)):
            raise OSError("the client left")
        pieces.append(piece)
        missing -= len(piece)
    data = b"".join(pieces)
    return data[:size], data[size:]


def main() -> None:
    """Serve until stdin ends."""

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
