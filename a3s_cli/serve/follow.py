"""Streams the lines of a run to one client, as server-sent events.

A client has a position in the log and reads on from there. Lines that were added
while it was not reading are sent together; a client that does not read blocks
only its own task. A comment every fifteen seconds keeps proxies from closing a
quiet connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .runs import LiveRun, Runs
from .session_lines import PIECE, Place, SessionLines, read

#: Keep proxies from buffering, storing or recompressing the stream.
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
HEARTBEAT = 15.0
COMMENT = b": keep-alive\n\n"

#: Encodes lines as the bytes of a protocol.
Render = Callable[[SessionLines], bytes]


def frames(found: SessionLines) -> bytes:
    """Encode lines as the native stream: an id and the line, nothing else."""
    return b"".join(
        b"id: %b:%d\ndata: %b\n\n" % (found.run.encode(), seq, line)
        for seq, line in enumerate(found.lines, found.seq)
    )


async def run_lines(
    runs: Runs, run: LiveRun, seq: int = 0
) -> AsyncGenerator[SessionLines | None, None]:
    """Yield the lines of one run to its end; None after `HEARTBEAT` seconds of silence."""
    while True:
        if seq < run.log.first:
            # The client was slow: its next lines are only on disk.
            before = seq
            async for found in read(runs.path(run.session), Place(run.id, seq)):
                if found.run != run.id:
                    return
                seq = found.seq + len(found.lines)
                yield found
            if seq == before:
                return  # The session was removed.
        elif seq < run.log.next:
            lines = run.log.lines(seq, PIECE)
            yield SessionLines(run.id, seq, lines)
            seq += len(lines)
        elif run.log.over:
            return
        elif not await run.log.more(seq, HEARTBEAT):
            yield None


async def session_lines(
    runs: Runs, session: str, after: Place | None, *, follow: bool
) -> AsyncGenerator[SessionLines | None, None]:
    """Yield the lines of a session after a position: up to now, or to the end of its active run."""
    run = await runs.opened(session)
    seq = after.seq if run is not None and after is not None and after.run == run.id else 0
    async for found in read(runs.path(session), after):
        if run is not None and found.run == run.id:
            seq = found.seq + len(found.lines)
        yield found
    if run is None:
        return
    if follow:
        async for live in run_lines(runs, run, seq):
            yield live
        return
    while run.log.first <= seq < run.log.next:
        lines = run.log.lines(seq, PIECE)
        yield SessionLines(run.id, seq, lines)
        seq += len(lines)


async def news(runs: Runs) -> AsyncGenerator[Any, None]:
    """Yield what every run adds from now on, as its session and lines; None while none does.

    For a client that is too slow, and so has missed lines, the lines are empty: it has to
    ask for what it missed.
    """
    woken = asyncio.Event()
    places = {run: run.log.next for run in runs.going_on()}
    runs.watchers.add(woken)
    try:
        yield None
        while True:
            woken.clear()
            for run in runs.going_on():
                places.setdefault(run, 0)
            for run in list(places):
                while (seq := places[run]) < run.log.next:
                    missed = seq < run.log.first
                    lines = [] if missed else run.log.lines(seq, PIECE)
                    yield run.session, SessionLines(run.id, seq, lines)
                    places[run] = run.log.next if missed else seq + len(lines)
            for run in places.keys() - set(runs.going_on()):
                if run.log.over:
                    del places[run]
            if not await _set_within(woken, HEARTBEAT):
                yield None
    finally:
        runs.watchers.discard(woken)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def news_frames(told: Any) -> bytes:
    """Encode what `news` yields: like the native stream, with the session before the id."""
    session, found = told
    head = f"id: {session}/{found.run}:".encode()
    if not found.lines:
        return head + b"%d\ndata: null\n\n" % found.seq
    return b"".join(
        head + b"%d\ndata: %b\n\n" % (seq, line) for seq, line in enumerate(found.lines, found.seq)
    )


class EventSource(Response):
    """A response that lasts until the lines end or its client disconnects."""

    def __init__(
        self,
        lines: AsyncGenerator[Any, None],
        render: Callable[[Any], bytes] = frames,
        headers: Mapping[str, str] = HEADERS,
        left: Callable[[], None] | None = None,
    ) -> None:
        """Stream `lines`; call `left` if the client disconnects before the end."""
        super().__init__(headers=headers)
        # The length of the stream is unknown.
        del self.headers["content-length"]
        self._lines = lines
        self._render = render
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the lines end or the client disconnects."""
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        if not await attended(self._send(send), receive) and self._left is not None:
            self._left()

    async def _send(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        async with aclosing(self._lines) as lines:
            async for found in lines:
                if body := COMMENT if found is None else self._render(found):
                    await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def attended(work: Coroutine[Any, Any, None], receive: Receive) -> bool:
    """Run `work` while the client is connected; return False if it disconnected before the end."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.wait((working, leaving))
    if working.cancelled():
        return False
    working.result()
    return True


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
