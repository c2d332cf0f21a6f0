"""What a journal says of the items: the state of each, and how often it was tried.

An item's result is its first `item_end` after the last `item_void`. An attempt that was
started and has neither a result nor an `item_try` was interrupted: by a crash, or by the
user.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

from ..errors import UsageError
from .items import Items

#: The states of an item: not tried, interrupted, temporarily failed, running or waiting for
#: another attempt, and the two ends.
FRESH, INTERRUPTED, PENDING, ACTIVE, SUCCEEDED, FAILED = range(6)


class History:
    """The states of all items, by their places."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._states = bytearray(len(items))
        self._attempts = array("I", bytes(array("I").itemsize * len(items)))
        #: How many items are in each state.
        self.counts = [len(items), 0, 0, 0, 0, 0]
        #: The codes of failed and pending items.
        self.codes: dict[int, str] = {}
        self.batch_id = ""

    def read(self, lines: Iterable[tuple[int, dict[str, Any]]]) -> None:
        """Read a journal. Raises UsageError for an item that was changed since."""
        for _, line in lines:
            kind = line.get("type")
            if kind == "batch_open":
                self.batch_id = self.batch_id or line["batchId"]
            if "item" not in line or (place := self._items.find(line["item"])) is None:
                continue
            if not self._items.same(place, line["sha256"]):
                raise UsageError(
                    f"the item {line['item']!r} was changed since the batch began",
                    hint="give a changed item another id, or begin again in another directory",
                )
            self._take(place, kind, line)

    def _take(self, place: int, kind: object, line: dict[str, Any]) -> None:
        over = self._states[place] in (SUCCEEDED, FAILED)
        if kind == "item_void":
            self.set(place, FRESH)
        elif over:
            return
        elif kind == "item_start":
            self._attempts[place] = line["attempt"]
            self.set(place, INTERRUPTED)
        elif kind == "item_try":
            self.set(place, PENDING, line["code"])
        elif kind == "item_end":
            code = line.get("code")
            self.set(place, SUCCEEDED if line["exitCode"] == 0 else FAILED, code)

    def state(self, place: int) -> int:
        """Return the state of an item."""
        return self._states[place]

    def is_done(self, place: int) -> bool:
        """Return whether an item has a result."""
        return self._states[place] in (SUCCEEDED, FAILED)

    def set(self, place: int, state: int, code: str | None = None) -> None:
        """Set the state of an item, with the code of a failure."""
        self.counts[self._states[place]] -= 1
        self.counts[state] += 1
        self._states[place] = state
        if code is None:
            self.codes.pop(place, None)
        else:
            self.codes[place] = code

    def attempt(self, place: int) -> int:
        """Count another attempt and return its number, from 1."""
        self._attempts[place] += 1
        return self._attempts[place]

    def attempts(self, place: int) -> int:
        """Return how many attempts were begun."""
        return self._attempts[place]

    def places(self, state: int) -> list[int]:
        """Return the items in a state."""
        return [place for place, one in enumerate(self._states) if one == state]

    def next_open(self, after: int) -> int | None:
        """Return the first item from `after` on that waits to be run for the first time here."""
        for place in range(after, len(self._states)):
            if self._states[place] in (FRESH, INTERRUPTED, PENDING):
                return place
        return None

    def by_code(self, limit: str = "") -> dict[str, int]:
        """Count failed and pending items by their codes; what was not tried has `limit`'s."""
        codes: dict[str, int] = {}
        for code in self.codes.values():
            codes[code] = codes.get(code, 0) + 1
        untold = sum(self.counts[:ACTIVE]) - self.counts[PENDING]
        if untold and limit:
            codes[limit] = codes.get(limit, 0) + untold
        return dict(sorted(codes.items()))

    @property
    def succeeded(self) -> int:
        """How many items succeeded."""
        return self.counts[SUCCEEDED]

    @property
    def failed(self) -> int:
        """How many items failed for good."""
        return self.counts[FAILED]

    @property
    def done(self) -> int:
        """How many items have a result."""
        return self.succeeded + self.failed
