"""Which of the user's own rules permit to write a protected place.

A rule has to spell the place out before its first wildcard: `write(.vscode/**)`
means it, `write(*)` does not. A repository's own directory and a3s's are never
permitted, because what is in there decides what other rules are worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..files.protected import DIRECTORIES, FILES, folded

if TYPE_CHECKING:
    from .rules import Rule

_NEVER = frozenset((".git", ".a3s"))
#: Places that a rule can permit.
PERMITTABLE = (DIRECTORIES | FILES) - _NEVER
_WILDCARDS = "*?[{"


def permits(rules: Iterable[Rule], path: PurePath, root: PurePath | None) -> bool:
    """Tell whether one of the allow rules permits to write a path, resolved, in `root`."""
    parts = path.relative_to(root).parts if root and path.is_relative_to(root) else path.parts
    names = [folded(part) for part in parts]
    if not _NEVER.isdisjoint(names):
        return False
    places = {name for name in names if name in DIRECTORIES}
    places |= {name for name in names[-1:] if name in FILES}
    return bool(places) and any(
        rule.tool in ("write", "edit")
        and not places.isdisjoint(_spelled(rule.pattern or ""))
        and rule.matches_path(path, root, allows=True)
        for rule in rules
    )


def _spelled(pattern: str) -> set[str]:
    """Return the names that a pattern spells out whole before its first wildcard."""
    end = min((pattern.index(one) for one in _WILDCARDS if one in pattern), default=len(pattern))
    names = pattern[:end].split("/")
    whole = names if end == len(pattern) else names[:-1]
    return {folded(name) for name in whole if name}
