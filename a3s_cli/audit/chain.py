"""Verifies that a recording was not changed.

The `prev` of each line vouches for the line before it, and the head, kept elsewhere,
vouches for the last line. Without the head, an intact chain only rules out accidents:
with write access to the file, its digests can be rewritten, too. With the head, no line can be
edited, cut, moved or inserted unnoticed.
"""

from __future__ import annotations

from ..stream.reader import Line, Problem
from ..stream.recorder import NOTHING, digest


class Chain:
    """Follows the digests of one recording, line by line."""

    def __init__(self) -> None:
        self._number = 0
        #: Whether this is a recording: some line has a `prev`.
        self.recorded = False
        #: The digest of the last line: the head, if the recording is complete.
        self.head = NOTHING

    def take(self, line: Line) -> list[Problem]:
        """Check the next line against the one before."""
        self._number, before, self.head = line.number, self.head, digest(line.data)
        prev = line.value.get("prev") if line.value is not None else None
        self.recorded = self.recorded or prev is not None
        if not self.recorded or line.value is None or prev == before:
            return []
        if prev is None:
            return [Problem(line.number, "prev", "is missing: this line was not recorded")]
        if line.number == 1:
            return [Problem(1, "prev", "this was not the first line: the lines before it were cut")]
        # It is the line before that was changed: this one holds the digest of another.
        return [
            Problem(
                line.number - 1,
                "prev",
                f"line {line.number} was recorded after another line: this one was edited, moved "
                "or inserted, or lines between the two were cut or moved",
            )
        ]

    def finish(self, head: str | None) -> list[Problem]:
        """Check the end of the chain against the head that was kept elsewhere."""
        if not self.recorded:
            return [Problem(1, "prev", "not a recording: a3s run --record FILE makes one")]
        if head is not None and self.head != head:
            told = (
                f"its sha256 is {self.head}, the head is {head}: this line was edited or inserted, "
                "or the lines after it were cut, or the whole file was rewritten"
            )
            return [Problem(self._number, "prev", told)]
        return []
