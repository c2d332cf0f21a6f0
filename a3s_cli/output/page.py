"""The page that `pretty` writes on, and the owner of the line under the cursor.

Text, reasoning and several tools write at the same time, in pieces that end
anywhere. Each line belongs to one of them. When another one writes, the line is
ended first; an owner that returns starts a new line with its label. Colour is
reset at the end of each piece, so that a process that dies does not leave the
terminal dim.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

from .disarm import Disarmer, disarm
from .terminal import ColourFilter, Neutraliser, Style, cells, fit, head

if TYPE_CHECKING:
    from .flow import Flow
    from .markdown import Markdown

#: Lines of a tool's output that are shown at once, and last lines that are shown at its end.
HEAD = 8
TAIL = 4
#: Kept last lines: one more, because a note would take the place of a single line.
_LAST = TAIL + 1
#: Characters kept of a line that is not shown yet; no terminal is wider.
_KEPT = 1000

DIM = "2"


class TerminalPage:
    """Collects the output for the events of one read."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._parts: list[str] = []
        self._owner: object = None
        self._section = ""
        #: How many newlines the page ends with, up to two: an empty page needs no more.
        self._newlines = 2
        #: Columns of the line under the cursor.
        self._columns = 0

    def take(self) -> str:
        """Return the collected text and clear it."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def inside(self, section: str) -> bool:
        """Tell whether this section is being written."""
        return self._section == section

    def section(self, name: str) -> None:
        """Start a section, after an empty line, unless it is the current one."""
        if self._section != name:
            self.end_line()
            self.write("\n" * (2 - self._newlines))
            self._section = name

    def write(self, text: str, sgr: str = "") -> None:
        """Write text at the cursor."""
        if text:
            self._parts.append(self.style.paint(sgr, text) if sgr else text)
            body = text.rstrip("\n")
            trailing = len(text) - len(body)
            self._newlines = min(2, trailing if body else self._newlines + trailing)
            _, newline, line = text.rpartition("\n")
            self._columns = cells(line) + (0 if newline else self._columns)

    def line(self, text: str) -> None:
        """Write a separate line."""
        self.end_line()
        self.write(text + "\n")

    def owns(self, owner: object) -> bool:
        """Tell whether `owner` owns the line under the cursor."""
        return self._owner is owner

    def begin(self, owner: object, label: str = "") -> None:
        """Make `owner` the owner of the line under the cursor; a new line starts with `label`."""
        if self._owner is not owner:
            self.end_line()
            self._owner = owner
            self.write(label, DIM)

    def end_line(self) -> None:
        """End the line under the cursor, if there is one."""
        owner, self._owner = self._owner, None
        if isinstance(owner, (Prose, ReasoningBlock)):
            owner.interrupt()
        if not self._newlines:
            self.write("\n")

    @property
    def fresh(self) -> bool:
        """Whether something was written since the last `take`."""
        return bool(self._parts)

    @property
    def room(self) -> int:
        """The columns of the row behind the cursor; the whole width at the start of a line."""
        return self.style.width - (self._columns and (self._columns - 1) % self.style.width + 1)


class Prose:
    """The assistant's text, without a label and uncut.

    On a terminal it is Markdown at the terminal's width; elsewhere it stays as it is.
    """

    def __init__(self, page: TerminalPage) -> None:
        self._page = page
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer()
        self._markdown: Markdown | None = None

    def feed(self, text: str) -> None:
        """Show the next piece, without empty lines before the first word."""
        page = self._page
        text = self._neutraliser.feed(text)
        if not page.owns(self):
            text = text.lstrip("\n")
            if not text:
                return
            page.section("text")
            page.begin(self)
        if not page.style.laid_out:
            page.write(self._disarmer.feed(text))
            return
        if self._markdown is None:
            from .markdown import Markdown

            self._markdown = Markdown(page)
        self._markdown.feed(text)

    def interrupt(self) -> None:
        """Show what is still held; the next piece starts a new line."""
        self._page.write(self._disarmer.flush())
        self._disarmer = Disarmer()
        if self._markdown:
            self._markdown.finish()

    def finish(self) -> None:
        """Show what is still held, because the text is complete."""
        if self._page.owns(self):
            self.interrupt()
        self._markdown = None


class ReasoningBlock:
    """The model's reasoning: dim and uncut, each line behind a dotted rule."""

    LABEL = "┊ "

    def __init__(self, page: TerminalPage) -> None:
        self._page = page
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer(">")
        self._flow: Flow | None = None

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
                self.interrupt()
                page.end_line()
                self._disarmer = Disarmer(">")
            if piece:
                self._write(piece)

    def interrupt(self) -> None:
        """Show what is still held; the next piece starts a new line."""
        if self._flow:
            self._flow.end_row()

    def _write(self, piece: str) -> None:
        page = self._page
        if not page.style.laid_out:
            page.begin(self, self.LABEL)
            page.write(self._disarmer.feed(piece), DIM)
            return
        if self._flow is None:
            from .flow import Flow

            self._flow = Flow(page, self.LABEL, DIM)
        page.begin(self)
        self._flow.put(piece)


