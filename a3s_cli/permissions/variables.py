"""What setting a variable does to the commands that run.

A lower-case name is a variable of the script: what it holds matters where it is
used, and is judged there. An upper-case one may be in the environment already,
and then every program sees the new value.
"""

from __future__ import annotations

import re
from typing import Literal

from .shell_found import Effect, Word, names

_SCRIPT = re.compile(r"(?!histchars\Z|.*_proxy\Z|(?:npm|yarn|pnpm|pip|uv)_)[a-z_][a-z0-9_]*")
#: They choose how much is printed, in which language, for which target: nothing that runs.
_HARMLESS = names(
    "CI NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES LANG LANGUAGE TZ TERM COLORTERM"
    " NODE_ENV RAILS_ENV RACK_ENV APP_ENV FLASK_ENV MIX_ENV DEBUG VERBOSE LOG_LEVEL LOGLEVEL"
    " RUST_BACKTRACE RUST_LOG PORT PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED"
    " PYTHONUTF8 PYTHONIOENCODING GOOS GOARCH GOARM GOAMD64 CGO_ENABLED GO111MODULE"
    " SOURCE_DATE_EPOCH DOCKER_BUILDKIT COMPOSE_DOCKER_CLI_BUILD BUILDKIT_PROGRESS"
    " GIT_TERMINAL_PROMPT GIT_OPTIONAL_LOCKS HUSKY DEBIAN_FRONTEND CARGO_TERM_COLOR"
    " CARGO_INCREMENTAL PIP_NO_INPUT PIP_DISABLE_PIP_VERSION_CHECK NODE_NO_WARNINGS"
    " NEXT_TELEMETRY_DISABLED DO_NOT_TRACK GIT_AUTHOR_DATE GIT_COMMITTER_DATE"
)
_LOCALE = re.compile(r"LC_[A-Z]+")
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:@+,/=-]*")
#: A program that this variable names is plain: it shows its input, or does nothing.
_PLAIN_PROGRAM = names("cat less more true false : vi vim nano")
#: What is in it is run, by bash or by what bash runs.
_RUNS = re.compile(
    r"BASH_ENV|ENV|BASH_FUNC_.*|BASHOPTS|SHELLOPTS|PROMPT_COMMAND|PS[0-4]|SHELL|LD_[A-Z_]*"
    r"|DYLD_[A-Z_]*|GIT_(?:SSH|PROXY|EXTERNAL|CONFIG|EXEC|ASKPASS|TEMPLATE|DIR|WORK|TRACE2?)[A-Z0-9_]*"
    r"|.*(?:EDITOR|PAGER|BROWSER|ASKPASS|WRAPPER|PRELOAD|COMMAND|LAUNCHER|_RSH|_SSH)|VISUAL"
    r"|MAKEFLAGS|GNUMAKEFLAGS|TAR_OPTIONS|LESSOPEN|LESSCLOSE|MANOPT|CC|CXX|LD|AR|RSYNC_RSH"
    r"|FZF_DEFAULT_COMMAND|EXECIGNORE|MAILPATH|histchars|PERL5DB|LUA_INIT\w*|.*_RUNNER|.*_LINKER"
)
#: It chooses which programs are found, what they load, or how a script is read.
_CHANGES = re.compile(
    r"PATH|CDPATH|IFS|BASH.*|SHELL.*|PROMPT.*|OPT.*|HOME|PWD|OLDPWD|TMPDIR|TERMINFO.*"
    r"|(?:LD|DYLD|GIT|XDG|SSH|SUDO|MAN|LESS|GCONV|PERL5?|PYTHON|RUBY|NODE|NPM|JAVA|_JAVA|JDK|LUA"
    r"|RIPGREP|FZF|DOCKER|CARGO|RUST|GO|MAKE|CMAKE|CC|CXX|AR|AS|GCC|COMPILER|TAR|RSYNC|CURL|WGET"
    r"|SYSTEMD|PG|MYSQL|SQLITE|PIP|UV|VIRTUAL|CONDA|HIST|GLOB|EXEC|FC|MAIL|MALLOC|NLS|LOC)"
    r"[A-Z0-9_]*|.*(?:OPTIONS|OPTS|FLAGS|SHELL|RC|HOOK|PLUGIN|CONFIG|_PATH)S?"
    r"|.*_(?:proxy|PROXY)|npm_.*|MIX_.*"
)


#: Options of programs are in them; whether they only choose how the program looks or builds.
_OPTIONS_THAT_RUN = {
    "LESS": re.compile(r"[^+]*").fullmatch,
    "GOFLAGS": re.compile(r"(?!.*(?:exec|vettool|overlay|modfile|extld)).*").fullmatch,
}
_COMMAND = re.compile(
    r".*(?:EDITOR|PAGER|BROWSER|ASKPASS|WRAPPER|COMMAND|LAUNCHER|_RSH|_SSH)|VISUAL|PS[0-4]"
    r"|GIT_(?:SSH|EXTERNAL_DIFF)|CC|CXX|LD|AR|SHELL|.*_RUNNER|.*_LINKER"
)


def is_command(name: str) -> bool:
    """Whether the variable's value is a command, and not a file that is read."""
    return _COMMAND.fullmatch(name) is not None


def is_script_variable(name: str) -> bool:
    """Whether it is a name that only scripts use."""
    return _SCRIPT.fullmatch(name) is not None


def reach(name: str) -> Literal["effect", "changes", "anything"]:
    """Say how far a value of this variable that nothing is known of reaches."""
    if _RUNS.fullmatch(name):
        return "anything"
    return "changes" if _CHANGES.fullmatch(name) else "effect"


def assignment(name: str, value: Word, *, exported: bool = True) -> Effect | None:
    """Say what setting a variable does; None where it changes no program that runs.

    `exported`: programs see it. What is not is a variable of the script, unless
    its name is one that bash or programs know.
    """
    if _SCRIPT.fullmatch(name):
        return None
    far = reach(name)
    if value.known:
        if far == "anything" and value.text in _PLAIN_PROGRAM:
            return None
        plain = _PLAIN_VALUE.fullmatch(value.text)
        if plain and (name in _HARMLESS or _LOCALE.fullmatch(name)):
            return None
    if far == "effect" and not exported:
        return None
    if name in _OPTIONS_THAT_RUN and not (value.known and _OPTIONS_THAT_RUN[name](value.text)):
        far = "anything"
    text = f"{name}={value.shown}"
    return Effect("assign", text, value, far, f"it sets the variable {name}")
