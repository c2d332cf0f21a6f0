"""Removes old sessions: those not used for 30 days, and the oldest beyond 1 GiB in total.

Checking every session takes a while, so runs do it once a day, when they are over. A
session in use is never touched.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from ..values import State, field
from .file import NotKept
from .head import size_of
from .recent import SUFFIX
from .store import Store, locked

OLDEST = 30 * 24 * 3600
LARGEST = 1 << 30
#: Seconds between two checks.
_INTERVAL = 24 * 3600
_LOOKED = ".pruned"


class Pruned(State):
    """What was removed."""

    ids: list[str] = field(default_factory=list)
    bytes: int = 0


def prune_if_due(store: Store) -> None:
    """Prune if the last time was a day ago. Never raises."""
    mark = store.recent.directory / _LOOKED
    with suppress(OSError, NotKept):
        elapsed = time.time() - mark.stat().st_mtime if mark.exists() else -1.0
        if 0 <= elapsed < _INTERVAL:
            return
        descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Two at a time would get in each other's way.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.utime(mark)
            # A clock that has jumped tells no age: the next look will, if it was right.
            prune(store, oldest=OLDEST if 0 <= elapsed <= OLDEST else float("inf"))
        finally:
            os.close(descriptor)


def prune(store: Store, *, oldest: float = OLDEST, largest: int = LARGEST) -> Pruned:
    """Remove sessions unused for `oldest` seconds, then the oldest beyond `largest` bytes."""
    pruned = Pruned()
    found = _found(store.directory)
    total = sum(size for _, size, _ in found)
    limit = time.time() - oldest
    for used, size, session in sorted(found):
        if used >= limit and total <= largest:
            break
        if _erased(store, session):
            pruned.ids.append(session)
            pruned.bytes += size
            total -= size
    _clear_orphans(store.directory)
    store.recent.check()
    return pruned


def _found(directory: Path) -> list[tuple[float, int, str]]:
    """Return (last use, size, id) of every session."""
    files: dict[str, tuple[float, int]] = {}
    spilled: list[str] = []
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for one in entries:
            if one.name.endswith(SUFFIX):
                with suppress(FileNotFoundError):
                    status = one.stat(follow_symlinks=False)
                    files[one.name[: -len(SUFFIX)]] = (status.st_mtime, status.st_size)
            elif one.name.endswith(".d"):
                spilled.append(one.name[:-2])
    for session in spilled:
        if session in files:
            used, size = files[session]
            files[session] = (used, size + size_of(directory / f"{session}.d"))
    return [(used, size, session) for session, (used, size) in files.items()]


def _erased(store: Store, session: str) -> bool:
    try:
        descriptor = os.open(store.path(session), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not locked(descriptor):
            return False
        store.erase(session)
        return True
    except NotKept:
        return False
    finally:
        os.close(descriptor)


def _clear_orphans(directory: Path) -> None:
    """Remove the large values of sessions that are gone."""
    import shutil

    with suppress(FileNotFoundError):
        names = set(os.listdir(directory))
        for name in names:
            if name.endswith(".d") and name[:-2] + SUFFIX not in names:
                shutil.rmtree(directory / name, ignore_errors=True)
