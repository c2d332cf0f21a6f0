"""A shipped workspace on the machine where items run: unpacked once, and copied for each item.

It lies in the user's cache, which no confined command sees, so that no item sees another
one's copy. Each process that uses it holds a shared lock on it. The last one to leave
removes it; what a killed process left is removed by the next one that comes, of any batch.

A run should find what a workspace usually is, so the tree is a repository with one commit:
`git diff` shows what the run has changed, and searches pass over what git ignores.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError, Unavailable
from ..processes.threads import blocking
from ..values import Value
from .archive import Arriving
from .git import Git, GitFailed

#: Yields an archive piece by piece.
Fetch = Callable[[], AsyncIterator[bytes]]
_LOCK = "lock"


class Copy(Value):
    """A copy of the tree, for one item."""

    #: Where it is, and when it was complete in nanoseconds of the file system's clock.
    root: Path
    made: int
    #: What it was copied from, and the paths of the files and links in there.
    tree: Path
    names: Sequence[str]
    #: A directory beside it that is removed with it.
    aside: Path


class Depot:
    """One shipped workspace on this machine, as one process uses it. Close it."""

    def __init__(self, sha256: str, name: str, environment: Mapping[str, str]) -> None:
        """`name` is that of the workspace's directory. Raises ConfigError without git."""
        self._sha256 = sha256
        self._root = _root(environment)
        self._place = self._root / sha256[:32]
        self.tree = self._place / "tree"
        self._name = name
        self._names: Sequence[str] = ()
        self._number = 0
        self._lock: int | None = None
        #: Who comes second, at the end of the process, waits for the first.
        self._closing = threading.Lock()
        self.git = Git(environment, self._root)

    async def fill(self, fetch: Fetch) -> None:
        """Unpack the workspace, unless another process has done it.

        Raises Unavailable where it cannot be kept.
        """
        try:
            await blocking(self._sweep)
            self._lock = await blocking(lambda: _entered(self._place))
            filling: int = await blocking(lambda: _locked(self._place / "filling", fcntl.LOCK_EX))
            try:
                whole = self._place / "whole"
                if not whole.exists():
                    await self._unpack(fetch)
                    whole.touch()
            finally:
                os.close(filling)
            self._names = await blocking(lambda: list(content(self.tree)))
        except (OSError, ValueError, GitFailed) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise Unavailable(f"the shipped workspace cannot be unpacked: {said}") from None

    async def _unpack(self, fetch: Fetch) -> None:
        tar = self._place / "workspace.tar"
        remove(self.tree)
        arriving = Arriving(tar)
        async for piece in fetch():
            arriving.take(piece)
        await blocking(lambda: arriving.unpack(self._sha256, self.tree))
        tar.unlink()
        await self.git.begin_repository(self.tree)

    @contextlib.asynccontextmanager
    async def copy(self) -> AsyncIterator[Copy]:
        """Yield a new copy of the tree; it is removed afterwards."""
        self._number += 1
        place = self._place / "copies" / f"{os.getpid()}.{self._number}"
        root = place / self._name
        try:
            made = await blocking(lambda: self._copied(root))
            yield Copy(root, made, self.tree, self._names, place / "aside")
        finally:
            await blocking(lambda: remove(place))

    def _copied(self, root: Path) -> int:
        root.parent.mkdir(0o700, parents=True)
        shutil.copytree(self.tree, root, symlinks=True)
        # The clock that counts is the one by which the file system notes changes.
        mark = root.parent / "made"
        mark.touch()
        return mark.stat().st_ctime_ns

    def _sweep(self) -> None:
        """Remove what killed processes have left."""
        with contextlib.suppress(FileNotFoundError):
            for place in self._root.iterdir():
                if place != self._place:
                    _remove_unused(place)

    def close(self) -> None:
        """Leave; the last one removes everything."""
        with self._closing:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
                _remove_unused(self._place)


def _root(environment: Mapping[str, str]) -> Path:
    cache = environment.get("XDG_CACHE_HOME", "")
    if not cache.startswith("/"):
        cache = os.path.join(environment.get("HOME", ""), ".cache")
    if not cache.startswith("/"):
        raise ConfigError(
            "there is no home directory to unpack the shipped workspace in",
            hint="set HOME or XDG_CACHE_HOME on each node",
        )
    return Path(cache, "a3s", "shipped")


def _entered(place: Path) -> int:
    """Return a shared lock on a place, which stays as long as it is held; make the place."""
    while True:
        place.mkdir(0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            descriptor = _locked(place / _LOCK, fcntl.LOCK_SH)
            if _is_lock_of(descriptor, place):
                return descriptor
            os.close(descriptor)


def _locked(file: Path, kind: int) -> int:
    """Wait for a lock on a file, and return its descriptor."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, kind)
    return descriptor


def _is_lock_of(descriptor: int, place: Path) -> bool:
    """Tell whether a place still has this lock: it may have been removed, and made again."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(place / _LOCK))
    except FileNotFoundError:
        return False


def _remove_unused(place: Path) -> None:
    """Remove a place that no process has a lock on."""
    try:
        descriptor = os.open(place / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_lock_of(descriptor, place):
            # The lock goes last: what is interrupted here is found by the next one.
            for name in os.listdir(place):
                if name != _LOCK:
                    remove(place / name)
            remove(place)
    except OSError:
        return
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a tree, also one in which a command has taken rights away."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        reopen(path)
        shutil.rmtree(path, ignore_errors=True)


def reopen(path: Path) -> None:
    """Take back the rights to the directories of a tree that a command has taken away."""
    for directory, below, _ in os.walk(path):
        for name in below:
            found = Path(directory, name)
            mode = found.lstat().st_mode
            if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
                found.chmod(0o700)


def content(tree: Path) -> Iterator[str]:
    """Yield the paths of a tree's files and links, without its repository, through no link."""
    for directory, below, files in os.walk(tree):
        if ".git" in below:
            below.remove(".git")
        for name in (*files, *(one for one in below if Path(directory, one).is_symlink())):
            yield os.path.relpath(os.path.join(directory, name), tree)
