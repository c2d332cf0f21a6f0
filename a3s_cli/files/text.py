"""The text in a file, and its way back into the same bytes.

Nothing is guessed: text is UTF-8, or what a byte order mark says: UTF-16 or UTF-32. Bytes
that are neither are kept as they are; they are shown as U+FFFD, one for each byte,
and find their way back when a piece of text that was shown so is replaced.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from ..values import Value

#: What is shown for a byte that is not UTF-8.
REPLACED = "\ufffd"
# Compiled on use: most runs edit no such file.
_ESCAPED = "[\udc80-\udcff]"
_KEPT = "[\ufffd\udc80-\udcff]"
_NEWLINE = r"\r?\n"


class Form(Value):
    """How a file's text is written."""

    encoding: str = "utf-8"
    bom: bytes = b""

    @property
    def name(self) -> str:
        """The encoding, for people."""
        return self.encoding.upper().removesuffix("-LE").removesuffix("-BE")


#: UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    Form("utf-32-le", codecs.BOM_UTF32_LE),
    Form("utf-32-be", codecs.BOM_UTF32_BE),
    Form("utf-8", codecs.BOM_UTF8),
    Form("utf-16-le", codecs.BOM_UTF16_LE),
    Form("utf-16-be", codecs.BOM_UTF16_BE),
)


class NotText(ValueError):
    """The bytes are not text in the encoding that they claim; the message says which."""


def form_of(content: bytes) -> Form:
    """Say how text is written, by its first bytes."""
    return next((form for form in _MARKS if content.startswith(form.bom)), Form())


def decode(content: bytes, form: Form) -> str:
    """Return the text without its mark; raises `NotText` where its encoding is broken."""
    body = content[len(form.bom) :]
    if form.encoding == "utf-8":
        return body.decode("utf-8", "surrogateescape")
    try:
        return body.decode(form.encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        cut = error.end >= len(body)
        how = "ends in the middle of a character" if cut else "contains an invalid character"
        raise NotText(f"{form.name} that {how}") from None


def encode(text: str, form: Form) -> bytes:
    """Return the bytes of a text, its mark included."""
    errors = "surrogateescape" if form.encoding == "utf-8" else "surrogatepass"
    return form.bom + text.encode(form.encoding, errors)


def visible(text: str) -> str:
    """Return a text with U+FFFD for each byte that is no character."""
    return re.sub("[\ud800-\udfff]", REPLACED, text)


def line_end(text: str) -> str:
    """Return the line end of a text whose lines all end alike; empty where they do not."""
    crlf, newlines = text.count("\r\n"), text.count("\n")
    if not crlf:
        return "\n"
    return "\r\n" if crlf == newlines else ""


class Match(Value):
    """A place in a text, and what is there."""

    start: int
    text: str


def occurrences(text: str, wanted: str) -> Iterator[Match]:
    """Find a piece as it was shown: line ends count as one, and U+FFFD for what it stands for.

    Overlapping places count, because either may be meant. The work grows with the text and
    with the number of places, but not with their product.
    """
    crlf = "\r\n" in text
    if crlf:
        wanted = wanted.replace("\r\n", "\n")
    searched = re.sub(_ESCAPED, REPLACED, text) if REPLACED in wanted else text
    joined = crlf and "\n" in wanted
    if joined:
        searched = searched.replace("\r\n", "\n")
    starts, ends = _Places(text if joined else ""), _Places(text if joined else "")
    at = searched.find(wanted)
    while at >= 0:
        start = starts.original(at)
        yield Match(start, text[start : ends.original(at + len(wanted))])
        at = searched.find(wanted, at + 1)


class _Places:
    """Places in a text by those in the same text with plain newlines, asked for in order."""

    def __init__(self, text: str) -> None:
        self._ends = re.finditer("\r\n", text)
        self._next = next(self._ends, None)
        self._passed = 0

    def original(self, at: int) -> int:
        """Return the place in the text itself."""
        while self._next is not None and self._next.start() - self._passed < at:
            self._passed += 1
            self._next = next(self._ends, None)
        return at + self._passed


class Replacement:
    """What takes the place of pieces of a text, asked for in their order.

    A piece keeps its line ends, and the bytes for which it shows U+FFFD.
    """

    def __init__(self, text: str, new: str) -> None:
        self._text = text
        self._crlf = "\r\n" in text
        self._lines = new.replace("\r\n", "\n").split("\n") if self._crlf else [new]
        self._shown = new.count(REPLACED)
        if self._shown and not re.search(_ESCAPED, text):
            self._shown = 0
        self._newline = re.compile(_NEWLINE)
        #: The first line end behind the last piece; sought anew once a piece lies behind it.
        self._following: re.Match[str] | None = None

    def of(self, found: Match) -> str:
        """Return what takes the place of one piece.

        Raises `NotText` where it is not clear which byte a U+FFFD stands for.
        """
        new = self._lines[0]
        if len(self._lines) > 1:
            ends = self._newline.findall(found.text)
            last = ends[-1] if ends else self._end_after(found.start + len(found.text))
            new += "".join(
                (ends[at] if at < len(ends) else last) + line
                for at, line in enumerate(self._lines[1:])
            )
        if not self._shown:
            return new
        kept = re.findall(_KEPT, found.text)
        if self._shown != len(kept):
            raise NotText(
                f"new_string has {self._shown} U+FFFD where old_string has {len(kept)}: "
                "it is not clear which bytes are meant"
            )
        bytes_back = iter(kept)
        return re.sub(REPLACED, lambda _: next(bytes_back), new)

    def _end_after(self, place: int) -> str:
        if self._following is None or self._following.start() < place:
            self._following = self._newline.search(self._text, place)
        return self._following[0] if self._following else line_end(self._text) or "\n"
