"""A growing object, redrawn in place while it grows.

Only the last rows are drawn, because rows that have scrolled off a screen cannot
be erased. Before any other output, the drawing is erased.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from .disarm import Disarmer
from .terminal import Style, encode, fit, neutralise
from .wording import compact

#: The most rows of a drawing, and the rows that stay free on a small screen.
_MOST, _FREE = 24, 3


class Drawing:
    """The state of one object on the screen."""

    def __init__(self, write: Callable[[bytes], None], style: Style) -> None:
        self._write = write
        self._style = style
        #: Rows that it occupies now.
        self._rows = 0

    def show(self, document: str) -> None:
        """Draw the partial object of a delta over the previous one."""
        state = json.loads(document)
        if "object_partial" not in state:
            lines = [f"… {state.get('partial_bytes', 0)} bytes"]
        else:
            text = Disarmer().feed(neutralise(compact(state["object_partial"], indent=2)))
            lines = [fit(line, self._style.width) for line in text.split("\n")]
        room = min(_MOST, _height() - _FREE)
        if len(lines) > room:
            lines = ["…", *lines[1 - room :]]
        self._write(encode(self._erasing() + "\n".join(lines) + "\n"))
        self._rows = len(lines)

    @property
    def drawn(self) -> bool:
        """Whether it is on the screen."""
        return self._rows > 0

    def erase(self) -> None:
        """Remove the drawing from the screen."""
        if self._rows:
            self._write(encode(self._erasing()))
            self._rows = 0

    def _erasing(self) -> str:
        return f"\x1b[{self._rows}F\x1b[J" if self._rows else ""


def _height() -> int:
    try:
        return max(os.get_terminal_size(1).lines, _FREE + 2)
    except OSError:
        return _MOST
