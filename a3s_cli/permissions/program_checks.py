"""Programs whose danger is not in an option alone: what their operands and words do.

Each check takes the words of one command and gives its risks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from . import git_commands, variables
from .marks import UNKNOWN
from .program_options import Options, option_risks
from .program_scripts import awk_risks, sed_risks
from .shell_found import Risk, Word

_SQLITE_PLAIN = re.compile(
    r"\.(?:tables|schema|databases|indexes|indices|headers?|mode|dump|width|nullvalue|show|help"
    r"|timer|stats|echo|bail|changes|separator|eqp|explain|fullschema|limit|parameter|exit|quit"
    r"|print|version|vfslist|dbinfo|expert|lint)\b[^|\n]*\Z"
)
_SQL_RUNS = re.compile(
    r"(?:^|[;\n])\s*[.\\]|\\!|\\[gow]\s*\|?|load_extension|edit\s*\(|writefile|fts3_tokenizer"
    r"|(?:^|[;\n])\s*(?:system|source|tee|pager|delimiter)\b",
    re.IGNORECASE,
)
_SQL_WRITES = re.compile(r"into\s+(?:out|dump)file|copy\s.*\bprogram\b|attach", re.IGNORECASE)
#: psql's own commands that describe and list.
_PSQL_PLAIN = re.compile(
    r"\\(?:d[A-Za-z]*|l|x|z|conninfo|timing|encoding|sf|sv)\+?(?:\s+[\w.*]+)?\s*"
)
_SQL_OPTIONS = re.compile(
    r"-init|-cmd|--init.*|--pager.*|--load.*|-f|--file.*|-o.+|--output=.*|-L.*|--log-file.*"
    r"|--defaults.*|--plugin-dir.*"
)
#: What these do when they are only asked.
_ASKS = {
    "crontab": {"-l"}, "at": {"-l"}, "screen": {"-ls", "-list", "-v", "--version"},
    "tmux": {"ls", "list-sessions", "list-windows", "list-panes", "-V", "display"},
}  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


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


def _sql(words: Sequence[Word]) -> list[Risk]:
    found = []
    name = words[0].text
    for index, word in enumerate(words):
        if not index:
            continue
        text = word.text
        if name == "sqlite3" and _SQLITE_PLAIN.match(text):
            continue
        if name == "psql" and _PSQL_PLAIN.fullmatch(text):
            continue
        if _SQL_RUNS.search(text) or _SQL_WRITES.search(text):
            found.append(Risk(index, f"`{name}` can run commands or write files by this"))
        elif _SQL_OPTIONS.fullmatch(text) or (text in ("-o", "--output") and name == "psql"):
            found.append(Risk(index, f"`{name} {text}` can run other programs"))
        elif word.may_be_option:
            reason = f"an argument of `{name}` that is known only when it runs can be a command"
            found.append(Risk(index, reason))
    return found


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


#: Variables of make that name what it runs, or what it reads first.
_MAKE_RUNS = re.compile(
    r"(?:SHELL|\.SHELLFLAGS|MAKE|MAKEFLAGS|MAKEFILES|GNUMAKEFLAGS)[:?+]{0,2}=.*"
    r"|(?:CC|CXX|CPP|AR|AS|LD|RM|LEX|YACC|PYTHON|NODE|NPM|GO|CARGO|BASH|INSTALL)[:?+]{0,2}="
    r".*[/\s;|&$`].*",
    re.DOTALL,
)


def _make(words: Sequence[Word]) -> list[Risk]:
    found = [
        Risk(index, "`make -C` works outside", "changes")
        for index, word in enumerate(words[:-1])
        if index and word.text in ("-C", "--directory") and _outside(words[index + 1])
    ]
    for index, word in enumerate(words):
        if index and _MAKE_RUNS.fullmatch(word.text):
            reason = f"`make {word.text.partition('=')[0]}=` chooses what make runs"
            found.append(Risk(index, reason))
    return found


def _outside(word: Word) -> bool:
    return not word.known or word.text.startswith(("/", "~")) or ".." in word.text.split("/")


def _asked(words: Sequence[Word]) -> list[Risk]:
    """Say that a program runs what it is told elsewhere, but where it is only asked."""
    name = words[0].text.rpartition("/")[2]
    if len(words) > 1 and words[1].text in _ASKS.get(name, ()):
        return []
    if name in ("screen", "tmux", "nano", "pico", "vi", "vim", "nvim", "emacs", "view", "vimdiff"):
        # What it runs is among its words, which a rule that denies looks through.
        known = all(word.known for word in words)
        return [Risk(len(words) - 1, f"`{name}` runs commands", "changes" if known else "anything")]
    return [Risk(len(words) - 1, f"`{name}` runs commands that it reads")]


# -- builtins of bash ----------------------------------------------------------------------


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
        if UNKNOWN in head or word.splits or not _IDENTIFIER.fullmatch(head.rstrip("+")):
            found.append(Risk(index, f"`{name}` evaluates subscripts"))
            continue
        effect = variables.assignment(head.rstrip("+"), Word(value)) if equals else None
        if effect is not None and effect.reach != "effect":
            found.append(Risk(index, effect.reason, effect.reach))
    return found


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
    if any(word.text.startswith("-p") or not word.known for word in words[1:]):
        return [Risk(1, "`hash` changes what names mean")]
    return []


CHECKS: dict[str, Callable[[Sequence[Word]], list[Risk]]] = {
    "git": git_commands.risks, "sed": sed_risks, "gsed": sed_risks, "awk": awk_risks,
    "gawk": awk_risks, "mawk": awk_risks, "nawk": awk_risks, "uniq": _second_operand,
    "xxd": _second_operand, "tee": _operands, "socat": _socat, "sqlite3": _sql, "psql": _sql,
    "mysql": _sql, "mariadb": _sql, "less": _less, "more": _less, "most": _less, "tar": _tar,
    "gtar": _tar, "bsdtar": _tar, "jq": _jq, "make": _make, "gmake": _make,
    "declare": _declares, "typeset": _declares, "local": _declares, "export": _declares,
    "readonly": _declares, "read": _reads, "mapfile": _reads, "readarray": _reads,
    "getopts": _reads, "set": _set, "unset": _unset, "test": _test, "[": _test, "cd": _cd,
    "pushd": _cd, "hash": _hash,
}  # fmt: skip
for _name in (
    "at", "batch", "crontab", "expect", "screen", "tmux", "dc", "ed", "emacs", "ex", "gdb", "lldb",
    "m4", "nano", "nvim", "vi", "view", "vim", "vimdiff", "pico",
):  # fmt: skip
    CHECKS[_name] = _asked
