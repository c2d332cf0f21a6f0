"""Writing into a file where no other file can take its place.

A rename is the better way: no crash shows half a file. It is impossible on a file
that is mounted, and in a directory that cannot be written; and it would cut a hard
link, or give the file another owner. Then the content is written into the file
itself. What it held is kept in a journal until that is done: a process that is killed
in between leaves the journal, and the next one that opens the workspace restores the
file from it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

#: With these a rename fails where writing may work.
NO_RENAME = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV})
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
#: Entries of a workspace among which the other names of a file are looked for.
_MOST_ENTRIES = 100_000


def write(path: Path, parent: int, name: str, content: bytes) -> None:
    """Write into an existing file; raises OSError where that, or its journal, is impossible."""
    descriptor = os.open(name, _OPEN, dir_fd=parent)
    try:
        old = _read(descriptor)
        with _journal(path, old, content):
            try:
                _fill(descriptor, content)
            except OSError:
                # A full disk: what was there takes no more room than it did.
                _fill(descriptor, old)
                raise
    finally:
        os.close(descriptor)


def loses_by_rename(root: Path, status: os.stat_result) -> bool:
    """Whether a file would lose its owner, or another name that lies in the workspace.

    A file with names elsewhere is not written into: what is outside stays as it is.
    """
    if os.geteuid() not in (0, status.st_uid):
        return True
    return status.st_nlink > 1 and _names(root, status) == status.st_nlink


def recover(root: Path) -> None:
    """Restore what a killed process left half written in a workspace."""
    with contextlib.suppress(OSError):
        for entry in sorted(os.listdir(directory())):
            with contextlib.suppress(OSError, ValueError):
                _recover(directory() / entry, root)


def directory() -> Path:
    """Return where the journals lie: below the user's state."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()
    return base / "a3s" / "in-place"


@contextlib.contextmanager
def _journal(path: Path, old: bytes, new: bytes) -> Iterator[None]:
    where = directory()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    journal = where / os.urandom(8).hex()
    head = {"path": str(path), "old": sha256(old).hexdigest(), "new": sha256(new).hexdigest()}
    descriptor = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        # Held as long as this process lives: others leave it alone.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _fill(descriptor, json.dumps(head).encode() + b"\n" + old)
        yield
        journal.unlink()
    finally:
        os.close(descriptor)


def _recover(journal: Path, root: Path) -> None:
    descriptor = os.open(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        line, newline, old = _read(descriptor).partition(b"\n")
        head = json.loads(line) if newline else {}
        if not head or sha256(old).hexdigest() != head["old"]:
            journal.unlink()  # it was killed before it touched the file
            return
        path = Path(head["path"])
        if not path.is_relative_to(root):
            return
        target = os.open(path, _OPEN)
        try:
            if sha256(_read(target)).hexdigest() not in (head["old"], head["new"]):
                _fill(target, old)
        finally:
            os.close(target)
        journal.unlink()
    finally:
        os.close(descriptor)


def _names(root: Path, status: os.stat_result) -> int:
    found = seen = 0
    for parent, _, files in os.walk(root):
        for name in files:
            seen += 1
            with contextlib.suppress(OSError):
                other = os.lstat(f"{parent}/{name}")
                found += (other.st_dev, other.st_ino) == (status.st_dev, status.st_ino)
        if found == status.st_nlink or seen > _MOST_ENTRIES:
            break
    return found


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    pieces, at = [], 0
    while at < size and (piece := os.pread(descriptor, size - at, at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _fill(descriptor: int, content: bytes) -> None:
    at = 0
    while at < len(content):
        at += os.pwrite(descriptor, memoryview(content)[at:], at)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)
