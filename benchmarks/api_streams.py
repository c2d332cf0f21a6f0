"""Measure what the library's streams cost: events a second, cancelling, idle sessions, many tasks.

    python -m benchmarks.api_streams [EVENTS]

Three rates: a bare loop over a list of such events; `for` over a stream that is
fed inside the process, which is what iterating costs; and the same over HTTP,
where reading the provider's JSON is most of it. What is printed are facts of
this machine. The status is 1 when iterating falls below 150,000 events a second.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from a3s_cli import Agent, EventStream, PermissionPolicy, Session, SessionOptions
from a3s_cli.api.event_stream import Running
from a3s_cli.errors import A3SError
from a3s_cli.events import End
from a3s_cli.stream.emitter import Drain, Emitter, EventSink

LEAST = 150_000
#: Deltas that one read of a fast provider brings.
BATCH = 400
CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{%b},"finish_reason":%b}]}\n\n'
)
DELTA = CHUNK % (b'"content":"word "', b"null")
LAST = CHUNK % (b"", b'"stop"') + b"data: [DONE]\n\n"
CALL = (
    CHUNK
    % (
        b'"tool_calls":[{"index":0,"id":"c1","function":{"name":"bash",'
        b'"arguments":"{\\"command\\":\\"sleep 600\\"}"}}]',
        b'"tool_calls"',
    )
    + b"data: [DONE]\n\n"
)


class Feed(Running):
    """A run that has nothing to do but to say so many words."""

    def __init__(self, emitter: Emitter, events: int) -> None:
        self._emitter = emitter
        self._events = events

    async def execute(self) -> None:
        texts = ["word "] * BATCH
        for _ in range(self._events // BATCH):
            self._emitter.emit_texts(texts)
            await self._emitter.drain()
        self._emitter.emit(End(text="", total_tokens=0, turns=1, tool_calls=0, duration_ms=0))

    def cancel(self, why: A3SError) -> None:
        raise why


def fed(events: int) -> EventStream:
    """Return a stream that is fed within the process."""

    def start(sink: EventSink, drain: Drain) -> Running:
        emitter = Emitter()
        emitter.add_event_sink(sink, drain)
        return Feed(emitter, events)

    return EventStream(start)


def rate(iterator: Iterator[Any]) -> float:
    """Return the events per second of a `for`, from its first delta on."""
    number, begun, text = 0, 0.0, ""
    for event in iterator:
        if event.type == "text_delta":
            text = event.text
            begun = begun or time.perf_counter()
        number += 1
    assert event.type == "end" and text, event
    return number / (time.perf_counter() - begun)


async def async_rate(stream: EventStream) -> float:
    """Return the events per second of an `async for`, from its first delta on."""
    number, begun = 0, 0.0
    async for event in stream:
        if event.type == "text_delta":
            begun = begun or time.perf_counter()
        number += 1
    return number / (time.perf_counter() - begun)


@contextmanager
def provider(body: bytes, *, silent: bool = False) -> Iterator[None]:
    """Answer every request with this body, from a process of its own; `silent` never ends it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    pid = os.fork()
    if not pid:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, body, silent), daemon=True).start()
    listener_port = listener.getsockname()[1]
    listener.close()
    os.environ.update(
        OPENAI_API_KEY="sk-bench-0123456789", OPENAI_BASE_URL=f"http://127.0.0.1:{listener_port}/v1"
    )
    try:
        yield
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _answer(connection: socket.socket, body: bytes, silent: bool) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    left = size - len(rest)
    while left > 0:
        left -= len(connection.recv(65536))
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    connection.sendall(answer + body)
    if not silent:
        connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    connection.close()


def session(root: Path) -> Session:
    """Return a session that may do anything."""
    options = SessionOptions(model="openai/m", project=False, sandbox="off", tools=["bash"])
    options.permission_policy = PermissionPolicy(default_decision="allow")
    return Agent.create("").session(root, options)


def cancelled(root: Path, reached: str) -> float:
    """Return the milliseconds from a cancel to the end of the iteration."""
    stream, begun = session(root).stream("go"), 0.0
    for event in stream:
        if event.type == reached and not begun:
            time.sleep(0.1)
            begun = time.perf_counter()
            stream.cancel()
    assert event.type == "error" and event.code == "cancelled", event
    return (time.perf_counter() - begun) * 1000


def many(root: Path, number: int) -> float:
    """Return the seconds for this many concurrent streams of 100 deltas."""
    sessions = [session(root) for _ in range(number)]

    async def one(stream: EventStream) -> None:
        events = [event async for event in stream]
        assert [event.seq for event in events] == list(range(len(events)))
        assert events[-1].type == "end", events[-1]

    async def all_of_them() -> None:
        await asyncio.gather(*(one(each.stream("go")) for each in sessions))

    begun = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - begun


def idle(root: Path, number: int = 50) -> float:
    """Return the kilobytes of an unused session."""
    session(root)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [session(root) for _ in range(number)]
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / len(kept) / 1000


def best(measure: Callable[[], float], times: int = 5) -> float:
    """Return the highest of several figures: the others were disturbed."""
    return max(measure() for _ in range(times))


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    root = Path(tempfile.mkdtemp())
    ready: list[Any] = list(fed(events))
    bare = max(rate(iter(ready)) for _ in range(5))
    ready.clear()
    iterating = best(lambda: rate(iter(fed(events))))
    awaiting = best(lambda: asyncio.run(async_rate(fed(events))))
    print(f"bare loop        {bare:12,.0f} events/s")
    print(f"for              {iterating:12,.0f} events/s")
    print(f"async for        {awaiting:12,.0f} events/s")
    with provider(DELTA * events + LAST):
        whole = best(lambda: rate(iter(session(root).stream("go"))), 3)
        print(f"for, over HTTP   {whole:12,.0f} events/s")
    with provider(DELTA, silent=True):
        figures = [cancelled(root, "text_delta") for _ in range(5)]
        print(f"cancel, stream   {statistics.median(figures):12.1f} ms")
    with provider(CALL):
        figures = [cancelled(root, "tool_start") for _ in range(5)]
        print(f"cancel, tool     {statistics.median(figures):12.1f} ms")
    with provider(DELTA * 100 + LAST):
        print(f"200 at once      {many(root, 200):12.2f} s for {200 * 100:,} deltas")
    print(f"idle session     {idle(root):12.1f} kB")
    return 0 if iterating >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
