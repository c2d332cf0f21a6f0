"""Lists directories and walks trees inside the workspace, past what git ignores.

Every directory is opened anew from the workspace's root, without following
links, and closed before the next: no depth exhausts descriptors and no swapped
link leads out. Entries come sorted by their names' bytes, a directory's content
in the place of its name. What vanishes or is unreadable on the way is passed over.

Rules begin at the top of the repository that the workspace is in, as in git, or
at the workspace itself. A directory that is ignored but was named by the caller
is searched by its own rules alone, and so is a repository inside the workspace.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..values import Value
from .ignore import Rules
from .wildcards import Wildcard
from .workspace import Workspace, open_file_at

Kind = Literal["file", "directory", "link", "other"]
#: Bytes of an ignore file that are read.
IGNORE_FILE_LIMIT = 1024 * 1024


class Entry(Value):
    """Something in a directory."""

    directory: Path
    name: str
    kind: Kind

    @property
    def path(self) -> Path:
        """Where it is; made on demand, because a walk meets far more than it wants."""
        return self.directory / self.name


class Listing(Value):
    """A directory's entries, sorted, without the ignored ones, of which only the number is told."""

    entries: list[Entry]
    ignored: int


class WorkspaceTree:
    """The workspace as searches see it; caches ignore rules, so it serves one call."""

    def __init__(self, workspace: Workspace, top: Path | None = None) -> None:
        """`top` is where rules begin, if it is known: the workspace, or a directory above."""
        self.workspace = workspace
        self._top = top or _repository(workspace.root)
        self._reader = Workspace(self._top)
        self._rules: dict[Path, Rules] = {}
        #: Entries that were left out so far, a directory with all below it being one.
        self.ignored = 0

    def ignores(self, path: Path, start: Path) -> bool:
        """Whether a search that starts at `start` passes over a file below it."""
        for parent in (*reversed(path.relative_to(start).parents[:-1]), path.relative_to(start)):
            whole = start / parent
            directory = whole != path
            if self.rules(whole.parent).ignores(whole.name, directory=directory):
                return True
        return False

    def rules(self, directory: Path) -> Rules:
        """Return the rules that hold in a directory."""
        known = self._rules.get(directory)
        if known is None:
            try:
                with self._reader.directory(directory) as descriptor:
                    known = self._read_rules(directory, descriptor)
            except OSError:
                known = self._inherited(directory)
        return known

    def _read_rules(self, directory: Path, descriptor: int) -> Rules:
        """Return the rules of a directory that is open."""
        if directory not in self._rules:
            self._rules[directory] = _extend(self._inherited(directory), descriptor, directory)
        return self._rules[directory]

    def _inherited(self, directory: Path) -> Rules:
        if directory == self._top:
            return Rules()
        above = self.rules(directory.parent)
        if above.ignores(directory.name, directory=True):
            return Rules()
        return above.enter(directory.name)

    def list(self, directory: Path) -> Listing:
        """List a directory; raises OSError when that is impossible."""
        with self.workspace.directory(directory) as descriptor, os.scandir(descriptor) as scan:
            rules = self._read_rules(directory, descriptor)
            found = [Entry(directory, one.name, _kind(one)) for one in scan]
        if self.workspace.withheld:
            found = [entry for entry in found if not self.workspace.withholds(entry.path)]
        found.sort(key=lambda entry: os.fsencode(entry.name))
        kept = [
            entry
            for entry in found
            if not rules.ignores(entry.name, directory=entry.kind == "directory")
        ]
        self.ignored += len(found) - len(kept)
        return Listing(kept, len(found) - len(kept))

    def walk(self, start: Path, wanted: Wildcard) -> Iterator[Entry]:
        """Yield every directory that is entered, and all else that matches `wanted` below `start`.

        `.git` is never entered. The directories are there so that the caller can
        pause even where nothing matches.
        """
        pending = [(entry, wanted.start) for entry in reversed(self.list(start).entries)]
        while pending:
            entry, states = pending.pop()
            states = wanted.step(states, entry.name)
            if not states or entry.name == ".git":
                continue
            if entry.kind == "directory":
                yield entry
                try:
                    below = self.list(entry.path).entries
                except OSError:
                    continue
                pending += [(one, states) for one in reversed(below)]
            elif wanted.accepts(states):
                yield entry


def _repository(root: Path) -> Path:
    """Return the directory where rules begin."""
    for directory in (root, *root.parents):
        if (directory / ".git").exists():
            return directory
    return root


def _extend(above: Rules, directory: int, path: Path) -> Rules:
    """Add a directory's own rules; a repository's own are all that hold in it."""
    if _exists(directory, ".git"):
        from .git_excludes import of_a_repository, of_the_user

        above = Rules().extend(of_the_user(path)).extend(of_a_repository(path))
    return above.extend(_content(directory, ".gitignore"))


def _exists(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False
    return True


def _content(directory: int, name: str) -> bytes:
    try:
        with open_file_at(directory, name) as file:
            return file.read(IGNORE_FILE_LIMIT)
    except OSError:
        return b""


def _kind(found: os.DirEntry[str]) -> Kind:
    try:
        if found.is_symlink():
            return "link"
        if found.is_dir(follow_symlinks=False):
            return "directory"
        return "file" if found.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "other"
