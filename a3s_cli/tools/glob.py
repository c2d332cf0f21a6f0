"""glob: the files whose path matches a pattern, in the order of their paths.

Hidden files match like others, `.git` and what git ignores never do. A symlink
is never walked through; one that leads to a file inside the workspace counts as
a file.
"""

from __future__ import annotations

from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, ClassVar

from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import PAGE_BYTES, SearchTool, explained, names_file, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..files.walk import Entry
    from ..files.wildcards import Wildcard

FILES = 1000
#: Held by the walk that takes a step, and the most seconds that another one waits for it.
_STEP, _TURN = Lock(), 1.0


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
        from ..processes.threads import blocking

        start = resolve(context, arguments.get("path", "."))
        wildcard = _wildcard(arguments["pattern"], start)
        abandoned = Event()
        with explained(context, start):
            try:
                # In a thread: however long a tree takes, the run hears its deadline and signals.
                found = await blocking(lambda: _search(context, start, wildcard, abandoned))
            finally:
                abandoned.set()
        rows, full, ignored = found
        return ToolReturn(_report(rows, full, arguments["pattern"], ignored))


def _search(
    context: ToolContext, start: Path, wildcard: Wildcard, abandoned: Event
) -> tuple[list[str], bool, int]:
    """Return the files, whether there are more, and how many entries are ignored."""
    from ..files.walk import WorkspaceTree

    found: list[str] = []
    room = PAGE_BYTES
    tree = WorkspaceTree(context.workspace)
    for entry in _in_turn(tree.walk(start, wildcard)):
        if abandoned.is_set():
            break
        if not _is_file(entry, context):
            continue
        row = context.workspace.show(entry.path)
        room -= len(row.encode()) + 1
        if room < 0 or len(found) == FILES:
            return found, True, tree.ignored
        found.append(row)
    return found, False, tree.ignored


def _in_turn(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Yield the entries of a walk, whose steps no other walk takes at the same time.

    Threads that compute get in the way of the loop, which waits for each of them
    whenever it has waited for a disk or a signal.
    """
    while True:
        # A walk that hangs on its disk holds up the others for a moment only.
        mine = _STEP.acquire(timeout=_TURN)
        try:
            entry = next(entries, None)
        finally:
            if mine:
                _STEP.release()
        if entry is None:
            return
        yield entry


def _wildcard(pattern: str, start: Path) -> Wildcard:
    """Compile the pattern; one that is absolute may still mean what is below `start`."""
    from ..files.wildcards import Wildcard, expand, literal, split, unknown

    relative = pattern.removeprefix(f"{start}/")
    if names_file(start / relative):
        # A file of this name exists: `app/[id]/page.tsx` means it.
        relative = literal(relative)
    elif (sign := unknown(relative)) is not None:
        raise ToolError(
            f"the pattern {pattern} is not understood: {sign} has no meaning here;"
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
