"""What programs do beyond their name: options that run other programs or write files.

A broad rule such as `bash(git:*)` is a judgement on a program, not on
`git -c core.pager=…`, which is a shell by another name. Which options are such is
in `option_table`. It cannot be complete, and it need not be for interpreters, which
exist to run things: a rule that allows `python` allows anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .marks import UNKNOWN
from .option_table import PROGRAMS, Options
from .shell_found import Reach, Risk, Word

_REASONS: dict[str, tuple[Reach, str]] = {
    "runs": ("anything", "can run other programs"),
    "program": ("program", "can run another program"),
    "loads": ("changes", "can load what runs other programs"),
    "writes": ("effect", "writes files"),
    "within": ("changes", "leads out of the workspace"),
}


#: `exec=x`, `ProxyCommand=x`, `ProxyCommand x`, `build.rustc-wrapper="x"`.
_SETTING = re.compile(r"[A-Za-z][\w.-]*(?:\s*=\s*|\s+)")
#: A file or a directory that is not in the workspace, or is one that others obey.
_LEADS_OUT = re.compile(
    r"[/~].*|(?:.*/)?\.\.(?:/.*)?|(?:.*/)?\.git(?:/(?:hooks|config|modules)(?:/.*)?)?/?", re.DOTALL
)
#: The names of a command's own input, which no rule can see.
_INPUT = re.compile(r"-|/dev/stdin|/dev/fd/.*|/proc/self/fd/.*")
#: What they are told to run is not written as for a shell.
_OTHER_LANGUAGE = frozenset({"make", "gmake", "cmake", "ctest", "rpm", "pylint", "nmap", "hg"})


def option_risks(words: Sequence[Word], index: int, name: str, options: Options) -> list[Risk]:
    """Find the risks in an argument that begins with a dash.

    A command that an option names is judged as a command, where it is known.
    """
    text = words[index].text
    found = []
    for kind, option in _meant(text, options):
        reach, says = _REASONS[kind]
        value = _value(words, index, option)
        reason = f"`{name} {option}` {says}"
        if value is not None and _harmless(kind, value, options):
            continue
        runs = kind in ("runs", "program") or (kind == "writes" and (value or "")[:1] in ("|", "!"))
        if runs and value:
            script = value.lstrip("|!")
            if setting := _SETTING.match(script):
                script += "\n" + script[setting.end() :]
            far: Reach = "anything" if name in _OTHER_LANGUAGE else "changes"
            found.append(Risk(index, reason, far, script))
        elif kind == "loads" and _INPUT.fullmatch(_loaded(words, index) or value or ""):
            found.append(Risk(index, f"`{name} {option}` reads what it runs from its input"))
        else:
            found.append(Risk(index, reason, reach))
    return found


def _loaded(words: Sequence[Word], index: int) -> str:
    """Return a process substitution that is an option's value: `-f <(…)`."""
    after = words[index + 1].text if index + 1 < len(words) else ""
    return after.replace(UNKNOWN, "1") if after.startswith("/dev/fd/") else ""


def leads_out(path: str) -> bool:
    """Whether a path leads out of the workspace, or to what others obey, by its spelling."""
    return _LEADS_OUT.fullmatch(path) is not None


def _harmless(kind: str, value: str, options: Options) -> bool:
    """Whether an option with this value is no risk."""
    if kind == "within":
        return value == "/dev/null" or not leads_out(value)
    if kind == "writes":
        return value in ("/dev/null", "-", "/dev/stdout")
    if kind == "loads" and value == "/dev/null":
        return True
    if not options.harmless:
        return False
    return re.fullmatch(options.harmless, value, re.VERBOSE) is not None


def written_by_option(words: Sequence[Word], name: str) -> list[Word]:
    """Return the files that options of a known program name for output."""
    options = PROGRAMS.get(name)
    found = []
    for index, word in enumerate(words[1:], 1) if options and options.writes else ():
        if not word.text.startswith("-"):
            continue
        for kind, option in _meant(word.text, options) if options else ():
            if kind != "writes":
                continue
            value = _value(words, index, option)
            if value is not None:
                found.append(Word(value))
            elif index + 1 < len(words):
                found.append(words[index + 1])
    return found


@lru_cache(maxsize=4096)
def _meant(text: str, options: Options) -> tuple[tuple[str, str], ...]:
    """Return what an argument means of what is listed: kinds, and the option of each."""
    if text.partition("=")[0] in options.plain.split():
        return ()
    found = []
    for kind in _REASONS:
        known = getattr(options, kind)
        if option := known and dangerous(text, known, options.values):
            found.append((kind, option))
    return tuple(found)


def _value(words: Sequence[Word], index: int, option: str) -> str | None:
    text = words[index].text
    if text.startswith("--") or (len(option) > 2 and "=" in text):
        _, equals, value = text.partition("=")
    else:
        _, _, value = text.partition(option[1:])
        equals = value
    if not equals:
        if index + 1 >= len(words):
            return ""
        return words[index + 1].text if words[index + 1].known else None
    value = value.removeprefix("=")
    return None if UNKNOWN in value or words[index].splits else value


def dangerous(text: str, options: str, values: str) -> str:
    """Return the option among these that the argument is, or nothing."""
    head = text.partition("=")[0]
    long, multiple, letters = _split(options)
    if text.startswith("--"):
        for option in long:
            if len(head) > 2 and option.startswith(head):
                return option
        # Programs that spell long options with one dash take two as well.
        return head[1:] if head[1:] in multiple else ""
    if head in multiple:
        return head
    for letter in text[1:]:
        if letter in letters:
            return f"-{letter}"
        if letter in values:
            break
    return ""


@lru_cache(maxsize=512)
def _split(options: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    every = options.split()
    return (
        tuple(option for option in every if option.startswith("--")),
        tuple(option for option in every if len(option) > 2 and not option.startswith("--")),
        "".join(option[1] for option in every if len(option) == 2),
    )
