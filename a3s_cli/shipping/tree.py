"""Trees in which any command may have worked: listed, copied and removed.

Such a tree may be deeper than a path can be long, have directories without rights, and
change while it is looked at. Listing takes the rights back and fails where it cannot see
everything, because a file that was not seen would count as removed. Removing follows no
link, and goes on where something cannot be removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LOCATED = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC


def content(tree: Path) -> Iterator[str]:
    """Yield the paths of a tree's files and links, without repositories, through no link.

    Raises OSError for a directory that cannot be listed.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(f"{tree}/{below}") as scan:
            for one in scan:
                if not one.is_dir(follow_symlinks=False):
                    yield below + one.name
                elif one.name != ".git":
                    pending.append(f"{below}{one.name}/")


def reopen(tree: Path) -> None:
    """Take back the rights to read a tree's directories and files, which a command took away."""
    pending = [tree]
    while pending:
        here = pending.pop()
        _add_rights(here, here.lstat().st_mode, stat.S_IRWXU)
        with os.scandir(here) as scan:
            for one in scan:
                if one.is_dir(follow_symlinks=False):
                    pending.append(here / one.name)
                elif one.is_file(follow_symlinks=False):
                    mode = one.stat(follow_symlinks=False).st_mode
                    _add_rights(here / one.name, mode, stat.S_IRUSR)


def _add_rights(path: Path, mode: int, rights: int) -> None:
    if mode & rights != rights:
        path.chmod(mode & 0o777 | rights)


def copy(source: Path, target: Path) -> None:
    """Copy a tree with its links, rights and times. Raises OSError."""
    pending = [(source, target)]
    while pending:
        old, new = pending.pop()
        new.mkdir()
        with os.scandir(old) as scan:
            for one in scan:
                place = new / one.name
                if one.is_symlink():
                    place.symlink_to(os.readlink(one.path))
                elif one.is_dir():
                    pending.append((old / one.name, place))
                else:
                    status = one.stat()
                    shutil.copyfile(one.path, place)
                    place.chmod(status.st_mode)
                    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))


def remove(path: Path) -> None:
    """Remove a file or a tree, as far as that is possible."""
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return
        _permit(str(path), None)
        top = os.open(path, _DIRECTORY)
        try:
            _empty(top)
        finally:
            os.close(top)
        path.rmdir()


def _empty(top: int) -> None:
    """Remove what is in a directory.

    Each directory below is moved up here before it is emptied, so that no depth exhausts
    descriptors, and no link that takes the place of a directory leads out.
    """
    mark, number = secrets.token_hex(8), 0
    pending = ["."]
    while pending:
        name = pending.pop()
        with contextlib.suppress(OSError), _opened(name, top) as here:
            for below in os.listdir(here):
                number += 1
                moved = f"{mark}.{number}"
                with contextlib.suppress(OSError):
                    if _is_directory(below, here):
                        _permit(below, here)
                        os.rename(below, moved, src_dir_fd=here, dst_dir_fd=top)
                        pending.append(moved)
                    else:
                        os.unlink(below, dir_fd=here)
        if name != ".":
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=top)


@contextlib.contextmanager
def _opened(name: str, parent: int) -> Iterator[int]:
    descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_directory(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _permit(name: str, parent: int | None) -> None:
    """Take back the rights to a directory; never through a link."""
    with contextlib.suppress(OSError):
        descriptor = os.open(name, _LOCATED | os.O_DIRECTORY, dir_fd=parent)
        try:
            # What was merely located cannot be changed, but by its name here it can.
            Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
        finally:
            os.close(descriptor)
