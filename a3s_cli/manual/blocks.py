"""The blocks of a page, and the small language in which its prose is written.

It is close to Markdown, so that the sources are easy to read:

    # SECTION                ## Subsection
    a paragraph, with `what is typed` and _what it stands for_
        text as it is, indented by four
    term
    :   its explanation, continued by four spaces
    @name                    is replaced by the generated blocks of that name
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text whose lines are filled."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines that are not filled."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a subsection."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A term and its explanation."""

    term: str
    body: tuple[Block, ...]


Block = Paragraph | Verbatim | Heading | Item
#: Blocks by title (in capitals), in the order of the page.
Sections = dict[str, list[Block]]
#: Returns the blocks for an `@name`.
Expand = Callable[[str], Sequence[Block]]

_INDENT = "    "
_SECTION = re.compile(r"^# (.+)\n", re.M)


def sections(text: str, expand: Expand) -> Sections:
    """Parse the prose of a page."""
    _, *parts = _SECTION.split(text)
    return {
        title: blocks(body, expand) for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def blocks(text: str, expand: Expand) -> list[Block]:
    """Parse the blocks of a section or an item."""
    lines = [*text.rstrip("\n").split("\n"), ""]
    found: list[Block] = []
    while lines:
        line = lines.pop(0)
        if line.startswith("@"):
            found += expand(line[1:])
        elif line.startswith("## "):
            found.append(Heading(line[3:]))
        elif line.startswith(_INDENT):
            found.append(Verbatim(_indented(line, lines)))
        elif lines and lines[0].startswith(":   "):
            first = lines.pop(0)[1:].lstrip()
            body = "\n".join(_indented(_INDENT + first, lines))
            found.append(Item(line, tuple(blocks(body, expand))))
        elif line:
            words = [line]
            while lines and lines[0] and not lines[0].startswith(_INDENT):
                words.append(lines.pop(0))
            found.append(Paragraph(" ".join(words)))
    return found


def _indented(first: str, rest: list[str]) -> tuple[str, ...]:
    """Take the indented lines and the empty lines between them from `rest`."""
    taken = [first]
    while rest and (not rest[0] or rest[0].startswith(_INDENT)):
        taken.append(rest.pop(0))
    while taken and not taken[-1]:
        taken.pop()
    return tuple(line.removeprefix(_INDENT) for line in taken)
