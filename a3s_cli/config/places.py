"""Finds and reads the configuration files.

The search for a project's file ends before `$HOME`, after a mount point, and before a
directory with another owner than the workspace's: what lies beyond is not part of the
project.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..values import Value
from .settings import FILE_VARIABLES

if TYPE_CHECKING:
    from pathlib import Path

#: Directories of a project's skills; each skill is a directory in there.
SKILLS = (".agents/skills", ".claude/skills")
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES)


class Found(Value):
    """An existing file: its path, text and identity."""

    path: str
    text: str
    identity: tuple[int, int]


def project_of(path: str) -> str:
    """Return the directory that a project's file belongs to."""
    return os.path.split(os.path.split(path)[0])[0]


def explicit_file(
    config_file: str | None, environment: Mapping[str, str], workspace: Path
) -> Found | None:
    """Read the file named by `--config` or the environment; None if there is none."""
    origin, name = "--config", config_file
    for variable in FILE_VARIABLES:
        if name is None and environment.get(variable):
            origin, name = variable, environment[variable]
    return None if name is None else named_file(name, origin, workspace)


def named_file(name: str, origin: str, workspace: Path) -> Found:
    """Read a file that must exist. It may be a pipe, as in `--config <(…)`."""
    found = read(os.path.join(workspace, name), any_kind=True)
    if found is None:
        raise ConfigError(f"{origin}: expected a readable file, found none at {name}")
    return found


def user_paths(environment: Mapping[str, str]) -> list[str]:
    """Return the possible paths of the user's file, best first; none without a home."""
    home = environment.get("HOME", "")
    configured = environment.get("XDG_CONFIG_HOME", "")
    paths = []
    if configured.startswith("/"):
        paths.append(os.path.join(configured, "a3s", "config.acl"))
    elif home.startswith("/"):
        paths.append(os.path.join(home, ".config", "a3s", "config.acl"))
    if home.startswith("/"):
        paths.append(os.path.join(home, ".a3s", "config.acl"))
    return paths


def user_cache(environment: Mapping[str, str]) -> str | None:
    """Return the directory of a3s in the user's cache, which need not exist; None without a home.

    A relative XDG_CACHE_HOME is ignored, as the XDG Base Directory Specification demands.
    """
    base, home = environment.get("XDG_CACHE_HOME", ""), environment.get("HOME", "")
    if not base.startswith("/"):
        base = os.path.join(home, ".cache") if home.startswith("/") else ""
    return os.path.join(base, "a3s") if base else None


def user_skills(environment: Mapping[str, str]) -> str | None:
    """Return the directory of the user's skills; None without a home."""
    base, home = environment.get("XDG_CONFIG_HOME", ""), environment.get("HOME", "")
    if not base.startswith("/"):
        base = os.path.join(home, ".config") if home.startswith("/") else ""
    return os.path.join(base, "a3s", "skills") if base else None


def project_file(
    workspace: Path, environment: Mapping[str, str], name: str = ".a3s/config.acl"
) -> Found | None:
    """Find the nearest project file, walking up from the workspace's real path."""
    directory = os.path.realpath(workspace)
    home = environment.get("HOME", "")
    home = os.path.realpath(home) if home.startswith("/") else ""
    try:
        owner = os.stat(directory).st_uid
        while directory != home and os.stat(directory).st_uid == owner:
            found = read(os.path.join(directory, name))
            if found or os.path.ismount(directory):
                return found
            directory = os.path.split(directory)[0]
    except OSError:
        return None
    return None


def first_file(paths: Iterable[str]) -> Found | None:
    """Read the first of several files that exists."""
    for path in paths:
        if found := read(path):
            return found
    return None


def read(path: str, *, any_kind: bool = False) -> Found | None:
    """Read a file; None if it does not exist or its directory cannot be searched.

    Raises ConfigError for a file that exists and cannot be read: its deny rules would
    be lost. Only a file that the user names may be a device or a pipe, which is waited
    for.
    """
    try:
        wait = 0 if any_kind else os.O_NONBLOCK
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | wait)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _ABSENT and not os.path.exists(path):
            return None
        raise ConfigError(f"{path}: expected a readable file, found: {_reason(error)}") from None
    # Loaded only if there is a file to parse.
    from . import acl

    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode) or not (any_kind or stat.S_ISREG(status.st_mode)):
            raise ConfigError(f"{path}: expected a regular file, found another kind")
        data = bytearray()
        while len(data) <= acl.MAX_BYTES and (piece := os.read(descriptor, acl.MAX_BYTES)):
            data += piece
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}") from None
    finally:
        os.close(descriptor)
    return Found(path, acl.decode(bytes(data), path), (status.st_dev, status.st_ino))


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
