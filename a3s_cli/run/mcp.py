"""The MCP servers of a run: which ones it uses, how long they live, and the tools they offer.

A run without servers imports nothing of this. The servers are started before anything
else is prepared, and waited for before the first turn. Their tools join the others in
the one dictionary in which calls are looked up, and in every request; if a server
changes its list, both change before the next turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..config import mcp_files
from ..config.settings import ConfigNotice, Setting
from ..errors import UsageError
from ..events import Notice, ToolsChanged
from ..mcp.names import prefix
from ..mcp.servers import Servers, Terms
from ..permissions.rule_pattern import could_match
from ..registry import MCP
from ..values import replace
from .nested import Nested

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer
    from ..config.settings import Config
    from ..model import Request
    from ..stream.emitter import Emitter
    from .assembly import Assembly
    from .plan import Plan


def chosen_servers(
    config: Config, named: Sequence[str] | None, wanted: Sequence[str] | None
) -> list[McpServer]:
    """Return the servers that a run starts: those with a tool that may be on offer.

    Raises UsageError if a `named` server does not exist or would offer nothing, and if no
    server can have one of the `wanted` tools.
    """
    for pattern in wanted or ():
        if not any(could_match(pattern, prefix(name)) for name in config.mcp_servers):
            known = ", ".join(config.mcp_servers) or "none is configured"
            raise UsageError(f"--tools: no MCP server has a tool {pattern} (servers: {known})")
    used = []
    for server in mcp_files.chosen_servers(config, named):
        start = prefix(server.name)
        if withheld := withheld_by(server, config):
            if named is not None:
                option = "--read-only" if withheld == "read_only" else "--network off"
                raise UsageError(
                    f"--mcp {server.name}: its tools are withheld by {option}",
                    hint="read_only = true in its block says that they only read",
                )
        elif wanted is None or any(could_match(pattern, start) for pattern in wanted):
            used.append(server)
    return used


def unknown_in_rules(config: Config, rules: Sequence[Setting]) -> Iterator[ConfigNotice]:
    """Yield a notice for each rule whose server is not configured, with the nearest one."""
    from difflib import get_close_matches

    known = [prefix(name) for name in config.mcp_servers]
    for rule in rules:
        tool = rule.value.partition("(")[0].strip()
        server = tool.removeprefix(MCP).partition("__")[0]
        named = f"{MCP}{server}__"
        if not tool.startswith(MCP) or any(could_match(named, one) for one in known):
            continue
        near = get_close_matches(server, config.mcp_servers, 1)
        meant = f"; did you mean {prefix(near[0]).removesuffix('__')}?" if near else ""
        text = (
            f"{rule.origin}: the rule {rule.value!r} is for an MCP server that is not"
            f" configured{meant}"
        )
        yield ConfigNotice("rule_server_unknown", text, {"key": server})


def withheld_by(server: McpServer, config: Config) -> str | None:
    """Return the setting that withholds all tools of a server; None if none does."""
    if server.read_only:
        return None
    if config.get("read_only"):
        return "read_only"
    return "network" if config.get("network") == "off" else None


def servers_of(plan: Plan, emitter: Emitter) -> Servers:
    """Return the servers of a run, none of them begun."""
    config = plan.config
    terms = Terms(
        servers=plan.mcp,
        workspace=plan.workspace,
        environment=plan.child_environment,
        wanted=plan.mcp_tools,
        only_reading=bool(config.get("read_only")) or config.get("network") == "off",
        sandbox=plan.confinement.server_sandbox,
        conceal=plan.conceal,
    )

    def notice(server: str, text: str) -> None:
        emitter.emit(Notice(code="mcp_server_faulty", text=text, key=server))

    return Servers(terms, emitter.drain, notice)


class Offer:
    """What the model is offered, as it is before each turn."""

    def __init__(self, servers: Servers, assembly: Assembly, emitter: Emitter) -> None:
        self._servers = servers
        self._assembly = assembly
        self._emitter = emitter
        #: The tools without those of servers, and how the model is told of them.
        self._own = dict(assembly.calls.tools)
        self._specs = assembly.request.tools

    async def first(self) -> Request:
        """Wait for the servers and return the request that offers their tools.

        Raises Unavailable.
        """
        for name, said in await self._servers.ready():
            self._emitter.emit(Notice(code="mcp_unavailable", text=said, key=name))
        request = self._assembly.request
        offers = self._servers.tools and self._assembly.takes_tools
        return self._offered(request) if offers else request

    async def before_turn(self, request: Request) -> Request:
        """Return the request of the next turn, which differs if a list of tools has changed."""
        changed = await self._servers.refresh() and self._assembly.takes_tools
        return self._offered(request) if changed else request

    def _offered(self, request: Request) -> Request:
        assembly, added = self._assembly, self._servers.tools
        tools = assembly.calls.tools
        tools.clear()
        tools.update(self._own | added)
        specs = (*self._specs, *(tool.spec() for tool in added.values()))
        request = replace(request, tools=specs)
        assembly.compactor.base = request
        if isinstance(assembly.around.model, Nested):
            assembly.around.model.base = request
        self._emitter.emit(ToolsChanged(tools=list(tools)))
        return request
