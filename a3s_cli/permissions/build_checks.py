"""Tools that build, and containers: words that name what they run, or reach further."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .option_table import PROGRAMS, Options
from .program_options import option_risks
from .shell_found import Risk, Word

_MAKE_SETS = re.compile(r"([^\s=]*?)[:?+!]{0,3}=(.*)", re.DOTALL)
#: Variables of make that name what it runs, or what it and its commands read first.
_MAKE_RUNS = re.compile(
    r"SHELL|\.SHELLFLAGS|MAKE|MAKEFLAGS|MAKEFILES|GNUMAKEFLAGS|PATH|BASH_ENV|ENV|LD_\w+|DYLD_\w+"
    r"|PYTHON(?:PATH|STARTUP|HOME)|PERL5(?:OPT|LIB)|RUBY(?:OPT|LIB)|NODE_(?:OPTIONS|PATH)|GOFLAGS"
    r"|.*(?:EDITOR|PAGER|LAUNCHER|WRAPPER)"
)
#: They name a program: one by its name alone is another compiler, and no more.
_MAKE_PROGRAM = re.compile(
    r"CC|CXX|CPP|FC|AR|AS|LD|RM|CP|MV|LN|NM|SED|AWK|GREP|LEX|YACC|RANLIB|STRIP|OBJCOPY|MKDIR|INSTALL"
    r"|PYTHON3?|PIP|PYTEST|NODE|NPM|NPX|YARN|GO|CARGO|RUSTC|BASH|SH|GIT|DOCKER|KUBECTL|TAR|CURL|PERL"
    r"|RUBY|JAVAC?|CMAKE|PKG_CONFIG|SUDO|.*_(?:CMD|COMMAND|BIN|EXE|RUNNER)|CROSS_COMPILE"
)
#: Make expands it, or the shell of a recipe reads it as more than words.
_MAKE_EXPANDS = re.compile(r"\$[({]\s*(?:shell|eval|call|file|guile|foreach)\b|[`;|&<>\n]|\$\$")


def make_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge the variables that are set."""
    found = []
    for index, word in enumerate(words):
        sets = _MAKE_SETS.fullmatch(word.text) if index and word.text[:1] != "-" else None
        if sets is None:
            continue
        name, value = sets.groups()
        reason = f"`make {name}=` chooses what make runs"
        if _MAKE_RUNS.fullmatch(name) or "!=" in word.text[: len(name) + 2]:
            found.append(Risk(index, reason))
        elif _MAKE_EXPANDS.search(value):
            found.append(Risk(index, reason, "anything", _MAKE_EXPANDS.sub("\n", value)))
        elif _MAKE_PROGRAM.fullmatch(name) and re.search(r"[/\s$]", value):
            found.append(Risk(index, reason, "anything", value))
        elif re.search(r"(?:^|\s)(?:-B|-wrapper|-specs|-fplugin|@)", value):
            found.append(Risk(index, reason, "changes"))
    return found


