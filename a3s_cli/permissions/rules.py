"""Permission rules: `tool` or `tool(pattern)`, and what they match.

A pattern means what suits the tool. For a command it is matched against the
words of a simple command, joined by single spaces: `git status:*` is a prefix
of words, `*` stands for anything, and without it the text must be equal. For a
file it is a path glob against the resolved path, from the workspace's root
unless it begins with `/` or `~/`. For a URL see `url_pattern`.

What allows and what denies is matched differently, each on its safe side: an
allowing rule sees the command as it is written, a denying one also without its
directory (`/bin/rm`) and without options before the subcommand (`git -C . push`).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..values import Value
from .rule_pattern import could_match, matches, path_matches
from .shell_words import UNKNOWN, Word

if TYPE_CHECKING:
    from .shell_found import Command

#: Options before a subcommand that are looked through; more are taken for a disguise.
_MOST_STARTS = 32
#: Where file names differing only in case are one file.
_FOLDS_CASE = sys.platform in ("darwin", "win32")


class Rule(Value):
    """A rule as it was written; no `pattern` means every call of the tool."""

    text: str
    tool: str
    pattern: str | None = None

    def applies(self, tool: str) -> bool:
        """Whether it speaks of this tool."""
        return matches(self.tool, tool)

    @property
    def total(self) -> bool:
        """Whether it holds for every call: no pattern, or one that is all wildcard."""
        return self.pattern is None or self.pattern.strip("*") == ""

    # -- commands --------------------------------------------------------------------

    @property
    def _texts(self) -> tuple[str, ...]:
        return _in_wildcards(self.pattern or "")

    @property
    def literal(self) -> str:
        """What is spelled out in the pattern before its first wildcard."""
        return self._texts[0].partition("*")[0]

    def covers(self, command: Command) -> bool:
        """Whether an allowing rule holds for this command, whatever its unknown words are."""
        if not all(self._fits(words) for words in _expanded(command.words)):
            return False
        # A name with a blank in it is not two words: "git status" is another program.
        if " " in command.words[0].text:
            return False
        spelled = len(self.literal) if "*" in (self.pattern or "*") else len(command.text)
        if command.wraps and spelled < len(command.words[0].text):
            return False
        return all(_end(command.words, risk.index) <= spelled for risk in command.risks)

    def _fits(self, words: tuple[Word, ...]) -> bool:
        text = " ".join(word.text for word in words)
        return any(matches(pattern, text) for pattern in self._texts)

    def catches(self, command: Command) -> bool:
        """Whether a denying or asking rule holds for this command in any of its spellings."""
        return any(self._fits(words) for words in _spellings(command.words))

    def could_catch(self, command: Command) -> bool:
        """Whether it might, for what the unknown words could become."""
        if len(_starts(command.words)) > _MOST_STARTS:
            base = command.words[0].text.rpartition("/")[2]
            return any(could_match(text, f"{base} ") for text in self._texts)
        if all(word.known for word in command.words):
            return False
        for words in _spellings(command.words):
            head = _head(words)
            if head is not None and any(could_match(text, head) for text in self._texts):
                return True
        return False

    # -- files -----------------------------------------------------------------------

    def matches_path(self, path: PurePath, root: PurePath | None, *, allows: bool) -> bool:
        """Whether the pattern names this resolved path."""
        pattern = self.pattern or "*"
        if pattern == "*":
            return True
        if pattern.startswith("~/"):
            pattern = Path(pattern).expanduser().as_posix()
        elif not pattern.startswith("/") and root is not None:
            # The root's own name is text, whatever characters are in it.
            relative = _below(path, root)
            return relative is not None and _path(pattern, relative, allows)
        return _path(pattern, path.as_posix(), allows)


@lru_cache(maxsize=1024)
def _in_wildcards(pattern: str) -> tuple[str, ...]:
    """Return a pattern in plain wildcards: `git log:*` is `git log` or `git log *`."""
    if pattern.endswith(":*"):
        return pattern[:-2], pattern[:-2] + " *"
    return (pattern,)


def _path(pattern: str, path: str, allows: bool) -> bool:
    if _FOLDS_CASE and not allows:
        pattern, path = pattern.casefold(), path.casefold()
    return path_matches(pattern, path)


def _below(path: PurePath, root: PurePath) -> str | None:
    try:
        relative = path.relative_to(root).as_posix()
    except ValueError:
        return None
    return "" if relative == "." else relative


def _expanded(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """The words, and the words without those that may vanish."""
    yield words
    kept = tuple(word for word in words if not (word.splits and word.text == UNKNOWN))
    if kept and kept != words:
        yield kept


def _end(words: tuple[Word, ...], index: int) -> int:
    """Where in the joined text a word ends."""
    return sum(len(word.text) for word in words[: index + 1]) + index


def _spellings(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    yield words
    base = Word(words[0].text.rpartition("/")[2], words[0].splits)
    if base.text != words[0].text:
        yield (base, *words[1:])
    for at in _starts(words)[1:_MOST_STARTS]:
        yield (base, *words[at:])


def _starts(words: tuple[Word, ...]) -> list[int]:
    """Where the subcommand may be: after options, each with or without a value."""
    starts = [1]
    for at in range(2, len(words)):
        if starts[-1] < at - 2 or len(starts) > _MOST_STARTS:
            break
        option = at - 1 in starts[-2:] and words[at - 1].text.startswith("-")
        value = at - 2 in starts[-2:] and words[at - 2].text.startswith("-")
        if option or value:
            starts.append(at)
    return starts


def _head(words: tuple[Word, ...]) -> str | None:
    """The joined text up to what is unknown, or `None` where all is known."""
    head: list[str] = []
    for word in words:
        if not word.known:
            before, unknown, _ = word.text.partition(UNKNOWN)
            text = " ".join([*head, before])
            # A word that may vanish takes the blank before it along.
            return text.rstrip(" ") if word.splits and unknown and not before else text
        head.append(word.text)
    return None


def parse_rule(text: str, tools: Collection[str]) -> Rule:
    """Read one rule, or say what is wrong with it."""
    tool, parenthesis, rest = text.strip().partition("(")
    tool = tool.strip()
    pattern: str | None = None
    if parenthesis:
        if not rest.endswith(")") or not _balanced(rest[:-1]):
            raise UsageError(f"the rule {text!r} has an unbalanced parenthesis", hint=_FORM)
        pattern = rest[:-1].strip()
        if pattern in ("", ":*"):
            raise UsageError(f"the rule {text!r} has an empty pattern", hint=_FORM)
    if ")" in tool:
        raise UsageError(f"the rule {text!r} has an unbalanced parenthesis", hint=_FORM)
    if not tool:
        raise UsageError(f"the rule {text!r} names no tool", hint=_FORM)
    if "\0" in text:
        raise UsageError("a rule cannot contain NUL", hint=_FORM)
    if "*" not in tool and tool not in tools:
        from difflib import get_close_matches

        near = get_close_matches(tool, tools, 1)
        raise UsageError(
            f"the rule {text!r} is for an unknown tool{_nearest(tool, tools)}",
            hint="the tools are " + ", ".join(sorted(tools)),
            correction=(text, text.replace(tool, near[0], 1)) if near else None,
        )
    return Rule(text.strip(), tool, pattern)


_FORM = "a rule is `tool` or `tool(pattern)`, for example bash(git status:*)"


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _nearest(tool: str, tools: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(tool.lower(), sorted(tools), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
