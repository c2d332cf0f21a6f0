"""What trust in a project covers: a hash of everything in it that may act.

`a3s trust` writes the directory and this hash into the user's file. After any change
the project counts as untrusted until its user has looked again. The hash covers the
project's configuration, the servers of `.mcp.json` and every file of its skills, since a
skill may have scripts beside it; whether a script can be executed, and where a link to it
leads, count as well. What is read from here at a run is only what was hashed:
links inside the project are followed, links that lead out of it are not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..fingerprint import fingerprint
from .places import SKILLS

#: Files of a project that may act, besides its skills.
CONFIG = ".a3s/config.acl"
FILES = (CONFIG, ".mcp.json")

#: A run reads everything that is covered, so there has to be an end of it.
MOST_FILES = 2_000
MOST_LEVELS = 32
MOST_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_MARK = "@sha256:"


class Uncovered(Exception):
    """The project cannot be hashed; the message says why."""


class Changed(Exception):
    """The project was trusted, and is no longer; the message says why."""


class Entry(NamedTuple):
    """An entry of `trust = [...]`; one without a hash trusts whatever the directory holds."""

    directory: str
    sha256: str | None


def entry_of(text: str) -> Entry:
    """Return what an entry says."""
    directory, mark, digest = text.rpartition(_MARK)
    if mark and len(digest) == 64 and not set(digest) - set("0123456789abcdef"):
        return Entry(os.path.normpath(directory), digest)
    return Entry(os.path.normpath(text), None)


def written(directory: str, sha256: str) -> str:
    """Return the text of an entry with a hash."""
    return f"{directory}{_MARK}{sha256}"


def trusts(entries: Iterable[str], project: str, text: str | None = None) -> bool:
    """Tell whether an entry trusts a project; `text` is its configuration, if it was read.

    Raises `Changed` if the project was trusted as it was earlier.
    """
    hashes = {entry.sha256 for entry in map(entry_of, entries) if entry.directory == project}
    if not hashes or None in hashes:
        return bool(hashes)
    try:
        now = project_sha256(project, text)
    except Uncovered as why:
        raise Changed(str(why)) from None
    if now not in hashes:
        raise Changed("it has changed since it was trusted")
    return True


def nearest(entries: Iterable[str], directory: str) -> str | None:
    """Return the nearest directory of the entries, from this one up; None if there is none."""
    named = {entry_of(text).directory for text in entries}
    while directory not in named:
        above = os.path.split(directory)[0]
        if above == directory:
            return None
        directory = above
    return directory


def has_actors(directory: str) -> bool:
    """Tell whether a directory holds anything that trust is about."""
    return any(os.path.exists(os.path.join(directory, name)) for name in (*FILES, *SKILLS))


def project_sha256(directory: str, text: str | None = None) -> str:
    """Return the hash of what may act in a directory, given by its real path.

    `text` is the project's configuration if it was read already: what is in force and
    what was hashed must be the same. Raises `Uncovered` if something cannot be read, or is
    too much.
    """
    covered = _Covered(directory)
    lines = [covered.file(name) for name in FILES]
    if text is not None:
        lines[0] = _line("file", CONFIG, text.encode())
    for name in SKILLS:
        lines += covered.tree(name, ())
    return fingerprint("".join(lines).encode())


class _Covered:
    """Reads the files of one project, up to the limits."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self._files = 0
        self._bytes = 0

    def tree(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        """Yield a line for each file below; `above` are the real directories it lies in."""
        path = self._root + name
        if not os.path.isdir(path):
            yield self.file(name, acts=True)
            return
        self._count()
        if len(above) == MOST_LEVELS:
            raise Uncovered(f"its skills have more than {MOST_LEVELS} levels of directories")
        real = os.path.realpath(path)
        if not f"{real}/".startswith(self._root) or real in above:
            yield _line("link", name, os.fsencode(real))
            return
        yield self._way(name, real)
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise Uncovered(f"{name}: {error.strerror}") from None
        for one in names:
            yield from self.tree(f"{name}/{one}", (*above, real))

    def file(self, name: str, *, acts: bool = False) -> str:
        """Return the lines of a file; none if there is none.

        Of a file that `acts`, such as a script of a skill, it also counts whether it can be
        executed, and where a link to it leads.
        """
        path = self._root + name
        if not os.path.lexists(path):
            return ""
        self._count()
        real = os.path.realpath(path)
        if not real.startswith(self._root):
            return _line("link", name, os.fsencode(real))
        content = self._content(real, name).removeprefix(_BOM)
        if not acts:
            return _line("file", name, content)
        kind = "program" if _is_program(real) else "file"
        return self._way(name, real) + _line(kind, name, content)

    def _way(self, name: str, real: str) -> str:
        """Return a line for links on the way to a place inside; empty without any."""
        here = real.removeprefix(self._root)
        return "" if here == name else _line("way", name, os.fsencode(here))

    def _count(self) -> None:
        self._files += 1
        if self._files > MOST_FILES:
            raise Uncovered(f"its skills have more than {MOST_FILES:,} files")

    def _content(self, path: str, name: str) -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        except FileNotFoundError:
            return b""  # a link to nothing
        except OSError as error:
            raise Uncovered(f"{name}: {error.strerror}") from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Uncovered(f"{name}: expected a regular file, found another kind")
            content = file.read(MOST_BYTES + 1 - self._bytes)
        self._bytes += len(content)
        if self._bytes > MOST_BYTES:
            raise Uncovered(f"its skills have more than {MOST_BYTES >> 20} MiB")
        return content


def _is_program(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & 0o111)
    except OSError:
        return False  # a link to nothing


def _line(kind: str, name: str, content: bytes) -> str:
    # The name is hashed as well: no name can look like the end of a line.
    return f"{kind} {fingerprint(os.fsencode(name))} {fingerprint(content)}\n"
