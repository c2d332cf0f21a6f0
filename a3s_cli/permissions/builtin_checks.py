"""Builtins of bash: what they evaluate, and which variables they set."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from . import variables
from .marks import ELEMENTS, UNKNOWN
from .shell_found import Risk, Word

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def _declares(words: Sequence[Word]) -> list[Risk]:
    name = words[0].text
    found = []
    for index, word in enumerate(words):
        text = word.text
        if not index:
            continue
        if text.startswith("-") and word.known:
            if re.search("[nif]", text) and name != "readonly" and text not in ("-f", "-F"):
                found.append(Risk(index, f"`{name} {text}` evaluates values"))
            continue
        head, equals, value = text.partition("=")
        if _evaluated(words, value):
            found.append(Risk(index, f"`{name}` reads this as an array, and expands it"))
            continue
        if UNKNOWN in head or word.splits or not _IDENTIFIER.fullmatch(head.rstrip("+")):
            found.append(Risk(index, f"`{name}` evaluates subscripts"))
            continue
        effect = variables.assignment(head.rstrip("+"), Word(value)) if equals else None
        if effect is not None and effect.reach != "effect":
            found.append(Risk(index, effect.reason, effect.reach))
    return found


def _evaluated(words: Sequence[Word], value: str) -> bool:
    """Whether bash may read a value as the elements of an array, as in `declare -a a='(…)'`."""
    if value == UNKNOWN + ELEMENTS or not value:
        return False
    array = any(re.fullmatch(r"-[a-zA-Z]*[aA][a-zA-Z]*", word.text) for word in words[1:])
    if array and UNKNOWN in value:
        return True
    return value.startswith("(") and any(mark in value for mark in ("$", "`", UNKNOWN))


def _reads(words: Sequence[Word]) -> list[Risk]:
    """`read`, `mapfile`, `getopts` set variables: a subscript in a name runs commands."""
    name = words[0].text
    for index, word in enumerate(words):
        if not index or (word.known and re.fullmatch(r"-[a-zA-Z]*[0-9.]*|[0-9.]+", word.text)):
            if word.text.startswith("-") and name in ("mapfile", "readarray") and "C" in word.text:
                return [Risk(index, f"`{name} -C` runs a command")]
            continue
        if name == "getopts" and index == 1 and word.known:
            continue
        if not word.known or not _IDENTIFIER.fullmatch(word.text):
            delimiter = words[index - 1].text
            if not (word.known and re.fullmatch(r"-[a-z]*[dpiNnut]", delimiter)):
                return [Risk(index, f"`{name}` evaluates subscripts")]
        elif variables.reach(word.text) != "effect" and not word.text.islower():
            return [Risk(index, f"`{name}` sets the variable {word.text}", "anything")]
    return []


def _set(words: Sequence[Word]) -> list[Risk]:
    for index, word in enumerate(words):
        if index and word.text == "--":
            break
        if index and not (
            word.known and re.fullmatch(r"[-+][euxfohvCE]+|pipefail|errexit|nounset", word.text)
        ):
            return [Risk(index, "`set` changes how the rest is read", "changes")]
    return []


def _unset(words: Sequence[Word]) -> list[Risk]:
    for index, word in enumerate(words):
        if index and not (word.known and re.fullmatch(r"-[fvn]|[A-Za-z_]\w*", word.text)):
            return [Risk(index, "`unset` evaluates subscripts")]
        if index and variables.reach(word.text) == "changes":
            return [Risk(index, f"`unset` changes {word.text}", "changes")]
    return []


def _test(words: Sequence[Word]) -> list[Risk]:
    """`test -v NAME` evaluates a subscript; an argument that is not known can be `-v`."""
    last = len(words) - (words[0].text == "[")
    for index, word in enumerate(words[:last]):
        if not index:
            continue
        unary = not word.known and index == 1 and last == 3
        if word.splits or word.text in ("-v", "-R") or (unary and word.may_be_option):
            return [Risk(index, "a test can run commands by `-v`")]
    return []


def _cd(words: Sequence[Word]) -> list[Risk]:
    operands = [word for word in words[1:] if not word.text.startswith("-") or word.text == "-"]
    if len(operands) == 1 and not operands[0].known:
        return [Risk(len(words) - 1, "where it goes is known only when it runs", "changes")]
    if len(operands) != 1 or operands[0].text.startswith(("~", "-", "+")):
        return [Risk(len(words) - 1, "it leaves the directory", "changes")]
    return []


def _hash(words: Sequence[Word]) -> list[Risk]:
    if any(re.match(r"-[a-z]*p", word.text) or not word.known for word in words[1:]):
        return [Risk(1, "`hash` changes what names mean")]
    return []


BUILTINS: dict[str, Callable[[Sequence[Word]], list[Risk]]] = {
    "declare": _declares, "typeset": _declares, "local": _declares, "export": _declares,
    "readonly": _declares, "read": _reads, "mapfile": _reads, "readarray": _reads,
    "getopts": _reads, "set": _set, "unset": _unset, "test": _test, "[": _test, "cd": _cd,
    "pushd": _cd, "hash": _hash,
}  # fmt: skip
