"""grep's own search engine: a child process, because Python's regular expressions can hang.

Runs without site-packages, so that any interpreter that runs a3s runs this.
Prints what ripgrep is made to print: `path NUL line-number : line`, in the
order of the paths.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

from ..files.walk import WorkspaceTree
from ..files.wildcards import Wildcard
from ..files.workspace import Workspace
from .files import searchable

#: Bytes of a file that is searched: an engine may hold a whole line in memory.
LARGEST = 64 * 1024 * 1024
#: Bytes of a line that are printed: what `grep` compares, and far more than it shows.
COLUMNS = 4000
BLOCK = 4 * 1024 * 1024
#: What stands for the placeholders of `grep_pattern` in a text of ASCII.
_ASCII_WORDS = {"word": r"\w", "other": r"\W", "edge": r"\b", "inner": r"\B"}
#: `re` alone takes the Turkish dotted I and dotless i for cases of i; so in a text
#: and in a pattern they are replaced by characters that are never interchanged.
STAND_INS = {0x0130: "\ufdd0", 0x0131: "\ufdd1"}
#: What ripgrep, by UTS 18, calls part of a word: categories, the two join controls, circled
#: letters; and our stand-ins.
_WORD_KINDS = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"))
_WORD_CODES = frozenset(
    chain(
        (0x200C, 0x200D, *map(ord, STAND_INS.values())),
        range(0x24B6, 0x24EA),
        range(0x1F130, 0x1F14A),
        range(0x1F150, 0x1F16A),
        range(0x1F170, 0x1F18A),
    )
)


def main(arguments: list[str]) -> None:
    """Search: workspace, where to start in it, the pattern, `i` or nothing, a glob."""
    root, start, source, flags, glob = arguments
    regex = Regex(source, re.MULTILINE | (re.IGNORECASE if flags else 0))
    workspace = Workspace(Path(root))
    base, paths = _files(workspace, Path(start), glob)
    for path in paths:
        try:
            with workspace.open_file(path) as file:
                small = os.fstat(file.fileno()).st_size <= LARGEST
                if small and (text := searchable(file)) is not None:
                    _print(str(path).removeprefix(base), text, regex)
        except BrokenPipeError:
            return
        except OSError:
            continue


def _files(workspace: Workspace, start: Path, glob: str) -> tuple[str, Iterator[Path]]:
    """Return the files to search, and what is cut off from the front of their paths."""
    if not start.is_dir():
        return f"{start.parent}/", iter([start])
    entries = WorkspaceTree(workspace).walk(start, Wildcard(glob))
    return f"{start}/", (entry.path for entry in entries if entry.kind == "file")


def _print(path: str, file: BinaryIO, regex: Regex) -> None:
    name = os.fsencode(path)
    for number, column, line in matches(file, regex):
        record = memoryview(b"./%b\0%d:%d:%b\n" % (name, number, column, line))
        while record:
            record = record[os.write(1, record) :]


class Regex:
    """The pattern, compiled when it is needed: for ASCII, where `re` is right, and for the rest."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags
        self._compiled: dict[bool, re.Pattern[str]] = {}

    def matches(self, text: str) -> Iterator[int]:
        """Yield the place of the first match in every line that has one."""
        compiled = self._for(text)
        for code, stand_in in STAND_INS.items():
            text = text.replace(chr(code), stand_in)
        at = 0
        while at < len(text) and (match := compiled.search(text, at)):
            if match.start() == len(text) and text.endswith("\n"):
                return  # after the last newline there is no line
            yield match.start()
            at = text.find("\n", match.start()) + 1 or len(text)

    def _for(self, text: str) -> re.Pattern[str]:
        ascii_only = text.isascii()
        if ascii_only not in self._compiled:
            names = _ASCII_WORDS if ascii_only else _unicode_words(self._source)
            source = self._source
            for name, meaning in names.items():
                source = source.replace(f"{{{name}}}", meaning)
            self._compiled[ascii_only] = re.compile(source, self._flags)
        return self._compiled[ascii_only]


def _unicode_words(source: str) -> dict[str, str]:
    """Spell out what a word is; `re` forgets combining marks."""
    if not any(f"{{{name}}}" in source for name in _ASCII_WORDS):
        return {}
    from unicodedata import category

    def is_word(code: int) -> bool:
        return category(chr(code)) in _WORD_KINDS or code in _WORD_CODES

    # Planes 4 to 13 are unassigned; the last two are private.
    runs = {True: "", False: ""}
    for in_word, run in groupby(range(0x40000), is_word):
        codes = list(run)
        runs[in_word] += f"\\U{codes[0]:08x}-\\U{codes[-1]:08x}"
    word = runs[True] + "\U000e0100-\U000e01ef"
    one = f"(?-i:[{word}])"
    return {
        "word": word,
        "other": runs[False] + "\U00040000-\U000e00ff\U000e01f0-\U0010ffff",
        "edge": f"(?:(?<={one})(?!{one})|(?<!{one})(?={one}))",
        "inner": f"(?:(?<={one})(?={one})|(?<!{one})(?!{one}))",
    }


def matches(file: BinaryIO, regex: Regex) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first byte of the match and text of every matching line.

    The expression is run over many lines at once, for speed; it never matches
    across a newline, because no part of it matches one.
    """
    number = 1
    for block in _blocks(file):
        text = block.decode("utf-8", "surrogateescape")
        counted = 0
        for place in regex.matches(text):
            start = text.rfind("\n", 0, place) + 1
            end = text.find("\n", place)
            end = len(text) if end < 0 else end
            number += text.count("\n", counted, start)
            counted = start
            column = len(text[start:place].encode("utf-8", "surrogateescape")) + 1
            line = text[start : min(end, start + COLUMNS)].encode("utf-8", "surrogateescape")
            yield number, column, line
        number += text.count("\n", counted)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content in blocks of whole lines."""
    pieces: list[bytes] = []
    while block := file.read(BLOCK):
        cut = block.rfind(b"\n") + 1
        pieces.append(block[:cut])
        if cut:
            yield b"".join(pieces)
            pieces = []
        pieces.append(block[cut:])
    if rest := b"".join(pieces):
        yield rest


if __name__ == "__main__":
    main(sys.argv[1:])
