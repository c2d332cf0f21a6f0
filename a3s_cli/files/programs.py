"""Finds a program where the user looks for programs, never where a model can put one."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .protected import resolved


def find(name: str, path: str, outside: Iterable[str | os.PathLike[str]]) -> str | None:
    """Return a program of the search path, resolved; None if it is not installed.

    Relative entries of the path are passed over, and so is what lies in one of the
    directories `outside`.
    """
    trees = [resolved(os.fspath(directory)).rstrip("/") + "/" for directory in outside]
    for entry in path.split(":"):
        if not entry.startswith("/"):
            continue
        candidate = os.path.join(entry, name)
        program = resolved(candidate)
        inside = any(
            tree != "/" and f"{one}/".startswith(tree)
            for tree in trees
            for one in (program, candidate)
        )
        if not inside and os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None
