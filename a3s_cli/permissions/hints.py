"""The narrowest useful rule for what was refused, as a flag that can be pasted into a shell."""

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


def allow_commands(tool: str, uncovered: Sequence[Command]) -> str:
    """Name rules for these commands, or the bare rule where patterns cannot help."""
    plain = all(
        command.words[0].known and not command.risks and not command.wraps for command in uncovered
    )
    rules = dict.fromkeys(_useful(command.text.split(" ")) for command in uncovered)
    if not plain or len(rules) > _MOST_FLAGS or None in rules:
        return f"--allow {tool}"
    return " ".join(f"--allow '{tool}({rule}:*)'" for rule in rules)


def allow_script(tool: str, script: str) -> str:
    """Name a rule without parsing: only for a script that is obviously one plain command."""
    words = script.split(" ")
    if all(_is_plain(word) for word in words) and (rule := _useful(words)):
        return f"--allow '{tool}({rule}:*)'"
    return f"--allow {tool}"


def short(text: str) -> str:
    """Give one line of it, for a sentence."""
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
