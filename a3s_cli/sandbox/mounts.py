"""Verifies what a sandbox has mounted, before the command in it begins.

Bubblewrap mounts by path, and another command in the same tree may exchange a
directory for a link just then: a mount of what the link leads to would lay it open.
So the command waits until its mounts have been compared, place by place and inode
by inode, with those that were meant.

The exchange goes on while they are compared, and a list of mounts by their names would
be of another moment than the inodes. So each place is opened, once and never through
a link, and the kernel tells of which mount that descriptor is. A mount that can be
written to and that no descriptor has led to is not one of ours.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

#: Seconds that a sandbox may take to be set up, and between two looks.
PATIENCE, MOMENT = 10.0, 0.001
_PASSAGE = getattr(os, "O_PATH", 0) | os.O_NOFOLLOW | os.O_CLOEXEC
_ESCAPED = re.compile(r"\\([0-7]{3})")
#: What a command may write without changing anything that stays.
_PRIVATE = frozenset(("tmpfs", "devpts", "mqueue", "proc"))

Identity = tuple[int, int]
_Result = TypeVar("_Result")


class Expected(NamedTuple):
    """A mount that was meant: whether it is writable, and which inode is seen there."""

    writable: bool
    #: None is an empty directory of the sandbox's own.
    identity: Identity | None


class Mounted(NamedTuple):
    """A mount that is there."""

    place: str
    options: frozenset[str]
    kind: str
    #: The device and the directory on it, which is the same in every namespace.
    source: tuple[str, str]


class Seen(NamedTuple):
    """What is seen at a place."""

    identity: Identity
    #: The number of the mount that the place is in, and of the one around it.
    mount: int
    around: int


def identity(path: str) -> Identity | None:
    """Name the inode at a path, following links; None where nothing is."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def identity_below(root: int, path: str) -> Identity | None:
    """Name the inode at a path below an open directory; None at a link and behind one."""
    return _walk(root, path, lambda here, _: _identity(here))


def seen(root: int, path: str) -> Seen | None:
    """Look at a place below an open directory; None at a link and behind one."""
    return _walk(
        root,
        path,
        lambda here, above: (
            (one := _identity(here)) and Seen(one, _mount_of(here), _mount_of(above))
        ),
    )


def _walk(root: int, path: str, look: Callable[[int, int], _Result | None]) -> _Result | None:
    """Open a path component by component, and look at it and at the one above."""
    above, here = -1, os.dup(root)
    try:
        for part in [part for part in path.split("/") if part]:
            below = os.open(part, _PASSAGE, dir_fd=here)
            if above >= 0:
                os.close(above)
            above, here = here, below
        return look(here, above)
    except OSError:
        return None
    finally:
        for descriptor in (above, here):
            if descriptor >= 0:
                os.close(descriptor)


def _identity(descriptor: int) -> Identity | None:
    status = os.fstat(descriptor)
    return None if stat.S_ISLNK(status.st_mode) else (status.st_dev, status.st_ino)


def _mount_of(descriptor: int) -> int:
    """Return the number of the mount that a descriptor is in; -1 above the uppermost one."""
    if descriptor < 0:
        return -1
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        return next(int(line[7:]) for line in file if line.startswith("mnt_id:"))


async def wrong(pid: int, expected: dict[str, Expected]) -> str | None:
    """Wait until a sandbox is set up; return what is not as it was meant, or None."""
    end = time.monotonic() + PATIENCE
    while not _complete(mounts := _mounts(pid)):
        if time.monotonic() > end:
            return "it was not set up in time"
        await asyncio.sleep(MOMENT)
    try:
        root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        # It has ended by itself, and says why elsewhere.
        return "the sandbox" if os.path.exists(f"/proc/{pid}") else None
    try:
        return compare(mounts or {}, expected, root)
    finally:
        os.close(root)


def compare(mounts: dict[int, Mounted], expected: dict[str, Expected], root: int) -> str | None:
    """Return the first place that is not as it was meant, or None."""
    ours = set()
    for path, meant in expected.items():
        now = seen(root, path)
        there = mounts.get(now.mount) if now else None
        if now is None or there is None or now.mount == now.around:
            return path
        if meant.identity is None:
            fits = there.kind == "tmpfs"
        else:
            fits = now.identity == meant.identity and (meant.writable or "rw" not in there.options)
        if not fits:
            return path
        ours.add(now.mount)
    for number, one in mounts.items():
        private = one.kind in _PRIVATE or one.place.startswith("/dev/")
        harmless = number in ours or private or "rw" not in one.options
        if not harmless and not _came_along(one, expected):
            return one.place
    return None


def _came_along(one: Mounted, expected: dict[str, Expected]) -> bool:
    """Tell whether something was mounted there already, below a place that may be written."""
    places = [path for path, meant in expected.items() if meant.writable]
    if not any(f"{one.place}/".startswith(f"{place.rstrip('/')}/") for place in places):
        return False
    outside = _mounts("self") or {}
    return any((o.place, o.source) == (one.place, one.source) for o in outside.values())


def _mounts(pid: int | Literal["self"]) -> dict[int, Mounted] | None:
    """Return the mounts of a process by their numbers."""
    try:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        place = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])
        options, source = frozenset(words[5].split(",")), (words[2], words[3])
        found[int(words[0])] = Mounted(place, options, after.split(" ")[0], source)
    return found


def _complete(mounts: dict[int, Mounted] | None) -> bool:
    """Tell whether all is mounted: the last that is done in there, before the old root goes."""
    places = {one.place: one for one in (mounts or {}).values()}
    proc = places.get("/proc")
    old = any(place.startswith("/oldroot") for place in places)
    return proc is not None and "ro" in proc.options and "/" in places and not old
