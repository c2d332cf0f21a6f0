"""Whether a recorded commit, or an ancestor of one, has a content at a path.

A command can write the object store as it likes: overwrite a loose object, name a
replacement, forge the commit graph. So git only fetches objects here, and every one
is hashed anew: a commit counts if its own bytes have the name by which a recorded
commit, or one that is proven already, calls it. What takes too long is not proven.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

#: Commits that are gone through, and seconds that all questions together may take.
MOST_COMMITS, PATIENCE = 20_000, 2.0
#: Commits that are looked at because a path changed in them.
_MOST_CHANGES = 2_000
#: Objects that are asked for at a time: as many names as a pipe holds.
_AT_A_TIME = 500
_FILE, _EXECUTABLE, _LINK, _TREE = b"100644", b"100755", b"120000", b"40000"


class Git(Protocol):
    """Reads one repository, confined and without obeying its configuration."""

    def objects(self, names: Sequence[str]) -> AsyncIterator[tuple[str, bytes, bytes]]:
        """Fetch objects by their names: the name, the type and the bytes; missing ones left out."""
        ...

    async def lines(self, arguments: Sequence[str], stdin: Sequence[str]) -> list[str]:
        """Run a command of git and return the lines that it prints."""
        ...


class Wanted(NamedTuple):
    """A content that a path may hold if history has it: None is nothing at that path."""

    path: str
    content: tuple[str, bytes] | None

    def entry(self, hexadecimal: int) -> tuple[bytes, str] | None:
        """Return the content as a tree names it: its mode and its object."""
        if self.content is None:
            return None
        kind, data = self.content
        mode = {"file": _FILE, "executable": _EXECUTABLE, "link": _LINK}[kind]
        return mode, object_name(b"blob", data, hexadecimal)


def object_name(kind: bytes, data: bytes, hexadecimal: int) -> str:
    """Name an object by its content, in as many digits as this repository's names have."""
    from hashlib import sha1, sha256

    digest = (sha256 if hexadecimal == 64 else sha1)(b"%b %d\0" % (kind, len(data)))
    digest.update(data)
    return digest.hexdigest()


def links(commit: bytes) -> tuple[str, list[str]]:
    """Return the tree and the parents that a commit names."""
    tree, parents = "", []
    for line in commit.partition(b"\n\n")[0].split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word == b"tree" and not tree:
            tree = rest.decode("ascii", "replace")
        elif word == b"parent":
            parents.append(rest.decode("ascii", "replace"))
        else:
            break
    return tree, parents


def entry_of(tree: bytes, name: bytes, hexadecimal: int) -> tuple[bytes, str] | None:
    """Find a name in a tree: its mode and its object."""
    at, size = 0, hexadecimal // 2
    while at < len(tree):
        end = tree.find(b"\0", at)
        if end < 0:
            return None
        mode, _, found = tree[at:end].partition(b" ")
        if found == name:
            return mode, tree[end + 1 : end + 1 + size].hex()
        at = end + 1 + size
    return None


