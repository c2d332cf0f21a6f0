"""Parses the ACL language into a tree of attributes and blocks, each with its place.

    default_model = "openai/gpt-x"            # an attribute; `:` works like `=`
    providers "openai" {                      // a block, with any number of labels
      apiKey = env("OPENAI_API_KEY")          # a call: not evaluated here
      models "gpt-x" { limit = { context = 200000, output = 8192 } }
    }

The grammar is that of the language's Rust implementation, so that files written for
it load here. Its leniency is not copied: an unclosed block, an unclosed string and a
stray token are errors, which name the file, line, column and what was expected. They
name the *kind* of what was found, never its text, which may be a key.

A file may come from a hostile repository. Hence the limits, and regular expressions
that cannot backtrack (every repetition is possessive). The nodes are named tuples,
which are several times as fast to define and to create as frozen dataclasses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple, NoReturn

from ..errors import ConfigError

MAX_BYTES = 1024 * 1024
MAX_TOKEN = 256 * 1024
MAX_DEPTH = 64
#: Attributes, blocks and list elements together: half a second to parse at worst.
MAX_ITEMS = 50_000

_SPACE = re.compile(r"(?:\s++|(?:#|//)[^\r\n]*+)*+")
#: Between two items a comma counts as space.
_BETWEEN = re.compile(r"(?:[\s,]++|(?:#|//)[^\r\n]*+)*+")
_WORD = re.compile(r"[^\W\d]\w*+")
_NUMBER = re.compile(r"-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+")
_DOUBLE = re.compile(r'"((?:[^"\\\r\n]++|\\[^\r\n])*+)"')
_SINGLE = re.compile(r"'((?:[^'\\\r\n]++|\\'?)*+)'")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"))
#: What may directly follow a word or a number.
_BOUNDARY = re.compile(r"[\s,\]})#=]|//|$")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_LITERALS = {"true": True, "false": False, "null": None}


class AclCall(NamedTuple):
    """`name(argument, …)`; its meaning is up to the reader."""

    name: str
    arguments: list[AclValue]


class Body(NamedTuple):
    """The items between two braces or of a whole file, in their order."""

    items: tuple[Attribute | Block, ...]


Data = str | int | float | bool | None | list["AclValue"] | Body | AclCall


class AclValue(NamedTuple):
    """A value and where it begins. It may be a secret, so `repr` omits it."""

    data: Data
    line: int
    column: int

    def __repr__(self) -> str:
        return f"AclValue({self.kind}, {self.line}:{self.column})"

    @property
    def kind(self) -> str:
        """The kind of value, for error messages."""
        for types, kind in _KINDS:
            if isinstance(self.data, types):
                return kind
        return "null"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "a string"),
    (bool, "true or false"),
    ((int, float), "a number"),
    (list, "a list"),
    (Body, "an object"),
    (AclCall, "a call"),
)


class Attribute(NamedTuple):
    """`name = value`."""

    name: str
    value: AclValue
    line: int
    column: int


class Block(NamedTuple):
    """`name "label" { … }`."""

    name: str
    labels: tuple[str, ...]
    body: Body
    line: int
    column: int


def decode(data: bytes, name: str) -> str:
    """Return the text of a file, without a byte order mark. Raises ConfigError if not UTF-8."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}:1:1: expected at most 1 MiB, found more")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        data = error.object
        before = data[: error.start].decode()
        line, column = _Places(before).of(len(before))
        raise ConfigError(
            f"{name}:{line}:{column}: expected UTF-8 text, found the byte 0x{data[error.start]:02x}"
        ) from None


def parse(text: str, name: str = "config.acl") -> Body:
    """Parse a whole document; errors call it `name`. Raises ConfigError."""
    if len(text.encode("utf-8", errors="surrogatepass")) > MAX_BYTES:
        raise ConfigError(f"{name}:1:1: expected at most 1 MiB, found more")
    parser = _Parser(text.removeprefix("\ufeff"), name)
    return parser.body(opened_at=None, depth=0)


def quoted(text: str) -> str:
    """Return a string quoted, so that it is read back unchanged."""
    for letter, escaped in _ESCAPES:
        text = text.replace(letter, escaped)
    return f'"{text}"'


def offset(text: str, line: int, column: int) -> int:
    """Return the offset of a line and column in a text without a byte order mark."""
    return _Places(text).start(line) + column - 1


def end_of_string(text: str, start: int) -> int:
    """Return the offset after the quoted string that begins at an offset."""
    match = (_DOUBLE if text[start] == '"' else _SINGLE).match(text, start)
    assert match
    return match.end()


