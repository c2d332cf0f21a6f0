"""What a run has changed in its copy of a shipped workspace, as a patch that `git apply` takes.

A file's change time is the kernel's and cannot be set, so only files that have changed since
the copy was made, or that are others, are compared at all. New files that git ignores, such
as what a build leaves behind, are no part of the patch. Most runs change nothing, and git is
not started for them.
"""

from __future__ import annotations

import base64
import filecmp
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import OutputError
from ..files.walk import WorkspaceTree
from ..files.wildcards import Wildcard
from ..files.workspace import Workspace
from ..processes.threads import blocking
from .archive import EVERYTHING
from .depot import Copy
from .git import Git, GitFailed
from .tree import content, remove, reopen

#: Bytes of a patch, and of the changed files together.
MOST, MOST_COMPARED = 16 * 1024 * 1024, 256 * 1024 * 1024
#: Nanoseconds within which two changes may carry the same time.
_TICK = 20_000_000


class TooMuch(Exception):
    """The changes do not fit a patch; the message says why."""


async def changes(copy: Copy, git: Git, holds_secret: Callable[[str], bool]) -> dict[str, str]:
    """Return what an outcome says of a run's changes.

    That is `patch` as `packed` packs it, or `unpatched` with the reason, in a sentence, why
    there is none; nothing if the run has changed nothing.
    """
    try:
        if not await blocking(lambda: _staged(copy)):
            return {}
        patch = await git.difference(copy.aside, "a", "b", MOST)
    except (TooMuch, GitFailed) as error:
        return {"unpatched": f"the changes are lost: {error}"}
    except OSError as error:
        return {"unpatched": f"the changes are lost: {error.strerror or error}"}
    except RecursionError:
        return {"unpatched": "the changes are lost: the directories are too deep"}
    if await blocking(lambda: _holds_secret(patch, copy, holds_secret)):
        return {"unpatched": "the changes are lost: a key stands in them"}
    return {"patch": packed(patch)} if patch else {}


def packed(patch: bytes) -> str:
    """Return a patch as text, for its way to the driver."""
    return base64.b64encode(zlib.compress(patch)).decode("ascii")


def unpacked(text: str) -> bytes:
    """Return the patch that `packed` packed."""
    return zlib.decompress(base64.b64decode(text))


def keep(patch: bytes, path: Path) -> None:
    """Write a patch to the disk, whole or not at all. Raises OutputError."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(0o700, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(patch)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _holds_secret(patch: bytes, copy: Copy, holds_secret: Callable[[str], bool]) -> bool:
    """Tell whether a secret is in a patch, or in a file that is no text, and encoded in there."""
    if holds_secret(patch.decode("utf-8", "replace")):
        return True
    new = copy.aside / "b"
    return b"GIT binary patch" in patch and any(
        holds_secret((new / name).read_bytes().decode("utf-8", "replace"))
        for name in content(new)
        if not (new / name).is_symlink()
    )


def _staged(copy: Copy) -> bool:
    """Put what has changed into `aside`, in `a` as it was and in `b` as it is; tell if any has."""
    remove(copy.aside)
    reopen(copy.root)
    there = set(content(copy.root))
    names = set(_changed(copy, there))
    size = 0
    sides = (("a", copy.tree, copy.inodes.keys()), ("b", copy.root, there))
    for side, root, present in sides:
        (copy.aside / side).mkdir(parents=True)
        for name in names & present:
            size += _stage(root / name, copy.aside / side / name)
            if size > MOST_COMPARED:
                raise TooMuch(f"the changed files have more than {MOST_COMPARED >> 20} MiB")
    return bool(names)


def _changed(copy: Copy, there: set[str]) -> Iterator[str]:
    """Yield the paths of files and links that are not as they were.

    A directory may be a link by now that leads out of the copy: nothing is read through one.
    """
    for name in copy.inodes:
        if name not in there or _differ(copy, name):
            yield name
    wanted = Wildcard(EVERYTHING)
    # If the copy is no repository any more, the rules of one around it do not count.
    for entry in WorkspaceTree(Workspace(copy.root), top=copy.root).walk(copy.root, wanted):
        name = str(entry.path.relative_to(copy.root))
        if entry.kind in ("file", "link") and name not in copy.inodes:
            yield name


def _differ(copy: Copy, name: str) -> bool:
    old, new = copy.tree / name, copy.root / name
    before, after = old.lstat(), new.lstat()
    # What was moved here with its directory has not changed, but it is another file.
    if after.st_ino == copy.inodes[name] and after.st_ctime_ns < copy.made - _TICK:
        return False
    if stat.S_IFMT(before.st_mode) != stat.S_IFMT(after.st_mode):
        return True
    if stat.S_ISLNK(after.st_mode):
        return os.readlink(old) != os.readlink(new)
    if (before.st_mode ^ after.st_mode) & stat.S_IXUSR or before.st_size != after.st_size:
        return True
    return not filecmp.cmp(old, new, shallow=False)


def _stage(source: Path, target: Path) -> int:
    """Put a file or a link to another place; return its bytes."""
    status = source.lstat()
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(status.st_mode):
        target.symlink_to(os.readlink(source))
    elif stat.S_ISREG(status.st_mode) and status.st_size <= MOST_COMPARED:
        os.link(source, target)
        return status.st_size
    return status.st_size if stat.S_ISREG(status.st_mode) else 0
