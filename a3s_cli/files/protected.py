"""Which paths of a workspace are protected: what other programs run or obey unasked.

A hook, a shell's start file, an editor's tasks, a configuration of an agent: who
can write one of these runs code later, as the user and outside of everything
that confines a run. The file tools refuse to write them, by name, at any depth and
in any case, because the disk may not tell `.GIT` from `.git`. What a command does
to them is put back when its call ends (`guard`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

#: Directories that are protected with all that is in them: of editors and of agents.
# fmt: off
DIRECTORIES = frozenset((
    ".a3s", ".agents", ".aider", ".amazonq", ".augment", ".claude", ".cline", ".codex", ".continue",
    ".crush", ".cursor", ".factory", ".fleet", ".gemini", ".goose", ".idea", ".junie", ".kilocode",
    ".kiro", ".mise", ".opencode", ".qwen", ".roo", ".trae", ".vscode", ".windsurf", ".zed",
))
FILES = frozenset((
    ".aider.conf.yml", ".bash_login", ".bash_logout", ".bash_profile", ".bashrc", ".clinerules",
    ".crush.json", ".cshrc", ".envrc", ".gitconfig", ".gitmodules", ".kshrc", ".login", ".logout",
    ".mcp.json", ".mise.local.toml", ".mise.toml", ".mkshrc", ".opencode.json", ".profile",
    ".ripgreprc", ".tcshrc", ".windsurfrules", ".xprofile", ".xsessionrc", ".zlogin", ".zlogout",
    ".zprofile", ".zshenv", ".zshrc", "crush.json", "mise.local.toml", "mise.toml",
    "opencode.json", "opencode.jsonc",
))
# fmt: on
#: What makes git run programs; `commondir` says where the other two are looked for.
GIT = ("commondir", "config", "config.worktree", "hooks")
#: A file that says where a repository is has one line.
_GITDIR_BYTES = 4096


def protected(root: Path, path: Path, more: Iterable[Path] = ()) -> str | None:
    """Name the protected place that `path`, absolute and resolved, is or lies in.

    `more` are further places that are protected in this run.
    """
    for place in more:
        if path == place or place in path.parents:
            return place.name
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    for depth, part in enumerate(parts, 1):
        name = folded(part)
        # Of a repository the file tools have no business with anything.
        if name == ".git" or name in DIRECTORIES or (name in FILES and depth == len(parts)):
            return name
    if parts and parts[0] == "HEAD":
        # With objects and refs beside it, the root would be a repository for git.
        return "HEAD"
    for gitdir in map(resolved, gitdirs(str(root))):
        if str(path).startswith(f"{gitdir}/"):
            return ".git"
    for depth, part in enumerate(parts):
        # A directory with these is a repository without a working tree, for git.
        if part in GIT and is_gitdir(str(root.joinpath(*parts[:depth]))):
            return part
    return None


def folded(name: str) -> str:
    """Fold what a disk may fold: case, and what cannot be seen."""
    if name.isascii():
        return name.lower()
    from unicodedata import category, normalize

    seen = "".join(letter for letter in name if category(letter) != "Cf")
    return normalize("NFKC", seen).casefold()


def gitdirs(root: str) -> list[str]:
    """Return where git keeps what belongs to the working tree `root`: none, one or two places."""
    path = f"{root}/.git"
    if os.path.isfile(path):
        path = pointed(path, "gitdir:")
    if not path or not is_gitdir(path):
        return []
    common = pointed(f"{path}/commondir")
    return [path, common] if common and is_gitdir(common) else [path]


def resolved(path: str) -> str:
    """Return a path without links; as it is, where a link is exchanged meanwhile."""
    try:
        return os.path.realpath(path)
    except OSError:
        return path


def pointed(file: str, prefix: str = "") -> str:
    """Return the directory that a file of one line points to; nothing if there is none."""
    try:
        with open(file, "rb") as opened:
            line = os.fsdecode(opened.read(_GITDIR_BYTES)).strip("\n")
    except OSError:
        return ""
    if not line or not line.startswith(prefix) or "\0" in line:
        return ""
    return os.path.join(os.path.dirname(file), line.removeprefix(prefix).strip())


def is_gitdir(path: str) -> bool:
    """Tell whether git takes a directory for a repository."""
    return all(os.path.lexists(f"{path}/{name}") for name in ("HEAD", "objects")) or all(
        os.path.lexists(f"{path}/{name}") for name in ("HEAD", "commondir")
    )
