"""Colours of code, line by line, by Pygments.

A lexer reads a whole text. It gets one line here, or all lines since a string or a
comment was opened that goes on: so a long block costs no more than its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

#: The longest line, and the most lines at once, that are given to a lexer.
_LONGEST, _MOST = 2000, 200
#: Renditions by the name of a token's kind; the longest prefix counts.
_FACES = {
    "Token.Comment": "2",
    "Token.Keyword": "35",
    "Token.Literal.String": "32",
    "Token.Literal.Number": "36",
    "Token.Name.Function": "34",
    "Token.Name.Class": "34",
    "Token.Name.Tag": "34",
    "Token.Name.Decorator": "33",
    "Token.Generic.Inserted": "32",
    "Token.Generic.Deleted": "31",
    "Token.Generic.Heading": "1",
}
_GOING_ON = ("Token.Literal.String", "Token.Comment")


class Highlighter:
    """Colours one block of code in the language of this name, if there is one."""

    def __init__(self, language: Sequence[str]) -> None:
        self._lexer = _lexer(language[0].lower()) if language else None
        self._before: list[str] = []

    def line(self, text: str) -> list[tuple[str, str]]:
        """Return the pieces of a line with their renditions; nothing without a lexer."""
        if self._lexer is None:
            return []
        if len(text) > _LONGEST or len(self._before) > _MOST:
            self._lexer = None
            return []
        lines = [*self._before, text]
        rows: list[list[tuple[str, str]]] = [[]]
        kind = ""
        for token, value in self._lexer.get_tokens("\n".join(lines) + "\n"):
            kind = str(token)
            for place, piece in enumerate(value.split("\n")):
                if place:
                    rows.append([])
                if piece:
                    rows[-1].append((piece, _face(kind)))
        self._before = lines if kind.startswith(_GOING_ON) else []
        return rows[len(lines) - 1]


def _face(kind: str) -> str:
    while kind:
        if kind in _FACES:
            return _FACES[kind]
        kind = kind.rpartition(".")[0]
    return ""


@cache
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_all_lexers, get_lexer_by_name

    # Only Pygments' own: for another name it would look for plug-ins.
    known = {alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
    if language not in known:
        return None
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
