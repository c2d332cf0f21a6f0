"""What one command does beyond its name.

A rule covers a command's name and its plain arguments; `risks` finds the words
that make it more than that. What is known of programs lies in tables: their
options (`program_options`), their words (`program_checks`), their names
(`program_names`). No table is complete, so a program that is in none of them is
trusted least: an argument of it that could be a command, a script or another
program's name needs a rule that spells it out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .option_table import PROGRAMS, Options
from .program_checks import CHECKS
from .program_names import AMBIGUOUS, EFFECTIVE, INTERPRETERS, PLAIN, TOOLS
from .program_options import option_risks
from .shell_found import Risk, Word, names
from .subcommands import subcommand_risks
from .wrapper_table import WRAPPERS

#: They do not end their options at `--`.
_NO_END = names("find gfind gcc g++ cc c++ clang clang++ java openssl ssh go")
#: What runs something is called so by most programs.
_RUNNING_OPTION = re.compile(
    r"--?(?:[a-z-]*-)?(?:exec|execute|command|cmd|executable|interpreter|shell|hook|wrapper"
    r"|preload|askpass|program|userconfig|kubeconfig|init-script|rcfile|plugin-dir|rsh)"
)
_LOADING_OPTION = re.compile(
    r"--?(?:[a-z-]*-)?(?:plugins?|filter|pager|editor|browser|launcher|ssh|require|load|import"
    r"|loader|config|config-file|engine|module|script|run|eval|bind|python|library|init|agent)"
)
_SCRIPT = re.compile(r"[\s;&|<>$`(){}]")
_PATH = re.compile(r"(?:\.{1,2}|~)?/.*")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]+\Z")
_PYTHONS = names("python python2 python3 pypy3")
_FINDERS = names("find gfind fd fdfind")
_FINDERS_RUN = names("-exec -execdir -ok -okdir -x -X --exec --exec-batch")
UNKNOWN_PROGRAM = "is not a program that is known here"


def risks(words: Sequence[Word], *, wraps: bool = False) -> tuple[Risk, ...]:
    """Find the words by which this command would do more than its name says.

    `wraps`: what it runs is known, so that none of its words can hide more.
    """
    name = words[0].text.rpartition("/")[2]
    if name in _PYTHONS and len(words) > 2 and words[1].text == "-m":
        return _module(words)
    options = PROGRAMS.get(name)
    special = CHECKS.get(name)
    if reached := subcommand_risks(words, name):
        return tuple(reached)
    if options is None and special is None:
        if wraps or name in PLAIN or name in INTERPRETERS or name in WRAPPERS:
            return ()
        return tuple(_tool(words) if name in TOOLS else _unknown(words))
    found: list[Risk] = []
    if options is not None and name != "git":
        found += _options(words, name, options)
    if wraps and name in _FINDERS:
        # What it runs is judged by itself.
        found = [risk for risk in found if words[risk.at].text not in _FINDERS_RUN]
    return tuple(found + special(words)) if special else tuple(found)


#: With one of these words a tool runs others.
_RUNNING_WORD = names(
    "exec run ssh shell cmd console debug devenv runner eval explore dlx with watch rsh attach"
    " enter local:run run-command send-command execute-command"
)


def runs_words(words: Sequence[Word]) -> bool:
    """Whether a tool that does many things is told to run what its words say."""
    if words[0].text.rpartition("/")[2] not in TOOLS or words[0].text == "git":
        return False
    return any(
        word.text in _RUNNING_WORD or _runs_by(word.text, _RUNNING_OPTION) for word in words[1:]
    )


def _module(words: Sequence[Word]) -> tuple[Risk, ...]:
    """`python -m pytest` is `pytest`, for a rule that names it so."""
    name = words[2].text.replace("_", "-")
    if name == "json.tool":
        operands = [index for index in range(3, len(words)) if words[index].text[:1] != "-"]
        found = [Risk(at, "`json.tool` writes to its second file", "effect") for at in operands[1:]]
    elif name in TOOLS or name in PROGRAMS:
        called = (words[2]._replace(text=name), *words[3:])
        found = [risk._replace(at=risk.at + 2) for risk in risks(called)]
    else:
        return ()
    return tuple(risk._replace(named=True) for risk in found)


def is_known(name: str) -> bool:
    """Whether it is known that a program runs none of its arguments."""
    return name in PLAIN or name in TOOLS or name in PROGRAMS or name in CHECKS


def _options(words: Sequence[Word], name: str, options: Options) -> list[Risk]:
    found = []
    if options.always and len(words) > 1:
        found.append(Risk(1, f"`{name}`: {options.always}"))
    listed = options.runs or options.program or options.loads or options.writes
    ends = name not in _NO_END
    for index, word in enumerate(words):
        text = word.text
        if not index:
            continue
        if ends and text == "--":
            break
        if name == "printf" and word.known and not text.startswith("-"):
            break  # behind the format all is text
        if options.responds and text.startswith("@"):
            found.append(Risk(index, f"`{name} @…` reads options from a file"))
        elif not word.known and word.may_be_option:
            if listed and not _is_value(words, index, options):
                single = name == "find" and not word.splits and not word.several
                reason = f"an argument of `{name}` that is known only when it runs can be an option"
                found.append(Risk(index, reason, "effect" if single else options.furthest))
        elif text.startswith(("-", "+")):
            found += option_risks(words, index, name, options)
    return found


def _is_value(words: Sequence[Word], index: int, options: Options) -> bool:
    """Whether a quoted expansion is the value of the option before it, or of its own."""
    before, text = words[index - 1], words[index].text
    if words[index].splits or words[index].several:
        return False
    if text[:1] == "-" and text[1:2] in options.values and text[1:2]:
        return True
    if not before.known:
        return False
    return len(before.text) == 2 and before.text[0] == "-" and before.text[1] in options.values


def _tool(words: Sequence[Word]) -> list[Risk]:
    found = []
    for index, word in enumerate(words):
        if word.text == "--":
            break
        if index and word.text.startswith("-") and _runs_by(word.text, _RUNNING_OPTION):
            option = word.text.partition("=")[0]
            found.append(
                Risk(index, f"`{words[0].text} {option}` can run another program", "changes")
            )
    return found


def _unknown(words: Sequence[Word]) -> list[Risk]:
    """Judge a program that nothing is known of: what could it be told to run?

    One that is named with its directory is a program of the project, or one that
    a rule names exactly, and may be given any text.
    """
    name = words[0].text
    named = "/" in name
    found = []
    for index, word in enumerate(words):
        if not index:
            continue
        text = word.text
        why = ""
        if text.startswith("-") and len(text) > 1:
            if _runs_by(text, _RUNNING_OPTION) or _runs_by(text, _LOADING_OPTION):
                why = "could be told to run it by this option"
            text = text.partition("=")[2]
        if not why and text:
            why = _could_run(text, named=named)
        if not named and word.may_be_option and not word.known:
            why = "could be told to run what is known only when it runs"
        if why:
            found.append(Risk(index, f"`{name}` {UNKNOWN_PROGRAM}, and {why}", "changes"))
    return found


def _runs_by(text: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(text.partition("=")[0]) is not None


def _could_run(text: str, *, named: bool) -> str:
    base = text.rpartition("/")[2]
    if base in EFFECTIVE and base not in AMBIGUOUS:
        return f"`{base}` is another program"
    if named:
        return ""
    if _SCRIPT.search(text):
        return "an argument could be a script"
    if text[0] in "@|!":
        return "an argument could be a script"
    if _PATH.fullmatch(text) and base and not _SUFFIX.search(base) and "/" in text[:-1]:
        return "an argument could be another program"
    return ""
