"""`a3s sessions show`: a session for people to read, prompts included.

It looks like `-o pretty`, so nothing in it can control the terminal. Unreadable lines
are skipped over with a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..events import Event
from ..output.disarm import Disarmer
from ..output.pretty import Pretty
from ..output.terminal import Style, neutralise, single_line
from ..output.wording import count
from ..stream.reader import INTERRUPTED, Checker, Line
from .head import Summary
from .listing import size


def transcript(row: Summary, lines: Iterable[bytes], style: Style) -> Iterator[str]:
    """Yield the session in pieces, its facts first."""
    yield "".join(f"{name:<9} {single_line(value)}\n" for name, value in _facts(row))
    checker = Checker()
    shown: list[bytes] = []
    pretty = Pretty(shown.append, shown.append, style)
    for data in lines:
        line = checker.take(data)
        if line.event is not None and line.event.type == "start":
            pretty = Pretty(shown.append, shown.append, style)
            if line.event.prompt is not None:
                yield _prompt(line.event)
        if line.event is not None:
            pretty.accept([line.event])
        elif text := _unread(line):
            yield text
        if shown:
            yield b"".join(shown).decode(errors="replace")
            shown.clear()


def _facts(row: Summary) -> Iterator[tuple[str, str]]:
    yield "session", row.id
    yield "started", _when(row.created)
    yield "last used", _when(row.used)
    if row.workspace:
        yield "workspace", row.workspace
    if row.title:
        yield "title", row.title
    if row.forked_from:
        yield "copy of", row.forked_from
    yield "size", f"{count(row.turns, 'turn')}, {size(row.bytes)}"


def _when(milliseconds: int) -> str:
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return "unknown"  # a line may hold any number


def _prompt(start: Event) -> str:
    lines = neutralise(start.prompt or "").strip().split("\n")
    for one in start.attachments or ():
        named = f"[{one.get('name')}, {one.get('mediaType')}, {one.get('bytes')} bytes]"
        lines.append(single_line(named))
    quoted = "".join(f"> {line}\n" for line in lines)
    disarmer = Disarmer()
    return "\n" + disarmer.feed(quoted) + disarmer.flush() + "\n"


def _unread(line: Line) -> str:
    """Return a note on what cannot be shown; empty for lines that are not events."""
    if line.value is None:
        return f"(line {line.number} cannot be read)\n"
    if line.value["type"] == INTERRUPTED:
        return "(this run was interrupted)\n"
    return ""
