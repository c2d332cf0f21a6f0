"""Blocks -> plain text, as man(1) would show it: for pipes and systems without man(1)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .blocks import Block, Heading, Item, Paragraph, Sections, Verbatim
from .inline import pieces

_STEP = 7
_SMALL = 3


def page(content: Sections, width: int) -> str:
    """Return one page, with lines of at most `width` columns where they can be broken."""
    lines: list[str] = []
    for name, blocks in content.items():
        lines += [name, *_blocks(blocks, _STEP, width), ""]
    return "\n".join(lines[:-1]) + "\n"


def _blocks(blocks: Sequence[Block], indent: int, width: int) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if number and not isinstance(blocks[number - 1], Heading):
            yield ""
        match block:
            case Paragraph(text):
                yield from _filled(text, indent, width)
            case Verbatim(lines):
                yield from (" " * (indent + 4) + line if line else "" for line in lines)
            case Heading(text):
                yield " " * _SMALL + text
            case Item(term, body):
                yield from _item(term, body, indent, width)


def _item(term: str, body: Sequence[Block], indent: int, width: int) -> Iterator[str]:
    """Yield a term and its explanation, on one line if the term is short enough."""
    lines = list(_blocks(body, indent + _STEP, width))
    head = " " * indent + _plain(term)
    if lines and len(head) < indent + _STEP:
        head += lines.pop(0)[len(head) :]
    yield head
    yield from lines


def _filled(text: str, indent: int, width: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        _plain(text),
        max(width, indent + 30),
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(text: str) -> str:
    return "".join(piece for _, piece in pieces(text))
