"""Where commands may write: the workspace, and the work tree and repository that it belongs to.

Git keeps its index and its refs at the top of a work tree, or in another work tree's
repository. So in a subdirectory or a linked work tree the whole of it is writable,
not `.git` alone: with only that, a checkout would leave the rest stale. A pointer is
followed only if it is answered: the author of the workspace can make it point anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..files.protected import is_gitdir, pointed


def writable(workspace: str, homes: Iterable[str]) -> list[str]:
    """Return the writable directories, resolved, the outermost of the workspace first."""
    top = _top(workspace)
    if top is None or _unsafe(top, workspace, homes):
        return [workspace]
    found = [top]
    pointer = os.path.join(top, ".git")
    if os.path.isfile(pointer) and not os.path.islink(pointer):
        for directory in _answered(top, pointer):
            inside = any(_is_in(directory, root) for root in found)
            if not inside and not _unsafe(directory, "", homes):
                found.append(directory)
    return found


def described(roots: Sequence[str], workspace: str, *, read_only: bool) -> str:
    """Return where commands may write, in words for the model."""
    if read_only:
        return "only in temporary directories, because the workspace is read-only"
    if len(roots) > 1 or workspace not in ("", roots[0]):
        return f"in the work tree {roots[0]} and its repository only"
    return "in the workspace only"


def _top(workspace: str) -> str | None:
    """Return the root of the work tree that a directory lies in, if it is the user's."""
    here = workspace
    while True:
        git = os.path.join(here, ".git")
        if os.path.lexists(git):
            if os.path.isdir(git) and not is_gitdir(git):
                return None
            owner = os.stat(here).st_uid
            # Git refuses a repository of another user; root may be anybody's.
            return here if owner == os.geteuid() or os.geteuid() == 0 else None
        above = os.path.dirname(here)
        if above == here or os.stat(above).st_dev != os.stat(here).st_dev:
            return None
        here = above


def _unsafe(directory: str, workspace: str, homes: Iterable[str]) -> bool:
    """Tell whether a home lies in a directory that is not the workspace itself."""
    if directory == workspace:
        return False
    return directory == "/" or any(_is_in(os.path.realpath(home), directory) for home in homes)


def _answered(top: str, pointer: str) -> list[str]:
    """Return the git directories that `.git` points to, if they point back."""
    gitdir = os.path.realpath(pointed(pointer, "gitdir:") or "/nonexistent")
    if not is_gitdir(gitdir):
        return []
    back = pointed(os.path.join(gitdir, "gitdir"))
    if back and os.path.realpath(back) == os.path.realpath(pointer):
        common = os.path.realpath(pointed(os.path.join(gitdir, "commondir")) or gitdir)
        inside = _is_in(gitdir, os.path.join(common, "worktrees"))
        return [common] if inside and is_gitdir(common) else []
    return [gitdir] if _is_submodule(top, gitdir) else []


def _is_submodule(top: str, gitdir: str) -> bool:
    from ..files.git_settings import value_of

    try:
        with open(os.path.join(gitdir, "config"), "rb") as file:
            value = value_of(file.read(1 << 20), "core.worktree")
    except OSError:
        return False
    return bool(value) and os.path.realpath(os.path.join(gitdir, value or "")) == top


def _is_in(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")
