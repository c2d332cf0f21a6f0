"""A shipped workspace on the machine where items run: unpacked once, and copied for each item.

It lies in the user's cache, which no confined command sees, so that no item sees another
one's copy. Each process that uses it holds a shared lock on it, and has a janitor, which
removes it after the last of them. What was left when janitors were killed as well, is
removed by the next process that comes, of any batch.

A run should find what a workspace usually is, so the tree is a repository with one commit:
`git diff` shows what the run has changed, and searches pass over what git ignores.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from ..config.places import user_cache
from ..errors import ConfigError, Unavailable
from ..processes import peer
from ..processes.threads import blocking
from ..values import Value
from .archive import Arriving
from .git import Git, GitFailed
from .janitor import LOCK, PATIENCE, is_lock_of, remove_unused
from .tree import content, copy, remove

#: Yields an archive piece by piece.
Fetch = Callable[[], AsyncIterator[bytes]]
_JANITOR = "a3s_cli.shipping.janitor"


class Copy(Value):
    """A copy of the tree, for one item."""

    #: Where it is, and when it was complete in nanoseconds of the file system's clock.
    root: Path
    made: int
    #: What it was copied from, and the inodes of the copied files and links by their paths.
    tree: Path
    inodes: Mapping[str, int]
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
        self._names: frozenset[str] = frozenset()
        self._lock: int | None = None
        self._janitor: peer.Peer | None = None
        self.git = Git(environment, self._root)

    async def fill(self, fetch: Fetch) -> None:
        """Unpack the workspace, unless another process has done it.

        Raises Unavailable where it cannot be kept.
        """
        try:
            await blocking(self._sweep)
            self._lock = await blocking(lambda: _entered(self._place))
            self._janitor = peer.start(_JANITOR, [str(self._place)], environment={})
            filling: int = await blocking(lambda: _locked(self._place / "filling", fcntl.LOCK_EX))
            try:
                whole = self._place / "whole"
                if not whole.exists():
                    await self._unpack(fetch)
                    whole.touch()
            finally:
                os.close(filling)
            self._names = await blocking(lambda: frozenset(content(self.tree)))
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
        """Yield a new copy of the tree; it is removed afterwards.

        Raises Unavailable where there can be none.
        """
        # On a shared disk, processes of other machines have the same number.
        place = self._place / "copies" / secrets.token_hex(8)
        try:
            try:
                made = await blocking(lambda: self._copied(place))
            except OSError as error:
                said = error.strerror or error
                raise Unavailable(f"the shipped workspace cannot be copied: {said}") from None
            yield made
        finally:
            await blocking(lambda: remove(place))

    def _copied(self, place: Path) -> Copy:
        # In a directory of its own, because its name may be any.
        root = place / "copy" / self._name
        root.parent.mkdir(0o700, parents=True)
        copy(self.tree, root)
        # The clock that counts is the one by which the file system notes changes.
        mark = place / "made"
        mark.touch()
        inodes = {name: os.lstat(root / name).st_ino for name in self._names}
        return Copy(root, mark.stat().st_ctime_ns, self.tree, inodes, place / "aside")

    def _sweep(self) -> None:
        """Remove what killed processes have left."""
        with contextlib.suppress(FileNotFoundError):
            for place in self._root.iterdir():
                if place != self._place:
                    remove_unused(place)

    def close(self) -> None:
        """Leave, as the end of the process does, and wait until the janitor has done its work."""
        if self._lock is not None and self._janitor is not None:
            os.close(self._lock)
            self._janitor.connection.close()
            self._janitor.wait(PATIENCE)
            self._lock = self._janitor = None


def _root(environment: Mapping[str, str]) -> Path:
    cache = user_cache(environment)
    if cache is None:
        raise ConfigError(
            "there is no home directory to unpack the shipped workspace in",
            hint="set HOME or XDG_CACHE_HOME on each node",
        )
    return Path(cache, "shipped")


def _entered(place: Path) -> int:
    """Return a shared lock on a place, which stays as long as it is held; make the place."""
    while True:
        place.mkdir(0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            descriptor = _locked(place / LOCK, fcntl.LOCK_SH)
            if is_lock_of(descriptor, place):
                return descriptor
            os.close(descriptor)


def _locked(file: Path, kind: int) -> int:
    """Wait for a lock on a file, and return its descriptor."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, kind)
    return descriptor
