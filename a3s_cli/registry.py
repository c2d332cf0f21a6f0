"""Names as data: each built-in tool and each wire, and where it is implemented.

A module is imported when its name is first used: a run needs little of what a3s
can do, and what is not imported costs nothing at start-up.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: In the order in which the model sees them: the order is part of a provider's cache key.
TOOLS = {
    "bash": "a3s_cli.tools.bash:Bash",
    "read": "a3s_cli.tools.read:Read",
    "write": "a3s_cli.tools.write:Write",
    "edit": "a3s_cli.tools.edit:Edit",
    "grep": "a3s_cli.tools.grep:Grep",
    "glob": "a3s_cli.tools.glob:Glob",
    "ls": "a3s_cli.tools.ls:Ls",
    "web_fetch": "a3s_cli.tools.web_fetch:WebFetch",
    "generate_object": "a3s_cli.tools.generate_object:GenerateObject",
}

#: How the names of tools of MCP servers begin, and the tool that brings their schemas.
MCP = "mcp__"
LOAD_TOOLS = "load_tools"

WIRES = {
    "openai-chat": "a3s_cli.providers.openai_chat:WIRE",
    "openai-responses": "a3s_cli.providers.openai_responses:WIRE",
    "anthropic": "a3s_cli.providers.anthropic:WIRE",
    "gemini": "a3s_cli.providers.gemini:WIRE",
}


def load(target: str) -> Any:
    """Import and return what `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
