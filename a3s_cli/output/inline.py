"""Markdown inside a line, as it streams: emphasis, code, links.

What cannot be Markdown is shown at once. From a sign that may open something, the
text is held until it is closed, or until the paragraph ends or has gone on for a few
lines and the sign was a plain one. Whether something is emphasis or a link is decided
by markdown-it, which is loaded when the first such sign comes.

A link's target stands behind its words, because a person should see where it leads.
Entities are not decoded: they could hide what a terminal would obey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BOLD, DIM, ITALIC, UNDERLINE, STRIKE, CODE = "1", "2", "3", "4", "9", "36"
_RENDITIONS = {"strong": BOLD, "em": ITALIC, "s": STRIKE, "link": UNDERLINE}
#: Pieces of text with their renditions.
Runs = list[tuple[str, str]]

_SIGN = re.compile(r"[*_`\[\\~]|!(?=\[|\Z)")
#: Characters that are held for a sign to be closed; no emphasis is longer.
_LONGEST = 1000
#: Signs that are tried as the closing one.
_TRIED = 8
#: Line ends that what is held may cross.
_MOST_LINES = 3
#: Brackets inside brackets; a link has fewer.
_DEEPEST = 32
#: Work that a line may cost: so much at once, and so much for each of its characters. What
#: people write needs a quarter of it; the rest of a line that needs more is shown as it is.
_AT_ONCE, _EACH = 20_000, 64
#: What a character costs: parsed as Markdown, and searched for a sign.
_PARSED, _SEARCHED = 16, 1 / 16


@cache
def parser() -> MarkdownIt:
    """Return the parser of what stands inside a line, and of tables."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return made.disable(["entity", "html_inline", "autolink", "html_block", "newline"])


def runs(tokens: Iterable[Token]) -> Runs:
    """Return the text of parsed tokens with its renditions."""
    found: Runs = []
    faces: list[str] = []
    targets: list[str] = []
    for token in tokens:
        if token.nesting == 1:
            faces.append(_RENDITIONS.get(token.type.removesuffix("_open"), ""))
            targets.append(str(token.attrs.get("href", "")))
        elif token.nesting == -1:
            faces.pop()
            found += _target(targets.pop(), found)
        elif token.type == "image":
            found.append((token.content, UNDERLINE))
            found += _target(str(token.attrs.get("src", "")), found)
        else:
            here = [*faces, CODE] if token.type == "code_inline" else faces
            found.append((token.content, ";".join(filter(None, here))))
    return found


def _target(where: str, found: Runs) -> Runs:
    return [(f" ({where})", DIM)] if where and not (found and where == found[-1][0]) else []


