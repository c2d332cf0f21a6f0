"""The tips of a repository's refs, read from its files.

What is read here is a claim: `history` believes a commit only after hashing it. So
nothing but the names of objects is looked for, and git is not asked, which would
obey the repository's configuration. Loose refs are read again when their inode
says that they have changed; a ref that was written in place is noticed as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import time

from .contents import Mark, mark, settled

#: Beside `refs/`: what git notes of fetches, merges and rebases that are not done.
_BESIDE = ("HEAD", "FETCH_HEAD", "MERGE_HEAD", "ORIG_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
           "REBASE_HEAD", "AUTO_MERGE", "BISECT_HEAD", "logs/refs/stash", "rebase-merge/autostash",
           "rebase-merge/orig-head", "rebase-merge/onto", "rebase-apply/autostash",
           "rebase-apply/orig-head", "rebase-apply/onto", "packed-refs")  # fmt: skip
_OBJECT = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_LONGEST = 64 * 1024 * 1024


class Refs:
    """The refs of one repository: `commondir` has them, `gitdirs` the heads of its work trees."""

    def __init__(self, commondir: str) -> None:
        self.commondir = commondir
        self._read: dict[str, tuple[Mark, tuple[str, ...]]] = {}

    def tips(self, quiet: bool = True) -> dict[str, tuple[str, ...]]:
        """Return what each ref, or file of refs, names.

        Unless it is `quiet`, commands may be writing them, and all are read again next time.
        """
        clock = time.time_ns()
        found: dict[str, tuple[Mark, tuple[str, ...]]] = {}
        gitdirs = [self.commondir]
        with contextlib.suppress(OSError):
            worktrees = f"{self.commondir}/worktrees"
            gitdirs += [f"{worktrees}/{name}" for name in os.listdir(worktrees)]
        for gitdir in gitdirs:
            for name in _BESIDE:
                self._look(f"{gitdir}/{name}", found)
            stack = [f"{gitdir}/refs"]
            while stack:
                with contextlib.suppress(OSError), os.scandir(stack.pop()) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            stack.append(entry.path)
                        else:
                            self._look(entry.path, found)
        self._read = {path: one for path, one in found.items() if quiet and settled(one[0], clock)}
        return {path: objects for path, (_, objects) in found.items() if objects}

    def _look(self, path: str, found: dict[str, tuple[Mark, tuple[str, ...]]]) -> None:
        now = mark(path)
        if now is None or now.size > _LONGEST:
            return
        before = self._read.get(path)
        found[path] = before if before and before[0] == now else (now, _objects(path))


def _objects(path: str) -> tuple[str, ...]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, errors="replace") as file:
            text = file.read(_LONGEST)
    except OSError:
        return ()
    return tuple(sorted({name for name in _OBJECT.findall(text) if name.strip("0")}))


def head(gitdir: str, commondir: str) -> str | None:
    """Return the commit that HEAD of a work tree names, through its branch."""
    path, seen = f"{gitdir}/HEAD", 0
    while seen < 8:
        seen += 1
        try:
            with open(path, errors="replace") as file:
                line = file.readline(4096).strip()
        except OSError:
            break
        if not line.startswith("ref:"):
            return line if _OBJECT.fullmatch(line) else None
        name = line.removeprefix("ref:").strip()
        if name.startswith("/") or ".." in name:
            return None
        path = f"{commondir}/{name}"
    packed = f"{commondir}/packed-refs"
    with contextlib.suppress(OSError, ValueError), open(packed, errors="replace") as file:
        for line in file:
            if line.rstrip("\n").endswith(f" {path.removeprefix(commondir + '/')}"):
                return line.partition(" ")[0]
    return None
