"""Wildcards over path components, for `.gitignore` files and for the tools' glob patterns.

A pattern is a sequence of components and a path is matched against it one
component at a time. The state between two components is a small set of
positions, so a walk carries it down the tree: it knows at every directory
whether anything below can still match, and nothing is matched twice. One
component becomes a regular expression without ambiguous repetition, so that no
pattern takes more than quadratic time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

#: The compiled components of one pattern; None stands for `**`.
Components = tuple[re.Pattern[str] | None, ...]
States = frozenset[int]

START: States = frozenset({0})
MAX_ALTERNATIVES = 256
#: Characters of a pattern, and of all that has to be read to write out its alternatives.
LONGEST = 4096
MAX_EXPANDED = 8 * LONGEST

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t-\r ",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def component(glob: str) -> str:
    """Translate one component (`*`, `?`, `[…]`, `\\x`) to the source of a regular expression.

    Every `*` but the last may commit to the first place where what follows it
    fits, which is what the atomic groups say. Raises ValueError for a pattern
    that no name can match: an open `[`, a lone `\\` at the end.
    """
    chunks = [""]
    at = 0
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "*":
            if len(chunks) == 1 or chunks[-1]:
                chunks.append("")
        elif char == "?":
            chunks[-1] += "[^/]"
        elif char == "[":
            source, at = _bracket(glob, at)
            chunks[-1] += source
        elif char == "\\":
            if at == len(glob):
                raise ValueError("nothing follows the last backslash")
            chunks[-1] += re.escape(glob[at])
            at += 1
        else:
            chunks[-1] += re.escape(char)
    head, *rest = chunks
    if not rest:
        return head
    return head + "".join(f"(?>[^/]*?{chunk})" for chunk in rest[:-1]) + "[^/]*" + rest[-1]


def _bracket(glob: str, at: int) -> tuple[str, int]:
    """Translate the class whose `[` is just before `at`; give its source and where it ends."""
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    items = ""
    low = ""
    first = True
    while first or glob[at : at + 1] != "]":
        first = False
        named = re.compile(r"\[:(\w*):\]").match(glob, at)
        if named:
            if named[1] not in _CLASSES:
                raise ValueError(f"there is no character class [:{named[1]}:]")
            items += _CLASSES[named[1]]
            low, at = "", named.end()
            continue
        if low and glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("", "]"):
            high, at = _class_character(glob, at + 1)
            if low <= high:
                items += f"{re.escape(low)}-{re.escape(high)}"
            low = ""
            continue
        low, at = _class_character(glob, at)
        items += re.escape(low)
    if negated:
        return f"[^/{items}]", at + 1
    return f"(?!/)[{items}]", at + 1


def _class_character(glob: str, at: int) -> tuple[str, int]:
    at += glob[at : at + 1] == "\\"
    if at >= len(glob):
        raise ValueError("a [ is never closed")
    return glob[at], at + 1


def split(pattern: str) -> list[str]:
    """Cut a pattern into components: at every slash that is not inside a `[…]`."""
    parts = [""]
    at = 0
    while at < len(pattern):
        end = at + 1
        if pattern[at] == "[":
            end = _bracket(pattern, end)[1]
        elif pattern[at] == "\\":
            end += 1
        piece = pattern[at:end]
        if piece in ("/", "\\/"):
            parts.append("")
        else:
            parts[-1] += piece
        at = end
    return parts


def components(parts: Iterable[str], *, or_itself: bool = False) -> Components:
    """Compile the components of one pattern; `**` after `**` says nothing more.

    `or_itself`: a component with brackets matches its own spelling, too.
    """
    compiled: list[re.Pattern[str] | None] = []
    for part in parts:
        if len(part) < 2 or part.strip("*"):
            itself = f"|{re.escape(part)}" if or_itself and "[" in part else ""
            compiled.append(re.compile(f"(?:{component(part)}){itself}", re.S))
        elif not compiled or compiled[-1] is not None:
            compiled.append(None)
    return tuple(compiled)


def step(pattern: Components, states: States, name: str) -> States:
    """Consume one component of a path; no state is left when nothing below can match."""
    after: set[int] = set()
    pending = list(states)
    while pending:
        at = pending.pop()
        if at == len(pattern):
            continue
        wanted = pattern[at]
        if wanted is not None:
            if wanted.fullmatch(name):
                after.add(at + 1)
            continue
        after.add(at)
        if at + 1 == len(pattern):
            after.add(at + 1)  # a trailing `**` is everything inside, not the directory itself
        else:
            pending.append(at + 1)
    return frozenset(after)


class Wildcard:
    """A glob pattern: `*`, `?`, `[…]`, `{a,b}` and `**` for any number of directories.

    A name that is spelled like a component with brackets matches it as well: in
    `app/[id]/*.tsx`, `[id]` is rather the name of a directory than `i` or `d`.
    """

    def __init__(self, pattern: str) -> None:
        self.patterns = [
            tuple(part for part in split(alternative) if part not in ("", "."))
            for alternative in expand(pattern + "**" * pattern.endswith("/"))
        ]
        self._components = [components(parts, or_itself=True) for parts in self.patterns]
        self.start: tuple[States, ...] = (START,) * len(self._components)

    def step(self, states: tuple[States, ...], name: str) -> tuple[States, ...]:
        """Consume one component of a path; the result is empty when nothing below can match."""
        after = tuple(
            step(pattern, state, name) if state else state
            for pattern, state in zip(self._components, states, strict=True)
        )
        return after if any(after) else ()

    def accepts(self, states: tuple[States, ...]) -> bool:
        """Whether the components consumed so far are a whole match."""
        return any(
            len(pattern) in state for pattern, state in zip(self._components, states, strict=False)
        )

    def matches(self, parts: Iterable[str]) -> bool:
        """Whether a path, given by its components, matches."""
        states = self.start
        for part in parts:
            states = self.step(states, part)
            if not states:
                return False
        return self.accepts(states)


def literal(pattern: str) -> str:
    """Return a pattern that means exactly this path."""
    return re.sub(r"([*?\[{}\\])", r"\\\1", pattern)


def unknown(pattern: str) -> str | None:
    """Return what others would expand, and is none here: `!(a)`, `!a`, `{1..9}`, `~/a`."""
    # Up to the last `)`, so that no `(` looks for one in vain.
    closed = pattern[: pattern.rfind(")") + 1]
    if found := re.search(r"(?<!\\)([!@+?*])\([^)]*\)", closed):
        return f"{found[1]}(…)"
    # A name may begin so, and is then spelled `\\!a`.
    if first := re.match(r"(?:\*\*/)?(!)|(~)/", pattern):
        return first[1] or first[2]
    span = re.search(r"(?<!\\)\{(?:-?\d+\.\.-?\d+|[A-Za-z]\.\.[A-Za-z])(?:\.\.-?\d+)?\}", pattern)
    return span[0] if span else None


def expand(pattern: str) -> list[str]:
    """Write out the alternatives of `{a,b}`; braces without a comma stand for themselves.

    Raises ValueError for a pattern that is too long, or stands for too much.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    expanded: list[str] = []
    pending = [pattern]
    room = MAX_EXPANDED
    while pending:
        one = pending.pop()
        room -= len(one)
        if room < 0:
            raise ValueError(f"its braces stand for more than {MAX_EXPANDED} characters")
        found = _braces(one)
        if found is None:
            expanded.append(one)
            continue
        start, end, choices = found
        pending += [one[:start] + choice + one[end:] for choice in reversed(choices)]
        if len(expanded) + len(pending) > MAX_ALTERNATIVES:
            raise ValueError(f"its braces stand for more than {MAX_ALTERNATIVES} patterns")
    return expanded


def _braces(pattern: str) -> tuple[int, int, list[str]] | None:
    """Find the first `{…}` with a comma: where it starts, where it ends, its choices."""
    opened: list[tuple[int, list[int]]] = []
    outermost: tuple[int, int, list[str]] | None = None
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif char == "{":
            opened.append((at, [at]))
        elif char == "," and opened:
            opened[-1][1].append(at)
        elif char == "}" and opened:
            start, commas = opened.pop()
            if len(commas) > 1:
                cuts = [*commas, at]
                choices = [pattern[a + 1 : b] for a, b in pairwise(cuts)]
                if outermost is None or start < outermost[0]:
                    outermost = (start, at + 1, choices)
                if not opened:
                    return outermost
        at += 1
    return outermost
