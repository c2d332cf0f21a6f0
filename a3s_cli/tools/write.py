"""write: a whole file, old or new and never half."""

from __future__ import annotations

from typing import Any, ClassVar

from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import FileTool, changed, encoded, explained, plural


class Write(FileTool):
    """Create a file or replace its content."""

    name = "write"
    description = "Create or overwrite a file; makes missing directories."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"file_path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["file_path", "content"],
        "additionalProperties": False,
    }
    writes = True

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        wanted = arguments["file_path"]
        path = resolve(context, wanted)
        if wanted.endswith("/"):
            raise ToolError(f"{wanted} names a directory: write needs the path of a file")
        content = encoded(arguments["content"], "content")
        with explained(context, path):
            context.workspace.replace(path, content)
        count = content.count(b"\n") + (content[-1:] not in (b"\n", b""))
        return changed(
            path,
            content,
            f"Wrote {context.workspace.show(path)}: "
            f"{plural(len(content), 'byte')}, {plural(count, 'line')}.",
        )
