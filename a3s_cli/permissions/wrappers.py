"""Programs whose arguments are another command, and where in them it begins.

A rule that denies must see through `env`, `timeout` and `xargs`, whatever their
options. The tables say which options take a value; for an option that they do
not know, each place where the command could begin is a suspect, which counts
for the rules that deny and ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..values import State, Value, field
from .shell_words import UNKNOWN, Word, names

#: Wrappers around wrappers that are looked through in one command.
MAX_LEVELS = 64

Argv = tuple[Word, ...]


class Inner(State):
    """What a wrapper runs."""

    commands: list[Argv] = field(default_factory=list)
    suspects: list[Argv] = field(default_factory=list)
    #: Texts that a shell reads.
    scripts: list[str] = field(default_factory=list)
    #: Variables that it sets first.
    assignments: list[tuple[str, Word]] = field(default_factory=list)
    #: Why not everything that it runs is known, as the end of a sentence.
    hides: str = ""


class Wrapper(Value):
    """How a wrapper reads its arguments.

    `values`: options that take one, letters and long names; `operands` of its
    own before the command; `script`: options whose value a shell reads; `joins`:
    the command is joined by spaces and read by a shell; `sets`: NAME=VALUE may
    precede the command; `then`: a word of its own (`run`, `exec`) precedes it.
    """

    values: str = ""
    operands: int = 0
    script: str = ""
    joins: bool = False
    sets: bool = False
    then: tuple[str, ...] = ()
    hides: str = ""


_REMOTE = "runs commands on another machine"
_KEYWORD = Wrapper(hides="is a word of the shell's grammar")

WRAPPERS: dict[str, Wrapper] = {
    "aa-exec": Wrapper("p profile n namespace"),
    "arch": Wrapper("arch d e"),
    "builtin": Wrapper(),
    "bundle": Wrapper(then=("exec",)),
    "busybox": Wrapper(),
    "bwrap": Wrapper(hides="builds another view of the files"),
    "caffeinate": Wrapper("t w"),
    "catchsegv": Wrapper(),
    "chpst": Wrapper("u U b e n l L m d o p f c r t / C P"),
    "chroot": Wrapper("userspec groups", 1, hides="builds another view of the files"),
    "chrt": Wrapper("T P D sched-runtime sched-period sched-deadline", 1),
    "command": Wrapper(),
    "conda": Wrapper("n name p prefix cwd", then=("run",)),
    "coproc": _KEYWORD,
    "cpulimit": Wrapper("l limit p pid e exe P path"),
    "daemonize": Wrapper("c e o p l u E"),
    "dbus-run-session": Wrapper("dbus-daemon config-file"),
    "direnv": Wrapper(then=("exec",), operands=1),
    "doas": Wrapper("u C", sets=True),
    "dumb-init": Wrapper("r rewrite"),
    "entr": Wrapper(),
    "env": Wrapper("u unset C chdir", script="S split-string", sets=True),
    "eval": Wrapper(joins=True),
    "exec": Wrapper("a"),
    "fakechroot": Wrapper("e environment c config-dir"),
    "fakeroot": Wrapper("l lib f faked s i b"),
    "faketime": Wrapper("f", 1),
    "firejail": Wrapper(),
    "flatpak-spawn": Wrapper("env directory"),
    "flock": Wrapper("w wait timeout E conflict-exit-code", 1, script="c command"),
    "gosu": Wrapper(operands=1),
    "hyperfine": Wrapper("w r m M", joins=True, script="p prepare c cleanup s setup"),
    "ionice": Wrapper("c class n classdata p pid P pgid u uid"),
    "lldb-server": Wrapper(),
    "ltrace": Wrapper("e o p u n l x s S a A D F output library"),
    "nice": Wrapper("n adjustment"),
    "nix-shell": Wrapper("p packages I A attr", script="run command"),
    "nocache": Wrapper("n"),
    "nohup": Wrapper(),
    "npx": Wrapper("p package", script="c call"),
    "nsenter": Wrapper("t target S setuid G setgid", hides="enters other namespaces"),
    "numactl": Wrapper("i interleave p preferred N cpunodebind m membind C physcpubind l"),
    "parallel": Wrapper("j jobs a arg-file I colsep delay joblog results S sshlogin timeout N n L",
                        joins=True),
    "perf": Wrapper("e event o output F c C p", then=("record", "stat", "trace")),
    "pipenv": Wrapper(then=("run",)),
    "pipx": Wrapper("spec python pip-args", then=("run",)),
    "pkexec": Wrapper("user"),
    "pnpm": Wrapper("C dir filter F", then=("exec", "dlx")),
    "poetry": Wrapper("C directory P project", then=("run",)),
    "prlimit": Wrapper("p pid o output"),
    "proot": Wrapper("r rootfs b bind w pwd q", hides="builds another view of the files"),
    "rlwrap": Wrapper("b c D f F H l O P q s S t w z"),
    "runuser": Wrapper("u user g group G supp-group s shell w", script="c command"),
    "schroot": Wrapper("c chroot u user d directory s shell"),
    "script": Wrapper("E echo I log-in O log-out B log-io T log-timing m o output-limit",
                      operands=1, script="c command"),
    "setarch": Wrapper(operands=1),
    "setpriv": Wrapper("reuid regid groups bounding-set ambient-caps inh-caps securebits"),
    "setsid": Wrapper(),
    "softlimit": Wrapper("m d s l a f o c r t p"),
    "ssh": Wrapper("B b c D E e F I i J L l m O o p Q R S W w", 1, joins=True, hides=_REMOTE),
    "sshpass": Wrapper("p f d P"),
    "start-stop-daemon": Wrapper("x exec p pidfile u user n name a startas c chuid d chdir"),
    "stdbuf": Wrapper("i input o output e error"),
    "strace": Wrapper("e expr o output p attach s string-limit E env u user a b I O P S U X"),
    "su": Wrapper("s shell g group G supp-group w", operands=1, script="c command"),
    "su-exec": Wrapper(operands=1),
    "sudo": Wrapper("u user g group h host p prompt C close-from r role t type T command-timeout"
                    " U other-user R chroot D chdir", sets=True),
    "systemd-inhibit": Wrapper("what who why mode"),
    "systemd-run": Wrapper("unit p property description slice uid gid nice E setenv M H t"),
    "taskset": Wrapper("p pid", 1),
    "time": Wrapper("f format o output"),
    "timeout": Wrapper("k kill-after s signal", 1),
    "tini": Wrapper("p e"),
    "toybox": Wrapper(),
    "unbuffer": Wrapper(),
    "unshare": Wrapper("R root w wd S setuid G setgid map-user map-group propagation"),
    "uv": Wrapper("with python p directory project package extra group", then=("run",)),
    "uvx": Wrapper("with python p from"),
    "valgrind": Wrapper(),
    "watch": Wrapper("n interval", joins=True),
    "xargs": Wrapper("a arg-file d delimiter E I replace L max-lines n max-args P max-procs s"
                     " max-chars process-slot-var"),
    "xvfb-run": Wrapper("e error-file f auth-file n server-num p xauth-protocol s server-args w"),
    "yarn": Wrapper("cwd", then=("exec", "dlx")),
    "!": _KEYWORD, "{": _KEYWORD, "if": _KEYWORD, "then": _KEYWORD, "else": _KEYWORD,
    "elif": _KEYWORD, "while": _KEYWORD, "until": _KEYWORD, "do": _KEYWORD,
}  # fmt: skip
for _name, _same in {
    "setarch32": "setarch", "linux32": "nohup", "linux64": "nohup", "i386": "nohup",
    "x86_64": "nohup", "gtimeout": "timeout", "gxargs": "xargs", "genv": "env", "gnice": "nice",
    "gstdbuf": "stdbuf", "gtime": "time", "bunx": "uvx", "sem": "parallel", "setuidgid": "gosu",
    "autossh": "ssh", "rsh": "ssh", "mosh": "ssh", "envdir": "gosu", "remsh": "ssh",
}.items():  # fmt: skip
    WRAPPERS[_name] = WRAPPERS[_same]

_SHELLS = names(
    "sh bash dash ash zsh ksh mksh pdksh ksh93 yash fish csh tcsh rbash posh elvish nu pwsh"
)
_FIND = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_SET = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def unwrap(argv: Argv) -> Inner | None:
    """Find what a command runs, or `None` for an ordinary program."""
    name = argv[0].text.rpartition("/")[2]
    if name in _SHELLS:
        return _shell(argv)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(argv)
    wrapper = WRAPPERS.get(name)
    if wrapper is None or (name == "command" and _only_asks(argv)):
        return None
    return _wrapped(argv, name, wrapper)


def _only_asks(argv: Argv) -> bool:
    """`command -v NAME` prints what NAME means."""
    return len(argv) > 1 and argv[1].known and argv[1].text in ("-v", "-V")


def _wrapped(argv: Argv, name: str, wrapper: Wrapper) -> Inner | None:
    inner = Inner(hides=wrapper.hides)
    at = _options(argv, 1, wrapper, inner)
    if wrapper.then:
        if at < len(argv) and argv[at].text not in wrapper.then and argv[at].known:
            return None
        at = _options(argv, at + 1, wrapper, inner)
    while wrapper.sets and at < len(argv):
        match = _SET.fullmatch(argv[at].text)
        if match is None:
            break
        inner.assignments.append((match[1], Word(match[2], argv[at].splits)))
        at += 1
    at += wrapper.operands
    if wrapper.operands:
        at = _options(argv, at, wrapper, inner)
    if any(word.splits for word in argv[1:at]):
        inner.hides = inner.hides or "has options that are known only when it runs"
    for index, word in enumerate(argv[at:-1], at):
        # `su - root -c SCRIPT`: options may also follow the operands.
        if word.text.startswith("-") and word.text.lstrip("-") in wrapper.script.split():
            _script(argv[index + 1].text, inner)
    command = argv[at:]
    inner.suspects = [argv[k:] for k in range(1, min(at + 2, len(argv))) if k != at]
    if name in ("xargs", "gxargs", "parallel", "sem"):
        command = _with_input(command)
    if command and wrapper.joins:
        _script(" ".join(word.text for word in command), inner)
    elif command:
        inner.commands.append(command)
    return inner


def _options(argv: Argv, at: int, wrapper: Wrapper, inner: Inner) -> int:
    """Skip options and their values from `at` on."""
    values, scripts = frozenset(wrapper.values.split()), frozenset(wrapper.script.split())
    while at < len(argv):
        text = argv[at].text
        at += 1
        if text == "--":
            return at
        if text == "-" or not text.startswith("-"):
            return at - 1
        name, equals, value = text.lstrip("-").partition("=")
        takes: str | None = None
        if text.startswith("--"):
            for option in scripts | values:
                if len(option) > 1 and name and option.startswith(name):
                    takes = option
        else:
            takes, value = _cluster(text[1:], values | scripts)
            equals = value
            if name in values | scripts and not takes:
                takes, value = name, ""
        if takes is not None and not equals:
            value = argv[at].text if at < len(argv) else ""
            at += 1
        if takes in scripts:
            _script(value, inner)
    return at


def _cluster(letters: str, takes: frozenset[str]) -> tuple[str | None, str]:
    for index, letter in enumerate(letters):
        if letter in takes:
            return letter, letters[index + 1 :]
    return None, ""


def _with_input(command: Argv) -> Argv:
    """What xargs and find put in place of `{}`, and xargs at the end, is not known."""
    unknown = Word(UNKNOWN, splits=True)
    return (*(Word(word.text.replace("{}", UNKNOWN), word.splits) for word in command), unknown)


def _script(text: str, inner: Inner) -> None:
    """Note a script; what is not known in it is read as a variable, for the rules that deny."""
    if UNKNOWN in text:
        inner.hides = inner.hides or "runs a script that is known only when it runs"
    inner.scripts.append(text.replace(UNKNOWN, "$unknown"))


def _shell(argv: Argv) -> Inner:
    """`sh -c SCRIPT`, `sh FILE`, or `sh` that reads its input."""
    name = argv[0].text.rpartition("/")[2]
    inner = Inner()
    at, script = 1, False
    while at < len(argv) and argv[at].text[:1] in ("-", "+") and len(argv[at].text) > 1:
        text = argv[at].text
        at += 1
        if text == "--":
            break
        if text.startswith("--"):
            at += text in ("--rcfile", "--init-file")
            script = script or text == "--command"
        else:
            script = script or "c" in text
            at += text[-1] in "oO"
    if not script or any(not word.known for word in argv[1:at]):
        inner.hides = "runs a script that is not shown here"
    if at < len(argv) and (script or not argv[1].known):
        _script(argv[at].text, inner)
        if name != "bash":
            inner.hides = inner.hides or "reads its script by other rules than bash"
    return inner


def _trap(argv: Argv) -> Inner:
    inner = Inner()
    for word in argv[1:2]:
        _script(word.text, inner)
    return inner


def _alias(argv: Argv) -> Inner:
    inner = Inner(hides="changes what names mean")
    for word in argv[1:]:
        if "=" in word.text:
            _script(word.text.partition("=")[2], inner)
    return inner


def _source(argv: Argv) -> Inner:
    return Inner(hides="runs a script that is not shown here")


def _find(argv: Argv) -> Inner | None:
    inner = Inner()
    for at, word in enumerate(argv):
        if word.text not in _FIND:
            continue
        end = at + 1
        while (
            end < len(argv)
            and argv[end].text != ";"
            and not (argv[end].text == "+" and argv[end - 1].text == "{}")
        ):
            end += 1
        command = argv[at + 1 : end]
        if command:
            inner.commands.append(_with_input(command)[:-1])
    return inner if inner.commands else None


def _fd(argv: Argv) -> Inner | None:
    inner = Inner()
    for at, word in enumerate(argv):
        if word.text in ("-x", "-X", "--exec", "--exec-batch") and argv[at + 1 :]:
            inner.commands.append(_with_input(argv[at + 1 :]))
    return inner if inner.commands else None


_SPECIAL: dict[str, Callable[[Argv], Inner | None]] = {
    "trap": _trap, "alias": _alias, "source": _source, ".": _source,
    "find": _find, "gfind": _find, "fd": _fd, "fdfind": _fd,
}  # fmt: skip
