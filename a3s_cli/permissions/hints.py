"""The narrowest useful rules for what was refused, and the flags that add them, for a shell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shell_found import Command, Word

#: Programs whose first argument is a command of its own: a useful rule names it as well.
_WITH_SUBCOMMANDS = {
    "git", "gh", "npm", "pnpm", "yarn", "cargo", "go", "docker", "podman", "kubectl", "pip",
    "pip3", "uv", "poetry", "apt", "apt-get", "brew", "systemctl", "helm", "terraform", "dotnet",
    "bundle", "rustup", "conda", "hg", "svn", "make", "just",
}  # fmt: skip
#: Their commands that run what the next word names: a script of a project, a program.
_WITH_SCRIPTS = {
    ("npm", "run"), ("npm", "exec"), ("pnpm", "run"), ("pnpm", "exec"), ("yarn", "run"),
    ("bun", "run"), ("deno", "run"), ("go", "run"), ("poetry", "run"), ("bundle", "exec"),
}  # fmt: skip
MOST_FLAGS = 4
_SHOWN = 80
#: A word that needs no quotes and is no pattern.
_PLAIN = re.compile(r"[A-Za-z0-9_./+=:@%,-]+")


def flags(rules: Sequence[str]) -> str:
    """Return the flags that add these rules."""
    from shlex import quote

    return " ".join(f"--allow {quote(rule)}" for rule in rules)


def head(command: Command, inner: Command | None) -> str:
    """Name a pattern for a command and any arguments; a wrapper's names what it wraps."""
    words = command.words
    if inner is not None:
        before = words[: inner.offset]
        if words[inner.offset : inner.offset + 1] != inner.words[:1] or inner.wraps:
            return ""
        useful = _useful(inner.words)
        if not useful or not all(map(_is_plain, before)):
            return ""
        return " ".join([*(word.text for word in before), useful]) + ":*"
    useful = _useful(words)
    return f"{useful}:*" if useful else ""


def exact(command: Command) -> str:
    """Name a pattern that is exactly this command, or nothing where it is not known."""
    if not all(word.known for word in command.words):
        return ""
    before = [effect.text for effect in command.effects if effect.kind == "assign"]
    after = [effect.text for effect in command.effects if effect.kind == "write"]
    if not all(effect.word.known for effect in command.effects):
        return ""
    text = " ".join([*before, *map(_quoted, command.words), *after])
    return text if text.count("(") == text.count(")") and "\n" not in text else ""


def rules_for_path(tool: str, path: str) -> tuple[str, ...]:
    """Name a rule for one file, or the bare rule where its name could be read as a pattern."""
    return (f"{tool}({path})",) if _PLAIN.fullmatch(path) else (tool,)


def short(text: str) -> str:
    """Return one short line of a text, for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _useful(words: Sequence[Word]) -> str:
    """The words that a rule for this command should name, where they are plain."""
    texts = [word.text for word in words[:3]]
    count = 2 if texts[0] in _WITH_SUBCOMMANDS and len(words) > 1 else 1
    if count == 2 and not texts[1][:1].isalpha():
        return ""
    if tuple(texts[:2]) in _WITH_SCRIPTS:
        count = 3
    elif _interprets(texts[0]):
        # A rule for its scripts must not cover the code that its options take.
        count = 3 if texts[1:2] == ["-m"] else 2
    named = words[:count]
    if len(named) < count or (count > 1 and texts[count - 1].startswith("-")):
        return ""
    return " ".join(word.text for word in named) if all(map(_is_plain, named)) else ""


@lru_cache(maxsize=1024)
def _interprets(program: str) -> bool:
    from .program_names import INTERPRETERS

    name = program.rpartition("/")[2]
    return name in INTERPRETERS or name.rstrip("0123456789.") in INTERPRETERS


def _quoted(word: Word) -> str:
    from shlex import quote

    return quote(word.text)


def _is_plain(word: Word) -> bool:
    return word.known and _PLAIN.fullmatch(word.text) is not None
