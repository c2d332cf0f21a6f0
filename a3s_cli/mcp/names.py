"""What the tools of MCP servers are called: `mcp__SERVER__TOOL`, which every vendor accepts.

A name that is none of the usual ones becomes a readable one with a short hash, so that
two that differ stay two, and rules can name either.
"""

from __future__ import annotations

import re

from ..fingerprint import fingerprint
from ..registry import MCP

#: Characters of a tool's name, which vendors limit, and of them the server's share.
LONGEST, LONGEST_SERVER = 64, 30
_HASH = 6


def prefix(server: str) -> str:
    """Return what the names of a server's tools begin with."""
    # Two underscores end it: none may be inside, nor one at an end.
    plain = server if "__" not in server and server.strip("_") == server else f"{server} "
    return f"{MCP}{_usable(plain, LONGEST_SERVER, server)}__"


def tool_name(server: str, tool: str) -> str:
    """Return the name under which a server's tool is offered and judged."""
    before = prefix(server)
    return before + _usable(tool, LONGEST - len(before), f"{server}\0{tool}")


def _usable(name: str, room: int, identity: str) -> str:
    """Return the name if it is usable as it is, else one that is like it, and its own."""
    if len(name) <= room and re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return name
    digest = fingerprint(identity.encode(errors="surrogatepass"))[:_HASH]
    # The beginning is enough: a name may be megabytes long.
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", name[:LONGEST])[: room - _HASH - 1].strip("_-")
    return f"{readable}_{digest}".lstrip("_")
