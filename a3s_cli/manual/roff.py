"""Blocks -> source for man(1): macros of man(7), in ASCII."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from .blocks import Block, Heading, Item, Paragraph, Sections, Verbatim
from .inline import Face, pieces

_FONTS: dict[Face, str] = {"literal": "B", "page": "B", "variable": "I"}
#: Characters that roff would change.
_ESCAPES = str.maketrans({"\\": r"\e", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"})
_WIDTH = 80
#: A hyphen that begins a word, as in an option.
_TYPED = re.compile(r"(?<!\w)-")


def page(title: str, section: int, date: str, source: str, content: Sections) -> str:
    """Return one page, dated by its release, so that equal code produces equal bytes."""
    lines = [
        r".\" Made by python -m a3s_cli.manual: change the code or its prose instead.",
        f'.TH {title.upper()} {section} {date} "{source}" "a3s manual"',
        ".nh",
        ".ad l",
    ]
    for name, blocks in content.items():
        lines += [f".SH {_heading(name)}", *_blocks(blocks, first=True)]
    return "\n".join(lines) + "\n"


def _blocks(blocks: Sequence[Block], *, first: bool) -> Iterator[str]:
    """Write blocks; directly under a heading or a term, a paragraph needs no macro."""
    for block in blocks:
        match block:
            case Paragraph(text):
                yield from [] if first else [".PP"]
                yield from _filled(text)
            case Verbatim(lines):
                yield from [] if first else [".PP"]
                yield from (".RS 4", ".EX", *map(_line, lines), ".EE", ".RE")
            case Heading(text):
                yield f".SS {_heading(text)}"
            case Item(term, body):
                yield from (".TP", _guarded(_marked(term)))
                yield from _body(body)
        first = isinstance(block, Heading)


def _body(body: Sequence[Block]) -> Iterator[str]:
    if not body:
        yield r"\&"
        return
    head = 1 if isinstance(body[0], Paragraph) else 0
    yield from _blocks(body[:head], first=True) if head else [r"\&"]
    if body[head:]:
        yield from (".RS", *_blocks(body[head:], first=isinstance(body[head], Item)), ".RE")


def _filled(text: str) -> Iterator[str]:
    # Break at spaces only: after a hyphen, the page would show a space.
    marked = _marked(text)
    for line in textwrap.wrap(marked, _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield _guarded(line)


def _marked(text: str) -> str:
    """Return a line with roff font changes; every marked piece ends in the plain font."""
    found = []
    for face, piece in pieces(text):
        font = _FONTS.get(face)
        escaped = _escaped(piece, literally=font is not None)
        found.append(rf"\f{font}{escaped}\fR" if font else escaped)
    return "".join(found)


def _line(text: str) -> str:
    return _guarded(_escaped(text, literally=True))


def _heading(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _guarded(line: str) -> str:
    """Keep roff from reading a line of text as a request."""
    return r"\&" + line if line.startswith(".") else line


def _escaped(text: str, *, literally: bool) -> str:
    """Escape what roff would change; a hyphen that a reader may type becomes a minus."""
    text = text.translate(_ESCAPES)
    text = text.replace("-", r"\-") if literally else _TYPED.sub(r"\-", text)
    return "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in text)
