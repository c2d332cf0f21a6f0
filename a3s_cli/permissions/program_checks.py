"""Programs whose danger is not in an option alone: what their operands and scripts do.

Each check takes the words of one command and gives its risks. A script of sed
or awk is harmless only if it is of a form that is known to be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .program_options import Options, Risk, option_risks
from .shell_words import Word, names

#: Harmless where nothing precedes the subcommand; `-C`, `--git-dir` choose whose hooks run.
_GIT_GLOBAL = names(
    "--no-pager -P --version -v --help -h --no-optional-locks --literal-pathspecs --glob-pathspecs"
    " --noglob-pathspecs --icase-pathspecs --no-replace-objects --no-lazy-fetch --no-advice"
)
_GIT_VALUES = names("-c -C --git-dir --work-tree --namespace --config-env --attr-source")
_GIT_SUBCOMMANDS = names(
    "config difftool mergetool filter-branch hook send-email daemon instaweb web--browse gui"
    " credential for-each-repo upload-pack receive-pack remote-ext remote-fd shell citool"
    " http-backend cvsserver svn p4"
)
_GIT_ACTIONS = {
    "bisect": {"run", "view", "visualize"},
    "submodule": {"foreach"},
    "maintenance": {"register", "start"},
}
GIT_MESSAGES = frozenset({"commit", "tag", "merge", "notes", "stash"})
_GIT_RUNS = Options(
    runs="--upload-pack --receive-pack --exec --ext-diff --textconv --filters --extcmd --exec-path"
    " --config --config-env --template --open-files-in-pager --trailer-command --paginate"
)
_GIT_WRITES = Options(writes="--output --output-directory")
_GIT_LETTERS = {"rebase": "x", "clone": "uc", "grep": "O", "difftool": "x", "archive": ""}
_GIT_OUTPUT = {"archive": "o", "format-patch": "o", "bundle": "", "fast-export": ""}

_SED_ADDRESS = r"(?:[0-9]+|\$|/(?:[^/\\\n]|\\.)*/I?)"
_SED_COMMAND = (
    r"(?:[pdqQ=lnNgGhHxDP]|s(?P<d{0}>[/|#,:@%!_])(?:(?!(?P=d{0}))[^\\\n]|\\.)*(?P=d{0})"
    r"(?:(?!(?P=d{0}))[^\\\n]|\\.)*(?P=d{0})[gpiI0-9]*)"
)
_SED_STEP = re.compile(
    rf"[ \t]*(?:{_SED_ADDRESS}(?:,[+~]?{_SED_ADDRESS})?)?[ \t]*!?[ \t]*{_SED_COMMAND.format(0)}"
    r"[ \t]*(?:[;\n]|\Z)"
)
_SQL_RUNS = re.compile(r"^\s*[.\\]|\\!|load_extension|edit\s*\(|writefile|fts3_tokenizer", re.I)
_SQL_WRITES = re.compile(r"into\s+(?:out|dump)file|copy\s.*\bprogram\b|attach", re.I)


def _git(words: Sequence[Word]) -> list[Risk]:
    at, found = 1, []
    while at < len(words) and words[at].text.startswith("-"):
        if words[at].text not in _GIT_GLOBAL:
            found.append(Risk(at, f"`git {words[at].text}` chooses what git runs"))
            at += words[at].text in _GIT_VALUES
        at += 1
    if at >= len(words):
        return found
    sub = words[at].text
    if not words[at].known:
        return [*found, Risk(at, "the subcommand of git is known only when it runs")]
    if sub in _GIT_SUBCOMMANDS:
        found.append(Risk(at, f"`git {sub}` can run other programs"))
    letters = " ".join(f"-{letter}" for letter in _GIT_LETTERS.get(sub, ""))
    output = " ".join(f"-{letter}" for letter in _GIT_OUTPUT.get(sub, ""))
    runs = Options(runs=f"{_GIT_RUNS.runs} {letters}", writes=f"{_GIT_WRITES.writes} {output}")
    for index in range(at + 1, len(words)):
        text = words[index].text
        if text.startswith("-"):
            found += option_risks(index, text, f"git {sub}", runs)
        elif text in _GIT_ACTIONS.get(sub, ()) or re.match(r"[A-Za-z0-9+.-]+::", text):
            found.append(Risk(index, f"`git {sub} {text}` can run other programs"))
    return found


def _sed(words: Sequence[Word]) -> list[Risk]:
    scripts = []
    operands = []
    expression = False
    for index, word in enumerate(words[1:], 1):
        if expression:
            scripts.append((index, word))
        elif word.text.startswith("--expression="):
            scripts.append((index, Word(word.text.partition("=")[2])))
        elif word.text.startswith("-"):
            cluster = "" if word.text.startswith("--") else word.text[1:]
            if "e" in cluster and not cluster.endswith("e"):
                scripts.append((index, Word(cluster.partition("e")[2])))
        else:
            operands.append((index, word))
        expression = not expression and (
            word.text == "--expression" or bool(re.fullmatch(r"-[A-Za-z]*e", word.text))
        )
    return [
        Risk(index, "this sed script can run commands or write files")
        for index, word in scripts or operands[:1]
        if not word.known or not _harmless_sed(word.text)
    ]


def _harmless_sed(script: str) -> bool:
    at = 0
    while at < len(script):
        step = _SED_STEP.match(script, at)
        if step is None:
            return False
        at = step.end()
    return True


def _awk(words: Sequence[Word]) -> list[Risk]:
    found, skip, program = [], False, False
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if skip:
            skip = False
        elif not program and text.startswith("-"):
            skip = text in ("-F", "-v")
            if not text.startswith(("-F", "-v")) and text != "--":
                found.append(Risk(index, f"`awk {text}` can run other programs"))
        elif not program:
            program = True
            if not word.known or re.search(r"system|getline|fflush|close|[|>@]", text):
                found.append(Risk(index, "this awk program can run commands or write files"))
    return found


def _second_operand(words: Sequence[Word]) -> list[Risk]:
    operands = [
        index for index, word in enumerate(words) if index and not word.text.startswith("-")
    ]
    return [Risk(at, f"`{words[0].text}` writes to its second file", False) for at in operands[1:]]


def _operands(words: Sequence[Word]) -> list[Risk]:
    return [
        Risk(index, f"`{words[0].text}` writes to `{word.text}`", False)
        for index, word in enumerate(words)
        if index and not word.text.startswith("-") and word.text != "/dev/null"
    ]


def _socat(words: Sequence[Word]) -> list[Risk]:
    return [
        Risk(index, "`socat` runs programs by an address")
        for index, word in enumerate(words)
        if index and re.match(r"(exec|system|shell)", word.text, re.I)
    ]


def _sql(words: Sequence[Word]) -> list[Risk]:
    found = []
    for index, word in enumerate(words):
        name = words[0].text
        if index and (_SQL_RUNS.search(word.text) or _SQL_WRITES.search(word.text)):
            found.append(Risk(index, f"`{name}` can run commands or write files by this"))
        elif index and word.text.startswith(("-init", "-cmd", "--init", "--pager", "--load", "-f")):
            found.append(Risk(index, f"`{name} {word.text}` can run other programs"))
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
        return option_risks(1, f"-{words[1].text}", "tar", Options(runs="-I -F"))
    return []


CHECKS = {
    "git": _git, "sed": _sed, "gsed": _sed, "awk": _awk, "gawk": _awk, "mawk": _awk,
    "nawk": _awk, "uniq": _second_operand, "xxd": _second_operand, "tee": _operands,
    "socat": _socat, "sqlite3": _sql, "psql": _sql, "mysql": _sql, "less": _less, "more": _less,
    "most": _less, "tar": _tar, "gtar": _tar, "bsdtar": _tar,
}  # fmt: skip