def cmake_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge the variables that are set, and what stands behind `--`, which is for make."""
    texts = [word.text for word in words]
    found = [
        Risk(index, f"`cmake` lets {match[1]} choose what it runs", "changes")
        for index, text in enumerate(texts)
        if (match := _CMAKE_SETS.match(text if text[:2] == "-D" else f"-D{text}"))
        and (text[:2] == "-D" or texts[index - 1] == "-D")
        and _chooses(match[1], match[2])
    ]
    if "--build" not in texts or "--" not in texts:
        return found
    at = texts.index("--")
    rest = (Word("make"), *words[at + 1 :])
    behind = make_risks(rest)
    for index in range(1, len(rest)):
        if rest[index].text.startswith("-"):
            behind += option_risks(rest, index, "make", PROGRAMS["make"])
    return found + [risk._replace(at=risk.at + at) for risk in behind]


_CMAKE_SETS = re.compile(r"-D([^:=]+)(?::\w+)?=(.*)", re.DOTALL)
#: They name a file of code; the others a program, which by its name alone is another compiler.
_CMAKE_LOADS = re.compile(
    r"CMAKE_(?:TOOLCHAIN_FILE|.*INCLUDE.*|MODULE_PATH|PREFIX_PATH|USER_MAKE_RULES.*|PROGRAM_PATH)"
    r"|.*(?:_DIR|_ROOT|DEPENDENCY_PROVIDERS?)"
)
_CMAKE_PROGRAM = re.compile(
    r"CMAKE_(?:.*COMPILER|.*LAUNCHER|.*LINKER.*|MAKE_PROGRAM|AR|RANLIB|STRIP|NM|OBJCOPY|.*EMULATOR"
    r"|.*COMMAND|.*CLANG_TIDY|.*CPPCHECK|.*CPPLINT|.*INCLUDE_WHAT_YOU_USE|.*RULE_LAUNCH.*)"
    r"|.*_(?:EXECUTABLE|PROGRAM|COMMAND|TOOL)"
)


def _chooses(name: str, value: str) -> bool:
    if _CMAKE_LOADS.fullmatch(name):
        return True
    if _CMAKE_PROGRAM.fullmatch(name):
        return re.search(r"[/\s;$]", value) is not None
    return re.search(r"(?:^|\s)(?:-B|-wrapper|-specs|-fplugin|@)", value) is not None


def _behind(
    words: Sequence[Word], name: str, options: Options, when: re.Pattern[str]
) -> list[Risk]:
    """Options behind `--` are for another program."""
    texts = [word.text for word in words]
    if "--" not in texts or not when.search(" ".join(texts[: texts.index("--")])):
        return []
    found = []
    for index in range(texts.index("--") + 1, len(words)):
        if texts[index].startswith("-"):
            found += option_risks(words, index, name, options)
    return found


_RUSTC_ARGUMENTS = re.compile(r"\b(?:rustc|clippy|rustdoc)\b")
_GIT_ARGUMENTS = re.compile(r"\brepo (?:clone|fork)\b")
_GIT_CLONE = Options(runs="--upload-pack -u -c --config", loads="--template")


def cargo_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge what cargo gives to the compiler."""
    return _behind(words, "rustc", PROGRAMS["rustc"], _RUSTC_ARGUMENTS)


def go_risks(words: Sequence[Word]) -> list[Risk]:
    """The flags of the linker may name another one."""
    found = []
    for index, word in enumerate(words):
        head, equals, value = word.text.partition("=")
        if index and re.fullmatch(r"--?ldflags", head):
            rest = [Word(value)] if equals else list(words[index + 1 : index + 2])
            if any("ext" in each.text or not each.known for each in rest):
                found.append(Risk(index, f"`go {head}` can run other programs"))
    return found


def gh_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge what gh gives to git."""
    return _behind(words, "git clone", _GIT_CLONE, _GIT_ARGUMENTS)


#: Options of containers that give them the machine.
_CONTAINER_REACH = re.compile(
    r"--privileged|--pid=host|--userns=host|--ipc=host|--device.*|--cap-add.*|--security-opt.*"
)


def container_risks(words: Sequence[Word]) -> list[Risk]:
    """A container that sees files outside the workspace, or is given the machine."""
    found = []
    for index, word in enumerate(words):
        text = word.text
        if not index:
            continue
        if _CONTAINER_REACH.fullmatch(text):
            found.append(Risk(index, f"`{text}` gives a container the machine", "changes"))
            continue
        head, equals, value = text.partition("=")
        if head in ("-v", "--volume", "--mount"):
            mount = value if equals else "".join(each.text for each in words[index + 1 : index + 2])
            source = re.search(r"(?:source|src)=([^,]*)", mount)
            path = source[1] if source else mount.partition(":")[0]
            if path.startswith(("/", "~")) or ".." in path.split("/"):
                found.append(Risk(index, f"`{head}` shows a container other files", "changes"))
    return found
