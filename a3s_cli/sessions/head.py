"""Summarizes a session from the first and the last line of its file, without reading it all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from ..jsontext import LINE_LIMIT
from ..values import Value
from . import facts
from .lines import CLOSED, INTERRUPTED, regular

_N = TypeVar("_N", int, float)
#: Bytes that nearly always contain the last line.
_PIECE = 4096
#: Marks a turn in a file whose last line does not count them.
_TURN_END = b'\n{"type":"turn_end"'
_BLOCK = 1 << 20


class Summary(Value):
    """One session, as a list shows it. Times are milliseconds since the Unix epoch."""

    id: str
    created: int
    used: int
    workspace: str
    model: str | None
    runs: int | None
    turns: int
    prompt: str
    bytes: int
    #: How the last run ended; "running" while one goes on, None if an old file does not tell.
    verdict: str | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    #: The name that the user has given it, if any.
    title: str | None = None
    forked_from: str | None = None

    @property
    def name(self) -> str:
        """What it is shown as: its title, else its first prompt."""
        return self.title or self.prompt


def summary(session: str, path: Path, spilled: Path) -> Summary:
    """Return the summary of a session. Raises OSError if it does not exist as a file."""
    with open(path, "rb", opener=regular) as file:
        status = os.fstat(file.fileno())
        start, last = _first(file), _last(file, status.st_size)
        used = status.st_mtime_ns // 1_000_000
        over = last.get("type") in (CLOSED, INTERRUPTED)
        turns = last.get("turns") if over else None
        return Summary(
            id=session,
            created=_integer(start.get("ts"), used),
            used=used,
            workspace=_text(start.get("cwd")),
            model=_text(last.get("model")) or _text(start.get("model")) or None,
            runs=last.get("runs") if turns is not None else None,
            turns=turns if isinstance(turns, int) else _counted(file),
            prompt=_text(start.get("prompt")),
            bytes=status.st_size + size_of(spilled),
            verdict=_text(last.get("verdict")) or None if over else _open_verdict(file.fileno()),
            total_tokens=_number(last.get("totalTokens"), int),
            cost_usd=_number(last.get("costUsd"), float),
            title=_text(last.get("title")) or None,
            forked_from=_text(last.get("forkedFrom")) or None,
        )


def _open_verdict(descriptor: int) -> str:
    """Return whether the run without an end goes on: its process holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return facts.RUNNING
    return facts.INTERRUPTED


def workspace_of(path: Path) -> str:
    """Return the workspace that a session was started in."""
    with open(path, "rb", opener=regular) as file:
        return _text(_first(file).get("cwd"))


def size_of(directory: Path) -> int:
    """Return the total size of the files in a directory, which need not exist."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(directory) as found:
        for one in found:
            total += one.stat(follow_symlinks=False).st_size
    return total


def _first(file: BinaryIO) -> dict[str, Any]:
    # The first line is `start`, which is within the limit of a line.
    return _object(file.readline(LINE_LIMIT))


def _last(file: BinaryIO, size: int) -> dict[str, Any]:
    file.seek(max(size - _PIECE, 0))
    return _object(file.read(_PIECE).rstrip(b"\n").rpartition(b"\n")[2])


def _counted(file: BinaryIO) -> int:
    file.seek(0)
    count, before = 0, b""
    while piece := file.read(_BLOCK):
        joined = before + piece
        count += joined.count(_TURN_END)
        before = joined[1 - len(_TURN_END) :]
    return count


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, kind: type[_N]) -> _N | None:
    return value if isinstance(value, kind) else None


def _integer(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
