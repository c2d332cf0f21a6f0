"""The ACL language: text in, a tree of attributes and blocks out, each with its place.

    default_model = "openai/gpt-x"            # an attribute; `:` does as well as `=`
    providers "openai" {                      // a block, with any number of labels
      apiKey = env("OPENAI_API_KEY")          # a call: kept as it is, never evaluated here
      models "gpt-x" { limit = { context = 200000, output = 8192 } }
    }

The grammar is that of the Rust implementation of the language, so that a file
written for it loads here. Its leniency is not copied: an unclosed block or
string and a stray token are mistakes of the person who wrote them, and each is
an error that names file, line, column and what was expected. A message names
the *kind* of what was found and never its text, because the text may be a key.

A file may come out of a hostile repository, hence the limits, and hence regular
expressions that cannot backtrack (every repetition in them is possessive). The
nodes are named tuples because those are defined, and made, several times as
fast as frozen dataclasses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple, NoReturn

from ..errors import ConfigError

MAX_BYTES = 1024 * 1024
MAX_TOKEN = 256 * 1024
MAX_DEPTH = 64
#: Attributes, blocks and elements of lists, all together: half a second's work at worst.
MAX_ITEMS = 50_000

_SPACE = re.compile(r"(?:\s++|(?:#|//)[^\r\n]*+)*+")
#: Between two items commas are as good as space.
_BETWEEN = re.compile(r"(?:[\s,]++|(?:#|//)[^\r\n]*+)*+")
_WORD = re.compile(r"[^\W\d]\w*+")
_NUMBER = re.compile(r"-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+")
_DOUBLE = re.compile(r'"((?:[^"\\\r\n]++|\\[^\r\n])*+)"')
_SINGLE = re.compile(r"'((?:[^'\\\r\n]++|\\'?)*+)'")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"))
#: What may stand directly behind a word or a number.
_BOUNDARY = re.compile(r"[\s,\]})#=]|//|$")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_LITERALS = {"true": True, "false": False, "null": None}


class AclCall(NamedTuple):
    """`name(argument, …)`, which means what its reader says it means."""

    name: str
    arguments: list[AclValue]


class Body(NamedTuple):
    """What stands between two braces, or in a whole file, in the order of the text."""

    items: tuple[Attribute | Block, ...]


Data = str | int | float | bool | None | list["AclValue"] | Body | AclCall


class AclValue(NamedTuple):
    """A value and where it begins. It may be a secret, so its text is in no `repr`."""

    data: Data
    line: int
    column: int

    def __repr__(self) -> str:
        return f"AclValue({self.kind}, {self.line}:{self.column})"

    @property
    def kind(self) -> str:
        """What this is, in the words of an error message."""
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
    """Give the text of a file; a byte order mark is dropped, other encodings are refused."""
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
    """Parse a whole document; `name` is what errors call it."""
    if len(text.encode("utf-8", errors="surrogatepass")) > MAX_BYTES:
        raise ConfigError(f"{name}:1:1: expected at most 1 MiB, found more")
    parser = _Parser(text.removeprefix("\ufeff"), name)
    return parser.body(opened_at=None, depth=0)


def quoted(text: str) -> str:
    """Write a string so that it is read as it is."""
    for letter, escaped in _ESCAPES:
        text = text.replace(letter, escaped)
    return f'"{text}"'


def offset(text: str, line: int, column: int) -> int:
    """Give the offset of a place, as it is told of a text without a byte order mark."""
    return _Places(text).start(line) + column - 1


class _Places:
    """Offsets into a text as lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        return self._starts[line - 1]


class _Parser:
    """Recursive descent, straight over the text; `at` is the offset of what comes next."""

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
        """Read values up to `close`; commas are optional, one at the end is welcome."""
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
        """Say whether a collection ends here, and step over its end."""
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
        """Give the next character, or nothing at the end."""
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
