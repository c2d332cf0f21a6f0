"""Which paths of a workspace cannot be changed: files that other programs execute or obey.

A hook, a shell's start file, an editor's tasks, a configuration of an agent: who
can write one of these runs code later, as the user and outside of everything
that confines a run. They are read-only for bash and for the file tools alike,
whether they exist yet or not, and no rule can allow it.

A file tool is refused by name, at any depth and in any case, because the disk
may not tell `.GIT` from `.git`. For bash the places of the workspace itself and
of the repositories in it are made read-only by the sandbox; `places` lists them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Directories that are read-only with all that is in them.
DIRECTORIES = frozenset({".a3s", ".claude", ".codex", ".cursor", ".idea", ".vscode"})
FILES = frozenset(
    {
        ".bash_login",
        ".bash_logout",
        ".bash_profile",
        ".bashrc",
        ".envrc",
        ".gitconfig",
        ".gitmodules",
        ".mcp.json",
        ".profile",
        ".ripgreprc",
        ".zlogin",
        ".zlogout",
        ".zprofile",
        ".zshenv",
        ".zshrc",
    }
)
#: What makes git run programs; `commondir` says where the other two are looked for.
GIT = ("commondir", "config", "config.worktree", "hooks")
#: Git does not work where there is an empty directory of such a name.
UNHOLDABLE = ("HEAD", "commondir")
#: How deep, among how many directories, and up to how many repositories are looked for.
_DEPTH, _DIRECTORIES, _REPOSITORIES = 2, 1000, 16
#: A file that says where a repository is has one line.
_GITDIR_BYTES = 4096


def protected(root: Path, path: Path) -> str | None:
    """Name the protected place that `path`, absolute and resolved, is or lies in."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    for depth, part in enumerate(parts, 1):
        name = _folded(part)
        # Of a repository the file tools have no business with anything.
        if name == ".git" or name in DIRECTORIES or (name in FILES and depth == len(parts)):
            return name
    if parts and (parts[0] == "HEAD" or _is_gitdir(str(root))):
        # A directory with these is a repository without a working tree, for git.
        return parts[0] if parts[0] in ("HEAD", *GIT) else None
    for gitdir in map(os.path.realpath, _gitdirs(str(root))):
        if str(path).startswith(f"{gitdir}/"):
            return ".git"
    return None


def _folded(name: str) -> str:
    """Fold what a disk may fold: case, and what cannot be seen."""
    if name.isascii():
        return name.lower()
    from unicodedata import category, normalize

    seen = "".join(letter for letter in name if category(letter) != "Cf")
    return normalize("NFKC", seen).casefold()


def places(root: str, nested: Iterable[str] = ()) -> Iterator[str]:
    """Yield the protected paths of the workspace and of the repositories nested in it.

    A path may be missing, or lead through links; it is as its readers spell it.
    """
    names = {*DIRECTORIES, *FILES, "HEAD"} - ({"HEAD"} if _is_gitdir(root) else set())
    names |= {name for name in os.listdir(root) if _folded(name) in DIRECTORIES | FILES}
    for name in sorted(names):
        yield f"{root}/{name}"
    if _is_gitdir(root):
        yield from (f"{root}/{name}" for name in GIT)
    for repository in (root, *nested):
        yield from _repository(repository)


def repositories(root: str) -> list[str]:
    """Find the repositories nested in the workspace, as deep as is cheap."""
    found: list[str] = []
    queue, looked_at = [(root, 0)], 0
    while queue and looked_at < _DIRECTORIES and len(found) < _REPOSITORIES:
        directory, depth = queue.pop(0)
        looked_at += 1
        if depth and os.path.lexists(f"{directory}/.git"):
            found.append(directory)
        if depth < _DEPTH:
            with contextlib.suppress(OSError), os.scandir(directory) as entries:
                queue += [
                    (entry.path, depth + 1)
                    for entry in entries
                    if entry.name not in (".git", "node_modules")
                    and entry.is_dir(follow_symlinks=False)
                ]
    return found


def _repository(root: str) -> Iterator[str]:
    """Yield the places of the repository whose working tree is `root`."""
    path = f"{root}/.git"
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        mode = 0
    # What is no repository (yet) is read-only as a whole; so is a pointer to one.
    if not stat.S_ISDIR(mode) or not _is_gitdir(path):
        yield path
    for gitdir in _gitdirs(root):
        yield from _gitdir(gitdir)


def _gitdirs(root: str) -> list[str]:
    """Yield where git keeps what belongs to the working tree `root`: none, one or two places."""
    path = f"{root}/.git"
    if os.path.isfile(path):
        path = _pointed(path, "gitdir:")
    if not path or not _is_gitdir(path):
        return []
    common = _pointed(f"{path}/commondir")
    return [path, common] if common and _is_gitdir(common) else [path]


def _pointed(file: str, prefix: str = "") -> str:
    """Yield the directory that a file of one line points to, if there is one."""
    try:
        with open(file, "rb") as opened:
            line = os.fsdecode(opened.read(_GITDIR_BYTES)).strip("\n")
    except OSError:
        return ""
    if not line or not line.startswith(prefix) or "\0" in line:
        return ""
    return os.path.join(os.path.dirname(file), line.removeprefix(prefix).strip())


def _is_gitdir(path: str) -> bool:
    return all(os.path.lexists(f"{path}/{name}") for name in ("HEAD", "objects")) or all(
        os.path.lexists(f"{path}/{name}") for name in ("HEAD", "commondir")
    )


def _gitdir(path: str) -> Iterator[str]:
    """Yield the places of one repository, its submodules' and its working trees' included."""
    yield from (f"{path}/{name}" for name in GIT)
    modules = list(_modules(f"{path}/modules"))
    if len(modules) > _REPOSITORIES:
        yield f"{path}/modules"
    else:
        for module in modules:
            yield from (f"{module}/{name}" for name in GIT)
    try:
        trees = os.listdir(f"{path}/worktrees")
    except OSError:
        return
    if len(trees) > _REPOSITORIES:
        yield f"{path}/worktrees"
    else:
        for tree in trees:
            yield from (f"{path}/worktrees/{tree}/{name}" for name in GIT)


def _modules(directory: str) -> Iterator[str]:
    """Find the submodules' repositories: their names may have slashes."""
    queue, looked_at = [directory], 0
    while queue and looked_at < _DIRECTORIES:
        here = queue.pop(0)
        looked_at += 1
        if _is_gitdir(here):
            yield here
            queue.append(f"{here}/modules")
            continue
        try:
            with os.scandir(here) as entries:
                queue += [one.path for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError:
            continue
