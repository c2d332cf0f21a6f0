"""What a path holds: read, saved and put back, never through a link.

A tree may change while it is worked on, if another command runs in it. So what
writes or removes walks down from the root, one component at a time and without
following links: a directory that was exchanged for a link is an error. A file comes
back whole or not at all, and no other name is ever seen beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from typing import NamedTuple

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Permissions that lay a file open to all users, or make it run as another user.
OPEN = 0o6002
_CHUNK = 1 << 20
#: Nanoseconds within which two changes may carry the same time, and where times are whole seconds.
TICK, COARSE_TICK = 20_000_000, 2_100_000_000


class Held(NamedTuple):
    """What is at a path: a `file`, a `link`, something `other`, or nothing (an empty kind)."""

    kind: str
    mode: int = 0
    digest: str = ""

    def same(self, other: Held) -> bool:
        """Tell whether `other` is this, and no more open to others or more executable."""
        if self[0] != other[0] or self[2] != other[2]:
            return False
        executable = bool(self[1] & 0o100) == bool(other[1] & 0o100)
        return self[0] != "file" or (executable and not other[1] & OPEN & ~self[1])


NOTHING = Held("")


class Mark(NamedTuple):
    """What the kernel says of an inode; equal marks mean equal content, if they are `settled`."""

    inode: int
    size: int
    mtime: int
    ctime: int
    mode: int


def mark(path: str) -> Mark | None:
    """Look at a path without reading it; None where nothing is."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return Mark(
        status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode
    )


def settled(mark: Mark | None, now: int) -> Mark | None:
    """Return a mark that was seen after `now` if every later change will give it another time."""
    if mark is None:
        return None
    tick = TICK if mark.ctime % 1_000_000 else COARSE_TICK
    return mark if mark.ctime + tick < now else None


def read(path: str) -> tuple[Held, bytes]:
    """Return what a path holds, and its bytes (of a link: where it leads)."""
    from hashlib import sha256

    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            data = os.fsencode(os.readlink(path))
            return Held("link", 0, sha256(data).hexdigest()), data
        if not stat.S_ISREG(mode):
            return Held("other", stat.S_IFMT(mode)), b""
        data, mode = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING, b""
    except PermissionError:
        return Held("other", 0, "unreadable"), b""
    return Held("file", stat.S_IMODE(mode), sha256(data).hexdigest()), data


def _content(path: str) -> tuple[bytes, int]:
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PermissionError(errno.EACCES, "not a file")
        data = b""
        while piece := os.read(descriptor, max(_CHUNK, status.st_size - len(data) + 1)):
            data = data + piece if data else piece
        return data, status.st_mode
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def parent(root: str, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
    """Open the directory that `path` lies in, from `root` down; yield it and the last name."""
    *parts, name = [part for part in path.removeprefix(root).split("/") if part]
    here = os.open(root, _DIRECTORY)
    try:
        for part in parts:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
            below = os.open(part, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        with _writable(here):
            yield here, name
    finally:
        os.close(here)


@contextlib.contextmanager
def _writable(directory: int) -> Iterator[None]:
    """Let its owner, who we are, change a directory in which nothing may be changed."""
    status = os.fstat(directory)
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o300 == 0o300 or status.st_uid != os.geteuid():
        yield
        return
    os.fchmod(directory, mode | 0o300)
    try:
        yield
    finally:
        os.fchmod(directory, mode)


def restore(root: str, path: str, held: Held, data: bytes) -> None:
    """Put back what a path held; raise OSError where that cannot be done."""
    if not held.kind:
        remove(root, path)
        return
    _make_way(root, path)
    with parent(root, path, create=True) as (directory, name):
        _remove_at(directory, name)
        if held.kind == "link":
            os.symlink(data, os.fsencode(name), dir_fd=directory)
        elif held.kind == "file":
            _write_at(directory, name, data, held.mode)


def remove(root: str, path: str) -> None:
    """Remove what is at a path, and nothing where nothing is."""
    gone = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    with gone, parent(root, path) as (directory, name):
        _remove_at(directory, name)


def save(root: str, path: str, place: str) -> None:
    """Copy what is at a path, file, link or tree, to `place`, for its owner alone."""
    with parent(root, path) as (directory, name):
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        source = f"/proc/self/fd/{directory}/{name}" if os.path.isdir("/proc/self/fd") else path
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(name, dir_fd=directory), place)
        elif stat.S_ISREG(mode):
            descriptor = os.open(name, _READ, dir_fd=directory)
            with open(descriptor, "rb") as file, open(place, "xb", opener=_private) as copy:
                shutil.copyfileobj(file, copy, _CHUNK)
        elif stat.S_ISDIR(mode):
            shutil.copytree(source, place, symlinks=True, ignore=_special)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _special(directory: str, names: list[str]) -> list[str]:
    """Pass over what is neither a file, a link nor a directory: reading a FIFO never ends."""
    found = []
    for name in names:
        mode = os.lstat(os.path.join(directory, name)).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
            found.append(name)
    return found


def _make_way(root: str, path: str) -> None:
    """Remove what stands where a directory has to be: a file or a link."""
    prefix = root.rstrip("/")
    for part in [part for part in path.removeprefix(root).split("/") if part][:-1]:
        prefix = f"{prefix}/{part}"
        here = mark(prefix)
        if here is not None and not stat.S_ISDIR(here.mode):
            remove(root, prefix)


def _remove_at(directory: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(name, dir_fd=directory)


def _write_at(directory: int, name: str, data: bytes, mode: int) -> None:
    """Create a file with this content, at once."""
    try:
        descriptor = os.open(
            ".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=directory
        )
    except (OSError, AttributeError):
        descriptor, named = os.open(name, _CREATE, 0o600, dir_fd=directory), True
    else:
        named = False
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, mode)
        if not named:
            os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(descriptor)
