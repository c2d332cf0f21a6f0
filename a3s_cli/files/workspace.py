"""The directory that a run works in, and the line around it.

File tools never open a path of the model's own making. `resolve` follows every
symlink and says whether the result lies inside; `open_file`, `directory` and
`replace` then walk to that result from the workspace's own descriptor, one
component at a time and without following links, so that a link swapped in
between the two is an error and never a way out. Only regular files are ever
opened: a FIFO, a socket or a device is refused without waiting for it.

A hard link cannot be told from the file itself. Reading one reads the shared
content; writing changes it where all of its names lie in the workspace, and
else replaces the name inside and leaves the other one as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..values import Value

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Passing through needs no right to list, where the system can express that.
_PASSAGE = _DIRECTORY | getattr(os, "O_PATH", 0)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Characters of a path; Linux opens none that is longer.
LONGEST = 4096
# Compiled where they are used: a run without tools has no use for them.
_URL = r"[A-Za-z][A-Za-z0-9+.-]*://"
_UNPRINTABLE = "[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symlink",
}


class Resolved(Value):
    """An absolute path with no symlink left in it, and on which side of the line it lies."""

    path: Path
    inside: bool
    #: Whether it lies outside, where files may nevertheless be read.
    readable: bool = False


class NotAFile(OSError):
    """There is something else than a regular file; the message says what."""


class Workspace:
    """One directory tree; `root` is absolute and resolved."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        #: When the files that the model has read or written were last changed, and their sizes.
        self.seen: dict[Path, tuple[int, int]] = {}
        #: Directories outside the root, without symlinks, whose files may be read.
        self.readable: tuple[Path, ...] = ()
        #: Places inside, without symlinks, of which nothing is shown.
        self.withheld: tuple[Path, ...] = ()
        self._recovered = False

    def resolve(self, path: str) -> Resolved:
        """Follow every link of `path` (relative to the root, `~` is not special).

        What the system cannot take for a path (a NUL, a chain of links without
        end, a URL, more than `LONGEST` characters) names nothing inside.
        """
        if "\0" in path or len(path) > LONGEST or re.match(_URL, path):
            return Resolved(Path(path), inside=False)
        try:
            real = Path(os.path.realpath(self.root / path))
        except (OSError, ValueError, RecursionError):
            return Resolved(Path(path), inside=False)
        return Resolved(
            real, inside=real.is_relative_to(self.root), readable=self._holder(real) is not None
        )

    def show(self, path: Path) -> str:
        """Return a path for people and models: relative to the root where it is inside."""
        inside = path.is_relative_to(self.root)
        return printable(str(path.relative_to(self.root) if inside else path))

    @contextlib.contextmanager
    def directory(self, path: Path) -> Iterator[int]:
        """Yield a descriptor of a directory inside."""
        self._demand_shown(path)
        with self._directory(self._parts(path)) as descriptor:
            yield descriptor

    def open_file(self, path: Path) -> BinaryIO:
        """Open a regular file for reading, inside or in a readable directory."""
        if holder := self._holder(path):
            elsewhere = Workspace(holder)
            elsewhere._recovered = True  # nothing of ours was ever written there
            return elsewhere.open_file(path)
        *parents, name = self._parts(path) or [""]
        if not name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._demand_shown(path)
        self.recover()
        with self._directory(parents) as parent:
            return open_file_at(parent, name)

    def replace(self, path: Path, content: bytes) -> None:
        """Replace the content of a file inside, whole or not at all; create what is missing.

        Mode, owner and the names of an existing file are kept. The old content stays
        in place until the new one is complete and on the disk: no crash shows half.
        Where no other file can take its place, see `in_place`.
        """
        *parents, name = self._parts(path) or [""]
        if not name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with self._directory(parents, create=True) as parent:
            old = _replaceable(parent, name)
            if old is None:
                self._rename(parent, name, content, old)
                return
            from . import in_place

            self.recover()
            if not in_place.loses_by_rename(self.root, old):
                try:
                    self._rename(parent, name, content, old)
                    return
                except OSError as error:
                    if error.errno not in in_place.NO_RENAME:
                        raise
            in_place.write(path, parent, name, content)

    def withholds(self, path: Path) -> bool:
        """Tell whether nothing of a path is shown."""
        return any(path == place or place in path.parents for place in self.withheld)

    def _demand_shown(self, path: Path) -> None:
        if self.withheld and self.withholds(path):
            raise PermissionError(errno.EACCES, "it contains credentials and is hidden")

    def _holder(self, path: Path) -> Path | None:
        """Return the readable directory outside that holds a path."""
        if not self.readable or path.is_relative_to(self.root):
            return None
        return next((one for one in self.readable if path.is_relative_to(one)), None)

    def recover(self) -> None:
        """Restore, once, what a killed process left half written."""
        if not self._recovered:
            from .in_place import recover

            self._recovered = True
            recover(self.root)

    def _rename(self, parent: int, name: str, content: bytes, old: os.stat_result | None) -> None:
        """Write another file and let it take the place of the old one."""
        temporary = f".a3s-{os.urandom(8).hex()}.tmp"
        descriptor = os.open(temporary, _CREATE, 0o600 if old else 0o666, dir_fd=parent)
        try:
            try:
                _fill(descriptor, content, old)
            finally:
                os.close(descriptor)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(temporary, dir_fd=parent)
            raise
        with contextlib.suppress(OSError):  # not every file system can
            os.fsync(parent)

    def _parts(self, path: Path) -> list[str]:
        text, root = str(path), str(self.root).rstrip("/")
        parts = text.removeprefix(root).split("/")
        if ".." in parts or not (path == self.root or text.startswith(f"{root}/")):
            raise PermissionError(errno.EACCES, "it is outside the workspace")
        return [part for part in parts if part]

    @contextlib.contextmanager
    def _directory(self, parts: list[str], *, create: bool = False) -> Iterator[int]:
        """Walk down, one component at a time; `create` makes what is missing on the way."""
        here = os.open(self.root, _PASSAGE if parts else _DIRECTORY)
        try:
            for depth, name in enumerate(parts, 1):
                flags = _PASSAGE if depth < len(parts) else _DIRECTORY
                below = _enter(here, name, flags, create)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _enter(parent: int, name: str, flags: int, create: bool) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    return os.open(name, flags, dir_fd=parent)


