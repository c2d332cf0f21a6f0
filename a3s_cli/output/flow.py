"""Lays words out at the width of a terminal, without ever taking one back.

Text arrives in pieces that end anywhere, and what was written cannot be moved to
the next row. A word is therefore held until it is known to fit, but only near the
right margin: with `ROOM` columns left it begins where it stands. How the text was cut
never changes the layout. A word that is longer than a row is left to the terminal,
which wraps it and still copies it as one word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .disarm import Disarmer
from .terminal import JOINERS, cell, cells

if TYPE_CHECKING:
    from .page import TerminalPage

#: A word begins at once if this many columns, or half of the row, are left.
ROOM = 20
_JOINER = "\u200d"
#: Signs that end what is before them and never begin a row.
_CLOSING = frozenset("、。，．！？：；）」』】〉》〕…～ー")


class Flow:
    """One stream of words on a page; `label` precedes each of its rows."""

    def __init__(self, page: TerminalPage, label: str = "", sgr: str = "") -> None:
        self._page = page
        self._label = label
        #: The rendition of everything, and of the label.
        self._sgr = sgr
        self._disarmer = Disarmer()
        self._first = self._rest = ""
        #: Columns used of the row; None before it is begun.
        self._column: int | None = None
        self._spaces = ""
        #: The word that is not placed yet: its pieces with their renditions.
        self._word: list[tuple[str, str]] = []
        self._columns = 0
        #: Whether the last word has begun on the row, so that its next piece follows at once.
        self._begun = False
        self._wide = False
        self._last = ""

    def open(self, first: str, rest: str) -> None:
        """Begin a paragraph: what precedes its first row, and the rows after it."""
        self._first, self._rest = first, rest

    def put(self, text: str, sgr: str = "") -> None:
        """Add text without newlines."""
        for piece in _pieces(text):
            if piece[0] in " \t":
                self.place()
                self._spaces += piece.expandtabs(4)
                self._last = " "
            else:
                self._add(piece, sgr)

    def place(self) -> None:
        """Place the word that is held."""
        if self._word:
            self._begin_word()
        self._begun, self._wide = False, False

    def verbatim(self, pieces: list[tuple[str, str]]) -> None:
        """Write a row that is not wrapped."""
        self._start_row()
        for text, sgr in pieces:
            self._write(text, sgr)
        self.end_row()

    def end_row(self) -> None:
        """Place what is held and end the row, if it is begun."""
        self.place()
        self._spaces, self._last = "", ""
        if self._column is not None:
            self._page.write(self._disarmer.flush(), self._sgr)
            self._write("\n")
            self._column = None

    # -- words ---------------------------------------------------------------------

    def _add(self, piece: str, sgr: str) -> None:
        wide = not piece.isascii() and self._starts_alone(piece)
        follows = self._wide and not wide and not self._joined(piece)
        if wide or follows:
            self.place()
        self._wide = self._wide or wide
        self._last = piece[-1]
        if self._begun:
            self._write(piece, sgr)
            return
        self._word.append((piece, sgr))
        self._columns += cells(piece)
        if not self._wide and (self._has_room() or self._columns > self._left()):
            self._begin_word()

    def _starts_alone(self, piece: str) -> bool:
        return cell(piece[0]) == 2 and not self._joined(piece)

    def _joined(self, piece: str) -> bool:
        """Tell whether a sign belongs to the one before it."""
        first = piece[0]
        if first.isascii() or not self._last or self._last == " ":
            return False
        return self._last == _JOINER or first in JOINERS or first in _CLOSING or not cell(first)

    def _has_room(self) -> bool:
        width = self._page.style.width
        return self._left() >= min(ROOM, width // 2)

    def _left(self) -> int:
        used = cells(self._label + self._first) if self._column is None else self._column
        return self._page.style.width - used - len(self._spaces)

    def _begin_word(self) -> None:
        """Write the word that is held, on this row or the next."""
        if self._column is not None and not self._has_room() and self._columns > self._left():
            self._write("\n")
            self._column, self._spaces = None, ""
        self._start_row()
        if self._spaces:
            self._write(self._spaces)
        word, self._word = self._word, []
        for piece, sgr in word:
            self._write(piece, sgr)
        self._spaces, self._columns, self._begun = "", 0, True

    def _start_row(self) -> None:
        if self._column is None:
            before, self._first = self._first, self._rest
            self._column = 0
            self._write(self._label + before)

    def _write(self, text: str, sgr: str = "") -> None:
        shown = self._disarmer.feed(text)
        both = ";".join(filter(None, (self._sgr, sgr)))
        self._page.write(shown, both if shown.strip() else "")
        if self._column is not None and text != "\n":
            width, used = self._page.style.width, self._column + cells(text)
            self._column = used if used <= width else (used - 1) % width + 1


def _pieces(text: str) -> Iterator[str]:
    """Yield runs of spaces, words, and wide signs one by one."""
    begin = 0
    kind = ""
    for position, character in enumerate(text):
        if character in " \t":
            new = " "
        elif character.isascii() or cell(character) == 1:
            new = "x"
        else:
            new = ""
        if position and (new != kind or not new):
            yield text[begin:position]
            begin = position
        kind = new
    if text:
        yield text[begin:]