class _Places:
    """Converts between offsets and lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        return self._starts[line - 1]


class _Parser:
    """A recursive descent parser directly on the text; `at` is the current offset."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.at = 0
        self.count = 0
        self.place = _Places(text).of

    def body(self, *, opened_at: int | None, depth: int) -> Body:
        """Read items up to the closing brace, or to the end of the file."""
        items: list[Attribute | Block] = []
        close = "" if opened_at is None else "}"
        while not self._closes(close, opened_at):
            items.append(self.item(depth))
        return Body(tuple(items))

    def item(self, depth: int) -> Attribute | Block:
        start = self.at
        line, column = self.place(start)
        quoted = self._next() in ('"', "'")
        name = self.string() if quoted else self._word("a key" if depth == 0 else "a key or '}'")
        self._skip()
        if self._next() in ("=", ":"):
            self.at += 1
            self._skip()
            return Attribute(name, self.value(depth), line, column)
        if quoted:
            self._fail("'=' or ':' after a quoted key")
        labels = []
        while self._next() in ('"', "'"):
            labels.append(self.string())
            self._skip()
        if self._next() != "{":
            self._fail("'{' after a label" if labels else "'=', ':', a quoted label or '{'")
        return Block(name, tuple(labels), self._braces(depth), line, column)

    def value(self, depth: int) -> AclValue:
        start = self.at
        line, column = self.place(start)
        return AclValue(self._data(depth), line, column)

    def _data(self, depth: int) -> Data:
        head = self._next()
        if head in ('"', "'"):
            return self.string()
        if head == "{":
            return self._braces(depth)
        if head == "[":
            return self._sequence("]", depth)
        if head == "-" or "0" <= head <= "9":
            return self._number()
        word = self._word("a value")
        after = self.at
        self._skip()
        if self._next() == "(":
            return AclCall(word, self._sequence(")", depth))
        self.at = after
        if not _BOUNDARY.match(self.text, after):
            self._fail("a value in quotes", found="an unquoted word", at=after - len(word))
        return _LITERALS.get(word, word)

    def string(self) -> str:
        start = self.at
        match = (_DOUBLE if self.text[start] == '"' else _SINGLE).match(self.text, start)
        if match is None:
            self._fail("a closing quote on the same line", found="an unclosed string")
        self._check_size(match)
        raw = match[1]
        self.at = match.end()
        if "\\" not in raw:
            return raw
        if self.text[start] == "'":
            return raw.replace("\\'", "'")
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), raw)

    def _number(self) -> int | float:
        start = self.at
        match = _NUMBER.match(self.text, start)
        if match is None or not _BOUNDARY.match(self.text, match.end()):
            self._fail("a number, or a value in quotes", found="something that is neither")
        self._check_size(match)
        digits = match[0]
        self.at = match.end()
        if len(digits) <= 18 and digits.lstrip("-").isdecimal():
            return int(digits)
        number = float(digits)
        if abs(number) == float("inf"):
            self._fail("a number below 1.8e308", found="a larger one", at=start)
        return number

    def _word(self, expected: str) -> str:
        match = _WORD.match(self.text, self.at)
        if match is None:
            self._fail(expected)
        self._check_size(match)
        self.at = match.end()
        return match[0]

    def _braces(self, depth: int) -> Body:
        start = self._open(depth)
        return self.body(opened_at=start, depth=depth + 1)

    def _sequence(self, close: str, depth: int) -> list[AclValue]:
        """Read values up to `close`. Commas are optional, also at the end."""
        start = self._open(depth)
        values: list[AclValue] = []
        while not self._closes(close, start):
            values.append(self.value(depth + 1))
        return values

    def _open(self, depth: int) -> int:
        if depth >= MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} levels of nesting", found="one more")
        self.at += 1
        return self.at - 1

    def _closes(self, close: str, opened_at: int | None) -> bool:
        """Return whether a collection ends here, and skip its end."""
        self._skip(_BETWEEN)
        if self._next() == close:
            self.at += len(close)
            return True
        if self.at == len(self.text) and opened_at is not None:
            line, column = self.place(opened_at)
            self._fail(f"'{close}' for the '{self.text[opened_at]}' of {line}:{column}")
        self.count += 1
        if self.count > MAX_ITEMS:
            self._fail(f"at most {MAX_ITEMS} items", found="one more")
        return False

    def _next(self) -> str:
        """Return the next character; empty at the end."""
        return self.text[self.at : self.at + 1]

    def _skip(self, space: re.Pattern[str] = _SPACE) -> None:
        match = space.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _check_size(self, match: re.Match[str]) -> None:
        if match.end() - match.start() > MAX_TOKEN:
            self._fail("at most 256 KiB in one word or string", found="more", at=match.start())

    def _fail(self, expected: str, *, found: str | None = None, at: int | None = None) -> NoReturn:
        line, column = self.place(self.at if at is None else at)
        raise ConfigError(
            f"{self.name}:{line}:{column}: expected {expected}, found {found or self._found()}"
        )

    def _found(self) -> str:
        head = self._next()
        if not head:
            return "the end of the file"
        if head in ('"', "'"):
            return "a string"
        if _NUMBER.match(self.text, self.at):
            return "a number"
        if _WORD.match(head):
            return "a name"
        return f"'{head}'" if head.isprintable() else f"U+{ord(head):04X}"