def open_file_at(parent: int, name: str) -> BinaryIO:
    """Open a regular file of a directory for reading, never through a link.

    It is looked at first, because merely opening a device can have effects, and
    again once it is open.
    """
    _demand_file(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    file = os.fdopen(os.open(name, _READ, dir_fd=parent), "rb", buffering=256 * 1024)
    try:
        _demand_file(os.fstat(file.fileno()).st_mode)
    except OSError:
        file.close()
        raise
    return file


def _demand_file(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise NotAFile(f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file")


def _replaceable(parent: int, name: str) -> os.stat_result | None:
    """Return the status of the file that is in the way, if it may be replaced at all."""
    try:
        old = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    _demand_file(old.st_mode)
    # A rename does not need this right, but a file is made read-only for a reason.
    if not os.access(name, os.W_OK, dir_fd=parent):
        raise PermissionError(errno.EACCES, "it is read-only")
    return old


def _fill(descriptor: int, content: bytes, old: os.stat_result | None) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if old:
        mode = stat.S_IMODE(old.st_mode)
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.chown(descriptor, old.st_uid, old.st_gid)
            except PermissionError:
                mode &= 0o777  # set-uid would now mean another user
        os.chmod(descriptor, mode)
    os.fsync(descriptor)


def printable(text: str) -> str:
    """Return a path as one line of valid Unicode; what is neither is escaped."""
    return re.sub(_UNPRINTABLE, _escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte of a name that is not UTF-8
    return match[0].encode("unicode_escape").decode("ascii")
