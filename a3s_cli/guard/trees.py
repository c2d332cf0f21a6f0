"""The repositories and their work trees in a scanned tree, and which of them is whose."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ..files.git_settings import value_of
from ..files.protected import pointed, resolved
from .scan import Place, Scan


class Tree(NamedTuple):
    """A work tree: its root, its own git directory, and the one that has the refs."""

    root: str
    gitdir: str
    commondir: str

    def relative(self, path: str) -> str:
        """Return a path of the work tree as a commit names it."""
        return path.removeprefix(self.root).lstrip("/")


class Trees:
    """The work trees below some roots, by their roots."""

    def __init__(self, scan: Scan) -> None:
        self.gitdirs = {resolved(path) for path in scan.gitdirs}
        found = {}
        for path in scan.gitdirs:
            if os.path.basename(path).lower() == ".git":
                found[os.path.dirname(path) or "/"] = path
        for path, place in scan.places.items():
            if place is Place.POINTER and (target := pointed(path, "gitdir:")):
                found[os.path.dirname(path) or "/"] = resolved(target)
        self._trees = {root: Tree(root, gitdir, common(gitdir)) for root, gitdir in found.items()}
        self.commondirs = {tree.commondir for tree in self._trees.values()}
        self.commondirs |= {common(path) for path in self.gitdirs}

    def __iter__(self) -> Iterator[Tree]:
        return iter(self._trees.values())

    def around(self, path: str) -> Tree | None:
        """Return the innermost work tree that a path lies in."""
        while len(path) > 1:
            path = os.path.dirname(path)
            if path in self._trees:
                return self._trees[path]
        return None

    def has_repository(self, path: str) -> bool:
        """Tell whether the git directory is there whose hook or configuration a path is.

        That of a submodule lies in another one, which does not count.
        """
        above, inside = path, False
        if os.path.basename(path) in ("config", "config.worktree"):
            return resolved(os.path.dirname(path)) in self.gitdirs
        while len(above) > 1 and not inside:
            above, name = os.path.split(above)
            inside = name == "hooks" and resolved(above) in self.gitdirs
        return inside

    def leads_inside(self, path: str, place: Place) -> bool:
        """Tell whether a file that points to a git directory points to one of the tree."""
        target = pointed(path, "gitdir:" if place is Place.POINTER else "")
        return bool(target) and resolved(target) in self.gitdirs

    def has_own_worktree(self, config: str, data: bytes) -> bool:
        """Tell whether `core.worktree` of a submodule leads to where its pointer is."""
        gitdir = os.path.dirname(config)
        value = value_of(data, "core.worktree")
        if not value or "/modules/" not in gitdir:
            return False
        pointer = os.path.join(resolved(os.path.join(gitdir, value)), ".git")
        target = pointed(pointer, "gitdir:")
        return bool(target) and resolved(target) == resolved(gitdir)

    def hooks(self, config: str, data: bytes) -> str | None:
        """Return the directory in a work tree in which git was told to look for hooks."""
        value = value_of(data, "core.hookspath")
        gitdir = os.path.dirname(config)
        root = next((one.root for one in self._trees.values() if one.commondir == gitdir), None)
        if not value or root is None:
            return None
        return os.path.normpath(os.path.join(root, value))


def common(gitdir: str) -> str:
    """Return the git directory that has the refs and objects of this one."""
    return resolved(pointed(f"{gitdir}/commondir") or gitdir)