class Inline:
    """The lines of a paragraph, given out in pieces as soon as they are certain."""

    def __init__(self, put: Callable[[str, str], None]) -> None:
        self._put = put
        self._held = ""
        self._before = ""
        self._face = ""
        #: The work that the line may still cost; the rest of it is plain below zero.
        self._room = 0.0
        #: The work of all lines, for measuring.
        self.work = 0.0
        #: How many closing signs of what is held have been tried.
        self._tried = 0

    def begin(self, face: str = "") -> None:
        """Begin a line; everything in it has this rendition."""
        self._held = self._before = ""
        self._face, self._tried, self._room = face, 0, _AT_ONCE

    def feed(self, text: str) -> None:
        """Take the next piece of the line."""
        # A piece may be a whole answer, and each sign looks at all that is held.
        for begin in range(0, len(text), _LONGEST):
            piece = text[begin : begin + _LONGEST]
            self._held += piece
            self._room += _EACH * len(piece) if self._room >= 0 else 0
            self._give(ended=False)

    def end(self) -> None:
        """Show the rest, because the paragraph has ended."""
        self._give(ended=True)

    def end_line(self) -> bool:
        """End a line; tell whether the rest is held, because the next one may close it."""
        self._held += "\n"
        self._give(ended=self._held.count("\n") > _MOST_LINES)
        return bool(self._held)

    def _give(self, *, ended: bool) -> None:
        while self._held:
            if self._room < 0:
                self._take(len(self._held))
                return
            sign = _SIGN.search(self._held)
            if sign is None or sign.start():
                self._take(sign.start() if sign else len(self._held))
                continue
            found = self._unit(self._held, ended or len(self._held) > _LONGEST)
            if found is None:
                return
            length, unit = found
            self._tried = 0
            if unit is None:
                self._take(length)
                continue
            for text, face in unit:
                self._show(text, face)
            self._before, self._held = self._held[length - 1], self._held[length:]

    def _take(self, length: int) -> None:
        """Show so much of what is held as it is."""
        text, self._held = self._held[:length], self._held[length:]
        self._before = text[-1]
        self._show(text, "")

    def _show(self, text: str, face: str) -> None:
        self._put(text, ";".join(filter(None, (self._face, face))))

    def _unit(self, held: str, ended: bool) -> tuple[int, Runs | None] | None:
        """Return the length and the runs of what the first sign opens.

        No runs: so many characters are plain text. None: more of the line is needed.
        """
        sign = held[0]
        self._spend(50 + len(held) * _SEARCHED)
        run = len(held) - len(held.lstrip(sign))
        if run == len(held) and not ended:
            return None
        if sign == "\\":
            escapes = len(held) > 1 and held[1] in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
            return (2, [(held[1], "")]) if escapes else (1, None)
        if sign == "`":
            return _code(held, run, ended)
        if sign in "[!":
            return self._link(held, ended)
        if not self._opens(held, run):
            return run, None
        return self._emphasis(held, run, ended)

    def _opens(self, held: str, run: int) -> bool:
        if held[0] == "~" and run != 2:
            return False
        after, before = held[run : run + 1] or " ", self._before or " "
        if after.isspace() or (held[0] == "_" and before.isalnum()):
            return False
        return after.isalnum() or not before.isalnum()

    def _emphasis(self, held: str, run: int, ended: bool) -> tuple[int, Runs | None] | None:
        sign = re.escape(held[0])
        least = 2 if run == 2 else 1
        closings = re.finditer(rf"(?<=[^\s{sign}]){sign}{{{least},}}", held[run:])
        for number, closing in enumerate(closings):
            end = run + closing.end()
            if end == len(held) and not ended:
                return None
            if number < self._tried:
                continue
            if number >= _TRIED:
                return run, None
            self._tried = number + 1
            if held[0] == "_" and run == 2 and held[run : end - 2].isidentifier():
                return end, None  # a name of Python's, such as __init__
            self._spend(50 + end * _PARSED)
            if unit := _parsed(held[:end], self._before, held[end : end + 1]):
                return end, unit
        return (run, None) if ended else None

    def _link(self, held: str, ended: bool) -> tuple[int, Runs | None] | None:
        begin = 1 if held[0] == "!" else 0
        if held[begin : begin + 1] != "[":
            return 1, None
        words, steps = _closing(held, begin, "[", "]")
        self._spend(steps)
        if words is not None and words + 1 < len(held) and held[words + 1] != "(":
            return begin + 1, None
        end = None
        if words is not None:
            end, steps = _closing(held, words + 1, "(", ")")
            self._spend(steps)
        if words is None or end is None:
            return (begin + 1, None) if ended else None
        self._spend(50 + end * _PARSED)
        unit = _parsed(held[: end + 1], "", "")
        return (end + 1, unit) if unit else (begin + 1, None)

    def _spend(self, work: float) -> None:
        self._room -= work
        self.work += work


def _code(held: str, run: int, ended: bool) -> tuple[int, Runs | None] | None:
    closing = re.compile(rf"(?<!`)`{{{run}}}(?!`)").search(held, run)
    if closing is None or (closing.end() == len(held) and not ended):
        return (run, None) if ended else None
    text = held[run : closing.start()]
    if text[0] == text[-1] == " " and text.strip():
        text = text[1:-1]
    return closing.end(), [(text, CODE)]


_BRACKETS = {
    "[": re.compile(r"\\.|[\[\]]", re.DOTALL),
    "(": re.compile(r"\\.|[()]", re.DOTALL),
}


def _closing(text: str, begin: int, opening: str, closing: str) -> tuple[int | None, int]:
    """Return where the bracket at `begin` is closed, and the number of signs looked at."""
    depth = steps = 0
    for found in _BRACKETS[opening].finditer(text, begin):
        steps += 1
        if found[0] == opening:
            depth += 1
        elif found[0] == closing:
            depth -= 1
            if not depth:
                return found.start(), steps
        if depth > _DEEPEST:
            break
    return None, steps


def _parsed(text: str, before: str, after: str) -> Runs:
    """Return the runs of a text that is one element as a whole; nothing where it is not."""
    lead, trail = _like(before), _like(after)
    tokens: list[Any] = parser().parseInline(lead + text + trail)[0].children or []
    if lead and tokens and tokens[0].type == "text" and tokens[0].content == lead:
        tokens = tokens[1:]
    if trail and tokens and tokens[-1].type == "text" and tokens[-1].content == trail:
        tokens = tokens[:-1]
    tokens = [one for one in tokens if one.content or one.nesting]
    if len(tokens) == 1 and tokens[0].type == "image":
        return runs(tokens)
    depth = 0
    for place, token in enumerate(tokens):
        depth += token.nesting
        if not depth and place + 1 < len(tokens):
            return []
    if len(tokens) < 2 or depth:
        return []
    return runs(tokens)


def _like(character: str) -> str:
    """Return a neighbour that means the same for emphasis and opens nothing itself."""
    if not character or character.isspace():
        return ""
    return "x" if character.isalnum() else "."
