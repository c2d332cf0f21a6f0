"""Ignore rules that lie outside of a working tree: the user's own, and the repository's."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

#: Bytes that are read of one file, and includes in includes, as in git.
_MOST, _DEEPEST = 1024 * 1024, 10
_TRUE = ("", "true", "yes", "on", "1")


def of_the_user(directory: Path) -> bytes:
    """Return the rules of `core.excludesFile`, or of the file that git uses without it.

    `directory` is a working tree: its repository's own configuration counts as well.
    """
    named: str | None = None
    for file in _configurations(directory):
        for name, value in _settings(file, _gitdir(directory)):
            if name == "core.excludesfile":
                named = value or ""
    if named is None:
        named = f"{_config_home()}/git/ignore"
    elif named:
        # A relative path begins at the top of the working tree.
        named = os.path.join(directory, _expanded(named))
    return _content(named)


def of_a_repository(directory: Path) -> bytes:
    """Return the rules of `info/exclude` of the repository whose working tree this is."""
    return _content(str(_common(_gitdir(directory)) / "info" / "exclude"))


def _gitdir(directory: Path) -> Path:
    """Return where git keeps what belongs to a working tree."""
    git = directory / ".git"
    if git.is_dir():
        return git
    # A linked working tree, or a submodule: a file of one line says where.
    line = _content(str(git)).decode("utf-8", "surrogateescape").strip()
    return directory / line.removeprefix("gitdir:").strip()


def _common(git: Path) -> Path:
    """Return what all working trees of a repository share."""
    common = _content(str(git / "commondir")).decode("utf-8", "surrogateescape").strip()
    return git / common if common else git


def _configurations(directory: Path) -> Iterator[str]:
    """Return git's files of configuration, the last of which wins."""
    if os.environ.get("GIT_CONFIG_NOSYSTEM", "").lower() not in _TRUE[1:]:
        yield os.environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"
    if "GIT_CONFIG_GLOBAL" in os.environ:
        yield os.environ["GIT_CONFIG_GLOBAL"]
    else:
        yield from (f"{_config_home()}/git/config", _expanded("~/.gitconfig"))
    git = _gitdir(directory)
    local = str(_common(git) / "config")
    yield local
    own = [value for name, value in _settings(local, git) if name == "extensions.worktreeconfig"]
    if own and (own[-1] or "").lower() in _TRUE:
        yield str(git / "config.worktree")


def _settings(file: str, git: Path, depth: int = 0) -> Iterator[tuple[str, str | None]]:
    """Return a file's settings, with those of the files that it includes in their place."""
    content = _content(file)
    if not content:
        return
    from .git_settings import Malformed, entries, text_of

    try:
        found = list(entries(text_of(content)))
    except Malformed:
        return
    for entry in found:
        yield entry.name, entry.value
        if entry.value and depth < _DEEPEST and _includes(entry.name, file, git):
            path = os.path.join(os.path.dirname(file), _expanded(entry.value))  # noqa: PTH120
            yield from _settings(path, git, depth + 1)


def _includes(name: str, file: str, git: Path) -> bool:
    """Whether a setting includes another file; a condition may ask where the repository is."""
    condition = re.fullmatch(r"includeif\.gitdir(/i)?:(.*)\.path", name, re.DOTALL)
    if condition is None:
        return name == "include.path"
    pattern, place = _expanded(condition[2]), os.path.abspath(git)  # noqa: PTH100
    if pattern.startswith("./"):
        pattern = os.path.join(os.path.dirname(file), pattern[2:])  # noqa: PTH120
    elif not pattern.startswith("/"):
        pattern = f"**/{pattern}"
    pattern += "**" * pattern.endswith("/")
    if condition[1]:
        pattern, place = pattern.lower(), place.lower()
    from .wildcards import Wildcard

    try:
        wanted = Wildcard(pattern.lstrip("/"))
    except ValueError:
        return False
    return wanted.matches(tuple(place.strip("/").split("/")))


def _config_home() -> str:
    return os.environ.get("XDG_CONFIG_HOME") or _expanded("~/.config")


def _expanded(path: str) -> str:
    """Return a path with `~` and `~user` in the place of which git puts a home."""
    return os.path.expanduser(path)  # noqa: PTH111


def _content(path: str) -> bytes:
    """Return a plain file's content; nothing where there is none, and of a pipe or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_MOST)
