"""The narrowest useful rules for what was refused, and the flags that add them, for a shell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .shell_words import names

if TYPE_CHECKING:
    from .shell_found import Command

#: Programs whose first argument is a command of its own: a useful rule names it as well.
_WITH_SUBCOMMANDS = names(
    "git gh npm pnpm yarn cargo go docker podman kubectl pip pip3 uv poetry apt apt-get brew"
    " systemctl helm terraform dotnet bundle rustup conda hg svn make just"
)
_MOST_FLAGS = 4
_SHOWN = 80


def flags(rules: Sequence[str]) -> str:
    """Return the flags that add these rules."""
    from shlex import quote

    return " ".join(f"--allow {quote(rule)}" for rule in rules)


def rules_for_commands(tool: str, uncovered: Sequence[Command]) -> tuple[str, ...]:
    """Name rules for these commands, or the bare rule where patterns cannot help."""
    plain = all(
        command.words[0].known and not command.risks and not command.wraps for command in uncovered
    )
    heads = dict.fromkeys(_useful(command.text.split(" ")) for command in uncovered)
    if not plain or len(heads) > _MOST_FLAGS or None in heads:
        return (tool,)
    return tuple(f"{tool}({head}:*)" for head in heads)


def rules_for_script(tool: str, script: str) -> tuple[str, ...]:
    """Name a rule without parsing: only for a script that is obviously one plain command."""
    words = script.split(" ")
    if all(_is_plain(word) for word in words) and (head := _useful(words)):
        return (f"{tool}({head}:*)",)
    return (tool,)


def rules_for_path(tool: str, path: str) -> tuple[str, ...]:
    """Name a rule for one file, or the bare rule where its name could be read as a pattern."""
    return (f"{tool}({path})",) if _is_plain(path) else (tool,)


def short(text: str) -> str:
    """Return one short line of a text, for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _useful(words: list[str]) -> str | None:
    """The words that a rule for this command should name, where they are plain."""
    count = 2 if words[0] in _WITH_SUBCOMMANDS and len(words) > 1 else 1
    head = words[:count]
    if count == 2 and not head[1][:1].isalpha():
        return None
    return " ".join(head) if all(map(_is_plain, head)) else None


def _is_plain(word: str) -> bool:
    return bool(word) and all(
        letter.isascii() and (letter.isalnum() or letter in "-_./+") for letter in word
    )
