"""`load_tools`: brings the schemas of tools that the model is told only a line of.

The schemas of all servers would be in every request. Above a few kilobytes each tool is
declared by a line instead, and the model asks for the schemas that it needs: they come
as a result, so that what precedes it stays the same bytes from turn to turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..jsontext import clean, dumps
from ..registry import LOAD_TOOLS
from ..tool_protocol import Tool, ToolContext, ToolError, ToolReturn

if TYPE_CHECKING:
    from .tool import Listed


class LoadTools(Tool):
    """Returns descriptions and schemas; it reaches no server."""

    name = LOAD_TOOLS
    description = (
        "Return the full descriptions and JSON Schemas of tools. The arguments of tools named "
        "mcp__… are not declared: load a tool before its first call."
    )
    harmless = True
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"names": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        "required": ["names"],
        "additionalProperties": False,
    }

    def __init__(self, tools: Mapping[str, Listed]) -> None:
        self._tools = tools

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        """Return a line of JSON for each tool."""
        lines = []
        for name in dict.fromkeys(arguments["names"]):
            told = self._tools.get(name)
            if told is None:
                raise ToolError(self._unknown(name))
            declared = {"name": name, "description": told.description}
            lines.append(dumps({**declared, "parameters": told.parameters}).decode())
        return ToolReturn("\n".join(lines))

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, self._tools, 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        return f"There is no tool {clean(name)[:100]!r} to load.{meant}"
