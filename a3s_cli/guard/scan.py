"""Finds the protected places of a tree, at any depth, and afterwards only what has changed.

A directory whose times are the same has the same names in it, so that a second look
costs one `lstat` for each directory. Its change time is the kernel's and cannot be
set. What changed in the very moment of a look is looked at again.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from ..files.protected import DIRECTORIES, FILES, folded
from .contents import COARSE_TICK, TICK

#: Files of a tree whose names are kept.
MOST_FILES = 10_000
#: Below these, packages of others lie, with whatever their authors left in them.
EXEMPT = frozenset(("node_modules", "site-packages"))
_NOT_A_DISK = frozenset(("/proc", "/sys", "/dev", "/run"))
_PYTHON_STARTS = ("usercustomize.py", "sitecustomize.py")
_TODO = "git-rebase-todo"
_NAMES = DIRECTORIES | FILES | EXEMPT | {".git", "head", _TODO}
_FIRSTS = frozenset(letter for name in _NAMES for letter in (name[0], name[0].upper()))


class Place(Enum):
    """What a protected path is, which says what it may hold."""

    CONTENT = "content"
    HOOK = "hook"
    CONFIG = "config"
    MODULES = "modules"
    #: `.git` as a file, or a link: it says where the repository is.
    POINTER = "pointer"
    COMMON = "common"
    #: What is left to do of a rebase, which may be to run a program.
    TODO = "todo"


#: Files of a repository, and what they are.
_HERE = {"config": Place.CONFIG, "config.worktree": Place.CONFIG, "commondir": Place.COMMON}


class Ground(Enum):
    """What a directory is, which says what in it is protected."""

    PLAIN = 0
    EXEMPT = 1
    PROTECTED = 2
    GIT = 3
    HOOKS = 4
    #: Below a directory of hooks: names do not matter.
    HOOKS_BELOW = 5
    #: Packages that Python starts with.
    SITE = 6


class Node(NamedTuple):
    """A directory as it was found."""

    ground: Ground
    changed: int
    modified: int
    inode: int
    #: Whether it may have changed since without a new time.
    unsure: bool
    below: tuple[tuple[str, Ground], ...]
    places: tuple[tuple[str, Place], ...]
    is_gitdir: bool
    empty: bool
    #: Its other files, for `changes`.
    files: tuple[str, ...]


class Scan:
    """The protected places below some directories, as of the last `look`.

    `more` are further directories that are protected as a whole (hooks that git was
    told to look for there), `files` further single paths, and `libraries` are
    directories of `pythonX.Y/site-packages`, whose start files are protected.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self.roots = tuple(roots)
        self.more: frozenset[str] = frozenset()
        self.files: tuple[str, ...] = ()
        self.libraries: frozenset[str] = frozenset()
        self.nodes: dict[str, Node] = {}
        self.places: dict[str, Place] = {}
        #: Whether there are too many files to keep their names.
        self.many = False
        self._named = 0
        #: Directories that had to be made readable, and their modes.
        self._unlocked: list[tuple[str, int]] = []

    @property
    def gitdirs(self) -> list[str]:
        """The directories that git takes for repositories."""
        return [path for path, node in self.nodes.items() if node.is_gitdir]

    def look(self) -> None:
        """Bring `nodes` and `places` up to date."""
        self._named = 0
        # A copy: the last one is compared with.
        nodes = self.nodes = dict(self.nodes)
        new = [(root, Ground.PLAIN) for root in self.roots if root not in nodes]
        lstat, changed = os.lstat, []
        for path, node in nodes.items():
            try:
                status = lstat(path)
            except OSError:
                changed.append(path)
                continue
            if (
                status.st_ctime_ns != node[1]
                or status.st_mtime_ns != node[2]
                or status.st_ino != node[3]
                or node[4]
            ):
                changed.append(path)
        new += [(path, nodes.pop(path).ground) for path in changed]
        # From the top down: what a directory is, the one above it says.
        for path, ground in sorted(new, key=_depth):
            if path not in nodes:
                self._add([(path, ground)])
        self.places = {}
        for node in nodes.values():
            if node.places:
                self.places.update(node.places)
        for path in self.files:
            if os.path.lexists(path):
                self.places.setdefault(path, Place.CONTENT)

    def _add(self, stack: list[tuple[str, Ground]]) -> None:
        """Read directories, and those below that are new or mean something else now."""
        nodes, libraries = self.nodes, self.libraries
        while stack:
            path, ground = stack.pop()
            if path in self.more:
                ground = Ground.PROTECTED
            elif libraries and path.endswith("/site-packages"):
                above = os.path.dirname(os.path.dirname(path))
                ground = Ground.SITE if above in libraries else ground
            known = nodes.get(path)
            if (known is not None and known.ground is ground) or path in _NOT_A_DISK:
                continue
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                nodes[path] = node = self._read(path, ground, status)
                stack.extend(node.below)

    def close(self) -> None:
        """Restore the modes of directories that had to be made readable."""
        while self._unlocked:
            path, mode = self._unlocked.pop()
            with contextlib.suppress(OSError):
                os.chmod(path, mode, follow_symlinks=False)

    def _read(self, path: str, ground: Ground, status: os.stat_result) -> Node:
        now = time.time_ns()
        prefix = path if path.endswith("/") else f"{path}/"
        found = _Found(prefix, ground)
        try:
            self._unlock(path, status)
            with os.scandir(path) as entries:
                found.sort(entries)
        except OSError:
            pass  # It is gone, or another user's: nothing of it is obeyed by us.
        whole = status.st_ctime_ns % 1_000_000 == 0
        unsure = status.st_ctime_ns + (COARSE_TICK if whole else TICK) >= now
        self._named += len(found.files)
        self.many = self.many or self._named > MOST_FILES
        files = () if self.many else tuple(found.files)
        return Node(
            ground, status.st_ctime_ns, status.st_mtime_ns, status.st_ino, unsure,
            tuple(found.below), tuple(found.places), found.is_gitdir, found.empty, files,
        )  # fmt: skip

    def _unlock(self, path: str, status: os.stat_result) -> None:
        """Make a directory readable that its owner, who we are, may not read just now."""
        if status.st_mode & 0o500 != 0o500 and os.geteuid() == status.st_uid != 0:
            mode = stat.S_IMODE(status.st_mode)
            os.chmod(path, mode | 0o700, follow_symlinks=False)
            self._unlocked.append((path, mode))


