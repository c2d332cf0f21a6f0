"""What git's index says: which files it holds, and whether one's name is that of secrets.

The index is read here and not by git, because a question about a rule must not start
a program that the repository configures. What cannot be read counts as a yes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .ignore import is_secret

_MOST_BYTES = 64 * 1024 * 1024
#: Cheap to look for; what it finds is looked at closely.
_SUSPECT = re.compile(rb"\.env|\.npmrc|\.netrc|\.pem|id_|\.git/config", re.IGNORECASE)


def holds_secret(root: str) -> bool:
    """Whether the index of the repository around `root` holds such a name, for all one can tell."""
    try:
        return bool(_secret_entries(root))
    except Unreadable:
        return True


def secret_names(root: str) -> frozenset[str]:
    """Return the absolute paths in the index whose names say that they hold secrets."""
    try:
        return frozenset(_secret_entries(root))
    except Unreadable:
        return frozenset()


def tracked(root: str) -> list[str]:
    """Return the absolute paths of all files in the index; none if it cannot be read."""
    try:
        top, entries = _entries(root, re.compile(b""))
    except Unreadable:
        return []
    return [f"{top}/{name}" for name in entries]


class Unreadable(Exception):
    """The index cannot be read to its end."""


def _secret_entries(root: str) -> list[str]:
    top, entries = _entries(root, _SUSPECT)
    return [f"{top}/{name}" for name in entries if is_secret(name.split("/"))]


def _entries(root: str, suspect: re.Pattern[bytes]) -> tuple[Path, list[str]]:
    """Return the top of the working tree and the paths in its index, unless `suspect` is not there.

    Raises Unreadable.
    """
    found = _index(root)
    if found is None:
        return Path(root), []
    top, index = found
    try:
        with index.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return top, []
    except OSError as error:
        raise Unreadable from error
    version = int.from_bytes(content[4:8], "big")
    # A part of it in another file, or directories that stand for their files, cannot be read here:
    # extensions with a name and four bytes of length, which a file's name seldom looks like.
    partial = b"\0link\0" in content[-4096:] or b"sdir\0\0\0\0" in content
    if len(content) > _MOST_BYTES or content[:4] != b"DIRC" or not 2 <= version <= 4 or partial:
        raise Unreadable
    if version < 4 and suspect.search(content) is None:
        return top, []
    try:
        return top, _compressed(content) if version == 4 else _plain(content)
    except IndexError:
        raise Unreadable from None


def _plain(content: bytes) -> list[str]:
    found, at = [], 12
    for _ in range(int.from_bytes(content[8:12], "big")):
        start = at + (64 if content[at + 60] & 0x40 else 62)
        end = content.find(b"\0", start)
        if end < 0:
            raise Unreadable
        found.append(content[start:end].decode("utf-8", "surrogateescape"))
        at += (end - at) // 8 * 8 + 8
    return found


def _compressed(content: bytes) -> list[str]:
    """Version 4 writes how much of the name before is dropped, and what follows."""
    found, at, before = [], 12, b""
    for _ in range(int.from_bytes(content[8:12], "big")):
        start = at + (64 if content[at + 60] & 0x40 else 62)
        dropped = content[start] & 0x7F
        while content[start] & 0x80:
            start += 1
            dropped = ((dropped + 1) << 7) | (content[start] & 0x7F)
        end = content.find(b"\0", start + 1)
        if end < 0:
            raise Unreadable
        before = before[: len(before) - dropped] + content[start + 1 : end]
        found.append(before.decode("utf-8", "surrogateescape"))
        at = end + 1
    return found


def _index(root: str) -> tuple[Path, Path] | None:
    """Return the top of the working tree, and its index: in `.git`, or where that points to."""
    directory = Path(root)
    for above in (directory, *directory.parents):
        gitdir = above / ".git"
        if gitdir.is_dir():
            return above, gitdir / "index"
        if os.path.lexists(gitdir):
            try:
                with gitdir.open(encoding="utf-8", errors="surrogateescape") as file:
                    line = file.readline(4096).strip()
            except OSError:
                return above, gitdir
            return above, above / line.removeprefix("gitdir:").strip() / "index"
    return None
