"""What `edit` and `write` change in a file, as the lines of a diff.

It is made from the call's arguments and the file as it is before the call. Without
the file (a recording is shown, it is no text) it has the arguments alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import Any

from ..values import Value, replace
from .wording import count

#: Bytes of a file, and lines on either side, that are compared.
_LARGEST, _MOST = 1 << 20, 1000
#: Lines around a change.
_CONTEXT = 3
ADDED, REMOVED = "32", "31"


class Row(Value):
    """A line: `+`, `-` or ` `, its number in the file (0: unknown), its text. `⋮`: a gap."""

    sign: str
    number: int
    text: str

    @property
    def face(self) -> str:
        """The rendition."""
        return {"+": ADDED, "-": REMOVED}.get(self.sign, "2")


class Diff(Value):
    """The rows of a change, and how many lines it adds and removes."""

    rows: list[Row]
    added: int
    removed: int

    def __str__(self) -> str:
        return f"+{self.added} −{self.removed}"


def of_call(tool_input: Mapping[str, Any], path: str | None) -> Diff | None:
    """Return what a call would change; None if it changes no text that can be shown.

    `path` is the file as it is now; None if it cannot be looked at.
    """
    old, new = tool_input.get("old_string"), tool_input.get("new_string")
    content = tool_input.get("content")
    before = None if path is None else _text(path)
    if isinstance(content, str):
        return between(before or "", content)
    if not isinstance(old, str) or not isinstance(new, str) or not old:
        return None
    times = -1 if tool_input.get("replace_all") else 1
    if before is None or not 0 < before.count(old) <= (1 if times > 0 else _MOST):
        return between(old, new, numbered=False)
    return between(before, before.replace(old, new, times))


def hidden(diff: Diff, hide: Callable[[str], str]) -> Diff:
    """Return a diff whose texts have passed through `hide`."""
    rows = [replace(row, text=hide(row.text)) for row in diff.rows]
    return Diff(rows, diff.added, diff.removed)


def between(before: str, after: str, *, numbered: bool = True) -> Diff:
    """Return the diff of two texts; pieces of a file are not `numbered`."""
    old, new = _lines(before, whole=numbered), _lines(after, whole=numbered)
    rows: list[Row] = []
    added = removed = 0
    for number, group in enumerate(_groups(old, new)):
        if number:
            rows.append(Row("⋮", 0, ""))
        for tag, i, j, k, m in group:
            if tag == "equal":
                rows += [Row(" ", k + n + 1, line) for n, line in enumerate(new[k:m])]
                continue
            rows += [Row("-", i + n + 1, line) for n, line in enumerate(old[i:j])]
            rows += [Row("+", k + n + 1, line) for n, line in enumerate(new[k:m])]
            removed, added = removed + j - i, added + m - k
    if not numbered:
        rows = [Row(row.sign, 0, row.text) for row in rows]
    return Diff(rows, added, removed)


def _groups(old: list[str], new: list[str]) -> list[list[tuple[str, int, int, int, int]]]:
    """Return the groups of changes as difflib does, at a bounded cost."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    tail = 0
    while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    begin, end = max(same - _CONTEXT, 0), max(tail - _CONTEXT, 0)
    first, second = old[begin : len(old) - end], new[begin : len(new) - end]
    if len(first) > _MOST or len(second) > _MOST:
        return [[
            ("equal", begin, same, begin, same),
            ("replace", same, len(old) - tail, same, len(new) - tail),
            ("equal", len(old) - tail, len(old) - end, len(new) - tail, len(new) - end),
        ]]  # fmt: skip
    from difflib import SequenceMatcher

    groups = SequenceMatcher(None, first, second).get_grouped_opcodes(_CONTEXT)
    return [
        [(tag, i + begin, j + begin, k + begin, m + begin) for tag, i, j, k, m in group]
        for group in groups
    ]


def _lines(text: str, *, whole: bool) -> list[str]:
    """Return the lines; the last one of a whole file says if its newline is missing."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = lines.pop()
    note = "  (no newline at the end)" if whole else ""
    return [*lines, last + note] if last else lines


def omitted(rows: int) -> str:
    """Return the note for rows that are not shown."""
    return f"… {count(rows, 'more line')}"


def _text(path: str) -> str | None:
    """Return the text of a regular file; "" if there is none, None if it cannot be compared."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None
        data = os.read(descriptor, _LARGEST)
        return data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(descriptor)
