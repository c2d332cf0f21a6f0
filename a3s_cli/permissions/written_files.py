"""Which files a command writes to, as far as its words say.

A rule that denies `write` holds for these, as for redirections. They are what ordinary
programs change, remove or make by their operands, or by an option for output. What a
program chooses by itself (an archive's members, a formatter's directory, a script's own
writes) is not among its words, and only a sandbox can confine it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .git_commands import subcommand
from .program_options import written_by_option
from .shell_found import Command, Word, names


class Written(NamedTuple):
    """A file that is written to; `whole`: and all that is below it."""

    word: Word
    whole: bool = False


#: Every operand is changed, made or removed.
_EACH = names(
    "tee touch truncate rm rmdir unlink shred mkdir mkfifo mknod gzip gunzip bzip2 bunzip2 xz unxz"
    " zstd unzstd dos2unix unix2dos sponge rename setfacl xattr chattr"
)
#: So is every operand but the first, which is a mode, an owner or a script.
_AFTER_FIRST = names("chmod chown chgrp")
#: The last operand is written to, or what lies in it.
_LAST = names("cp mv ln install rsync scp link ditto")
#: They rewrite their operands with one of these options, or always.
_IN_PLACE = {
    "sed": re.compile(r"-[a-zA-Z]*i.*|--in-p.*"), "perl": re.compile(r"-[a-zA-Z]*i.*"),
    "ruby": re.compile(r"-[a-zA-Z]*i.*"), "gofmt": re.compile(r"-w"),
    "prettier": re.compile(r"-w|--write"), "shfmt": re.compile(r"-[a-z]*w[a-z]*"),
    "clang-format": re.compile(r"-i"), "eslint": re.compile(r"--fix"),
    "yq": re.compile(r"-[a-zA-Z]*i.*|--in-?place"), "black": re.compile(r"(?!--check|--diff).*"),
    "isort": re.compile(r"(?!--check|--diff|-c).*"), "rustfmt": re.compile(r"(?!--check).*"),
    "ex": re.compile(r".*"), "ed": re.compile(r".*"), "vim": re.compile(r".*"),
    "vi": re.compile(r".*"), "nano": re.compile(r".*"), "patch": re.compile(r".*"),
}  # fmt: skip
#: Options whose value is no operand.
_VALUES = {
    "touch": names("-d -t -r --date --reference --time"), "truncate": names("-s -r"),
    "mkdir": names("-m --mode"), "install": names("-m -o -g -S --mode --owner --group"),
    "cp": names("-S --suffix"), "mv": names("-S --suffix"), "ln": names("-S --suffix"),
    "rsync": names("-e -f --exclude --include --filter --rsh"), "sed": names("-e -f -l"),
    "perl": names("-e -E"), "ruby": names("-e"), "shred": names("-n -s"),
    "patch": names("-i -p -d -D -B -F -g"), "scp": names("-P -i -o -F -c -l"),
}  # fmt: skip
_RECURSIVE = re.compile(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive")
_GIT = names("checkout restore mv rm clean")
_TAR_MAKES = re.compile(r"[a-zA-Z]*[cruA][a-zA-Z]*")
#: Options that name a file for output in most programs.
_OUTPUT = re.compile(r"(?:-o|--(?:output|out|out-file|output-file|outfile|output-document))")
#: Their `-o` or `--output` names a form, a key or a setting, and no file.
_NO_OUTPUT = names(
    "grep egrep fgrep rg ag ps find set pytest npm pnpm yarn ls ssh scp sftp mount df kubectl"
    " docker podman helm aws az gcloud gh apt apt-get zip fd man nc lsblk findmnt lsof pip make"
    " shopt echo printf read terraform date head tail cut"
)


def written(command: Command) -> list[Written]:
    """Return the files that a command certainly or possibly writes to."""
    words = command.words
    name = command.name
    if len(words) < 2 or not words[0].known:
        return []
    special = _SPECIAL.get(name)
    if special is not None:
        return special(words)
    if name in _EACH:
        whole = name == "rm" and _has(words, _RECURSIVE)
        return [Written(word, whole) for word in _operands(words, name)]
    if name in _AFTER_FIRST:
        referred = any(word.text.startswith("--reference") for word in words)
        whole = _has(words, _RECURSIVE)
        return [Written(word, whole) for word in _operands(words, name)[not referred :]]
    if name in _LAST:
        return _into(words, name)
    found = _by_option(words, name)
    if (form := _IN_PLACE.get(name)) is not None and _has(words, form):
        found += [Written(word) for word in _operands(words, name)]
    return found


def _has(words: Sequence[Word], form: re.Pattern[str]) -> bool:
    return any(form.fullmatch(word.text) for word in words[1:])


def _operands(words: Sequence[Word], name: str) -> list[Word]:
    values = _VALUES.get(name, ())
    found, options = [], True
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if options and text == "--":
            options = False
        elif options and text.startswith("-") and len(text) > 1:
            continue
        elif not (options and words[index - 1].text in values):
            found.append(word)
    return found


def _into(words: Sequence[Word], name: str) -> list[Written]:
    """`cp a b DIR`: the destination, and each source below it; `mv` removes the sources."""
    operands = _operands(words, name)
    if name in ("rsync", "scp"):
        operands = [word for word in operands if ":" not in word.text or not word.known]
    targets = _values(words, re.compile(r"-t|--target-directory"))
    sources = operands
    if not targets and len(operands) > 1:
        sources, targets = operands[:-1], operands[-1:]
    elif not targets and name == "ln":
        targets = [Word(".")]
    found = [Written(word, name == "mv") for word in sources] if name == "mv" else []
    if name == "install" and _has(words, re.compile(r"-[a-zA-Z]*d|--directory")):
        return [Written(word) for word in operands]
    for target in targets:
        found.append(Written(target))
        for source in sources:
            base = source.text.rstrip("/").rpartition("/")[2]
            if source.known and target.known and base not in ("", ".", ".."):
                found.append(Written(Word(f"{target.text.rstrip('/') or '/'}/{base}")))
    return found


def _values(words: Sequence[Word], form: re.Pattern[str]) -> list[Word]:
    """Return the values of an option: of `-t DIR`, `-tDIR`, `--to DIR` and `--to=DIR`."""
    found = []
    for index, word in enumerate(words[1:], 1):
        head, equals, value = word.text.partition("=")
        if word.text.startswith("-") and form.fullmatch(head):
            if equals:
                found.append(word._replace(text=value))
            else:
                found += words[index + 1 : index + 2]
        elif re.match(r"-[a-zA-Z].", word.text) and form.fullmatch(word.text[:2]):
            found.append(word._replace(text=word.text[2:]))
    return found


def _by_option(words: Sequence[Word], name: str) -> list[Written]:
    found = [Written(word) for word in written_by_option(words, name)]
    if not found and name not in _NO_OUTPUT:
        found += [Written(word) for word in _values(words, _OUTPUT)]
    return found


# -- programs with words of their own ------------------------------------------------------


def _dd(words: Sequence[Word]) -> list[Written]:
    return [
        Written(word._replace(text=word.text[3:])) for word in words if word.text.startswith("of=")
    ]


def _tar(words: Sequence[Word]) -> list[Written]:
    first = words[1].text.lstrip("-")
    found = [Written(word) for word in _values(words, re.compile(r"-C|--directory|--cd"))]
    makes = any(
        word.text in ("--create", "--append", "--update")
        or (word.text.startswith("-") and not word.text.startswith("--") and _makes(word.text[1:]))
        for word in words[1:]
    )
    if makes or (not words[1].text.startswith("-") and _makes(first)):
        found = [Written(word) for word in _values(words, re.compile(r"-f|--file"))]
        for index, word in enumerate(words[1:], 1):
            if re.fullmatch(r"-?[a-zA-Z]+f", word.text) and (index == 1 or word.text[0] == "-"):
                found += [Written(each) for each in words[index + 1 : index + 2]]
    return found


def _makes(letters: str) -> bool:
    return _TAR_MAKES.fullmatch(letters) is not None and "x" not in letters and "t" not in letters


def _unzip(words: Sequence[Word]) -> list[Written]:
    return [Written(word) for word in _values(words, re.compile(r"-d"))]


def _zip(words: Sequence[Word]) -> list[Written]:
    return [Written(word) for word in _operands(words, "zip")[:1]]


def _fetch(words: Sequence[Word]) -> list[Written]:
    """`curl -O URL` and `wget URL` write to the last part of the address."""
    name = words[0].text.rpartition("/")[2]
    found = _by_option(words, name)
    directories = _values(words, re.compile(r"--output-dir|-P|--directory-prefix"))
    by_name = name == "wget" or _has(words, re.compile(r"-[a-zA-Z]*O|--remote-name(-all)?"))
    if by_name:
        for word in words[1:]:
            base = word.text.partition("?")[0].rpartition("/")[2]
            if word.known and "/" in word.text and base and not word.text.startswith("-"):
                found.append(Written(Word(base)))
                found += [Written(Word(f"{each.text}/{base}")) for each in directories]
    return found


def _git(words: Sequence[Word]) -> list[Written]:
    at = subcommand(words)
    if at >= len(words) or words[at].text not in _GIT:
        return []
    rest = words[at:]
    return [Written(word, True) for word in _operands(rest, "git")]


_SPECIAL: dict[str, Callable[[Sequence[Word]], list[Written]]] = {
    "dd": _dd, "tar": _tar, "gtar": _tar, "bsdtar": _tar, "unzip": _unzip, "zip": _zip,
    "curl": _fetch, "wget": _fetch, "git": _git,
}  # fmt: skip