class _Found:
    """What is in one directory."""

    def __init__(self, prefix: str, ground: Ground) -> None:
        self.prefix = prefix
        self.ground = ground
        self.below: list[tuple[str, Ground]] = []
        self.places: list[tuple[str, Place]] = []
        self.files: list[str] = []
        self.is_gitdir = False
        self.empty = True

    def sort(self, entries: Iterator[os.DirEntry[str]]) -> None:
        """Go through a directory's entries."""
        if self.ground in (Ground.PROTECTED, Ground.HOOKS, Ground.HOOKS_BELOW):
            self._all(entries)
            return
        prefix, below = self.prefix, self.below
        exempt = self.ground not in (Ground.PLAIN,)
        same = Ground.EXEMPT if exempt else Ground.PLAIN
        named, head = [], False
        files = list[str]()
        for entry in entries:
            name = entry.name
            if (name[0] in _FIRSTS and name.lower() in _NAMES) or not name.isascii():
                named.append((name, entry.is_dir(follow_symlinks=False)))
            elif entry.is_dir(follow_symlinks=False):
                below.append((prefix + name, same))
            else:
                files.append(name)
        self.empty = not (files or below or named)
        if self.ground is Ground.PLAIN:
            self.files = files
        for name, is_dir in named:
            head = head or name == "HEAD"
            self._name(name, is_dir, exempt, same)
        if self.ground is Ground.SITE:
            self._site()
        if head or self.ground is Ground.GIT:
            self._repository()

    def _all(self, entries: Iterator[os.DirEntry[str]]) -> None:
        ground = self.ground
        place = Place.CONTENT if ground is Ground.PROTECTED else Place.HOOK
        inner = Ground.PROTECTED if ground is Ground.PROTECTED else Ground.HOOKS_BELOW
        for entry in entries:
            self.empty = False
            if entry.is_dir(follow_symlinks=False):
                self.below.append((self.prefix + entry.name, inner))
            elif ground is not Ground.HOOKS or not entry.name.endswith(".sample"):
                self.places.append((self.prefix + entry.name, place))

    def _name(self, name: str, is_dir: bool, exempt: bool, same: Ground) -> None:
        """Sort what may be protected because of its name."""
        inner, place = _named(name, is_dir, exempt) or (None, None)
        if inner is not None:
            self.below.append((self.prefix + name, inner))
        elif place is not None:
            self.places.append((self.prefix + name, place))
        elif is_dir:
            ground = Ground.EXEMPT if name in EXEMPT else same
            self.below.append((self.prefix + name, ground))
        elif self.ground is Ground.PLAIN:
            self.files.append(name)

    def _site(self) -> None:
        for name in os.listdir(self.prefix):
            if name.endswith(".pth") or name in _PYTHON_STARTS:
                self.places.append((self.prefix + name, Place.CONTENT))

    def _repository(self) -> None:
        """Add what is protected in a repository, if this is one: `.git`, or by what lies in it."""
        prefix = self.prefix
        found = set(os.listdir(prefix))
        self.is_gitdir = "HEAD" in found and ("commondir" in found or {"objects", "refs"} <= found)
        if not self.is_gitdir and self.ground is not Ground.GIT:
            return
        directories = {path for path, _ in self.below}
        hooks = f"{prefix}hooks"
        if hooks in directories:
            self.below.remove(next(one for one in self.below if one[0] == hooks))
            self.below.append((hooks, Ground.HOOKS))
        elif "hooks" in found:
            self.places.append((hooks, Place.HOOK))
        for name, place in _HERE.items():
            if name in found and prefix + name not in directories:
                self.places.append((prefix + name, place))
        if self.ground is not Ground.PLAIN:
            # The objects are many, and nothing in there is looked for by a name.
            self.below = [one for one in self.below if one[0] != f"{prefix}objects"]


def _depth(one: tuple[str, Ground]) -> int:
    return one[0].count("/")


def _named(name: str, is_dir: bool, exempt: bool) -> tuple[Ground | None, Place | None] | None:
    """Tell what is protected because of its name; None where nothing is."""
    plain = folded(name)
    if plain == ".git":
        return (Ground.GIT, None) if is_dir else (None, Place.POINTER)
    if plain == _TODO and not is_dir:
        return None, Place.TODO
    if exempt:
        return None
    if plain in DIRECTORIES:
        return (Ground.PROTECTED, None) if is_dir else (None, Place.CONTENT)
    if plain in FILES and not is_dir:
        return None, Place.MODULES if plain == ".gitmodules" else Place.CONTENT
    return None


def place_of(path: str) -> Place:
    """Tell what a place was that is not there any more."""
    name = os.path.basename(path)
    if "/hooks/" in path and ".git/" in path:
        return Place.HOOK
    if name in ("config", "config.worktree"):
        return Place.CONFIG
    if name == _TODO:
        return Place.TODO
    return {".git": Place.POINTER, "commondir": Place.COMMON, ".gitmodules": Place.MODULES}.get(
        name, Place.CONTENT
    )
