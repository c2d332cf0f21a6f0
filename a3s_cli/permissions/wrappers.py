"""Programs whose arguments are another command, and where in them it begins.

A rule that denies must see through `env`, `timeout` and `xargs`, whatever their
options. The table says which options take a value; for an option that it does
not know, each place where the command could begin is a suspect, which counts
for the rules that deny and ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .marks import UNKNOWN
from .shell_found import Word, names
from .wrapped import Argv, Inner, add_script, skip_options, wrapped
from .wrapper_table import WRAPPERS, Wrapper

#: Wrappers around wrappers that are looked through in one command.
MAX_LEVELS = 24

_SHELLS = names(
    "sh bash dash ash zsh ksh mksh pdksh ksh93 yash fish csh tcsh rbash posh elvish nu pwsh"
)
#: They read such a script as bash does.
_LIKE_BASH = names("sh dash ash ksh mksh zsh rbash")
_SAME_IN_ALL = re.compile(r"""[\w\s./:=@%+,;&|'"-]*""")
_PLAIN_OPTION = re.compile(
    r"[-+][abcefhkmuvxo]+|--norc|--noprofile|--posix|--|pipefail|errexit|nounset"
)
_LOADER = re.compile(r"ld-linux.*\.so.*|ld-musl.*\.so.*|ld\.so.*|ld64\.so.*")
_FIND = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_MOST_ACTIONS = 8
#: What is left of a virtual environment's own script, whose name everybody knows.
_ACTIVATE = re.compile(r"(?:.*/)?bin/activate")


@lru_cache(maxsize=4096)
def may_wrap(name: str) -> bool:
    """Whether a program of this name may run its arguments."""
    base = name.rpartition("/")[2]
    return base in _SHELLS or base in _SPECIAL or base in WRAPPERS or base.startswith("ld")


def unwrap(argv: Argv) -> Inner | None:
    """Find what a command runs, or `None` for an ordinary program."""
    name = argv[0].text.rpartition("/")[2]
    if name in _SHELLS:
        return _shell(argv, name)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(argv)
    if name.startswith("ld") and _LOADER.fullmatch(name):
        return wrapped(argv, Wrapper("library-path preload argv0 audit inhibit-rpath"))
    wrapper = WRAPPERS.get(name)
    if wrapper is None or (name == "command" and _only_asks(argv)):
        return None
    return wrapped(argv, wrapper)


def _only_asks(argv: Argv) -> bool:
    """`command -v NAME` prints what NAME means."""
    return len(argv) > 1 and argv[1].known and argv[1].text in ("-v", "-V")


def _with_input(command: Argv, mark: str = "{}") -> Argv:
    """What xargs and find put in place of `{}`, and xargs at the end, is not known."""
    return tuple(
        word._replace(text=word.text.replace(mark, UNKNOWN)) if mark in word.text else word
        for word in command
    )


def _shell(argv: Argv, name: str) -> Inner | None:
    """`sh -c SCRIPT`, `sh FILE`, or `sh` that reads its input."""
    inner = Inner()
    at, script, checks, undone = 1, False, False, False
    while at < len(argv) and argv[at].text[:1] in ("-", "+") and len(argv[at].text) > 1:
        text = argv[at].text
        at += 1
        if text == "--":
            break
        if text.startswith("--"):
            at += text in ("--rcfile", "--init-file")
            script = script or text == "--command"
            checks = checks or text in ("--version", "--help")
        else:
            script = script or "c" in text
            checks = checks or text == "-n"
            undone = undone or text[0] == "+" or text[-1] in "oO" or "i" in text
            at += text[-1] in "oO"
    plain = all(word.known for word in argv[1:at])
    if not all(_PLAIN_OPTION.fullmatch(word.text) for word in argv[1:at]):
        inner.hide("reads other files first", "changes")
    if checks and plain and not script and not undone:
        return None
    if not script or not plain:
        inner.hide("runs a script that is not shown here")
        inner.place = at if at < len(argv) and argv[at].known else -1
        inner.unseen = at >= len(argv)
    if at < len(argv) and (script or not argv[1].known):
        text = argv[at].text
        add_script(text, at, inner)
        if name != "bash" and not (name in _LIKE_BASH and _SAME_IN_ALL.fullmatch(text)):
            inner.hide("reads its script by other rules than bash")
    return inner


def _env(argv: Argv) -> Inner | None:
    """`env -S` splits its argument as a shell would, with rules of its own."""
    inner = wrapped(argv, WRAPPERS["env"])
    if inner is not None and inner.scripts:
        inner.scripts = [
            (text.replace("\\_", " ").replace("\\c", " # "), at) for text, at in inner.scripts
        ]
        if any("\\" in text for text, _ in inner.scripts):
            inner.hide("splits its argument by rules of its own")
        for _, at in inner.scripts:
            if argv[at + 1 :]:
                inner.hide("adds arguments to a script")
    return inner


def _trap(argv: Argv) -> Inner | None:
    inner = Inner()
    words = [(word, at) for at, word in enumerate(argv) if at]
    while words and words[0][0].text.startswith("-") and words[0][0].text != "-":
        if words.pop(0)[0].text == "--":
            break
    if words and words[0][0].text not in ("-", ""):
        add_script(words[0][0].text, words[0][1], inner)
    return inner if inner.scripts else None


def _alias(argv: Argv) -> Inner | None:
    inner = Inner()
    for at, word in enumerate(argv):
        if at and "=" in word.text:
            inner.hide("changes what names mean", "changes")
            add_script(word.text.partition("=")[2], at, inner)
        elif at and not word.known:
            inner.hide("changes what names mean")
    return inner if inner.hides else None


def _source(argv: Argv) -> Inner:
    activates = len(argv) == 2 and argv[1].known and _ACTIVATE.fullmatch(argv[1].text)
    return Inner(
        hides="runs a script that is not shown here",
        reach="changes" if activates else "anything",
        place=1,
    )


def _find(argv: Argv) -> Inner | None:
    places = [at for at, word in enumerate(argv) if word.text in _FIND]
    if not places:
        return None
    inner = Inner()
    if len(places) > _MOST_ACTIONS:
        inner.hide("runs too many commands")
    for at in places[:_MOST_ACTIONS]:
        end = at + 1
        while (
            end < len(argv)
            and argv[end].text != ";"
            and not (argv[end].text == "+" and argv[end - 1].text == "{}")
        ):
            end += 1
        if command := argv[at + 1 : end]:
            inner.commands.append((_with_found(command), at + 1))
    return inner if inner.commands else None


def _with_found(command: Argv) -> Argv:
    """What find puts in the place of `{}` begins with where it looks, and is no option."""
    return tuple(
        Word(f"./{UNKNOWN}") if at and command[at].text == "{}" else word
        for at, word in enumerate(_with_input(command))
    )


def _fd(argv: Argv) -> Inner | None:
    inner = Inner()
    for at, word in enumerate(argv):
        if word.text in ("-x", "-X", "--exec", "--exec-batch") and argv[at + 1 :]:
            inner.commands.append((_with_input(argv[at + 1 :]), at + 1))
    return inner if inner.commands else None


def _xargs(argv: Argv) -> Inner | None:
    """Without a command xargs echoes its input, and parallel runs it."""
    name = argv[0].text.rpartition("/")[2]
    inner = wrapped(argv, WRAPPERS[name])
    assert inner is not None
    marks = {"{}", *_replaced(argv)}
    for mark in marks:
        inner.commands = [(_with_input(command, mark), at) for command, at in inner.commands]
    inner.commands = [
        ((*command, Word(UNKNOWN, splits=True)), at) for command, at in inner.commands
    ]
    if not inner.commands and not inner.scripts:
        if name in ("parallel", "sem"):
            inner.hide("runs its input")
        else:
            return None
    return inner


def _replaced(argv: Argv) -> list[str]:
    """What stands for the input: `-I %`, `-I%`, `-i@`, `--replace=@`."""
    found = []
    for at, word in enumerate(argv):
        match = re.fullmatch(r"-[a-zA-Z0-9]*[Ii](.+)|--replace=(.+)", word.text)
        if match:
            found.append(match[1] or match[2])
        elif re.fullmatch(r"-[a-zA-Z0-9]*I", word.text):
            found += [each.text for each in argv[at + 1 : at + 2] if each.text]
    return found


def _running(command: Argv, at: int) -> Inner:
    inner = Inner()
    inner.commands.append((command, at))
    return inner


def _jobs(argv: Argv) -> Inner | None:
    """`jobs -x COMMAND` runs it."""
    for at, word in enumerate(argv):
        if at and word.text.startswith("-") and "x" in word.text:
            return _running(argv[at + 1 :], at + 1)
    return None


def _hub(argv: Argv) -> Inner:
    """`hub` is git with more subcommands."""
    return _running((Word("git"), *argv[1:]), 1)


def _cargo(argv: Argv) -> Inner | None:
    """`cargo watch` runs a command, one of cargo's own, or a script."""
    if len(argv) < 2 or argv[1].text not in ("watch", "with"):
        return None
    inner = Inner()
    for at, word in enumerate(argv):
        text = word.text
        if text == "--":
            inner.commands.append((argv[at + 1 :], at + 1))
            break
        if re.fullmatch(r"-s|--shell", text) and at + 1 < len(argv):
            add_script(argv[at + 1].text, at + 1, inner)
        elif match := re.fullmatch(r"(?:-s|--shell=)(.+)", text, re.DOTALL):
            add_script(match[1], at, inner)
        elif at == 2 and argv[1].text == "with":
            add_script(text, at, inner)
    return inner if inner.commands or inner.scripts else None


#: `docker image push` is `docker push`.
_CONTAINER_SYNONYMS = {
    *(f"image {each}" for each in ("push", "pull", "build", "save", "load")), "compose push",
    *(f"container {each}" for each in ("rm", "kill", "stop", "cp", "commit")),
}  # fmt: skip


def _container(argv: Argv) -> Inner | None:
    """`--entrypoint` names the program that the words behind the image are given to."""
    name = argv[0].text.rpartition("/")[2]
    if name == "podman" and len(argv) > 2 and argv[1].text == "unshare":
        return _running(argv[2:], 2)
    if " ".join(word.text for word in argv[1:3]) in _CONTAINER_SYNONYMS:
        synonym = Inner()
        synonym.suspects.append((argv[0], *argv[2:]))
        return synonym
    inner = wrapped(argv, WRAPPERS[name])
    for at, word in enumerate(argv):
        head, equals, value = word.text.partition("=")
        if inner is not None and head == "--entrypoint":
            program = value if equals else "".join(each.text for each in argv[at + 1 : at + 2])
            image = skip_options(argv, at + (1 if equals else 2), WRAPPERS[name], Inner())
            inner.suspects.append((Word(program), *argv[image + 1 :]))
    return inner


_SPECIAL: dict[str, Callable[[Argv], Inner | None]] = {
    "jobs": _jobs, "hub": _hub, "cargo": _cargo, "docker": _container, "podman": _container,
    "nerdctl": _container,
    "trap": _trap, "alias": _alias, "source": _source, ".": _source, "env": _env, "genv": _env,
    "find": _find, "gfind": _find, "fd": _fd, "fdfind": _fd,
    "xargs": _xargs, "gxargs": _xargs, "parallel": _xargs, "sem": _xargs,
}  # fmt: skip
