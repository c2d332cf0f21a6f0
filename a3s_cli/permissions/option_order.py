"""A rule that denies `rm -rf` is for `rm -fr`, `rm -r -f` and `rm x --recursive --force` too.

Where options stand, and which of them share a dash, is a matter of taste. A rule that
denies or asks, and names options, holds for a command that has them all, wherever
they stand, and whose other words begin as the rule's do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .shell_found import Word, names

_CLUSTER = re.compile(r"-[A-Za-z]+")
#: Few letters behind one dash are as many options; more are rather a name.
_LETTERS = re.compile(r"-[A-Za-z]{1,4}")
#: What both are in almost every program.
_SHORT = {"--force": "f", "--recursive": "rR"}
#: To them `-r` is `-R`.
_EITHER = names("rm cp")
#: One dash begins a whole name.
_NAMES = names("find gfind java javac go terraform tofu openssl gcc g++ clang clang++ cc ffmpeg")


class Options(NamedTuple):
    """A rule's words: its program, the options, and all others."""

    program: str
    options: tuple[str, ...]
    others: tuple[str, ...]


def of_rule(words: Sequence[str]) -> Options | None:
    """Return the words of a rule that names options; None for one that names none."""
    options = tuple(word for word in words[1:] if word.startswith("-") and word.strip("-"))
    if not options or any("*" in word for word in words):
        return None
    others = tuple(word for word in words[1:] if not word.startswith("-"))
    return Options(words[0], options, others)


def holds(wanted: Options, words: Sequence[Word]) -> bool:
    """Whether a command has all the options of a rule, and begins with its other words."""
    name = words[0].text
    if name != wanted.program:
        return False
    given: list[str] = []
    others: list[str] = []
    for index, word in enumerate(words[1:], 1):
        if word.text == "--":
            others += [each.text for each in words[index + 1 :]]
            break
        (given if word.text.startswith("-") else others).append(word.text)
    if tuple(others[: len(wanted.others)]) != wanted.others:
        return False
    letters = {letter for text in given for letter in _letters(text)}
    if name in _EITHER:
        letters |= {"r", "R"} if letters & {"r", "R"} else set()
    long = {text.partition("=")[0] for text in given}
    return all(
        option in long or (name not in _NAMES and _same(option, long, letters))
        for option in wanted.options
    )


def _letters(text: str) -> str:
    if _CLUSTER.fullmatch(text):
        return text[1:]
    return "".join(short for long, short in _SHORT.items() if _abbreviates(text, long))


def _abbreviates(text: str, long: str) -> bool:
    return text.startswith("--") and len(text) > len("--x") and long.startswith(text)


def _same(option: str, long: set[str], letters: set[str]) -> bool:
    if option.startswith("--"):
        short = _SHORT.get(option, "")
        return bool(letters & set(short)) or any(_abbreviates(each, option) for each in long)
    return _LETTERS.fullmatch(option) is not None and set(option[1:]) <= letters
