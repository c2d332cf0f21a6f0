"""Which paths `.gitignore` files leave out, as git reads them, and which files hold secrets.

Pure: text in, verdicts out. Rules are held per directory and carried down the
tree. A rule without a slash is about names anywhere below, and all of those in
one file are tried by one regular expression; a rule with a slash is a position
in a path, dropped as soon as nothing below can match it, so that deep in a
tree almost none is left. Names are compared as bytes, as git does: in here a
str is bytes in disguise (Latin-1), and `?` is one byte.

Written here and not taken from a library, because the search worker runs
without site-packages, and because the tests hold it against git itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache

from ..values import Value
from .wildcards import START, Components, States, component, components, split, step

#: Limits that no handwritten files reach: the length of a line, and the rules of one directory.
LONGEST = 4096
MOST = 10_000


class _Rule(Value):
    """One line: its number decides between two that match, for the last one wins."""

    number: int
    negated: bool
    directories_only: bool


class _NameRule(_Rule):
    regex: re.Pattern[str]


class _PathRule(_Rule):
    pattern: Components
    states: States = START


class _Source(Value):
    """The rules of one file that still matter in one directory."""

    names: Sequence[_NameRule]
    any_name: re.Pattern[str] | None
    paths: Sequence[_PathRule]

    def verdict(self, name: str, directory: bool) -> bool | None:
        """Whether the name is ignored; None when no rule speaks of it."""
        found: _Rule | None = None
        entry = name + "/" if directory else name
        if self.any_name and self.any_name.fullmatch(entry):
            found = next(rule for rule in reversed(self.names) if rule.regex.fullmatch(entry))
        for rule in reversed(self.paths):
            if found and rule.number < found.number:
                break
            if rule.directories_only and not directory:
                continue
            if len(rule.pattern) in step(rule.pattern, rule.states, name):
                found = rule
                break
        return None if found is None else not found.negated

    def enter(self, name: str) -> _Source:
        paths = []
        for rule in self.paths:
            states = step(rule.pattern, rule.states, name)
            if states - {len(rule.pattern)}:
                paths.append(
                    _PathRule(
                        rule.number, rule.negated, rule.directories_only, rule.pattern, states
                    )
                )
        return _Source(self.names, self.any_name, paths)


class Rules:
    """The ignore rules that hold in one directory; immutable."""

    __slots__ = ("_sources",)

    def __init__(self, sources: tuple[_Source, ...] = ()) -> None:
        self._sources = sources

    def ignores(self, name: str, *, directory: bool) -> bool:
        """Whether an entry of this directory is ignored."""
        text = _bytes(name)
        for source in reversed(self._sources):
            verdict = source.verdict(text, directory)
            if verdict is not None:
                return verdict
        return False

    def enter(self, name: str) -> Rules:
        """Return the rules of a directory in this one, without those of its own file."""
        text = _bytes(name)
        return Rules(tuple(source.enter(text) for source in self._sources))

    def extend(self, content: bytes) -> Rules:
        """Add a file's rules; they win over those that are already there."""
        source = _parse(content)
        rules = sum(len(one.names) + len(one.paths) for one in (*self._sources, source))
        if not (source.names or source.paths) or rules > MOST:
            return self
        return Rules((*self._sources, source))


def _bytes(name: str) -> str:
    return os.fsencode(name).decode("latin-1")


# A tree may hold the same file in each of its directories.
@lru_cache(maxsize=64)
def _parse(content: bytes) -> _Source:
    names: list[_NameRule] = []
    paths: list[_PathRule] = []
    sources: list[str] = []
    for number, line in enumerate(_lines(content)):
        negated = line.startswith("!")
        text = line[1:] if negated else line
        directories_only = text.endswith("/")
        text = text[:-1] if directories_only else text
        try:
            if "/" in text:
                pattern = components(split(text.removeprefix("/")))
                paths.append(_PathRule(number, negated, directories_only, pattern))
            else:
                source = component(text) + ("/" if directories_only else "/?")
                regex = re.compile(source, re.S)
                names.append(_NameRule(number, negated, directories_only, regex))
                sources.append(source)
        except ValueError:
            continue  # git reads a broken pattern as one that nothing matches
    return _Source(names, re.compile("|".join(sources), re.S) if sources else None, paths)


def _lines(content: bytes) -> list[str]:
    """Yield the lines that are rules: no comments, no blanks, no unescaped trailing spaces."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    trimmed = (_trim(line.removesuffix("\r")) for line in text.split("\n"))
    rules = [line for line in trimmed if line and not line.startswith("#")]
    return [line for line in rules if len(line) <= LONGEST][:MOST]


def _trim(line: str) -> str:
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return line[: len(bare) + 1] if backslashes % 2 else bare


_KEY = re.compile(r"id_(rsa|dsa|ecdsa|ed25519|xmss)|id_[^.]*\Z")


#: A file that shows how to write one, without the secrets.
_EXAMPLES = (".example", ".sample", ".template", ".dist")


def is_secret(parts: Sequence[str]) -> bool:
    """Whether a file, by its path's components, is of the kind that holds credentials.

    A search does not look into such a file unless it is named. `id_*` means
    private keys: a name with an extension (`id_map.py`) is one only if it begins
    as the known kinds of keys do.
    """
    if not parts:
        return False
    name = parts[-1].casefold()
    return (
        (name.startswith(".env") and not name.endswith(_EXAMPLES))
        or name in (".npmrc", ".netrc")
        or name.endswith(".pem")
        or _KEY.match(name) is not None
        or (name == "config" and len(parts) > 1 and parts[-2].casefold() == ".git")
    )
