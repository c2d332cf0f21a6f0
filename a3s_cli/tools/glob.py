"""glob: the files whose path matches a pattern, in the order of their paths.

Hidden files match like others, `.git` and what git ignores never do. A symlink
is never walked through; one that leads to a file inside the workspace counts as
a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import PAGE_BYTES, SearchTool, explained, plural

if TYPE_CHECKING:
    from ..files.walk import Entry
    from ..files.wildcards import Wildcard

FILES = 1000
#: Entries after which other tasks get their turn.
BREATH = 200


class Glob(SearchTool):
    """Find files by their paths."""

    name = "glob"
    description = (
        "Find files by path, e.g. **/*.py or src/**/*.{ts,tsx}. Ignored files are left out."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "minLength": 1, "description": "relative to path"},
            "path": {"type": "string"},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        from asyncio import sleep

        from ..files.walk import WorkspaceTree

        start = resolve(context, arguments.get("path", "."))
        wildcard = _wildcard(arguments["pattern"], start)
        found: list[str] = []
        room = PAGE_BYTES
        full = False
        with explained(context, start):
            tree = WorkspaceTree(context.workspace)
            for count, entry in enumerate(tree.walk(start, wildcard)):
                if count % BREATH == 0:
                    await sleep(0)
                if not _is_file(entry, context):
                    continue
                row = context.workspace.show(entry.path)
                room -= len(row.encode()) + 1
                full = room < 0 or len(found) == FILES
                if full:
                    break
                found.append(row)
        return ToolReturn(_report(found, full, arguments["pattern"], tree.ignored))


def _wildcard(pattern: str, start: Path) -> Wildcard:
    """Compile the pattern; one that is absolute may still mean what is below `start`."""
    from ..files.wildcards import Wildcard, expand, literal, split, unknown

    relative = pattern.removeprefix(f"{start}/")
    if (start / relative).is_file():
        # A file of this name exists: `app/[id]/page.tsx` means it.
        relative = literal(relative)
    elif (sign := unknown(relative)) is not None:
        raise ToolError(
            f"the pattern {pattern} is not understood: {sign}(…) has no meaning here;"
            " use *, ?, [abc], {a,b} and **"
        )
    try:
        wildcard = Wildcard(relative)
        alternatives = expand(relative)
    except ValueError as error:
        raise ToolError(f"the pattern {pattern} is not valid: {error}") from None
    if any(one.startswith("/") or ".." in split(one) for one in alternatives):
        raise ToolError(f"the pattern {pattern} reaches out of the directory that is searched")
    return wildcard


def _is_file(entry: Entry, context: ToolContext) -> bool:
    if entry.kind != "link":
        return entry.kind == "file"
    target = context.workspace.resolve(str(entry.path))
    return target.inside and target.path.is_file()


def _report(found: list[str], full: bool, pattern: str, ignored: int) -> str:
    left_out = f"; {ignored} ignored left out" if ignored else ""
    if not found:
        hint = "" if "/" in pattern else f" (**/{pattern} searches below, too)"
        return f"No files match {pattern}{hint}{left_out}."
    if full:
        return "\n".join(
            [*found, f"[the first {len(found)} files; more match: narrow the pattern]"]
        )
    return "\n".join([*found, f"[{plural(len(found), 'file')}{left_out}]"])