class Output:
    """A tool's output: dim, labelled, without its colours, each line cut to the width.

    The first lines are shown at once. Of the rest, only the last ones are kept;
    they are shown when the tool is done, after the number of omitted lines. A page
    with a live line shows complete lines: the live line has the one that grows.
    """

    def __init__(self, page: TerminalPage, label: str, *, uncut: bool = False) -> None:
        self._page = page
        self._label = label
        self._most = sys.maxsize if uncut else HEAD
        self._colours = ColourFilter()
        self._neutraliser = Neutraliser()
        self._disarmer = Disarmer(">")
        self._begun = False  # whether part of the current line is shown
        self._used = 0  # columns of that part
        self._cut = False
        self._shown = 0  # finished lines that were shown
        self._hidden = 0
        self._kept: deque[str] = deque(maxlen=_LAST)
        self._pending = ""  # the current line, if it is not shown
        self.empty = True
        #: The last line, for the live line.
        self.last = ""

    def feed(self, text: str) -> None:
        """Show or count the next piece."""
        self.empty = self.empty and not text
        text = self._neutraliser.feed(self._colours.feed(text))
        if self._page.style.moves:
            text, self._pending = self._complete(text)
        while text and self._shown < self._most:
            piece, newline, text = text.partition("\n")
            if piece:
                self._show(piece)
            if newline:
                self._finish_line()
        if text:
            self._hide(text)

    def _complete(self, text: str) -> tuple[str, str]:
        """Return the complete lines, and the one that grows."""
        whole, newline, rest = (self._pending + text).rpartition("\n")
        self.last = rest.strip() or whole[whole.rfind("\n") + 1 :].strip() or self.last
        self.last = self.last[:_KEPT]
        return whole + newline, rest

    def finish(self) -> bool:
        """Show the last lines when the tool is done; tell whether some were omitted."""
        held = self._neutraliser.feed(self._colours.flush())
        if self._shown < self._most and (self._pending or held):
            self._show(self._pending + held)
            self._pending = ""
        if self._begun:
            self._finish_line()
        if self._pending:
            self._kept.append(self._pending[:_KEPT])
            self._hidden += 1
        between = self._hidden - len(self._kept)
        if between:
            self._kept.popleft()
            self._label_line(f"… {between + 1} more lines")
        for line in self._kept:
            self._label_line(disarm(line))
        return bool(between)

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
        """Count the lines and keep the last ones, without a loop over a million lines."""
        self._hidden += text.count("\n")
        pending = "" if self._page.style.moves else self._pending
        *lines, rest = (pending + text).rsplit("\n", _LAST + 1)
        self._kept.extend(line[:_KEPT] for line in lines[-_LAST:])
        if not self._page.style.moves:
            self._pending = rest[:_KEPT]
