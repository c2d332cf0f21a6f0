"""How a question looks on a terminal: everything that would run, exactly as it is.

An approval is only worth something if the person could see what would run. So
nothing is omitted without its size, each row begins with a margin that no
argument can break out of, and every character is shown either as itself or as
its escape. This is stricter than for output: a non-ASCII space, a joiner, or a
stack of accents that hides its neighbours has no place in a command.
"""

from __future__ import annotations

from functools import lru_cache

from ..permissions.approval import Question
from ..values import Value
from .terminal import cells, hidden
from .wording import compact, count

#: The most accents on one letter in any language; more are shown as escapes.
_MOST_ACCENTS = 2


class Sheet(Value):
    """A question, laid out for a terminal width."""

    #: The question, then its directory, path and reason.
    title: str
    about: list[str]
    #: The complete arguments.
    rows: list[str]
    #: Warnings, and what "always" would allow.
    notes: list[str]


def sheet(question: Question, width: int) -> Sheet:
    """Lay out a question for a terminal `width` columns wide."""
    rows: list[str] = []
    escaped, reordered = 0, False
    for name, value in question.tool_input.items():
        text = value if isinstance(value, str) else compact(value)
        block, found = _block(text, width)
        rows += [*_paragraph(name, width), *block]
        escaped += found
        reordered = reordered or _right_to_left(text)
    notes = []
    if escaped:
        notes.append(f"{count(escaped, 'character')} shown as an escape, such as \\x1b")
    if reordered:
        notes.append("some of it is right-to-left text: your terminal may reorder it")
    notes.append(f"always allows, for this run: {question.always}")
    about = [f"in {question.cwd}", question.reason]
    if question.path is not None:
        about.insert(1, f"on {question.path}")
    return Sheet(
        title=f"May {exposed(question.tool_name)[0]} run?",
        about=[row for one in about for row in _paragraph(one, width)],
        rows=rows or ["  without arguments"],
        notes=[row for note in notes for row in _paragraph(note, width)],
    )


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


def _paragraph(text: str, width: int) -> list[str]:
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
