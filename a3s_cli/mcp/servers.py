"""The MCP servers of one run: begun in parallel, waited for, asked again, ended.

The run waits for all of them before its first turn: a model that begins without the
tools that its user named would make their results up. A server that does not answer
ends the run, unless its user marked it optional.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..jsonrpc import Disconnected
from ..permissions.rule_pattern import matches
from ..tool_protocol import Tool
from ..values import Value, field
from .connection import Connection, Link
from .failure import ServerFailure, unavailable
from .lazy import LoadTools
from .names import prefix
from .stdio import Stdio
from .tool import Listed, McpTool

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer
    from ..processes.piped import Piped
    from ..sandbox.bwrap import Bubblewrap

log = logging.getLogger(__name__)

#: Bytes of all declarations above which the model is told one line of each tool.
LAZY_ABOVE = 6000
#: Seconds that a turn waits for a server that says that its tools have changed.
PATIENCE = 10.0


class Terms(Value):
    """Under which a run uses its servers."""

    servers: Sequence[McpServer]
    workspace: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Patterns of the tools that are wanted; None for all.
    wanted: Sequence[str] | None = None
    #: Whether only tools are offered that the user calls reading.
    only_reading: bool = False
    #: Returns the sandbox for servers, or None where there is none.
    sandbox: Callable[[], Awaitable[Bubblewrap | None]] | None = None
    #: Hides this process's secrets from what it starts.
    conceal: Callable[[], None] = lambda: None


async def _no_wait() -> None:
    """Wait for nothing."""


class Servers:
    """The servers of one run; `close` it, whatever happened."""

    def __init__(
        self,
        terms: Terms,
        drain: Callable[[], Awaitable[None]] = _no_wait,
        notice: Callable[[str, str], None] = lambda server, text: None,
    ) -> None:
        """`drain` waits for slow readers of what the servers say.

        `notice` takes the name of a server and a sentence that a person should read.
        """
        self._terms = terms
        self._drain = drain
        self._notice = notice
        #: One for each server, whether or not it could be reached.
        self.connections = [self._connection(server) for server in terms.servers]
        self._opening: dict[asyncio.Task[None], Connection] = {}
        self._stale: set[str] = set()
        self._sandboxes: list[Bubblewrap] = []
        self._lazy = False
        #: The tools on offer by name, in the order in which the model sees them.
        self.tools: dict[str, Tool] = {}

    def begin(self) -> None:
        """Start all servers, without waiting for any."""
        self._terms.conceal()
        loop = asyncio.get_running_loop()
        self._opening = {loop.create_task(one.open()): one for one in self.connections}

    async def ready(self) -> list[tuple[str, str]]:
        """Wait for all servers; return the optional ones that cannot be used, and why.

        Raises Unavailable for another one.
        """
        missing: list[tuple[str, str]] = []
        waiting = set(self._opening)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                connection = self._opening[task]
                try:
                    task.result()
                    self._require_named(connection)
                except ServerFailure as failure:
                    error = unavailable(connection.server.name, failure)
                    if not connection.server.optional:
                        raise error from None
                    said = f"{error}; {failure.hint}" if failure.hint else str(error)
                    missing.append((connection.server.name, said))
        self._offer()
        return missing

    async def refresh(self) -> bool:
        """List again what has changed, before a turn; return whether other tools are on offer."""
        if not self._stale:
            return False
        names, self._stale = self._stale, set()
        changed = [one for one in self.connections if one.server.name in names]
        await asyncio.gather(*map(self._list_again, changed))
        before = [(name, tool.spec()) for name, tool in self.tools.items()]
        self._offer()
        return before != [(name, tool.spec()) for name, tool in self.tools.items()]

    def quiet(self) -> None:
        """Pass no notice on any more, because the run's last event follows."""
        self._notice = lambda server, text: None

    async def close(self) -> None:
        """End every server, and everything that they started."""
        for task in self._opening:
            task.cancel()
        if self._opening:
            await asyncio.wait(self._opening)
        if self.connections:
            await asyncio.gather(*(one.close() for one in self.connections))
        for sandbox in self._sandboxes:
            sandbox.close()
        self._sandboxes = []

    # -- what is on offer --------------------------------------------------------------

    def _offer(self) -> None:
        found: dict[str, tuple[Listed, Connection]] = {}
        for connection in self.connections:
            for told in sorted(connection.tools, key=lambda one: one.name):
                if self._is_wanted(connection.server, told):
                    found.setdefault(told.name, (told, connection))
        # Never back: what the model was told of loading must go on holding.
        size = sum(told.size for told, _ in found.values())
        self._lazy = self._lazy or size > LAZY_ABOVE
        tools: dict[str, Tool] = {
            name: McpTool(
                told,
                one.call,
                read_only=is_read_only(one.server, told),
                lazy=self._lazy,
                seconds=one.server.call_timeout,
            )
            for name, (told, one) in found.items()
        }
        if self._lazy:
            loader = LoadTools({name: told for name, (told, _) in found.items()})
            tools = {loader.name: loader, **tools}
        self.tools = tools

    def _is_wanted(self, server: McpServer, told: Listed) -> bool:
        if server.tools and not _named(server.tools, told):
            return False
        if self._terms.only_reading and not is_read_only(server, told):
            return False
        wanted = self._terms.wanted
        return wanted is None or any(matches(pattern, told.name) for pattern in wanted)

    def _require_named(self, connection: Connection) -> None:
        """Raise ServerFailure if the server lacks a tool that was named without a pattern."""
        server = connection.server
        known = {name for one in connection.tools for name in (one.name, one.own_name)}
        wanted = [one for one in self._terms.wanted or () if one.startswith(prefix(server.name))]
        for name in (*server.tools, *wanted):
            if "*" not in name and name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else None
                raise ServerFailure(f"it has no tool {name[:100]!r}", hint)

    async def _list_again(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(min(connection.server.timeout, PATIENCE)):
                await connection.list_again()
        except (TimeoutError, ServerFailure, Disconnected) as error:
            # What it has listed before stays on offer: its calls fail, if it has gone.
            log.debug("MCP server %s did not list again: %s", connection.server.name, error)

    # -- how each is reached -----------------------------------------------------------

    def _connection(self, server: McpServer) -> Connection:
        async def link() -> Link:
            if server.url:
                from .http import Http

                return Http(server, self._drain)
            return Stdio(server.name, lambda said: self._start(server, said), self._drain, notice)

        def changed() -> None:
            self._stale.add(server.name)

        def notice(clause: str) -> None:
            self._notice(server.name, f"the MCP server {server.name}: {clause}")

        return Connection(server, self._terms.workspace, link, changed, notice)

    async def _start(self, server: McpServer, said: Callable[[bytes], None]) -> Piped:
        from ..processes.piped import Piped

        terms = self._terms
        launched: dict[str, Any] = {
            "cwd": terms.workspace / server.cwd if server.cwd else terms.workspace,
            "environment": {**terms.environment, **server.env},
            "receive_error": said,
        }
        if not launched["cwd"].is_dir():
            raise ServerFailure(f"its directory {launched['cwd']} does not exist")
        argv = [server.command, *server.args]
        if not server.sandbox:
            return Piped.start(argv, **launched)
        sandbox = await terms.sandbox() if terms.sandbox is not None else None
        if sandbox is None:
            raise ServerFailure(
                "it must run in a sandbox, and there is none",
                "copy its entry to your own configuration: your servers may run without one"
                if server.project
                else "install bubblewrap, or set sandbox = false in its block",
            )
        self._sandboxes.append(sandbox)
        return await sandbox.piped(argv, **launched)


def _named(patterns: Sequence[str], told: Listed) -> bool:
    return any(matches(one, told.own_name) or matches(one, told.name) for one in patterns)


def is_read_only(server: McpServer, told: Listed) -> bool:
    """Return whether the user says that a tool only reads; what the server says does not count."""
    said = server.read_only
    return said if isinstance(said, bool) else _named(said, told)
