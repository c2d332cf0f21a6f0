"""Markdown as it streams, line by line: headings, lists, quotes, code, tables.

The kind of a line is known after a few characters; from then on its words are shown
as they come. Code is shown line by line, a table when it is complete. What was
shown is never changed. A line end of the model is a line end on the page, as people
expect it of verses and addresses. Without colours the signs that would become a
rendition stay as they were written; words wrap all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..values import Value
from .flow import Flow
from .inline import BOLD, CODE, DIM, UNDERLINE, Inline

if TYPE_CHECKING:
    from .highlight import Highlighter
    from .page import TerminalPage

_QUOTE = "▎ "
_QUOTED = re.compile(r" {0,3}> ?")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*)*$")
_BULLET = re.compile(r"[-*+][ \t]+")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_NUMBER = re.compile(r"\d{1,9}[.)][ \t]+")
#: Beginnings of a line that may still become something else.
_UNDECIDED = re.compile(r"#{1,6}|[`~]{1,2}|[`~]{3}.*|\|.*|[-+*]|\d{1,9}[.)]?|>")
#: Columns of indentation that are kept.
_DEEPEST = 12
#: Quotations inside quotations, and columns of a list's mark, that are rendered.
_MOST_QUOTES, _WIDEST_MARK = 8, 12
#: Characters after which a line is words, though its kind is still open.
_LONGEST_HEAD = 4000
#: The most lines of a table; the rest is shown as it was written.
_LONGEST_TABLE = 2000


class _Line(Value):
    """What a line is: its kind, what precedes its first and its further rows, and the rest."""

    kind: str
    first: str
    rest: str
    text: str
    face: str = ""


class Markdown:
    """One text of the model on the page."""

    def __init__(self, page: TerminalPage) -> None:
        self._page = page
        self._styled = page.style.colour
        self._flow = Flow(page)
        self._inline = Inline(self._put)
        #: The line so far while its kind is open; None while its words are shown.
        self._head: str | None = ""
        #: The sign that closes the code, and what precedes each of its rows.
        self._fence: tuple[str, str] | None = None
        self._highlighter: Highlighter | None = None
        self._table: list[str] = []
        #: What precedes the rows of the open paragraph; None if the next line begins anew.
        self._paragraph: str | None = None
        #: Whether some of its last line is held.
        self._carried = False
        #: Whether an empty line was written that is shown before the next one.
        self._gap = False
        self._begun = False

    def feed(self, text: str) -> None:
        """Show the next piece, neutralised."""
        *lines, last = text.split("\n")
        for line in lines:
            self._grow(line)
            self._end_line()
        if last:
            self._grow(last)

    def finish(self) -> None:
        """Show all that is held: the text is complete, or something else is shown next."""
        if self._head is None or self._head:
            self._end_line()
        self._end_paragraph()
        self._close_table()

    # -- a line ------------------------------------------------------------------------

    def _grow(self, piece: str) -> None:
        if self._head is None:
            self._words(piece)
            return
        self._head += piece
        if self._fence or not self._head:
            return
        line = self._read(self._head[:_LONGEST_HEAD], ended=False)
        if len(self._head) > _LONGEST_HEAD:
            line = line and self._read(self._head, ended=False)
            line = line or _Line("words", "", "", self._head)
        if line is not None:
            self._close_table()
            self._begin(line)

    def _end_line(self) -> None:
        head, self._head = self._head, ""
        if head is None:
            self._end_words()
        elif self._fence:
            self._code(head)
        else:
            self._whole(head)

    def _whole(self, head: str) -> None:
        """Show a line whose kind was open until its end."""
        line = self._read(head, ended=True)
        assert line is not None
        if line.kind == "table" and len(self._table) < _LONGEST_TABLE:
            self._table.append(head)
            return
        self._close_table()
        if line.kind != "words":
            self._end_paragraph()
        if line.kind == "blank":
            self._gap = self._begun
            return
        if line.kind == "fence":
            self._open_fence(line)
        elif line.kind == "rule":
            self._fill_gap()
            width = min(self._page.style.width, 40) if self._styled else 0
            self._flow.open(line.first, line.rest)
            self._flow.verbatim([("─" * width if width else line.text, DIM)])
        else:
            self._begin(line)
            self._end_words()
        self._head = ""

    def _begin(self, line: _Line) -> None:
        self._head = None
        goes_on = line.text and not line.face and line.first == line.rest == self._paragraph
        if self._carried and goes_on:
            self._words(line.text)
            return
        self._end_paragraph()
        self._fill_gap()
        self._paragraph = None if line.face else line.rest
        self._flow.open(line.first, line.rest)
        self._inline.begin(line.face if self._styled else "")
        self._words(line.text)

    def _words(self, text: str) -> None:
        if self._styled:
            self._inline.feed(text)
        else:
            self._flow.put(text)

    def _put(self, text: str, sgr: str) -> None:
        for number, piece in enumerate(text.split("\n")):
            if number:
                self._flow.end_row()
            self._flow.put(piece, sgr)

    def _end_words(self) -> None:
        """End a line of words; what it has opened may be closed by the next one."""
        self._carried = self._paragraph is not None and self._inline.end_line()
        if not self._carried:
            self._end_paragraph()

    def _end_paragraph(self) -> None:
        self._inline.end()
        self._flow.end_row()
        self._carried, self._paragraph = False, None

    def _fill_gap(self) -> None:
        if self._gap:
            self._page.write("\n")
        self._gap, self._begun = False, True

    def _read(self, text: str, *, ended: bool) -> _Line | None:
        """Tell what a line is; None while that is open."""
        before, text = _quotes(text)
        body = text.lstrip(" \t")
        indent = " " * min(len(text[: len(text) - len(body)].expandtabs(4)), _DEEPEST)
        if not body:
            return _Line("blank" if not before else "words", before, before, "") if ended else None
        if not ended and (_UNDECIDED.fullmatch(body) or _RULE.match(body)):
            return None
        if ended and body[0] == "|":
            return _Line("table", before, before, body)
        if fence := _FENCE.match(body):
            return _Line("fence", before + indent, before + indent, body, fence[1] or fence[3])
        if (rule := _RULE.match(body)) and body.count(rule[1]) >= 3:
            return _Line("rule", before + indent, before + indent, body)
        return self._block(before + indent, body, ended=ended)

    def _block(self, before: str, body: str, *, ended: bool) -> _Line | None:
        if heading := _HEADING.match(body):
            face = f"{BOLD};{UNDERLINE}" if len(heading[1]) == 1 else BOLD
            text = body[heading.end() :] if self._styled else body
            return _Line("words", before, before, text, face)
        number = _NUMBER.match(body)
        item = number or _BULLET.match(body)
        if not item:
            return _Line("words", before, before, body)
        mark, text = item.group().expandtabs(4)[:_WIDEST_MARK], body[item.end() :]
        if not text and not ended:
            return None
        if self._styled and not number:
            mark = "• "
            if text[0:1] == "[" and len(text) < 4 and not ended:
                return None
            if task := _TASK.match(text):
                mark, text = ("☐ " if task[1] == " " else "☑ "), text[task.end() :]
        return _Line("words", before + mark, before + " " * len(mark), text)

    # -- code --------------------------------------------------------------------------

    def _open_fence(self, line: _Line) -> None:
        self._fill_gap()
        self._fence = (line.face, line.first + ("  " if self._styled else ""))
        if not self._styled:
            self._flow.open(line.first, line.rest)
            self._flow.verbatim([(line.text, "")])
            return
        from .highlight import Highlighter

        self._highlighter = Highlighter(line.text.lstrip("`~").strip().split(None, 1)[:1])

    def _code(self, line: str) -> None:
        assert self._fence
        sign, before = self._fence
        mark = _quotes(line)[1].strip()
        closed = len(mark) >= len(sign) and mark == sign[0] * len(mark)
        if closed:
            self._fence = None
            if self._styled:
                return
        self._flow.open(before, before)
        text = _indented(_quotes(line)[1] if before.startswith(_QUOTE) else line, before)
        if self._highlighter and not closed:
            self._flow.verbatim(self._highlighter.line(text) or [(text, CODE)])
        else:
            self._flow.verbatim([(text, "")])

    # -- a table -----------------------------------------------------------------------

    def _close_table(self) -> None:
        lines, self._table = self._table, []
        if not lines:
            return
        self._fill_gap()
        from .table import laid_out

        self._flow.open("", "")
        rows = laid_out(lines, self._page.style.width)
        for row in rows or ():
            self._flow.verbatim(row)
        if rows is None:  # it was none
            for line in lines:
                self._begin(_Line("words", "", "", line.strip()))
                self._end_words()
            self._end_paragraph()
            self._head = ""


def _quotes(text: str) -> tuple[str, str]:
    """Take the marks of quotations off a line; return what stands for them, and the rest."""
    before = ""
    at = 0
    while len(before) < _MOST_QUOTES * len(_QUOTE) and (mark := _QUOTED.match(text, at)):
        before, at = before + _QUOTE, mark.end()
    return before, text[at:]


def _indented(line: str, before: str) -> str:
    """Take off the indentation of the code's fence."""
    deep = len(before) - len(before.lstrip(" "))
    spaces = len(line) - len(line.lstrip(" "))
    return line[min(max(deep - 2, 0), spaces) :]
