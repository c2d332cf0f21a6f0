"""edit: replace a piece of a file that occurs exactly once, or every occurrence.

What is not replaced stays as it was, byte by byte: a byte order mark, the encoding,
bytes that are no text, a missing newline at the end. What `read` shows is what is
found: a newline stands for either line end, and the replacement takes over the line
ends of what it replaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from ..processes.threads import blocking
from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from .files import (
    FileTool,
    as_edited,
    changed,
    demand_unchanged,
    encoded,
    explained,
    plural,
    remember,
    replace,
)

if TYPE_CHECKING:
    from ..files.text import Match

LARGEST = 64 * 1024 * 1024
#: Bytes of a file that is searched at once; a larger one in a thread.
QUICK = 64 * 1024
#: Places that can be changed in one call.
MOST = 100_000
#: Line numbers that are named when there are too many occurrences.
NAMED = 5
#: Lines among which the nearest one is looked for, and characters of each that count.
COMPARED, WIDTH = 5000, 200
#: Places whose following lines are compared, and lines of each.
FITTING, FOLLOWING = 100, 200
#: Lines of the same letters, about, that are compared in their order, and how much is near.
CLOSEST, NEAR = 20, 0.6


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
        old, new = arguments["old_string"], arguments["new_string"]
        encoded(old, "old_string")
        encoded(new, "new_string")
        if not old:
            raise ToolError("old_string is empty: use write to create or replace a whole file")
        if old == new:
            raise ToolError("old_string and new_string are the same: nothing would change")
        shown = context.workspace.show(path)
        with explained(context, path):
            with context.workspace.open_file(path) as file:
                demand_unchanged(context, path, file)
                content = _content(await as_edited(context, path, file), shown)
            every = arguments.get("replace_all", False)
            if len(content) > QUICK:
                edited, at = await blocking(lambda: _edited(content, old, new, shown, every=every))
            else:
                edited, at = _edited(content, old, new, shown, every=every)
            await replace(context, path, edited)
            remember(context, path)
        count = plural(len(at), "replacement")
        return changed(path, edited, f"Edited {shown}: {count}, at {_places(at)}.")


def _edited(
    content: bytes, old: str, new: str, shown: str, *, every: bool
) -> tuple[bytes, list[int]]:
    """Return the new content, and the lines of the replacements."""
    from ..files.text import NotText, Replacement, decode, encode, form_of, occurrences

    form = form_of(content)
    if form.bom and len(old) > 1:
        # The mark is no part of the text, and stays.
        old, new = old.removeprefix("\ufeff"), new.removeprefix("\ufeff")
    try:
        text = decode(content, form)
        found = list(islice(occurrences(text, old), MOST + 1))
        if len(found) > MOST:
            raise ToolError(
                f"old_string occurs more than {MOST} times in {shown}: "
                "add lines around it, or use bash to change it"
            )
        if len(content) + len(found) * len(new) > LARGEST:
            raise ToolError(_too_large(f"{shown} would be"))
        lines = _lines(text, found)
        if not found:
            raise ToolError(f"old_string does not occur in {shown}{_hint(text, old)}")
        if len(found) > 1 and not every:
            raise ToolError(_ambiguous(lines, shown))
        replacement = Replacement(text, new)
        pieces, end, at = [], 0, []
        for match, line in zip(found, lines, strict=True):
            if match.start >= end:
                pieces += [text[end : match.start], replacement.of(match)]
                end = match.start + len(match.text)
                at.append(line)
        return encode("".join([*pieces, text[end:]]), form), at
    except NotText as error:
        raise ToolError(f"{shown}: {error}") from None


def _content(file: BinaryIO, shown: str) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ToolError(_too_large(f"{shown} is"))
    return content


def _too_large(what: str) -> str:
    return f"{what} larger than {LARGEST // 1024**2} MiB: use bash to change it"


def _lines(text: str, found: Sequence[Match]) -> list[int]:
    numbers, line, at = [], 1, 0
    for match in found:
        line += text.count("\n", at, match.start)
        at = match.start
        numbers.append(line)
    return numbers


def _places(numbers: Sequence[int]) -> str:
    more = ", …" if len(numbers) > NAMED else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:NAMED]))}{more}"


def _ambiguous(numbers: Sequence[int], shown: str) -> str:
    return (
        f"old_string occurs {len(numbers)} times in {shown}, at {_places(numbers)}: "
        "add lines around it to make it unique, or set replace_all"
    )


def _hint(text: str, old: str) -> str:
    """Name the line that was probably meant."""
    from ..files.text import visible

    wanted = [line.rstrip("\r") for line in old.strip("\n").split("\n")]
    have = [line.removesuffix("\r") for line in visible(text).split("\n")[:COMPARED]]
    starts = [at for at, line in enumerate(have) if line.strip() == wanted[0].strip()]
    if wanted[0].strip() and starts:
        # Of the places where the first line fits, the one that goes on fitting longest.
        equal = {at: _equal_lines(have[at : at + FOLLOWING], wanted) for at in starts[:FITTING]}
        start = max(equal, key=lambda at: equal[at])
        differs = min(start + min(equal[start], len(wanted) - 1), len(have) - 1)
        return _nearest(have, differs)
    close = _closest(wanted[0], have)
    return "" if close is None else _nearest(have, close)


def _equal_lines(have: list[str], wanted: list[str]) -> int:
    pairs = zip(have, wanted, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _closest(wanted: str, have: list[str]) -> int | None:
    """Return the line that is most like the wanted one; None if none is near."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=wanted[:WIDTH], autojunk=False)

    def likeness(line: str, of: str) -> float:
        matcher.set_seq1(line[:WIDTH])
        ratio: float = getattr(matcher, of)()
        return ratio

    rough = [(likeness(line, "quick_ratio"), -at) for at, line in enumerate(have)]
    best = [(likeness(have[-at], "ratio"), at) for of, at in nlargest(CLOSEST, rough) if of >= NEAR]
    of, at = max(best, default=(0.0, 0))
    return -at if of >= NEAR else None


def _nearest(have: list[str], at: int) -> str:
    return f"; the nearest is line {at + 1}: {have[at][:200]}"
