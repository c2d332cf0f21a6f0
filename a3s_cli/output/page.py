"""The page that `pretty` writes on: who owns the line under the cursor.

Text, reasoning and several tools write at the same time and in pieces that end
anywhere. A line belongs to one of them; when another one writes, the line is
ended first, and whoever comes back gets a new line with its label. Colour is
switched off at the end of each piece: a process that dies leaves no dim
terminal behind.
"""

from __future__ import annotations

from collections import deque

from .disarm import Disarmer, disarm
from .terminal import Neutraliser, Style, cells, fit, head

#: Lines of a tool's output that are shown as they come, and the last ones, shown at its end.
HEAD = 8
TAIL = 4
#: What is kept of one line that is not shown yet; no terminal is wider.
_KEPT = 1000

DIM = "2"


class TerminalPage:
    """Collects what the events of one read have to show."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._parts: list[str] = []
        self._owner: object = None
        self._section = ""
        #: How many newlines the page ends in, up to two: an empty page needs none.
        self._newlines = 2

    def take(self) -> str:
        """Give what was collected, and forget it."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def inside(self, section: str) -> bool:
        """Whether this section is being written."""
        return self._section == section

    def section(self, name: str) -> None:
        """Set off what belongs together by an empty line."""
        if self._section != name:
            self.end_line()
            self.write("\n" * (2 - self._newlines))
            self._section = name

    def write(self, text: str, sgr: str = "") -> None:
        """Show some text at the cursor."""
        if text:
            self._parts.append(self.style.paint(sgr, text) if sgr else text)
            body = text.rstrip("\n")
            trailing = len(text) - len(body)
            self._newlines = min(2, trailing if body else self._newlines + trailing)

    def line(self, text: str) -> None:
        """Show a line of its own."""
        self.end_line()
        self.write(text + "\n")

    def owns(self, owner: object) -> bool:
        """Whether the line under the cursor is this one's."""
        return self._owner is owner

    def begin(self, owner: object, label: str = "") -> None:
        """Give the line under the cursor to an owner; a new one shows the label."""
        if self._owner is not owner:
            self.end_line()
            self._owner = owner
            self.write(label, DIM)

    def end_line(self) -> None:
        """Finish the line under the cursor, if there is one."""
        owner, self._owner = self._owner, None
        if isinstance(owner, Prose):
            self.write(owner.rest())
        if not self._newlines:
            self.write("\n")


class Prose:
    """The assistant's text: unlabelled and uncut, the terminal wraps it."""

    def __init__(self, page: TerminalPage) -> None:
        self._page = page
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer()

    def feed(self, text: str) -> None:
        """Show the next piece; empty lines before the first word say nothing."""
        page = self._page
        text = self._neutraliser.feed(text)
        if not page.owns(self):
            text = text.lstrip("\n")
            if not text:
                return
            page.section("text")
            page.begin(self)
        page.write(self._disarmer.feed(text))

    def rest(self) -> str:
        """Give what waited for its next character; the next piece opens a line."""
        rest = self._disarmer.flush()
        self._disarmer = Disarmer()
        return rest


class ReasoningBlock:
    """What the model thinks: dim, each line behind a dotted rule, uncut."""

    LABEL = "┊ "

    def __init__(self, page: TerminalPage) -> None:
        self._page = page
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer(">")

    def feed(self, text: str) -> None:
        """Show the next piece."""
        page = self._page
        text = self._neutraliser.feed(text)
        if not page.inside("reasoning"):
            text = text.lstrip("\n")
            if not text:
                return
            page.section("reasoning")
        for position, piece in enumerate(text.split("\n")):
            if position:
                page.begin(self, self.LABEL.rstrip())
                page.end_line()
                self._disarmer = Disarmer(">")
            if piece:
                page.begin(self, self.LABEL)
                page.write(self._disarmer.feed(piece), DIM)


class Output:
    """What a tool prints: dim, labelled, each line cut to the width.

    The first lines are shown as they come. Of the rest only the last are kept
    and shown when the tool is done, with the number of those between.
    """

    def __init__(self, page: TerminalPage, label: str) -> None:
        self._page = page
        self._label = label
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer(">")
        self._begun = False  # something of the current line is shown
        self._used = 0  # columns of the current line that are
        self._cut = False
        self._shown = 0  # finished lines that were shown
        self._hidden = 0
        self._kept: deque[str] = deque(maxlen=TAIL)
        self._pending = ""  # the current line, where it is not shown
        self.empty = True

    def feed(self, text: str) -> None:
        """Show or count the next piece."""
        self.empty = self.empty and not text
        text = self._neutraliser.feed(text)
        while text and self._shown < HEAD:
            piece, newline, text = text.partition("\n")
            if piece:
                self._show(piece)
            if newline:
                self._finish_line()
        if text:
            self._hide(text)

    def finish(self) -> None:
        """Show what is left: the tool is done."""
        if self._begun:
            self._finish_line()
        if self._pending:
            self._kept.append(self._pending)
            self._hidden += 1
        if between := self._hidden - len(self._kept):
            lines = "line" if between == 1 else "lines"
            self._label_line(f"… {between} more {lines}")
        for line in self._kept:
            self._label_line(disarm(line))

    def _room(self) -> int:
        return self._page.style.width - cells(self._label)

    def _label_line(self, text: str) -> None:
        page = self._page
        page.end_line()
        page.write((self._label + fit(text, self._room())).rstrip(), DIM)
        page.write("\n")

    def _show(self, piece: str) -> None:
        page = self._page
        if self._cut:
            return
        piece = self._disarmer.feed(piece)
        shown, used = head(piece, self._room() - 1 - self._used)
        self._cut = len(shown) < len(piece)
        self._used += used
        page.begin(self, self._label)
        self._begun = True
        page.write(shown + "…" * self._cut, DIM)

    def _finish_line(self) -> None:
        page = self._page
        if not self._begun:
            page.begin(self, self._label.rstrip())
        if page.owns(self):
            page.end_line()
        self._shown += 1
        self._begun, self._used, self._cut = False, 0, False
        self._disarmer = Disarmer(">")

    def _hide(self, text: str) -> None:
        """Count lines and keep the last; a million lines cost no loop."""
        self._hidden += text.count("\n")
        *lines, pending = (self._pending + text).rsplit("\n", TAIL + 1)
        self._kept.extend(line[:_KEPT] for line in lines[-TAIL:])
        self._pending = pending[:_KEPT]
