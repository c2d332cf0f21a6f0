"""The lines of a session's runs, read back from its file exactly as they were streamed.

The file has other lines as well, the conversation as the model sees it; they do
not belong to any run. A run that another process is writing ends at the last
line written so far.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from ..errors import A3SError, UsageError
from .disk_threads import beside

_START = b'{"type":"start"'
_ASIDE = b'{"type":"session_'
#: Bytes of lines per piece.
PIECE = 64 * 1024


class Place(NamedTuple):
    """The line that a reader wants next: the `seq` of a run."""

    run: str
    seq: int


class SessionLines(NamedTuple):
    """Consecutive lines of one run, without their newlines; `seq` is that of the first."""

    run: str
    seq: int
    lines: list[bytes]


async def read(path: Path, after: Place | None = None) -> AsyncIterator[SessionLines]:
    """Yield the lines of a session in pieces, from a position on or all of them."""
    pieces = _read(path, after)
    # On a thread: a session may be long and a disk slow.
    while (found := await beside(_next, pieces)) is not None:
        yield found


def _next(pieces: Iterator[SessionLines]) -> SessionLines | None:
    return next(pieces, None)


def _read(path: Path, after: Place | None) -> Iterator[SessionLines]:
    seen = after is None
    run, seq, piece, size = "", 0, list[bytes](), 0
    for line in _lines(path):
        if line.startswith(_START):
            if piece:
                yield SessionLines(run, seq, piece)
            run, seq, piece, size = _run_of(line), 0, [], 0
            seen = seen or (after is not None and run == after.run)
        if not run or not seen:
            continue
        if after is not None and run == after.run and seq + len(piece) < after.seq:
            seq += 1
            continue
        piece.append(line)
        size += len(line)
        if size >= PIECE:
            yield SessionLines(run, seq, piece)
            seq, piece, size = seq + len(piece), [], 0
    if piece:
        yield SessionLines(run, seq, piece)


def ends(path: Path) -> dict[str, int]:
    """Return the number of lines of each run of a session, in order."""
    found: dict[str, int] = {}
    run = ""
    for line in _lines(path):
        if line.startswith(_START):
            run = _run_of(line)
        if run:
            found[run] = found.get(run, 0) + 1
    return found


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            for line in file:
                # The last line may be incomplete.
                if line.endswith(b"\n") and not line.startswith(_ASIDE):
                    yield line[:-1]
    except FileNotFoundError:
        return
    except OSError as error:
        raise A3SError(f"the session cannot be read: {error.strerror}") from None


def _run_of(start: bytes) -> str:
    try:
        return str(orjson.loads(start).get("runId", ""))
    except orjson.JSONDecodeError:
        return ""


def place(last_event_id: str, known: dict[str, int]) -> Place | None:
    """Return the position after this event; None if there is none.

    A bare number refers to the newest run. Raises `UsageError` for an event that
    does not exist.
    """
    if not last_event_id:
        return None
    run, colon, number = last_event_id.rpartition(":")
    run = run if colon else next(reversed(known), "")
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise UsageError(f"Last-Event-ID is {last_event_id[:80]!r}: expected RUNID:SEQ, or SEQ")
    if run not in known:
        raise UsageError(f"Last-Event-ID names the run {run[:40]!r}, which is not in this session")
    if int(number) >= known[run]:
        raise UsageError(f"Last-Event-ID is {number}, and the run has {known[run]} events so far")
    return Place(run, int(number) + 1)
