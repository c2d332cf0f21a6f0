"""The pattern of a rule for commands, as it is matched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .marks import JOINED, LITERAL_STAR
from .option_order import holds, of_rule
from .rule_pattern import matches_any

if TYPE_CHECKING:
    from .shell_found import Word

_ASSIGN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_REDIRECT = re.compile(r"(?<=[ ])(\d*)(&>>|&>|>>|>\||>&|<>|>|<)[ ]*(?![>&<(])")
_LITERAL = re.compile(f"[^ *{JOINED}{LITERAL_STAR}]+")
_NAME_END = re.compile(r"[A-Za-z0-9_]")


class Pattern:
    """What is asked of a pattern, worked out once."""

    def __init__(self, pattern: str) -> None:
        prefix = pattern.endswith((":*", " *")) and len(pattern) > 2
        body = pattern[:-2].rstrip() if prefix else pattern
        texts = dict.fromkeys((_spaced(body), _unquoted(body)))
        words = _unquoted(body).split(" ")
        #: How many assignments it begins with, and how many redirections it has.
        self.assigns = _leading(words)
        self.redirects = 0
        written = []
        for text in texts:
            spelled, count = _REDIRECT.subn(_redirect, text)
            self.redirects = count
            written.append(spelled)
        self.effects = bool(self.assigns or self.redirects)
        #: In plain wildcards: `git log:*` is `git log` or `git log *`.
        self.texts = tuple(
            each for text in written for each in ((text, text + " *") if prefix else (text,))
        )
        literal = written[-1].partition("*")[0]
        #: How much of it is spelled out before its first wildcard; None where all of it is.
        self.spelled = len(literal) if prefix or "*" in written[-1] else None
        after = words[self.assigns :]
        first = after[0] if after and "*" not in after[0] else ""
        #: The word that a command must begin with; empty where that is not certain.
        self.first = "" if self.effects else first
        #: The program that it names, if it names one with its directory.
        self.program = first if "/" in first else ""
        literals = literal.split(" ")[self.assigns :]
        #: Texts of which a command must hold one, to be matched; empty where that is not known.
        self.needs = () if self.effects else _needs(self.texts)
        self.one_word = len([word for word in literals if word]) < 2
        self.mention = _mention([word for word in literals if word])
        whole = prefix and not self.effects and first and "*" not in body
        #: The options that it names, for a rule that denies: they may stand elsewhere.
        self.options = of_rule(_unquoted(body).split(" ")) if whole and " -" in body else None

    def fits(self, text: str, words: Sequence[Word]) -> bool:
        """Whether a command is what a denying rule is for, its options in any order."""
        if matches_any(self.texts, text):
            return True
        return self.options is not None and holds(self.options, words)


def _needs(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands behind the program's name: a subcommand, or how it begins."""
    found: list[str] = []
    for text in texts:
        first, _, rest = text.partition(" ")
        literal = _LITERAL.match(rest)
        if "*" in first or not literal or rest.startswith("-"):
            return ()
        found.append(literal[0])
        if "push".startswith(literal[0]):
            # git's own names for it: see `git_commands.as_run`.
            found += ["send-pack", "http-push"]
    return tuple(dict.fromkeys(found))


def _leading(words: list[str]) -> int:
    count = 0
    while count < len(words) - 1 and _ASSIGN.match(words[count]):
        count += 1
    return count


def _redirect(match: re.Match[str]) -> str:
    return f"{match[1] if match[1] != '1' else ''}{match[2]} "


def _spaced(text: str) -> str:
    return " ".join(text.split(" ")) if "  " not in text else re.sub(" +", " ", text)


def _unquoted(pattern: str) -> str:
    """Remove quotes as a shell does; without pairs of them the text stays as it is."""
    if not any(character in pattern for character in "'\"\\"):
        return _spaced(pattern)
    found, quote, at = [], "", 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "\\" and quote != "'" and at < len(pattern):
            found.append(_literal(pattern[at]))
            at += 1
        elif character == quote:
            quote = ""
        elif character in "'\"" and not quote:
            quote = character
        elif quote:
            found.append(_literal(character))
        elif character == " " and found[-1:] == [" "]:
            continue
        else:
            found.append(character)
    return _spaced(pattern) if quote else "".join(found)


def _literal(character: str) -> str:
    return {" ": JOINED, "*": LITERAL_STAR}.get(character, character)


def _mention(words: list[str]) -> re.Pattern[str] | None:
    """Match a text in which these words stand in their order."""
    if not words:
        return None
    base = words[0].rpartition("/")[2]
    if not base or not _NAME_END.search(base):
        return None
    each = [rf"(?<![\w.-]){re.escape(word)}(?![\w.-])" for word in (base, *words[1:3])]
    return re.compile(r"[\s\S]*?".join(each))
