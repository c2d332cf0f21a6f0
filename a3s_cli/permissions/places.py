"""Where the paths and the programs of a command really are.

A policy is pure; what it has to know of the disk it asks of `Places`. Without one
(an audit, a rule that is tried) paths are judged by their spelling.
"""

from __future__ import annotations

import os.path
import posixpath
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ..files.workspace import Workspace

_PROGRAMS = ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
#: Beyond it a glob is not looked at, and asks.
MOST_MATCHES = 2_000


class Place(NamedTuple):
    """A path, resolved; is it inside the workspace, and which protected place is it in?"""

    path: PurePath
    inside: bool
    protected: str | None = None


class Places(Protocol):
    """What a policy asks of the disk."""

    root: PurePath

    def find(self, path: str) -> Place:
        """Return where a path leads; relative ones begin at the workspace's root."""

    def expand(self, pattern: str) -> list[str] | None:
        """Return what a glob matches; None where that is too much."""

    def same_program(self, program: str, name: str) -> bool:
        """Whether two names of programs lead to the same file."""

    def tracks_secrets(self) -> bool:
        """Whether git's index holds a file whose name says that it holds secrets."""


class Spelled:
    """Places that are judged by their spelling alone."""

    def __init__(self, root: PurePath | None = None) -> None:
        self.root = root if root is not None else PurePath("/workspace")

    def find(self, path: str) -> Place:
        """Return the path without its dots."""
        root = self.root.as_posix().rstrip("/")
        whole = posixpath.normpath(posixpath.join(root or "/", path))
        if whole != root and not whole.startswith(f"{root}/"):
            return Place(PurePath(whole), False)
        from ..files.protected import DIRECTORIES, FILES

        first = whole[len(root) + 1 :].partition("/")[0]
        known = first == ".git" or first in DIRECTORIES or first in FILES
        return Place(PurePath(whole), True, first if known else None)

    def expand(self, pattern: str) -> list[str] | None:
        """Return nothing: what it matches is not known, and lies where it is spelled."""
        del pattern
        return []

    def same_program(self, program: str, name: str) -> bool:
        """Say no: the spelling was compared already."""
        del program, name
        return False

    def tracks_secrets(self) -> bool:
        """Say no: there is no index."""
        return False


class OnDisk:
    """Places of a workspace."""

    def __init__(self, workspace: Workspace, off_limits: Collection[Path] = ()) -> None:
        self.root: PurePath = workspace.root
        self._workspace = workspace
        self._off_limits = off_limits
        self._files: dict[str, str] = {}

    def find(self, path: str) -> Place:
        """Follow every link of the path."""
        found = self._workspace.resolve(path)
        if not found.inside:
            return Place(found.path, False)
        return Place(found.path, True, self.protects(found.path))

    def protects(self, path: Path) -> str | None:
        """Return the name of the protected place that a path inside lies in."""
        from ..files.protected import protected

        return protected(self._workspace.root, path, self._off_limits)

    def expand(self, pattern: str) -> list[str] | None:
        """Return what a glob matches below the root."""
        from glob import iglob
        from itertools import islice

        # Not pathlib's: it must match as the shell does, hidden names apart.
        every = iglob(pattern, root_dir=self._workspace.root)  # noqa: PTH207
        found = list(islice(every, MOST_MATCHES + 1))
        return found if len(found) <= MOST_MATCHES else None

    def same_program(self, program: str, name: str) -> bool:
        """Whether both lead to one file, through the search path and links."""
        return self._file(program) == self._file(name)

    def _file(self, name: str) -> str:
        if name not in self._files:
            from shutil import which

            path = os.path.join(self._workspace.root, name) if "/" in name else which(name)
            self._files[name] = os.path.realpath(path) if path else name
        return self._files[name]

    def tracks_secrets(self) -> bool:
        """Read git's index for names that say that they hold secrets."""
        from ..files.git_index import holds_secret

        return holds_secret(str(self._workspace.root))


@lru_cache(maxsize=4096)
def same_spelling(program: str, name: str) -> bool:
    """Whether two names with or without directories are one program by their spelling.

    `./deploy.sh` is `.//deploy.sh`; a program of the system is one, whichever of its
    directories it is named with.
    """
    if posixpath.normpath(program) == posixpath.normpath(name):
        return True
    if posixpath.basename(program) != posixpath.basename(name):
        return False
    directories = {posixpath.dirname(posixpath.normpath(each)) for each in (program, name)}
    return all(not each or each in _PROGRAMS for each in directories)
