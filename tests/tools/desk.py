"""Calls one tool in one workspace, as the loop does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a3s_cli.files.workspace import Workspace
from a3s_cli.tool_protocol import Tool, ToolContext, ToolError, ToolReturn
from a3s_cli.tools.edit import Edit
from a3s_cli.tools.glob import Glob
from a3s_cli.tools.grep import Grep
from a3s_cli.tools.ls import Ls
from a3s_cli.tools.read import Read
from a3s_cli.tools.write import Write

TOOLS: dict[str, Tool] = {
    tool.name: tool for tool in (Read(), Write(), Edit(), Grep(), Glob(), Ls())
}
#: A search path without ripgrep, so that the worker searches.
NO_RIPGREP = "/nonexistent"


@dataclass
class Desk:
    """A workspace and the tools on it."""

    root: Path
    path: str = ""
    timeout: float = 30.0

    def context(self) -> ToolContext:
        async def drain() -> None:
            pass

        return ToolContext(
            Workspace(self.root),
            lambda _: None,
            drain,
            timeout=self.timeout,
            environment={"PATH": self.path} if self.path else {},
        )

    def call(self, name: str, /, **arguments: Any) -> ToolReturn:
        """Call a tool with arguments that its schema accepts."""
        assert TOOLS[name].problems(arguments) == []
        return asyncio.run(TOOLS[name].run(arguments, self.context()))

    def output(self, name: str, /, **arguments: Any) -> str:
        """Return the output of a successful call."""
        result = self.call(name, **arguments)
        assert result.exit_code == 0
        assert result.output is not None
        result.output.encode()  # no lone surrogates
        return result.output

    def error(self, name: str, /, **arguments: Any) -> str:
        """Return the message of a failed call."""
        try:
            result = self.call(name, **arguments)
        except ToolError as error:
            return str(error)
        raise AssertionError(f"{name} succeeded: {result}")
