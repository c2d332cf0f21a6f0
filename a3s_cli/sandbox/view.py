"""What a confined command sees of the file system: one mount for each path that differs.

The whole disk is read-only, the workspace is not; what is hidden is covered by
an empty directory or file, what is protected is read-only again. Mounts are made
from the outside in, so that the innermost one decides.

A mount holds only the path itself: `mv .git x` would carry a read-only
`.git/config` away and make room for another. So every directory between the
workspace and such a path becomes a mount too, which cannot be moved. And nothing
can be mounted where nothing is: such a place is held by an empty directory for as
long as the command runs, which is the supervisor's work. So is putting back what
nothing can be mounted on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from ..files.protected import UNHOLDABLE
from ..values import State, field

#: Covers what is not a directory.
EMPTY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "empty")

_READ, _WRITE, _TRY = "--ro-bind", "--bind", "--ro-bind-try"
_EMPTY_DIRECTORY, _EMPTY_FILE = "--tmpfs", "an empty file"
_HIDING = (_EMPTY_DIRECTORY, _EMPTY_FILE)


class View(State):
    """The mounts by their path, and the paths that the supervisor holds and watches."""

    workspace: str
    read_only: bool = False
    mounts: dict[str, str] = field(default_factory=dict)
    #: Empty at first, but kept from one command to the next: path -> the directory behind it.
    kept: dict[str, str] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    _resolved: dict[str, str] = field(default_factory=dict)

    def build(
        self,
        hidden: Iterable[str],
        shown: Iterable[str],
        protected: Iterable[str],
        temporary: Iterable[str] = (),
    ) -> None:
        """Fill it: `protected` paths are as their readers spell them, existing or not.

        `temporary` are the directories of temporary files.
        """
        self.mounts = {"/": _READ, "/proc": "--proc", "/dev": "--dev"}
        real = sorted({os.path.realpath(path) for path in hidden if os.path.exists(path)}, key=len)
        for path in real:
            if path != "/" and not self._in_workspace(path) and self._around(path) not in _HIDING:
                self._hide(path)
        shown = {os.path.normpath(path) for path in shown}
        for path in sorted(shown, key=len):
            seen = os.path.exists(path) and not self._in_workspace(path)
            if seen and self._around(path) in _HIDING:
                self.mounts.setdefault(path, _READ)
        for path in temporary:
            self._empty(path, shown)
        for path in real:
            # Now that our own home is seen, what is hidden in it counts.
            if not self._in_workspace(path) and self._around(path) not in _HIDING:
                self._hide(path)
        self.mounts[self.workspace] = _READ if self.read_only else _WRITE
        for path in real:
            if self._in_workspace(path) and path != self.workspace:
                self._hide_inside(path)
        if not self.read_only:
            for path in protected:
                self._protect(path)

    def arguments(self) -> list[str]:
        """Return the mounts as arguments of bubblewrap."""
        found = []
        for path in sorted(self.mounts, key=_parts):
            kind = self.mounts[path]
            if path in self.kept:
                found += [_WRITE, self.kept[path], path]
            elif kind in (_READ, _WRITE, _TRY):
                found += [kind, path, path]
            elif kind == _EMPTY_FILE:
                found += [_READ, EMPTY, path]
            else:
                found += [kind, path]
        # Root owns the kernel's settings in there, and needs no capability to write them.
        return [*found, "--remount-ro", "/proc"]

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
        if not path.startswith("/") or not os.path.isdir(path) or self._in_workspace(path):
            return
        path = os.path.normpath(path)
        if self._around(path) not in _HIDING:
            path = os.path.realpath(path)
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
        """Make a path of the workspace read-only, also one that does not exist."""
        parent = self._real(os.path.dirname(path))
        name = os.path.basename(path)
        while not os.path.isdir(parent):
            parent, name = os.path.dirname(parent), os.path.basename(parent)
        path = os.path.join(parent, name)
        if not self._in_workspace(path) or self._around(path) in (*_HIDING, _TRY):
            return
        if os.path.islink(path):
            # Nothing can be mounted on a link, but it is put back; what it leads to is held.
            self._add(path, self.watched)
            if not os.path.islink(real := os.path.realpath(path)):
                self._protect(real)
        elif name in UNHOLDABLE and not os.path.exists(path):
            self._add(path, self.watched)
        elif path != self.workspace and self.mounts.get(path) not in _HIDING:
            self.mounts[path] = _TRY
            self._add(path, self.held)
        self._pin(path)

    def _add(self, path: str, paths: list[str]) -> None:
        if path not in paths:
            paths.append(path)

    def _real(self, directory: str) -> str:
        if directory not in self._resolved:
            self._resolved[directory] = os.path.realpath(directory)
        return self._resolved[directory]

    def _pin(self, path: str) -> None:
        if self.read_only:
            return
        while (path := os.path.dirname(path)) != self.workspace and path != "/":
            self.mounts.setdefault(path, _WRITE)

    def _in_workspace(self, path: str) -> bool:
        return f"{path}/".startswith(f"{self.workspace.rstrip('/')}/")

    def _around(self, path: str) -> str:
        """Return the kind of the innermost mount that contains `path`, not counting its own."""
        while (path := os.path.dirname(path)) not in self.mounts:
            pass
        return self.mounts[path]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
