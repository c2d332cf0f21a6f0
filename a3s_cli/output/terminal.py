"""What may reach a terminal, and how it looks there.

The text of a model and the output of a tool are data, but a terminal would
interpret some of it: escape sequences that rewrite the screen, the clipboard or
the title, bidirectional controls that make `rm` read like `ls`, zero-width
characters that hide text. None is dropped, because a person should see that it
was there; each is shown as its escape, as in a Python string literal.

Each character is handled on its own, without state, so a sequence that was cut
between two deltas is as harmless as a whole one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..values import Value

#: Unicode's default-ignorable characters, except the joiners and the emoji
#: selectors, which Persian, the scripts of India and emoji need.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_HOSTILE = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
#: In a command or a path, a joiner is not spelling but a disguise.
_HOSTILE_IN_LINE = re.compile(f"[{_CONTROLS}{_INVISIBLE}{JOINERS}]")
_COLOUR = re.compile(r"\x1b\[[\d;:]*[mK]")
_UNFINISHED = re.compile(r"\x1b(?:\[[\d;:]{0,40})?\Z")

RESET = "\x1b[0m"
DEFAULT_WIDTH = 80


class Style(Value):
    """How to write for a person: colour, width, and whether it is a terminal."""

    colour: bool = False
    terminal: bool = False
    #: Whether text is laid out for the width: words wrap, Markdown is rendered.
    laid_out: bool = False
    #: Whether the terminal obeys a cursor movement, so that a line can be redrawn.
    moves: bool = False
    fixed_width: int = DEFAULT_WIDTH
    #: The terminal's descriptor, queried at each use because windows are resized.
    descriptor: int | None = None

    @classmethod
    def detect(
        cls,
        environment: Mapping[str, str],
        isatty: bool,
        width: int = DEFAULT_WIDTH,
        descriptor: int = 1,
        *,
        plain: bool = False,
    ) -> Style:
        """Choose a style by NO_COLOR, then FORCE_COLOR, then the terminal and TERM.

        An empty variable counts as unset; `FORCE_COLOR=0` (or `false`) forces
        colour off, as it does in the tools that know the variable best. A `plain`
        style has no colour, no layout and no line that is redrawn.
        """
        able = isatty and environment.get("TERM", "") not in ("", "dumb")
        if environment.get("NO_COLOR"):
            colour = False
        elif force := environment.get("FORCE_COLOR"):
            colour = force not in ("0", "false")
        else:
            colour = able
        return cls(
            colour=colour and not plain,
            terminal=isatty,
            laid_out=isatty and not plain,
            moves=able and not plain,
            fixed_width=width,
            descriptor=descriptor if isatty else None,
        )

    @property
    def width(self) -> int:
        """The columns of a line, never fewer than a label and a few words need."""
        columns = 0
        if self.descriptor is not None:
            try:
                columns = os.get_terminal_size(self.descriptor).columns
            except OSError:  # the terminal is gone; the next write reports it
                columns = 0
        return max(columns or self.fixed_width, 20)

    def paint(self, sgr: str, text: str) -> str:
        """Return the text in a rendition such as `2` (dim) or `1;31` (bold red), then reset."""
        return f"\x1b[{sgr}m{text}{RESET}" if self.colour and text else text


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return "\\r" if code == 0x0D else f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def neutralise(text: str) -> str:
    """Escape every character that a terminal would interpret or hide, except newline and tab."""
    return _HOSTILE.sub(_escape, text)


def hidden(character: str) -> bool:
    """Tell whether a terminal interprets a character or shows nothing for it."""
    return bool(_HOSTILE_IN_LINE.match(character))


def single_line(text: str) -> str:
    """Neutralise text for one line: a command, a path, a message."""
    text = text.replace("\r\n", "\n").replace("\n", "⏎").replace("\t", " ")
    return _HOSTILE_IN_LINE.sub(_escape, text)


class Neutraliser:
    """`neutralise` for a stream, in which a carriage return ends a line.

    A progress bar redraws its line with carriage returns; here each state gets
    its own line, so that nothing is overwritten. `\\r\\n` is one line end, even
    if it is split between two pieces.
    """

    __slots__ = ("_after_return",)

    def __init__(self) -> None:
        self._after_return = False

    def feed(self, text: str) -> str:
        """Neutralise the next piece of the stream."""
        if self._after_return and text:
            self._after_return = False
            text = text.removeprefix("\n")
        if "\r" in text:
            self._after_return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return neutralise(text)


class ColourFilter:
    """Drops the colours of a stream that arrives in arbitrary pieces.

    A program colours its output by sequences that set a rendition (`m`) or clear the
    rest of a line (`K`). They carry no words; all other sequences are left, to be shown.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the next piece without colours; an unfinished sequence is held."""
        if self._held:
            text, self._held = self._held + text, ""
        if "\x1b" not in text:
            return text
        if unfinished := _UNFINISHED.search(text):
            text, self._held = text[: unfinished.start()], unfinished.group()
        return _COLOUR.sub("", text)

    def flush(self) -> str:
        """Return what is still held at the stream's end."""
        held, self._held = self._held, ""
        return held


def encode(text: str) -> bytes:
    """Encode any string as UTF-8; a lone surrogate becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def cells(text: str) -> int:
    """Return the columns of neutralised text; a tab counts as eight."""
    if text.isascii():
        return len(text) + 7 * text.count("\t")
    return sum(map(cell, text))


def cell(character: str) -> int:
    """Return the columns of one neutralised character."""
    if character < "\u0300" or "\u2010" <= character <= "\u205e":
        return 8 if character == "\t" else 1  # needs no tables, like most text
    from wcwidth import wcwidth

    # An emoji selector widens the sign before it.
    return 1 if character == "\ufe0f" else max(wcwidth(character), 0)


def fit(text: str, width: int) -> str:
    """Cut one line to at most `width` columns; an ellipsis marks the cut."""
    if cells(text) <= width:
        return text
    return head(text, width - 1)[0] + "…"


def head(text: str, width: int) -> tuple[str, int]:
    """Return the longest prefix of a line that fits into `width` columns, and its width."""
    used = 0
    for position, character in enumerate(text):
        columns = cell(character)
        if used + columns > width:
            return text[:position], used
        used += columns
    return text, used
