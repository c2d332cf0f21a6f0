"""grep: the lines that match a regular expression, in the order of their paths.

Hidden files are searched like others. `.git`, what git ignores, binary files
and files that hold secrets are passed over unless `path` names them; symlinks
are not followed. How it is searched is in `grep_search`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..tool_protocol import ToolContext, ToolReturn
from .files import SearchTool


class Grep(SearchTool):
    """Search the content of files."""

    name = "grep"
    description = (
        "Search file contents by regex, line by line (no look-around or backreferences). "
        "Ignored files and those over 64 MiB are left out."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string"},
            "path": {"type": "string"},
            "glob": {"type": "string", "description": "only these files, e.g. *.py"},
            "context": {"type": "integer", "minimum": 0, "description": "lines around a match"},
            "-i": {"type": "boolean"},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }

    def deadline(self, context: ToolContext) -> float | None:
        return None  # `process.run` keeps it, so that what was found is not lost

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        from .grep_search import search

        return await search(arguments, context)
