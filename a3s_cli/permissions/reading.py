"""Commands that only read: which need no rule where commands are confined.

The list of programs and options is short on purpose. Where a command is run because
it is on it, the sandbox holds it to it: the workspace is read-only, the network is
off, and files with secret names are masked. So the list decides what is asked, and
not what is safe. What it cannot see is asked: a file that is known only when the
command runs, one outside the workspace, one whose name says that it holds secrets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .marks import BRACKET, NOT_KNOWN, QUESTION, STAR, UNKNOWN
from .places import Places
from .reading_git import git_reads, prints_content
from .shell_found import Command, Effect, Parsed, Word, names

_PLAIN = names(
    "ls cat wc head tail cut nl tac fold fmt paste column rev tr stat du basename dirname realpath"
    " readlink pwd echo printf true false : test [ which type md5sum sha1sum sha256sum sha512sum"
    " cksum od hexdump strings seq comm cmp egrep fgrep grep rg find sort uniq sed jq file tree"
    " diff cd expand unexpand git df nproc uname date id whoami hostname"
)
#: Options that write, run, wait, or name files that are known only later.
_REFUSED: dict[str, re.Pattern[str]] = {
    "tail": re.compile(r"-[a-zA-Z]*[fF].*|--follow.*|--pid.*|--retry"),
    "wc": re.compile(r"--files0-from.*"),
    "du": re.compile(r"--files0-from.*|-X.*|--exclude-from.*"),
    "sort": re.compile(r"--files0.*|--random-source.*|-[a-zA-Z]*[oT].*|--out.*|--te.*|--comp.*"),
    "find": re.compile(r"-files0-from|-(?:delete|exec.*|ok.*|fprint.*|fls)|-L|-follow"),
    "date": re.compile(r"-[a-zA-Z]*[sf].*|--set.*|--file.*"), "hostname": re.compile(r".+"),
    "rg": re.compile(
        r"--pre.*|--hostname-bin.*|-[a-zA-Z]*[zL][a-zA-Z]*|--search-zip|--ignore-file.*|--follow"
    ),
    "file": re.compile(r"-[a-zA-Z]*[Cfm].*|--compile|--files-from.*|--magic-file.*"),
    "diff": re.compile(r"-l|--paginate|--(?:to|from)-file.*"),
    "tree": re.compile(r"-[a-zA-Z]*l[a-zA-Z]*|-o.*|--fromfile.*"),
    "sed": re.compile(r"-[a-zA-Z]*[if].*|--in-.*|--fi.*"),
    "jq": re.compile(r"-[a-zA-Z]*[fL].*|--from-file|--rawfile|--slurpfile|--library-path"),
    "printf": re.compile(r"-v"), "git": re.compile(r"(?!)"),
}  # fmt: skip
_PATTERN_LETTERS = re.compile(r"-[a-zA-Z]*[ef].*|--regexp.*|--file(?:=.*)?")
#: What a filter of jq prints of its environment.
_ENVIRONMENT = re.compile(r"(?<![.\w])env\b|\$ENV\b")
_PATTERN_FIRST = names("grep egrep fgrep rg sed jq")
#: Programs whose words are no files.
_TEXT = names("echo printf true false : seq date which type pwd uname id whoami nproc tr basename"
              " dirname")  # fmt: skip
#: Beside commands that read they are harmless; alone they are no reading.
_READ_NOTHING = names("echo printf true false : test [ seq cd")
#: Without a file they read what is piped into them.
_FILTERS = names("wc head tail sort uniq cat")
_FIND_TEXT = re.compile(r"-(?:i?name|i?path|i?wholename|i?regex|i?lname|printf|type|size|perm)")
_VALUE_OF = {
    "grep": re.compile(r"-[a-zA-Z]*[ABCm]|--(?:include|exclude|exclude-dir|regexp|color)|-e"),
    "rg": re.compile(r"-[a-zA-Z]*[ABCmgtTerjEM]|--(?:glob|iglob|type|type-not|regexp|replace)"),
    "cut": re.compile(r"-[dfcb]|--(?:delimiter|fields|output-delimiter)"),
    "sort": re.compile(r"-[kt]"), "head": re.compile(r"-[nc]"), "tail": re.compile(r"-[nc]"),
    "tree": re.compile(r"-[LPI]"), "stat": re.compile(r"-[cf]|--(?:format|printf)"),
    "jq": re.compile(r"--(?:arg|argjson|indent|tab)"), "nl": re.compile(r"-[a-z]"),
}  # fmt: skip


class Obstacle(NamedTuple):
    """Why a script needs a rule; `matters` if it reads, and only what it reads is in the way."""

    reason: str
    matters: bool = False


def why_not(parsed: Parsed, places: Places) -> Obstacle:
    """Say why a script is more than reading; nothing if it only reads."""
    if reason := _does_more(parsed):
        return Obstacle(reason)
    return Obstacle(_reads_more(parsed, places), True)


def _does_more(parsed: Parsed) -> str:
    if parsed.doubts:
        return next(iter(parsed.doubts)).reason
    if not parsed.commands:
        return "there is no command"
    if all(command.name in _READ_NOTHING for command in parsed.commands):
        return "nothing is read"
    for effect in _effects(parsed):
        if effect.kind != "read" or not effect.word.known:
            return effect.reason or "a file is known only when it runs"
    return next(filter(None, map(_command, parsed.commands)), "")


def _effects(parsed: Parsed) -> list[Effect]:
    return [*parsed.effects, *(each for one in parsed.commands for each in one.effects)]


def _reads_more(parsed: Parsed, places: Places) -> str:
    for directory in parsed.directories:
        if not places.find(directory).inside:
            return f"{directory} is outside the workspace"
    words = [effect.word for effect in _effects(parsed)]
    content = False
    for command in parsed.commands:
        words += _FILES.get(command.name, _files)(command.words)
        content = content or (command.name == "git" and prints_content(command.words))
    for word in words:
        if reason := _path(word, parsed, places):
            return reason
    if content and places.tracks_secrets():
        return "git tracks a file whose name says that it holds secrets"
    return ""


def only_status(script: str) -> bool:
    """Whether a script that reads prints no content of files: `git status`, counted or cut."""
    from .git_commands import subcommand
    from .shell import commands

    for command in commands(script).commands:
        words = command.words
        at = subcommand(words) if command.name == "git" else 0
        if at < len(words) and at and words[at].text == "status":
            continue
        operands = [word for word in words[1:] if not word.text.startswith("-")]
        if command.name not in _FILTERS or operands:
            return False
    return True


def _command(command: Command) -> str:
    words = command.words
    name = words[0].text
    if name not in _PLAIN or not command.certain or command.wraps:
        return f"`{command}` does more than read"
    if command.risks:
        return command.risks[0].reason
    refused = _REFUSED.get(name)
    for word in words[1:]:
        if UNKNOWN in word.text or word.splits:
            return f"what `{command}` reads is known only when it runs"
        if refused and word.text.startswith("-") and refused.fullmatch(word.text):
            return f"`{name} {word.shown}` does more than read"
    if name == "jq" and any(_ENVIRONMENT.search(word.text) for word in words[1:]):
        return f"`{command}` shows the environment"
    if name == "git":
        if not git_reads(words):
            return f"`{command}` does more than read"
    elif name == "hostname" and len(words) > 1:
        return f"`{command}` does more than read"
    return ""


def _files(words: Sequence[Word]) -> list[Word]:
    """Return the words that may be files: all but values and, for some, the first operand."""
    name = words[0].text
    if name in _TEXT:
        return []
    values = _VALUE_OF.get("grep" if name in ("egrep", "fgrep") else name)
    first = name in _PATTERN_FIRST and not any(
        _PATTERN_LETTERS.fullmatch(word.text) for word in words[1:]
    )
    if name == "rg" and any(word.text == "--files" for word in words):
        first = False
    found, skip = [], False
    for word in words[1:]:
        text = word.text
        if skip:
            skip = False
        elif text.startswith("-") and len(text) > 1:
            skip = values is not None and values.fullmatch(text) is not None
            if "=" in text and text.startswith(("--file", "--exclude-from", "--ignore")):
                found.append(Word(text.partition("=")[2]))
            elif re.fullmatch(r"-[a-zA-Z]*f.+", text) and name in ("grep", "egrep", "fgrep", "rg"):
                found.append(Word(text.partition("f")[2]))
        elif first:
            first = False
        else:
            found.append(word)
    return found


def _find_files(words: Sequence[Word]) -> list[Word]:
    found = []
    for index, word in enumerate(words):
        if (
            index
            and not word.text.startswith("-")
            and not _FIND_TEXT.fullmatch(words[index - 1].text)
        ):
            found.append(word)
    return found


def _git_files(words: Sequence[Word]) -> list[Word]:
    """A revision may name a file as well: `HEAD:path`."""
    found = []
    for word in words[1:]:
        text = word.text
        if text.startswith("-"):
            continue
        found.append(word)
        if ":" in text:
            found.append(Word(text.rpartition(":")[2], word.splits, word.several))
    return found


_FILES: dict[str, Callable[[Sequence[Word]], list[Word]]] = {
    "find": _find_files, "git": _git_files,
}  # fmt: skip


def _path(word: Word, parsed: Parsed, places: Places) -> str:
    """Say why this path must be asked for, or nothing."""
    from ..files.ignore import is_secret

    text = word.text
    if text in ("", "-"):
        return ""
    if text.startswith("~"):
        return f"{word.shown} is outside the workspace"
    for directory in parsed.directories:
        for path in _expanded(posixpath.join(directory, text), places) or ("",):
            if not path:
                return f"{word.shown} matches too many files"
            place = places.find(path)
            if not place.inside:
                return f"{word.shown} is outside the workspace"
            inside = place.path != places.root
            if is_secret(posixpath.normpath(path).split("/")) or (
                inside and is_secret(place.path.parts)
            ):
                return f"{word.shown}: files of this name hold secrets"
    return ""


def _expanded(path: str, places: Places) -> list[str] | None:
    if not NOT_KNOWN.search(path):
        return [path]
    head = NOT_KNOWN.split(path, maxsplit=1)[0].rpartition("/")[0]
    pattern = path.replace(STAR, "*").replace(QUESTION, "?").replace(BRACKET, "[")
    if ".." in pattern.split("/"):
        return ["/"]
    matches = places.expand(pattern)
    return None if matches is None else [head or ".", pattern, *matches]
