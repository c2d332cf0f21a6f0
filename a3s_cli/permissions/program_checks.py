"""Programs whose danger is not in an option alone: what their operands and words do.

Each check takes the words of one command and gives its risks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from . import git_commands
from .build_checks import cargo_risks, cmake_risks, container_risks, gh_risks, go_risks, make_risks
from .builtin_checks import BUILTINS
from .database_checks import sql_risks
from .option_table import Options
from .program_options import leads_out, option_risks
from .program_scripts import awk_risks, sed_risks
from .shell_found import Risk, Word

#: What these do when they are only asked.
_ASKS = {
    "crontab": {"-l"}, "at": {"-l"}, "screen": {"-ls", "-list", "-v", "--version"},
    "tmux": {"ls", "list-sessions", "list-windows", "list-panes", "-V", "display"},
}  # fmt: skip
_XXD_VALUE = re.compile(r"-(?:l|len|s|seek|c|cols|g|groupsize|o|n|name|R)")


def _second_operand(words: Sequence[Word]) -> list[Risk]:
    operands = [
        index
        for index, word in enumerate(words)
        if index
        and not word.text.startswith("-")
        and not (words[0].text.endswith("xxd") and _XXD_VALUE.fullmatch(words[index - 1].text))
    ]
    reason = f"`{words[0].text}` writes to its second file"
    return [Risk(at, reason, "effect") for at in operands[1:]]


def _operands(words: Sequence[Word]) -> list[Risk]:
    return [
        Risk(index, f"`{words[0].text}` writes to `{word.shown}`", "effect")
        for index, word in enumerate(words)
        if index and not word.text.startswith("-") and word.text != "/dev/null"
    ]


def _socat(words: Sequence[Word]) -> list[Risk]:
    return [
        Risk(index, "`socat` runs programs by an address")
        for index, word in enumerate(words)
        if index and (not word.known or re.match(r"(exec|system|shell)", word.text, re.I))
    ]


def _less(words: Sequence[Word]) -> list[Risk]:
    return [
        Risk(index, "`less +…` runs a command of less")
        for index, word in enumerate(words)
        if index and word.text.startswith("+")
    ]


def _tar(words: Sequence[Word]) -> list[Risk]:
    """The first word may be a cluster without its dash: `tar xIf prog a.tar`."""
    if len(words) > 1 and not words[1].text.startswith("-"):
        dashed = [words[0], Word(f"-{words[1].text}"), *words[2:]]
        risks = option_risks(dashed, 1, "tar", Options(runs="-F", program="-I"))
        return [Risk(risk.at, risk.reason) for risk in risks]
    return []


def _jq(words: Sequence[Word]) -> list[Risk]:
    """Modules and files that jq is given may lie anywhere."""
    return [
        Risk(index, f"`jq {word.shown}` reads another file", "effect")
        for index, word in enumerate(words)
        if word.text in ("--rawfile", "--slurpfile", "-f", "--from-file", "-L", "--library-path")
        and any(_outside(after) for after in words[index + 1 : index + 3])
    ]


def _date(words: Sequence[Word]) -> list[Risk]:
    """`date -s` and a bare number set the clock."""
    return [
        Risk(index, "`date` sets the clock", "effect")
        for index, word in enumerate(words)
        if index
        and re.match(r"-[uR]*s|--s|[0-9]", word.text)
        and not re.fullmatch(r"-[drfI]|--(?:date|reference|file)", words[index - 1].text)
    ]


#: Places in which a file is obeyed by other programs: a command that runs next may.
_OBEYED = re.compile(
    r"(?:.*/)?(?:\.git(?:/(?:hooks|config|modules|worktrees)(?:/.*)?)?|\.a3s(?:/.*)?"
    r"|\.(?:bashrc|bash_profile|profile|zshrc|zshenv|gitconfig|gitmodules|envrc))/?",
    re.IGNORECASE,
)


_TARGET = re.compile(r"\A(?:of=|--target-directory=|-t(?=[./]))")


def _changes_files(words: Sequence[Word]) -> list[Risk]:
    """Programs that change the files that they are given: not those that others obey."""
    return [
        Risk(index, f"`{word.shown}` is obeyed by other programs", "effect")
        for index, word in enumerate(words)
        if index and _OBEYED.fullmatch(_TARGET.sub("", word.text))
    ]


#: What makes an interpreter only look at a file, and what it loads and runs all the same.
_LOOKS = {"node": "--check", "ruby": "-c", "perl": "-c", "php": "-l"}
_LOADS = re.compile(r"-(?:[redpMmI]|-(?:require|import|loader|experimental-loader|eval|print)).*")


def _looks(words: Sequence[Word]) -> list[Risk]:
    """`node --check` only reads its file; what is loaded before that is run."""
    name = words[0].text.rpartition("/")[2]
    if len(words) < 2 or words[1].text not in (_LOOKS.get(name, "--check"), "-c"):
        return []
    return [
        Risk(index, f"`{name} {word.text}` runs code")
        for index, word in enumerate(words)
        if _LOADS.fullmatch(word.text)
    ]


#: A file that is sent or read: `@f`, `name=@f`, `file:///f`; and one that is written.
_CURL_FILE = re.compile(
    r"(?:.*?[=;:])?[@<]([^;,]+).*|file:/*?(/?[^/].*)", re.DOTALL | re.IGNORECASE
)
_CURL_FILES = re.compile(r"-T|--upload-file|--netrc-file|--post-file|--body-file|-E|--cert|--key")


def _curl(words: Sequence[Word]) -> list[Risk]:
    """`curl -d @f` sends a file; one of secrets, or of elsewhere, is not what a rule is for."""
    from ..files.ignore import is_secret

    found = []
    for index, word in enumerate(words):
        if not index:
            continue
        head, equals, value = word.text.partition("=")
        named = _CURL_FILE.fullmatch(word.text)
        files = [each for each in named.groups() if each] if named else []
        if _CURL_FILES.fullmatch(words[index - 1].text):
            files.append(word.text)
        elif equals and _CURL_FILES.fullmatch(head):
            files.append(value)
        if any(leads_out(each) or is_secret(each.split("/")) for each in files):
            found.append(Risk(index, f"`{words[0].text}` reads {word.shown}", "changes"))
        elif "%output{" in word.text:
            found.append(Risk(index, f"`{words[0].text} {word.shown}` writes files", "effect"))
    return found


def _outside(word: Word) -> bool:
    return not word.known or word.text.startswith(("/", "~")) or ".." in word.text.split("/")


def _asked(words: Sequence[Word]) -> list[Risk]:
    """Say that a program runs what it is told elsewhere, but where it is only asked."""
    name = words[0].text.rpartition("/")[2]
    if len(words) == 2 and words[1].text in ("--version", "--help", "-V", "-h"):
        return []
    if len(words) > 1 and words[1].text in _ASKS.get(name, ()):
        return []
    if name in ("screen", "tmux", "nano", "pico", "vi", "vim", "nvim", "emacs", "view", "vimdiff"):
        # What it runs is among its words, which a rule that denies looks through.
        known = all(word.known for word in words)
        return [Risk(len(words), f"`{name}` runs commands", "changes" if known else "anything")]
    return [Risk(len(words), f"`{name}` runs commands that it reads")]


CHECKS: dict[str, Callable[[Sequence[Word]], list[Risk]]] = {
    **BUILTINS, "git": git_commands.risks, "sed": sed_risks, "gsed": sed_risks, "awk": awk_risks,
    "gawk": awk_risks, "mawk": awk_risks, "nawk": awk_risks, "uniq": _second_operand,
    "xxd": _second_operand, "tee": _operands, "socat": _socat, "sqlite3": sql_risks,
    "psql": sql_risks, "mysql": sql_risks, "mariadb": sql_risks, "less": _less, "more": _less,
    "most": _less, "tar": _tar, "gtar": _tar, "bsdtar": _tar, "jq": _jq, "make": make_risks,
    "gmake": make_risks, "cmake": cmake_risks, "date": _date, "node": _looks, "nodejs": _looks,
    "ruby": _looks, "perl": _looks, "php": _looks,
    "docker": container_risks, "podman": container_risks, "nerdctl": container_risks,
    "curl": _curl, "wget": _curl, "cargo": cargo_risks, "gh": gh_risks, "go": go_risks,
}  # fmt: skip
for _name in (
    "cp", "mv", "ln", "install", "rm", "rmdir", "touch", "truncate", "chmod", "mkdir", "dd",
    "rsync", "patch", "unlink", "shred",
):  # fmt: skip
    CHECKS[_name] = _changes_files
for _name in (
    "at", "batch", "crontab", "expect", "screen", "tmux", "dc", "ed", "emacs", "ex", "gdb", "lldb",
    "m4", "nano", "nvim", "vi", "view", "vim", "vimdiff", "pico",
):  # fmt: skip
    CHECKS[_name] = _asked