class History:
    """The commits that are believed of one repository, and what they have at their paths.

    `tips` are the objects that refs have named, in their order, and whether the user made
    them or a command. What a command made stays so where the user has built on it.
    """

    def __init__(self, git: Git, tips: Mapping[str, bool], *, patience: float = PATIENCE) -> None:
        self._git = git
        self._named = tips
        self._tips = sorted(name for name, is_users in tips.items() if is_users)
        self._end = time.monotonic() + patience
        self._known: dict[str, tuple[bytes, bytes]] = {}
        self._proven: frozenset[str] | None = None
        self._digits = len(self._tips[0]) if self._tips else 40

    async def has(self, wanted: Iterable[Wanted], *, ancestors: bool = True) -> set[Wanted]:
        """Return those of `wanted` that a believed commit has, or one that it descends from."""
        left, found = set(wanted), set[Wanted]()
        try:
            async with asyncio.timeout(max(0.0, self._end - time.monotonic())):
                tips = [*dict.fromkeys((await self._commits(self._tips)).values())]
                for path in sorted({one.path for one in left}):
                    entries = set((await self._entries(tips, path)).values())
                    found |= {one for one in left if one.path == path and self._in(one, entries)}
                for one in sorted(left - found, key=lambda one: one.path) if ancestors else ():
                    if tips and "\n" not in one.path and await self._long_ago(one):
                        found.add(one)
        except (TimeoutError, OSError, EOFError):
            pass
        return found

    def _in(self, wanted: Wanted, entries: Collection[tuple[bytes, str] | None]) -> bool:
        entry = wanted.entry(self._digits)
        if entry is not None and entry[0] == _FILE:
            # Old tools have written trees with this mode.
            return entry in entries or (b"100664", entry[1]) in entries
        return entry in entries

    async def _commits(self, names: Collection[str]) -> dict[str, str]:
        """Return the commits that some objects are or name, through tags."""
        left, commits = dict(zip(names, names, strict=True)), dict[str, str]()
        for _ in range(8):
            await self._fetch(left.values())
            further = {}
            for name, object_ in left.items():
                kind, data = self._known.get(object_, (b"", b""))
                if kind == b"commit":
                    commits[name] = object_
                elif kind == b"tag" and data.startswith(b"object "):
                    further[name] = data[7 : 7 + self._digits].decode("ascii", "replace")
            left = further
        return commits

    async def _entries(
        self, commits: Iterable[str], path: str
    ) -> dict[str, tuple[bytes, str] | None]:
        """Return what each of some fetched commits has at a path; None where it has nothing."""
        here = {}
        for name in commits:
            kind, data = self._known.get(name, (b"", b""))
            if kind == b"commit":
                here[name] = (_TREE, links(data)[0])
        found: dict[str, tuple[bytes, str] | None] = {}
        parts = path.encode("utf-8", "surrogateescape").split(b"/")
        for depth, part in enumerate(parts, 1):
            await self._fetch({entry[1] for entry in here.values()})
            below = {}
            for name, (_, tree) in here.items():
                kind, data = self._known.get(tree, (b"", b""))
                if kind != b"tree":
                    continue  # it cannot be read, which is not the same as being empty
                entry = entry_of(data, part, self._digits)
                if depth == len(parts) and entry is not None:
                    found[name] = entry
                elif entry is None or entry[0] != _TREE:
                    found[name] = None
                else:
                    below[name] = entry
            here = below
        return found

    async def _long_ago(self, wanted: Wanted) -> bool:
        """Look for a content in the commits that changed its path, and prove the one found."""
        arguments = [
            "rev-list",
            "--ignore-missing",
            "--full-history",
            f"--max-count={_MOST_CHANGES}",
            "--stdin",
        ]
        stdin = [*self._tips, "--", wanted.path]
        changed = [line for line in await self._git.lines(arguments, stdin) if len(line) >= 40]
        await self._fetch(changed)
        # A commit that brought the path has parents without it.
        commits = [self._known[name][1] for name in changed if name in self._known]
        parents = [parent for commit in commits for parent in links(commit)[1]]
        await self._fetch(parents)
        entries = await self._entries([*changed, *parents], wanted.path)
        having = {name for name, entry in entries.items() if self._in(wanted, (entry,))}
        return bool(having) and not having.isdisjoint(await self._ancestors())

    async def _ancestors(self) -> frozenset[str]:
        """Prove which commits the believed ones descend from, by hashing all between."""
        if self._proven is None:
            arguments = ["rev-list", "--ignore-missing", f"--max-count={MOST_COMMITS}", "--stdin"]
            await self._fetch(await self._git.lines(arguments, [*self._named]))
            proven, made = set[str](), set[str]()
            commits = await self._commits([*self._named])
            for name, is_users in self._named.items():
                if name in commits:
                    both = (proven, made) if is_users else (made, proven)
                    self._descend(commits[name], *both)
            self._proven = frozenset(proven)
        return self._proven

    def _descend(self, commit: str, into: set[str], others: set[str]) -> None:
        """Add a commit and those that it descends from, up to those that are the others'."""
        stack = [commit]
        while stack and len(into) < MOST_COMMITS:
            name = stack.pop()
            kind, data = self._known.get(name, (b"", b""))
            if name not in into and name not in others and kind == b"commit":
                into.add(name)
                stack.extend(links(data)[1])

    async def _fetch(self, names: Iterable[str]) -> None:
        """Fetch objects, and know those that are what their names say."""
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        for at in range(0, len(new), _AT_A_TIME):
            async for name, kind, data in self._git.objects(new[at : at + _AT_A_TIME]):
                if object_name(kind, data, self._digits) == name:
                    self._known[name] = (kind, data)
