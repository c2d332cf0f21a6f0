"""Runs at work in trees that contain this one, or lie in it.

Each tree has a record of its own. While commands run in a tree, what changes there is
theirs, also for a run that begins in a directory above or below: it takes over what
the other record has, instead of what it finds on the disk. So each run says in a
directory that all share where it is at work, until everything there is settled.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .record import Record
from .restoring import is_below
from .whose import AFTER_BEAT

_ACTIVE = "active"


class Neighbour(NamedTuple):
    """A run at work, or one that was killed: its roots and its record, which is only read."""

    roots: tuple[str, ...]
    record: Record
    #: Until when its commands may have run, if they do not any more; 0 while they run.
    ended: int

    def covers(self, path: str) -> bool:
        """Tell whether a path lies where its commands can write."""
        return any(is_below(path, root) for root in self.roots)


def announce(record: Record, roots: Sequence[str]) -> None:
    """Say that a run is at work in these directories."""
    if record.directory is None:
        return
    place, name = _place(record.directory)
    os.makedirs(place, 0o700, exist_ok=True)
    temporary = os.path.join(place, f".{name}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(list(roots), file)
    os.replace(temporary, os.path.join(place, name))


def withdraw(record: Record) -> None:
    """Say that nothing is at work in a tree any more, and that all is settled."""
    if record.directory is not None:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(*_place(record.directory)))


def at_work(record: Record, roots: Sequence[str]) -> list[Neighbour]:
    """Find the runs in trees that overlap with these directories."""
    found: list[Neighbour] = []
    if record.directory is None:
        return found
    place, own = _place(record.directory)
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(place)):
            if name != own and not name.startswith("."):
                found += _neighbour(os.path.join(place, name), roots)
    return found


def _neighbour(announced: str, roots: Sequence[str]) -> Iterator[Neighbour]:
    try:
        with open(announced, encoding="utf-8", errors="surrogateescape") as file:
            theirs = tuple(map(str, json.load(file)))
    except (OSError, ValueError):
        return
    if not any(_overlap(one, root) for one in theirs for root in roots):
        return
    place, name = os.path.split(announced)
    other = Record(os.path.join(os.path.dirname(place), name))
    try:
        other.open()
        running = not other.alone()
        other.rest()
        # It is replaced as a whole, so that it can be read while its run writes it anew.
        other.load()
    except OSError:
        return
    finally:
        other.close()
    beat = other.time("beat")
    if running or beat > other.time("settled"):
        yield Neighbour(theirs, other, 0 if running else beat + AFTER_BEAT)
    else:
        withdraw(other)


def _overlap(one: str, other: str) -> bool:
    return one == other or is_below(one, other) or is_below(other, one)


def _place(directory: str) -> tuple[str, str]:
    above, name = os.path.split(directory)
    return os.path.join(above, _ACTIVE), name
