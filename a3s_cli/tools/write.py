"""write: a whole file, old or new and never half, written as the old one is.

A byte order mark, the encoding and CRLF at the ends of lines stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import (
    FileTool,
    changed,
    demand_unchanged,
    encoded,
    explained,
    plural,
    remember,
    replace,
)

#: Bytes of the old content that are looked at.
LARGEST = 64 * 1024 * 1024


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
        encoded(arguments["content"], "content")
        with explained(context, path):
            content, notes = _as_before(arguments["content"], path, context)
            await replace(context, path, content)
            remember(context, path)
        count = arguments["content"].count("\n") + (arguments["content"][-1:] not in ("\n", ""))
        said = "; ".join([f"{plural(len(content), 'byte')}, {plural(count, 'line')}", *notes])
        return changed(path, content, f"Wrote {context.workspace.show(path)}: {said}.")


def _as_before(text: str, path: Path, context: ToolContext) -> tuple[bytes, list[str]]:
    """Return the bytes for a file, written as the old ones are, and what to say of that."""
    from ..files.text import NotText, decode, encode, form_of, line_end, visible

    try:
        with context.workspace.open_file(path) as file:
            demand_unchanged(context, path, file)
            old = file.read(LARGEST)
    except FileNotFoundError:
        return text.encode(), []
    form = form_of(old)
    try:
        before = decode(old, form)
    except NotText:
        return text.encode(), ["it was not text before"]
    notes = [f"{form.name} with a byte order mark, as before"] if form.bom else []
    if form.encoding == "utf-8" and visible(before) != before:
        notes.append("bytes that were not UTF-8 are gone")
    ends = line_end(before)
    if ends == "\r\n" and "\r\n" not in text and "\n" in text:
        text = text.replace("\n", "\r\n")
        notes.append("lines end in CRLF, as before")
    elif not ends:
        notes.append("its line ends were mixed, and are now uniform")
    elif "\n" in text and "\r" in before and "\n" not in before:
        notes.append("its lines ended in CR, and no longer do")
    elif ends == "\n" and "\n" in before and "\r\n" in text:
        notes.append("its lines ended in LF, and end in CRLF now")
    return encode(text.removeprefix("\ufeff") if form.bom else text, form), notes
