"""The private cache of a workspace's commands, in place of the user's own.

What a command can write there it could make the user's next build run, so the
user's caches stay read-only. Build tools take their directories from variables.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from ..config.places import user_cache
from .places import named

#: Bytes that a cache may have when a run ends; the oldest files go first.
MOST_BYTES = 2 * 1024**3
_DIRECTORIES = {
    "XDG_CACHE_HOME": "xdg",
    "npm_config_cache": "npm",
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "YARN_CACHE_FOLDER": "yarn",
    "BUN_INSTALL_CACHE_DIR": "bun",
    "DENO_DIR": "deno",
    "GOCACHE": "go-build",
    "GOMODCACHE": "go-mod",
    "GRADLE_USER_HOME": "gradle",
    "NUGET_PACKAGES": "nuget",
    "COMPOSER_CACHE_DIR": "composer",
    "BUNDLE_USER_CACHE": "bundle",
    "CCACHE_DIR": "ccache",
    "SCCACHE_DIR": "sccache",
    "PRE_COMMIT_HOME": "pre-commit",
}


def variables(directory: str | None) -> dict[str, str]:
    """Return the variables that lead to a cache; none where there is none."""
    if not directory:
        return {}
    return {name: os.path.join(directory, below) for name, below in _DIRECTORIES.items()}


def make(root: str, environment: Mapping[str, str]) -> str:
    """Make the cache of a workspace; return nothing where none can be made."""
    cache = user_cache(environment)
    if cache is None:
        return ""
    directory = os.path.join(cache, "commands", named(root))
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        directory = os.path.realpath(directory)
        os.chmod(directory, 0o700)
    except OSError:
        return ""
    return directory if os.access(directory, os.W_OK) else ""


def prune(directory: str, most: int = MOST_BYTES) -> None:
    """Remove the oldest files until what is left has at most so many bytes on the disk."""
    from ..guard import contents

    files, total = [], 0
    for path, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(path, name))
                files.append((status.st_mtime, status.st_blocks * 512, path, name))
                total += status.st_blocks * 512
    if total <= most:
        return
    for _, size, path, name in sorted(files):
        # A command of another run may exchange a directory for a link meanwhile.
        with contextlib.suppress(OSError):
            contents.remove(directory, os.path.join(path, name))
            total -= size
        if total <= most:
            return
