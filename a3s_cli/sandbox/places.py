"""Where a3s keeps what belongs to a workspace, outside of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence


def named(root: str) -> str:
    """Return the name of a tree's directories: short, and another for each path."""
    from hashlib import sha256

    return sha256(os.fsencode(root)).hexdigest()[:24]


def record_directory(roots: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return the directory of the guard's record; None where there is no place for one.

    Work trees of one repository share a record, because they share its git directory.
    """
    from ..files.protected import gitdirs

    state = environment.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        home = environment.get("HOME", "")
        if not home.startswith("/"):
            return None
        state = os.path.join(home, ".local", "state")
    # The last one is the common git directory, where there are two; `.git` stands for its tree,
    # so that the name stays when the tree becomes a repository.
    found = gitdirs(roots[0])
    tree = os.path.realpath(found[-1]) if found else roots[0]
    if os.path.basename(tree) == ".git":
        tree = os.path.dirname(tree)
    return os.path.join(state, "a3s", "guard", named(tree))
