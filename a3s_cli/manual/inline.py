"""The marks within a line: `what is typed`, _what it stands for_, another-page(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Face = Literal["plain", "literal", "variable", "page"]

_MARK = re.compile(
    r"`(?P<literal>[^`]+)`"
    r"|(?<![\w/])_(?P<variable>[^_`\s](?:[^_`]*[^_`\s])?)_(?!\w)"
    r"|\b(?P<page>[a-z][\w.-]*(?=\([1-8]\)))"
)


def pieces(text: str) -> Iterator[tuple[Face, str]]:
    """Split a line into pieces of one face each."""
    at = 0
    for mark in _MARK.finditer(text):
        if mark.start() > at:
            yield "plain", text[at : mark.start()]
        face: Face = mark.lastgroup  # type: ignore[assignment]  # the groups are the faces
        yield face, mark[mark.lastgroup or 0]
        at = mark.end()
    if at < len(text):
        yield "plain", text[at:]
