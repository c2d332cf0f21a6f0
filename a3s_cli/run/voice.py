"""What the user can say while a run is active: answers, and messages for the next turn.

A run asks its `Voice` in two places: before a call that needs approval, and when a turn
ends. Where the words come from does not matter here: a line on stdin, a method of the
library, a page and an editor all use this.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..jsontext import size
from ..values import State, field

if TYPE_CHECKING:
    from ..permissions.approval import Approver
    from ..permissions.approvals import Approvals


class Steering:
    """Messages to an active run. `say` may be called from any thread."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._closed = False
        # Between the last look and the end of a run no word may get lost.
        self._lock = threading.Lock()

    def say(self, text: str) -> bool:
        """Pass a message to the model before its next turn; False if there will be none."""
        with self._lock:
            if not self._closed:
                self._words.append(text)
            return not self._closed

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages are waiting, and their size in bytes."""
        with self._lock:
            return len(self._words), sum(map(size, self._words))

    def take(self) -> list[str]:
        """Return what was said since the last time."""
        with self._lock:
            words, self._words = self._words, []
            return words

    def take_or_close(self) -> list[str]:
        """Return what was said since the last time; if that is nothing, accept no more."""
        with self._lock:
            words, self._words = self._words, []
            self._closed = not words
            return words

    def close(self) -> list[str]:
        """Accept no more messages; return those that the model did not get."""
        with self._lock:
            words, self._words = self._words, []
            self._closed = True
            return words


class Voice(State):
    """The user, as a run hears them."""

    #: Answers questions; None where no one does.
    approver: Approver | None = None
    steering: Steering = field(default_factory=Steering)
    #: What was answered "always" to in earlier runs as well; None: in this run alone.
    approvals: Approvals | None = None
