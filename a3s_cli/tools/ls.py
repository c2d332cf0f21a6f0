"""ls: what a directory holds, without what git ignores."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..files.workspace import printable
from ..tool_protocol import ToolContext, ToolReturn, resolve
from .files import PAGE_BYTES, SearchTool, explained, plural

if TYPE_CHECKING:
    from ..files.walk import Entry, Listing

ENTRIES = 1000
MARKS = {"directory": "/", "link": "@", "other": "?", "file": ""}


class Ls(SearchTool):
    """List a directory."""

    name = "ls"
    description = "List a directory: size and name; / marks directories, @ symlinks."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "additionalProperties": False,
    }

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        from ..processes.threads import blocking

        path = resolve(context, arguments.get("path", "."))
        with explained(context, path):
            if path.is_file():
                return _one(context, path)
            # In a thread, as `glob`: a directory may have a million entries.
            listing, rows = await blocking(lambda: _listed(context, path))
        notes = [plural(len(listing.entries), "entry")]
        if len(rows) < len(listing.entries):
            notes[0] = f"{len(rows)} of {notes[0]} shown"
        if listing.ignored:
            notes.append(f"{listing.ignored} left out by .gitignore")
        return ToolReturn("\n".join([*rows, f"[{'; '.join(notes)}]"]))


def _listed(context: ToolContext, path: Path) -> tuple[Listing, list[str]]:
    from ..files.walk import WorkspaceTree

    listing = WorkspaceTree(context.workspace).list(path)
    with context.workspace.directory(path) as directory:
        return listing, _rows(listing.entries[:ENTRIES], directory)


def _one(context: ToolContext, path: Path) -> ToolReturn:
    with context.workspace.directory(path.parent) as directory:
        size = _size(directory, path.name)
    return ToolReturn(f"{size:>9} {context.workspace.show(path)}\n[1 file]")


def _rows(entries: list[Entry], directory: int) -> list[str]:
    rows = []
    room = PAGE_BYTES
    for entry in entries:
        size = _size(directory, entry.name)
        row = f"{size:>9} {printable(entry.name)}{MARKS[entry.kind]}"
        room -= len(row.encode()) + 1
        if room < 0:
            break
        rows.append(row)
    return rows


def _size(directory: int, name: str) -> str:
    """Return the size of a regular file; nothing else has a meaningful one."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return "-"
    return str(status.st_size) if stat.S_ISREG(status.st_mode) else "-"
