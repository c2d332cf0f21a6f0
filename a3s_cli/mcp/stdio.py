"""Messages to a server that is a child of ours: one on each line of its stdin and stdout.

A line on stdout that is no message is the answer to a request if it can be nothing else;
the request then fails. Any other (a greeting, a log) is passed by, with one notice. Its
stderr goes to the log; the last lines are kept for the sentence that says why it failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..jsonrpc import LONGEST, Malformed, Peer, parse
from ..jsontext import LineSplitter, clean
from .failure import no_message

if TYPE_CHECKING:
    from ..processes.piped import Piped

log = logging.getLogger(__name__)

#: Seconds in which a server may end by itself once its stdin is closed.
GRACE = 0.5
#: Lines of stderr that are kept, and bytes of each.
LAST_LINES, LONGEST_LINE = 5, 400

#: Starts the server; what it prints on stderr goes to the function that is given.
Start = Callable[[Callable[[bytes], None]], Awaitable["Piped"]]


class Stdio:
    """A `Carrier` over the pipes of a child."""

    peer: Peer

    def __init__(
        self,
        name: str,
        start: Start,
        drain: Callable[[], Awaitable[None]],
        notice: Callable[[str], None],
    ) -> None:
        """`drain` waits for slow readers of what the server's messages led to.

        `notice` takes a clause about the server that a person should read.
        """
        self._name = name
        self._start = start
        self._drain = drain
        self._notice = notice
        self._told = False
        self._child: Piped | None = None
        self._reading: asyncio.Task[None] | None = None
        self._errors = LineSplitter(LONGEST_LINE)
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    async def open(self) -> None:
        """Start the server. Raises OSError."""
        self._child = await self._start(self._said)
        self._reading = asyncio.get_running_loop().create_task(self._read(self._child))

    def send(self, line: bytes) -> None:
        """Write one message."""
        if self._child is not None:
            self._child.write(line)

    def speaks(self, version: str, *, later: bool) -> None:
        """Do nothing: the version is in the messages."""

    async def listen(self) -> None:
        """Do nothing: what the server says unasked comes the same way."""

    @property
    def last_words(self) -> str:
        """The last lines of its stderr, as one; the very last may have no end of its own."""
        for line in self._errors.finish():
            self._say(line)
        return " / ".join(line for line in self._last if line)

    async def close(self) -> None:
        """End the server and everything that it started."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._child is not None:
            await self._child.stop(GRACE)

    async def _read(self, child: Piped) -> None:
        why = "the connection was closed"
        try:
            why = await self._all(child)
        finally:
            self.peer.close(why)

    async def _all(self, child: Piped) -> str:
        """Take every message; return why there is none any more."""
        lines = LineSplitter(LONGEST)
        while data := await child.read():
            for line in lines.feed(data):
                if len(line) > LONGEST:
                    return f"it sent a message of more than {LONGEST >> 20} MiB"
                self._take(line)
            await self._drain()
        return await self._ended(child) or "it closed its output"

    async def _ended(self, child: Piped) -> str:
        """Say how it ended, which its output tells a moment before; empty if it lives."""
        for _ in range(100):
            if child.exit_code is not None:
                return f"it ended with status {child.exit_code}"
            await asyncio.sleep(0.01)
        return ""

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = parse(line)
        except Malformed as error:
            log.debug("MCP server %s printed: %s", self._name, _shown(line))
            if not self.peer.fail_answer(line, no_message(error)):
                self._passed_by(line)
            return
        self.peer.take(message)

    def _passed_by(self, line: bytes) -> None:
        """Tell of the first line that was no message; what follows is in the log."""
        if not self._told:
            self._told = True
            self._notice(f"it printed a line that is not a message: {_shown(line)[:100]}")

    def _said(self, data: bytes) -> None:
        for line in self._errors.feed(data):
            self._say(line)

    def _say(self, line: bytes) -> None:
        shown = _shown(line)
        self._last.append(shown)
        log.debug("MCP server %s: %s", self._name, shown)


def _shown(line: bytes) -> str:
    text = clean(line[:LONGEST_LINE].decode(errors="replace")).strip()
    return "".join(letter if letter.isprintable() else " " for letter in text)
