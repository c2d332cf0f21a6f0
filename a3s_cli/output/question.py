"""How a question looks on a terminal: everything that would run, exactly as it is.

An approval is only worth something if the person could see what would run. So
nothing is omitted without its size, each row begins with a margin that no
argument can break out of, and every character is shown either as itself or as
its escape. This is stricter than for output: a non-ASCII space, a joiner, or a
stack of accents that hides its neighbours has no place in a command.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..permissions.approval import Question
from ..values import Value
from .terminal import cells, hidden
from .wording import compact, count

if TYPE_CHECKING:
    from .diff import Diff

#: The most accents on one letter in any language; more are shown as escapes.
_MOST_ACCENTS = 2


class Sheet(Value):
    """A question, laid out for a terminal width."""

    #: The question, then its directory, path and reason.
    title: str
    about: list[str]
    #: The complete arguments, or the change that they are; each row with its rendition.
    rows: list[tuple[str, str]]
    #: Warnings, and what "always" would allow.
    notes: list[str]


#: Arguments that a diff and the path show.
_IN_DIFF = ("file_path", "content", "old_string", "new_string")


def sheet(question: Question, width: int, span: str, diff: Diff | None = None) -> Sheet:
    """Lay out a question for a terminal `width` columns wide.

    `span` says how long "always" holds, `diff` what the call would change.
    """
    rows, escaped = _changes(diff, width) if diff else ([], 0)
    texts = [row.text for row in diff.rows] if diff else []
    for name, value in question.tool_input.items():
        if diff and name in _IN_DIFF:
            continue
        text = value if isinstance(value, str) else compact(value)
        block, found = _block(text, width)
        rows += [(row, "") for row in (*paragraph(name, width), *block)]
        escaped += found
        texts.append(text)
    notes = []
    if escaped:
        notes.append(f"{count(escaped, 'character')} shown as an escape, such as \\x1b")
    if any(map(_right_to_left, texts)):
        notes.append("some of it is right-to-left text: your terminal may reorder it")
    notes.append(f"always allows, {span}: {question.always}")
    about = [f"in {question.cwd}", question.reason]
    if question.path is not None:
        about.insert(1, f"on {question.path}" + (f" ({diff})" if diff else ""))
    return Sheet(
        title=f"May {exposed(question.tool_name)[0]} run?",
        about=[row for one in about for row in paragraph(one, width)],
        rows=rows or [("  without arguments", "")],
        notes=[row for note in notes for row in paragraph(note, width)],
    )


def _changes(diff: Diff, width: int) -> tuple[list[tuple[str, str]], int]:
    """Return the rows of a diff and the count of escapes."""
    digits = len(str(max((row.number for row in diff.rows), default=0)))
    rows: list[tuple[str, str]] = []
    escaped = 0
    for row in diff.rows:
        shown, found = exposed(row.text)
        margin = f"  {row.number or '':>{digits}} {row.sign} "
        folded = _folded(margin, shown, width, f"  {'':>{digits}} ┆ ")
        rows += [(one, row.face) for one in folded]
        escaped += found
    return rows, escaped


def exposed(line: str) -> tuple[str, int]:
    """Escape the characters of a line that a terminal would hide; return the line and a count."""
    if line.isascii() and line.isprintable():
        return line, 0
    shown: list[str] = []
    escaped = accents = 0
    for character in line:
        columns = _columns(character)
        accents = accents + 1 if columns == 0 else 0
        # An accent at the start of a line would combine with our margin.
        if columns is not None and accents <= (_MOST_ACCENTS if shown else 0):
            shown.append(character)
        else:
            shown.append(character.encode("unicode_escape").decode())
            escaped += character != "\t"
    return "".join(shown), escaped


@lru_cache(maxsize=4096)
def _columns(character: str) -> int | None:
    """Return the most columns a character takes on any terminal; None if it must be escaped."""
    if not character.isprintable() or hidden(character):
        return None
    if character.isascii():
        return 1
    return 2 if cells(character) else 0  # terminals disagree about which are wide


def _right_to_left(text: str) -> bool:
    if text.isascii():
        return False
    from unicodedata import bidirectional

    return any(bidirectional(character) in ("R", "AL") for character in text)


def _block(text: str, width: int) -> tuple[list[str], int]:
    """Return numbered rows and the count of escapes; a long line continues at a dotted margin."""
    lines = text.split("\n")
    digits = len(str(len(lines)))
    rows: list[str] = []
    escaped = 0
    for number, line in enumerate(lines, 1):
        shown, found = exposed(line)
        rows += _folded(f"  {number:>{digits}} │ ", shown, width, f"  {'':>{digits}} ┆ ")
        escaped += found
    return rows, escaped


def paragraph(text: str, width: int) -> list[str]:
    """Return the rows of one sentence, escaped and indented."""
    return _folded("  ", exposed(text)[0], width, "    ")


def _folded(margin: str, line: str, width: int, next_margin: str) -> list[str]:
    at = _end(line, 0, width - len(margin))
    rows = [margin + line[:at]]
    while at < len(line):
        begin, at = at, _end(line, at, width - len(next_margin))
        rows.append(next_margin + line[begin:at])
    return rows


def _end(line: str, begin: int, room: int) -> int:
    """Return where a row that starts at `begin` must end."""
    if line.isascii():
        return min(begin + room, len(line))
    used = 0
    for position in range(begin, len(line)):
        used += _columns(line[position]) or 0
        if used > room:
            return position
    return len(line)
