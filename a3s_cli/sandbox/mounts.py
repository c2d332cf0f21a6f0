"""Verifies what a sandbox has mounted, before the command in it begins.

Bubblewrap mounts by path, and another command in the same tree may exchange a
directory for a link just then: a mount of what the link leads to would lay it open.
So the command waits until its mounts have been compared, place by place and inode
by inode, with those that were meant.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import NamedTuple

#: Seconds that a sandbox may take to be set up, and between two looks.
PATIENCE, MOMENT = 10.0, 0.001
_PASSAGE = getattr(os, "O_PATH", 0) | os.O_NOFOLLOW | os.O_CLOEXEC
_ESCAPED = re.compile(r"\\([0-7]{3})")
#: What a command may write without changing anything that stays.
_PRIVATE = frozenset(("tmpfs", "devpts", "mqueue", "proc"))

Identity = tuple[int, int]


class Expected(NamedTuple):
    """A mount that was meant: whether it is writable, and which inode is seen there."""

    writable: bool
    #: None is an empty directory of the sandbox's own.
    identity: Identity | None


class Mounted(NamedTuple):
    """A mount that is there."""

    options: frozenset[str]
    kind: str


def identity(path: str) -> Identity | None:
    """Name the inode at a path, following links; None where nothing is."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def identity_below(root: int, path: str) -> Identity | None:
    """Name the inode at a path below an open directory, never following a link."""
    here = os.dup(root)
    try:
        for part in [part for part in path.split("/") if part]:
            below = os.open(part, _PASSAGE, dir_fd=here)
            os.close(here)
            here = below
        status = os.fstat(here)
    except OSError:
        return None
    finally:
        os.close(here)
    return status.st_dev, status.st_ino


async def wrong(pid: int, expected: dict[str, Expected]) -> str | None:
    """Wait until a sandbox is set up; return what is not as it was meant, or None."""
    end = time.monotonic() + PATIENCE
    while (mounts := _mounts(pid)) is None:
        if time.monotonic() > end:
            return "it was not set up in time"
        await asyncio.sleep(MOMENT)
    try:
        root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        # It has ended by itself, and says why elsewhere.
        return "the sandbox" if os.path.exists(f"/proc/{pid}") else None
    try:
        return compare(mounts, expected, root)
    finally:
        os.close(root)


def compare(mounts: dict[str, Mounted], expected: dict[str, Expected], root: int) -> str | None:
    """Return the first place that is not as it was meant, or None."""
    for path, meant in expected.items():
        there = mounts.get(path)
        if there is None:
            return path
        if meant.identity is None:
            if there.kind != "tmpfs":
                return path
            continue
        wider = "rw" in there.options and not meant.writable
        if wider or identity_below(root, path) != meant.identity:
            return path
    places = [path for path, meant in expected.items() if meant.writable]
    for path, there in mounts.items():
        private = there.kind in _PRIVATE or path.startswith("/dev/")
        meant_so = any(f"{path}/".startswith(f"{place.rstrip('/')}/") for place in places)
        if "rw" in there.options and not private and not meant_so:
            return path
    return None


def _mounts(pid: int) -> dict[str, Mounted] | None:
    """Return the mounts of a process by their places; None while they are being made."""
    try:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found: dict[str, Mounted] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        place = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])
        # What is mounted later at the same place is what is seen.
        found[place] = Mounted(frozenset(words[5].split(",")), after.split(" ")[0])
    # The last thing that is done in there, before the old root goes.
    proc = found.get("/proc")
    done = proc is not None and "ro" in proc.options and "/" in found
    return found if done and not any(path.startswith("/oldroot") for path in found) else None
