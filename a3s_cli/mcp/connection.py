"""One server of a run: started, asked, and started once more if it ends.

Its tools are listed when it has begun, and again after it was started anew or has said
that they changed. A call that was being made when it ended fails with a sentence; the
next one starts it again, once in a run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..jsonrpc import Disconnected
from .failure import ServerFailure
from .session import Carrier, Session
from .tool import Listed, listed

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer
    from .session import Progress

log = logging.getLogger(__name__)

#: Entries of one list for which it is said why they are not offered.
MOST_REASONS = 5


class Link(Carrier, Protocol):
    """What carries messages, from its opening to its end."""

    @property
    def last_words(self) -> str:
        """What the server said of itself last, beside its messages."""

    async def open(self) -> None:
        """Start or find the server. Raises OSError, ServerFailure."""

    async def listen(self) -> None:
        """Take what the server says unasked, for as long as it does."""

    async def close(self) -> None:
        """End it, and everything that it started."""


class Connection:
    """A server, and the tools that it lists. All of it happens in one event loop."""

    def __init__(
        self,
        server: McpServer,
        workspace: Path,
        link: Callable[[], Awaitable[Link]],
        changed: Callable[[], None] = lambda: None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`changed` is called when the list of tools may be another than it was.

        `notice` takes a clause about the server that a person should read.
        """
        self.server = server
        #: What it lists, usable, in its own order; what is not usable, with the reason.
        self.tools: list[Listed] = []
        self.unusable: list[str] = []
        self.session: Session | None = None
        self._workspace = workspace
        self._make = link
        self._link: Link | None = None
        self._changed = changed
        self._notice = notice
        self._restarts = 1
        self._reviving = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Start the server and list its tools, within its time. Raises ServerFailure."""
        if self.server.obstacle:
            raise ServerFailure(self.server.obstacle)
        seconds = self.server.timeout
        try:
            async with asyncio.timeout(seconds):
                await self._open()
        except TimeoutError:
            hint = f"its timeout is {seconds:g} s"
            raise ServerFailure(
                f"it did not answer within {seconds:g} s", self._hint(hint)
            ) from None
        except (Disconnected, OSError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise ServerFailure(said, self._hint()) from None
        except ServerFailure as failure:
            failure.hint = failure.hint or self._hint()
            raise

    async def _open(self) -> None:
        self._link = link = await self._make()
        await link.open()
        self.session = session = Session(link, self._workspace, self._changed)
        await session.begin()
        await self.list_again()
        if session.tells_changes:
            self._listening = asyncio.get_running_loop().create_task(self._listen(link, session))

    async def _listen(self, link: Link, session: Session) -> None:
        try:
            await asyncio.gather(link.listen(), session.listen())
        except Exception as error:  # noqa: BLE001 - a server that only promised to tell of changes
            log.debug("MCP server %s tells of no changes: %s", self.server.name, error)

    async def list_again(self) -> None:
        """List the tools. Raises ServerFailure, Disconnected."""
        assert self.session
        tools: list[Listed] = []
        unusable: list[str] = []
        for place, one in enumerate(await self.session.tools(), 1):
            try:
                tools.append(listed(self.server.name, place, one))
            except ServerFailure as failure:
                unusable.append(str(failure))
        self.tools = tools
        if unusable and unusable != self.unusable:
            self._notice(not_offered(unusable))
        self.unusable = unusable

    async def call(
        self, name: str, arguments: dict[str, Any], progress: Progress
    ) -> Mapping[str, Any]:
        """Call a tool, on a server that is started again if it has ended.

        Raises RpcError, Disconnected, ServerFailure.
        """
        session = await self._alive()
        return await session.call(name, arguments, progress)

    async def _alive(self) -> Session:
        async with self._reviving:
            if self.session is not None and not self.session.peer.closed:
                return self.session
            if self._restarts == 0 or self._closed:
                raise ServerFailure("it has ended, and is not started again", self._hint())
            self._restarts -= 1
            log.debug("MCP server %s is started again", self.server.name)
            await self._let_go()
            await self.open()
            self._changed()
            assert self.session
            return self.session

    def _hint(self, otherwise: str | None = None) -> str | None:
        words = self._link.last_words if self._link is not None else ""
        return f"it said: {words}" if words else otherwise

    async def close(self) -> None:
        """End the server."""
        self._closed = True
        await self._let_go()

    async def _let_go(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
            self._listening = None
        if self._link is not None:
            await self._link.close()


def not_offered(reasons: list[str]) -> str:
    """Return a clause about the entries of a server's list that are not offered."""
    more = f", and {len(reasons) - MOST_REASONS} more" if len(reasons) > MOST_REASONS else ""
    return f"not offered: {'; '.join(reasons[:MOST_REASONS])}{more}"
