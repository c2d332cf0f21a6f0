"""What one command does beyond its name, and what setting a variable does.

A rule covers a command's name and its plain arguments; `risks` finds the words
that make it more than that. The tables are in `program_options`, the programs
that need reading in `program_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from .program_checks import CHECKS, GIT_MESSAGES
from .program_options import PROGRAMS, Options, Risk, option_risks
from .shell_words import UNKNOWN, Word


def risks(words: Sequence[Word]) -> tuple[Risk, ...]:
    """Find the words by which this command would do more than its name says."""
    name = words[0].text.rpartition("/")[2]
    options = PROGRAMS.get(name)
    if options is None:
        return _builtin(name, words)
    found = [
        Risk(index, f"an argument of `{name}` that is known only when it runs can be an option")
        for index, word in enumerate(words)
        if index and _could_be_option(word) and not _is_value(words, index, options)
    ]
    if options.always and len(words) > 1:
        found.append(Risk(1, f"`{name}`: {options.always}"))
    for index, word in enumerate(words):
        if index and word.text.startswith(("-", "+")):
            found += option_risks(index, word.text, name, options)
    special = CHECKS.get(name)
    return tuple(found + special(words)) if special else tuple(found)


def _could_be_option(word: Word) -> bool:
    if word.known:
        return False
    return word.splits or word.text.startswith((UNKNOWN, "-"))


def _is_value(words: Sequence[Word], index: int, options: Options) -> bool:
    """Whether a quoted expansion is the value of the option before it: `-m "$message"`."""
    before = words[index - 1]
    if words[index].splits or not before.known:
        return False
    if options is PROGRAMS["git"]:
        return words[1].text in GIT_MESSAGES and before.text in ("-m", "--message")
    return len(before.text) == 2 and before.text[0] == "-" and before.text[1] in options.values


# -- variables ---------------------------------------------------------------------------

_SHELL_VARIABLE = re.compile(r"(?!histchars\Z|.*_proxy\Z|(?:npm|yarn|pnpm|pip|uv)_)[a-z][a-z0-9_]*")
_LOCALE = re.compile(r"LC_[A-Z]+|LANG|LANGUAGE|TZ|CI|NO_COLOR|FORCE_COLOR|CLICOLOR|COLUMNS|LINES")
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:@+,-]*")
_DANGEROUS = re.compile(
    r"PATH|CDPATH|IFS|ENV|BASH.*|SHELL.*|PS[0-4]|PROMPT.*|OPT.*|HOME|PWD|OLDPWD|TMPDIR|TERMINFO.*"
    r"|(?:LD|DYLD|GIT|XDG|SSH|SUDO|MAN|LESS|GCONV|PERL5?|PYTHON|RUBY|NODE|NPM|JAVA|_JAVA|JDK|LUA"
    r"|RIPGREP|FZF|DOCKER|CARGO|RUST|GO|MAKE|CMAKE|CC|CXX|AR|AS|GCC|COMPILER|TAR|RSYNC|CURL|WGET"
    r"|SYSTEMD|PG|MYSQL|SQLITE|PIP|UV|VIRTUAL|CONDA|HIST|GLOB|EXEC|FC|MAIL|MALLOC|NLS|LOC)"
    r"[A-Z0-9_]*|.*(?:EDITOR|PAGER|BROWSER|OPTIONS|OPTS|FLAGS|PRELOAD|SHELL|WRAPPER|COMMAND|RC"
    r"|LAUNCHER|HOOK|PLUGIN|CONFIG|_PATH|ASKPASS)S?|.*_(?:proxy|PROXY)|npm_.*|histchars|MIX_.*"
)


def assignment(name: str, value: Word | None) -> Literal["sets", "hides"] | None:
    """Say what setting a variable does to what runs: nothing, something, or anything.

    A lower-case name is a variable of the script: what it holds matters where
    it is used, and is judged there.
    """
    if _SHELL_VARIABLE.fullmatch(name):
        return None
    if _DANGEROUS.fullmatch(name):
        return "hides"
    harmless = value is not None and value.known and _PLAIN_VALUE.fullmatch(value.text)
    return None if harmless and _LOCALE.fullmatch(name) else "sets"


def _builtin(name: str, words: Sequence[Word]) -> tuple[Risk, ...]:
    """Judge `read` and `set`, which are common and mostly harmless."""
    plain = True
    if name == "read":
        plain = all(
            word.known
            and (re.fullmatch(r"-[a-z]+", word.text) or _SHELL_VARIABLE.fullmatch(word.text))
            for word in words[1:]
        )
    elif name == "set":
        plain = all(re.fullmatch(r"[-+][eufo]+|pipefail", word.text) for word in words[1:])
    return () if plain else (Risk(1, f"`{name}` changes how the rest is read"),)
