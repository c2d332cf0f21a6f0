"""edit: replace a piece of a file that occurs exactly once, or every occurrence.

Works on bytes, so that whatever is not replaced stays as it was: a byte order
mark, bytes that are not UTF-8, a missing newline at the end. In a file whose
lines all end in CRLF the newlines of both arguments mean CRLF, because that is
how `read` showed them.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, BinaryIO, ClassVar

from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import FileTool, changed, encoded, explained, plural

LARGEST = 64 * 1024 * 1024
#: Line numbers that are named when there are too many occurrences.
NAMED = 5
#: Lines among which the nearest one is looked for.
COMPARED = 5000


class Edit(FileTool):
    """Replace one piece of a text file by another."""

    name = "edit"
    description = (
        "Replace old_string, which must occur exactly once, unless replace_all. "
        "Leave out line numbers."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "file_path": {"type": "string"},
            "old_string": {"type": "string"},
            "new_string": {"type": "string"},
            "replace_all": {"type": "boolean"},
        },
        "required": ["file_path", "old_string", "new_string"],
        "additionalProperties": False,
    }
    writes = True

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        path = resolve(context, arguments["file_path"])
        old = encoded(arguments["old_string"], "old_string")
        new = encoded(arguments["new_string"], "new_string")
        if not old:
            raise ToolError("old_string is empty: use write to create or replace a whole file")
        if old == new:
            raise ToolError("old_string and new_string are the same: nothing would change")
        shown = context.workspace.show(path)
        with explained(context, path):
            with context.workspace.open_file(path) as file:
                content = _content(file, shown)
            old, new = _as_in_file(content, old, new)
            at = _occurrences(content, old)
            if not at:
                raise ToolError(f"old_string does not occur in {shown}{_hint(content, old)}")
            if len(at) > 1 and not arguments.get("replace_all", False):
                raise ToolError(_ambiguous(content, at, shown))
            edited = content.replace(old, new)
            context.workspace.replace(path, edited)
        count = plural(content.count(old), "replacement")
        return changed(path, edited, f"Edited {shown}: {count}, at {_places(content, at)}.")


def _content(file: BinaryIO, shown: str) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ToolError(f"{shown} is larger than {LARGEST // 1024**2} MiB: use bash to change it")
    return content


def _as_in_file(content: bytes, old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Convert both arguments to the line ends of the file, where those are all CRLF."""
    crlf = content.count(b"\r\n")
    if crlf and crlf == content.count(b"\n"):
        return _crlf(old), _crlf(new)
    return old, new


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _occurrences(content: bytes, old: bytes) -> list[int]:
    """Yield every place where `old` begins; overlapping ones count, because either may be meant."""
    places = []
    at = content.find(old)
    while at >= 0:
        places.append(at)
        at = content.find(old, at + 1)
    return places


def _places(content: bytes, at: list[int]) -> str:
    numbers = [str(content.count(b"\n", 0, place) + 1) for place in at[:NAMED]]
    more = ", …" if len(at) > NAMED else ""
    return f"line{'s' if len(at) > 1 else ''} {', '.join(numbers)}{more}"


def _ambiguous(content: bytes, at: list[int], shown: str) -> str:
    return (
        f"old_string occurs {len(at)} times in {shown}, at {_places(content, at)}: "
        "add lines around it to make it unique, or set replace_all"
    )


def _hint(content: bytes, old: bytes) -> str:
    """Name the line that was probably meant."""
    wanted = [line.rstrip("\r") for line in old.decode(errors="replace").strip("\n").split("\n")]
    have = content.decode(errors="replace").splitlines()[:COMPARED]
    starts = [at for at, line in enumerate(have) if line.strip() == wanted[0].strip()]
    if wanted[0].strip() and starts:
        # Of the places where the first line fits, the one that goes on fitting longest.
        equal = {at: _equal_lines(have[at:], wanted) for at in starts}
        start = max(starts, key=lambda at: equal[at])
        differs = min(start + min(equal[start], len(wanted) - 1), len(have) - 1)
        return _nearest(have, differs)
    from difflib import get_close_matches

    close = get_close_matches(wanted[0], have, n=1)
    return _nearest(have, have.index(close[0])) if close else ""


def _equal_lines(have: list[str], wanted: list[str]) -> int:
    pairs = zip(have, wanted, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _nearest(have: list[str], at: int) -> str:
    return f"; the nearest is line {at + 1}: {have[at][:200]}"
