"""What a confined command sees of the file system: one mount for each path that differs.

The whole disk is read-only, the workspace is not; what is hidden is covered by an
empty directory or file. Mounts are made from the outside in, so that the innermost
one decides.

In an ordinary workspace nothing is mounted: what a command must not leave behind is
the guard's work, and a mount would be in the way. Only where a home is (part
of) the workspace, its credentials are hidden and its start files read-only. A mount
holds only the path itself: `mv .config x` would carry a hidden `.config/gh` away. So
every directory between becomes a mount too, which cannot be moved.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence

from ..files.protected import resolved
from ..values import State, field
from .mounts import Expected, identity, identity_below

#: Covers what is not a directory.
EMPTY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "empty")

_READ, _WRITE = "--ro-bind", "--bind"
_EMPTY_DIRECTORY, _EMPTY_FILE = "--tmpfs", "an empty file"
_HIDING = (_EMPTY_DIRECTORY, _EMPTY_FILE)


class View(State):
    """The mounts by their path; `roots` are writable, unless everything is read-only."""

    roots: Sequence[str]
    read_only: bool = False
    mounts: dict[str, str] = field(default_factory=dict)
    #: What is mounted from another place: path -> the directory or file behind it.
    kept: dict[str, str] = field(default_factory=dict)

    def build(
        self,
        hidden: Iterable[str],
        shown: Iterable[str],
        protected: Iterable[str],
        temporary: Iterable[str] = (),
    ) -> None:
        """Fill it. `protected` paths are read-only in the roots, where they exist.

        `temporary` are the directories of temporary files.
        """
        self.mounts = {"/": _READ, "/proc": "--proc", "/dev": "--dev"}
        real = sorted({resolved(path) for path in hidden if os.path.exists(path)}, key=len)
        for path in real:
            if path != "/" and not self._is_writable(path) and self._around(path) not in _HIDING:
                self._hide(path)
        shown = {os.path.normpath(path) for path in shown}
        for path in sorted(shown, key=len):
            seen = os.path.exists(path) and not self._is_writable(path)
            if seen and self._around(path) in _HIDING:
                self.mounts.setdefault(path, _READ)
        for path in temporary:
            self._empty(path, shown)
        for path in real:
            # Now that our own home is seen, what is hidden in it counts.
            if not self._is_writable(path) and self._around(path) not in _HIDING:
                self._hide(path)
        for root in self.roots:
            self.mounts[root] = _READ if self.read_only else _WRITE
        for path in real:
            if self._is_writable(path) and path not in self.roots:
                self._hide_inside(path)
        if not self.read_only:
            for path in protected:
                self._protect(path)

    def show(self, path: str) -> None:
        """Let a directory be seen, read-only, although what is around it is hidden."""
        if os.path.isdir(path) and self._around(path) in _HIDING:
            self.mounts[path] = _READ

    def bind(self, path: str, source: str) -> None:
        """Let a writable directory of a3s's own be seen at a path."""
        self.mounts[path] = _WRITE
        self.kept[path] = source

    def arguments(self) -> list[str]:
        """Return the mounts as arguments of bubblewrap."""
        found = []
        for path in sorted(self.mounts, key=_parts):
            kind = self.mounts[path]
            if path in self.kept:
                found += [_WRITE, self.kept[path], path]
            elif kind in (_READ, _WRITE):
                found += [kind, path, path]
            elif kind == _EMPTY_FILE:
                found += [_READ, EMPTY, path]
            else:
                found += [kind, path]
        # Root owns the kernel's settings in there, and needs no capability to write them.
        return [*found, "--remount-ro", "/proc"]

    def expected(self, roots: dict[str, int]) -> dict[str, Expected]:
        """Return what must be mounted; `roots` are descriptors of the roots, which decide.

        Below a root an inode is looked up without following a link.
        """
        found = {}
        for path, kind in self.mounts.items():
            if path in ("/", "/proc", "/dev") and path not in self.roots:
                continue
            inside = next((root for root in roots if _is_in(path, root)), None)
            place = path if inside is not None else resolved(path)
            if path in self.kept:
                found[place] = Expected(True, identity(self.kept[path]))
            elif kind == _EMPTY_DIRECTORY:
                found[place] = Expected(True, None)
            elif kind == _EMPTY_FILE:
                found[place] = Expected(False, identity(EMPTY))
            else:
                inode = (
                    identity(path)
                    if inside is None
                    else identity_below(roots[inside], path.removeprefix(inside))
                )
                # No inode has this number: what is not there is not mounted either.
                found[place] = Expected(kind == _WRITE, inode or (-1, -1))
        return found

    def keep(self, directory: str, temporary: Iterable[str]) -> None:
        """Let temporary files be in `directory`, so that the next command finds them.

        What is mounted below gets its place there first, and a parent that is a
        mount: what a command can move, it could exchange for a link, which
        bubblewrap would follow when it mounts for the next command.
        """
        for path in temporary:
            if self.mounts.get(path) == _EMPTY_DIRECTORY:
                self.kept[path] = directory
        for path in [*self.mounts]:
            for above in self.kept:
                if path.startswith(f"{above}/"):
                    name = path.removeprefix(above).split("/")[1]
                    self.mounts.setdefault(f"{above}/{name}", _EMPTY_DIRECTORY)
                    place = os.path.join(directory, name)
                    if os.path.islink(place) or not os.path.isdir(place):
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(place)
                        os.mkdir(place)

    def _empty(self, path: str, shown: set[str]) -> None:
        if not path.startswith("/") or not os.path.isdir(path) or self._is_writable(path):
            return
        path = os.path.normpath(path)
        if self._around(path) not in _HIDING:
            path = resolved(path)
        # A home, or something else that has to be seen, may be kept in there.
        if not any(f"{seen}/".startswith(f"{path}/") for seen in {*self.mounts, *shown}):
            self.mounts[path] = _EMPTY_DIRECTORY

    def _hide(self, path: str) -> None:
        if os.path.isdir(path):
            self.mounts.setdefault(path, _EMPTY_DIRECTORY)
        elif os.path.exists(path):
            self.mounts.setdefault(path, _EMPTY_FILE)

    def _hide_inside(self, path: str) -> None:
        """Hide what lies in the workspace, where it could be moved away."""
        if self._around(path) not in _HIDING and os.path.exists(path):
            self._hide(path)
            self._pin(path)

    def _protect(self, path: str) -> None:
        """Make a path in a root read-only, if it exists; of a link what it leads to."""
        path = resolved(path)
        if not os.path.exists(path) or not self._is_writable(path) or path in self.roots:
            return
        if self._around(path) not in _HIDING and self.mounts.get(path) not in _HIDING:
            self.mounts[path] = _READ
            self._pin(path)

    def _pin(self, path: str) -> None:
        if self.read_only:
            return
        while (path := os.path.dirname(path)) not in self.roots and path != "/":
            self.mounts.setdefault(path, _WRITE)

    def _is_writable(self, path: str) -> bool:
        return any(_is_in(path, root) for root in self.roots)

    def _around(self, path: str) -> str:
        """Return the kind of the innermost mount that contains `path`, not counting its own."""
        while (path := os.path.dirname(path)) not in self.mounts:
            pass
        return self.mounts[path]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _is_in(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")
