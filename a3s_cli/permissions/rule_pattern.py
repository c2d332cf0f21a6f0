"""`*` in permission rules, in time that no text can make explode.

Regular expressions with several wildcards take time that grows with a power of
the text's length, and the text is the model's. Here every literal piece is
searched once, from the left, which is enough where `*` is the only wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

#: A bracket's own characters are not looked at: it stands for any text here.
_SHELL_WILDCARD = re.compile(r"[*?]|\[.*")


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits, `*` standing for any characters at all."""
    first, rest, last = _pieces(pattern)
    if rest is None:
        return first == text
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in rest:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def matches_any(patterns: tuple[str, ...], text: str) -> bool:
    """Whether the whole text fits one of these."""
    for pattern in patterns:  # noqa: SIM110 - a loop is half the work here
        if matches(pattern, text):
            return True
    return False


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> tuple[str, tuple[str, ...] | None, str]:
    """Return what stands before, between and after the wildcards; None where there is none."""
    # A quoted star in a pattern is a character like any other.
    first, *rest = (piece.replace("\x1a", "*") for piece in pattern.split("*"))
    return first, tuple(rest[:-1]) if rest else None, rest[-1] if rest else ""


def could_match(pattern: str, head: str) -> bool:
    """Whether some text that begins with `head` fits."""
    first, star, _ = pattern.partition("*")
    return first.startswith(head) or (bool(star) and head.startswith(first))


def path_matches(pattern: str, path: str) -> bool:
    """Whether an absolute path fits: `*` within a component, `**` for any number of them.

    `src/**` is `src` and everything below it.
    """
    parts = path.strip("/").split("/") if path.strip("/") else []
    return any(_components(alternative, parts) for alternative in _alternatives(pattern))


def path_may_match(pattern: str, path: str, *, below: bool) -> bool:
    """Whether a path fits whose components may hold wildcards of a shell.

    `below`: or whether the pattern spells out what is below it.
    """
    parts = path.strip("/").split("/") if path.strip("/") else []
    for alternative in _alternatives(pattern):
        if _components(alternative, parts, _could_both):
            return True
        named = [part for part in alternative[: len(parts) + 1] if "*" not in part]
        if below and len(named) > len(parts) and _components(tuple(named[:-1]), parts, _could_both):
            return True
    return False


def _could_both(pattern: str, part: str) -> bool:
    """Whether a component may fit that a shell expands first."""
    if not _SHELL_WILDCARD.search(part):
        return matches(pattern, part)
    head, tail = _SHELL_WILDCARD.split(part)[0], _SHELL_WILDCARD.split(part)[-1]
    first, *rest = pattern.split("*")
    last = rest[-1] if rest else first
    begins = first.startswith(head) or (bool(rest) and head.startswith(first))
    ends = last.endswith(tail) or (bool(rest) and tail.endswith(last))
    return begins and ends


def _components(
    pattern: tuple[str, ...],
    parts: list[str],
    fits: Callable[[str, str], bool] = matches,
) -> bool:
    reached = _skip(pattern, {0})
    for part in parts:
        following = set()
        for at in reached:
            if at < len(pattern) and pattern[at] == "**":
                following.add(at)
            elif at < len(pattern) and fits(pattern[at], part):
                following.add(at + 1)
        reached = _skip(pattern, following)
    return len(pattern) in reached


def _skip(pattern: tuple[str, ...], reached: set[int]) -> set[int]:
    """Let `**` stand for no component."""
    for at, part in enumerate(pattern):
        if part == "**" and at in reached:
            reached.add(at + 1)
    return reached


@lru_cache(maxsize=256)
def _alternatives(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return the two meanings of `a**b`: within one component, or across several."""
    found: list[tuple[str, ...]] = [()]
    for part in pattern.strip("/").split("/"):
        if part in ("", "."):
            continue
        if part != "**" and "**" in part:
            before, _, after = part.partition("**")
            last = "*" + after.lstrip("*")
            found = [(*each, before + last) for each in found] + [
                (*each, before + "*", "**", last) for each in found
            ]
        else:
            found = [(*each, part) for each in found]
    return tuple(found[:64])
