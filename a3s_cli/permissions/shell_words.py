"""One word of a bash script: what it is after quoting is removed.

The parse tree says where expansions are; nothing else in it is believed. Every
other byte of a word is read here by bash's own quoting rules, and a byte that
could not stand there in bash (an operator, a blank, an expansion that the tree
does not know of) is a `Misread`: the grammar and bash disagree, and the script
cannot be judged. That is how the known and the unknown errors of a grammar
fail closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..values import Value

if TYPE_CHECKING:
    from tree_sitter import Node

#: Stands in a word's text for what is known only when the script runs. No
#: script can hold it: bash cannot be given a NUL.
UNKNOWN = "\0"

_BLANKS_AND_OPERATORS = frozenset(b" \t\n;&|<>()")
_GLOBS = frozenset(b"*?[")
#: After `$`, any of these begins an expansion.
_EXPANDS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789@*#?$!-{([")
_ANSI = {
    "a": 7, "b": 8, "e": 27, "E": 27, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11,
    "\\": 92, "'": 39, '"': 34, "?": 63,
}  # fmt: skip
_ANSI_ESCAPE = (
    rb"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})"
    rb"|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))"
)
EXPANSIONS = frozenset(
    {
        "simple_expansion",
        "expansion",
        "command_substitution",
        "process_substitution",
        "arithmetic_expansion",
    }
)


def names(text: str) -> frozenset[str]:
    """Write a set of words as one reads it."""
    return frozenset(text.split())


class Misread(Exception):
    """The bytes here are not what the parse tree takes them for."""


class Word(Value):
    """A word's text, `UNKNOWN` where it depends on the run.

    `splits` is true where it may become several words, or none.
    """

    text: str
    splits: bool = False

    @property
    def known(self) -> bool:
        """Whether it is exactly its text."""
        return not self.splits and UNKNOWN not in self.text


def begin(source: bytes, node: Node) -> int:
    """Where an expansion begins: its node may contain the blanks before it."""
    at = node.start_byte
    while source[at] in b" \t\n":
        at += 1
    return at


def expansions(source: bytes, *nodes: Node) -> dict[int, Node]:
    """Find the outermost expansions in these nodes, by where they begin."""
    found: dict[int, Node] = {}
    rest = list(nodes)
    while rest:
        node = rest.pop()
        if node.type in EXPANSIONS:
            found[begin(source, node)] = node
        elif node.child_count:
            rest.extend(node.children)
    return found


#: Judges an expansion, which is quoted or not; says whether it can become several words.
Expand = Callable[["Node", bool], bool]


class WordReader:
    """Reads one span of a script as one word.

    In the operand of `${x:-operand}` blanks and most operators are plain text; in a
    here-document so are quotes.
    """

    def __init__(
        self, source: bytes, span: tuple[int, int], holes: Mapping[int, Node], expand: Expand
    ) -> None:
        self._source = source
        self._at, self._end = span
        self._holes = holes
        self._expand = expand
        self._text = bytearray()
        self._splits = False
        #: True once `$"…"` was seen, whose text depends on the locale.
        self.translated = False

    def word(self) -> Word:
        """Read an argument, an assignment's value or a redirection's target."""
        if self._source.startswith(b"#", self._at):
            raise Misread("a comment")
        return self._unquoted(_BLANKS_AND_OPERATORS)

    def operand(self, quoted: bool) -> Word:
        """Read the operand of a parameter expansion, without its brace."""
        # `<(…)` runs here as well, and the tree may take it for text.
        return self._unquoted(frozenset(b"}<>()'") if quoted else frozenset(b"}<>()"))

    def document(self) -> Word:
        """Read the body of a here-document whose delimiter is not quoted."""
        self._double(closing=False)
        return self._result()

    def _result(self) -> Word:
        return Word(self._text.decode("utf-8", "surrogateescape"), self._splits)

    def _unquoted(self, forbidden: frozenset[int]) -> Word:
        source = self._source
        while self._at < self._end:
            byte = source[self._at]
            if self._hole(quoted=False):
                continue
            if byte in forbidden:
                raise Misread(f"an unquoted {chr(byte)!r}")
            self._at += 1
            if byte == 0x5C:
                self._escaped()
            elif byte == 0x27:
                self._single()
            elif byte == 0x22:
                self._double(closing=True)
            elif byte == 0x24:
                self._dollar()
            elif byte in _GLOBS:
                self._several()
            elif byte == 0x7B and self._braces():
                return self._result()
            else:
                self._plain(byte)
        return self._result()

    def _several(self) -> None:
        self._text += UNKNOWN.encode()
        self._splits = True

    def _plain(self, byte: int) -> None:
        if byte == 0x60:
            raise Misread("a backtick")
        self._text.append(byte)

    def _hole(self, quoted: bool) -> bool:
        node = self._holes.get(self._at)
        if node is None:
            return False
        if node.end_byte > self._end or node.end_byte <= self._at:
            raise Misread("an expansion that is longer than its word")
        self._at = node.end_byte
        self._text += UNKNOWN.encode()
        if self._expand(node, quoted):
            self._splits = True
        return True

    def _escaped(self) -> None:
        if self._at >= self._end:
            raise Misread("a backslash at the end")
        byte = self._source[self._at]
        self._at += 1
        if byte != 0x0A:
            self._text.append(byte)

    def _single(self) -> None:
        end = self._source.find(b"'", self._at, self._end)
        if end < 0:
            raise Misread("a quote that is not closed")
        self._text += self._source[self._at : end]
        self._at = end + 1

    def _double(self, *, closing: bool) -> None:
        source = self._source
        while self._at < self._end:
            if self._hole(quoted=True):
                continue
            byte = source[self._at]
            self._at += 1
            if byte == 0x22 and closing:
                return
            following = source[self._at] if self._at < self._end else 0
            if byte == 0x5C and following in (b'$`"\\\n' if closing else b"$`\\\n"):
                if not closing and following == 0x0A:
                    raise Misread("a continued line in a here-document")
                self._escaped()
            elif byte == 0x24 and following in _EXPANDS:
                raise Misread("an expansion that was not seen")
            else:
                self._plain(byte)
        if closing:
            raise Misread("a quote that is not closed")

    def _dollar(self) -> None:
        following = self._source[self._at] if self._at < self._end else 0
        if following in _EXPANDS:
            raise Misread("an expansion that was not seen")
        if following == 0x27:
            self._at += 1
            self._ansi()
        elif following == 0x22:
            self.translated = True
        else:
            self._text.append(0x24)

    def _ansi(self) -> None:
        """Read `$'…'`; as in bash, a NUL ends the quoted text."""
        text = bytearray()
        while self._at < self._end:
            byte = self._source[self._at]
            if byte == 0x27:
                self._at += 1
                self._text += text.partition(b"\0")[0]
                return
            if byte != 0x5C:
                text.append(byte)
                self._at += 1
                continue
            escape = re.compile(_ANSI_ESCAPE).match(self._source, self._at, self._end)
            if escape is None:
                raise Misread("an escape in $'…'")
            text += _ansi_bytes(escape)
            self._at = escape.end()
        raise Misread("a quote that is not closed")

    def _braces(self) -> bool:
        """After `{`: could this be a brace expansion? Then the rest is not known."""
        rest = self._source[self._at : self._end]
        if b"," not in rest and b".." not in rest:
            return False
        self._several()
        while self._at < self._end:
            if not self._hole(quoted=False):
                if (
                    self._source[self._at] in _BLANKS_AND_OPERATORS
                    or self._source[self._at] in b"`\\'\"$"
                ):
                    raise Misread("a brace expansion with quoting in it")
                self._at += 1
        head, unknown, _ = self._text.partition(UNKNOWN.encode())
        self._text = head + unknown
        return True


def _ansi_bytes(escape: re.Match[bytes]) -> bytes:
    letter, octal, hexadecimal, short, long = escape.groups()
    if letter is not None:
        return bytes([_ANSI[letter.decode()]])
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    point = int(short or long, 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise Misread("an escape in $'…'")
    return chr(point).encode()
