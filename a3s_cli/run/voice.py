"""What the user can say while a run goes on: answers, and words for the next turn.

A run asks its `Voice` at two places: before a call that needs approval, and
where a turn ends. Who speaks is another's business: a line on stdin, a method of
the library, a page or an editor fills in the same words here.
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
    """Words for a run that goes on. `say` may be called from any thread."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._closed = False
        # Between the last look and the end of a run no word may get lost.
        self._lock = threading.Lock()

    def say(self, text: str) -> bool:
        """Have the model told at the next turn boundary; False where none will come."""
        with self._lock:
            if not self._closed:
                self._words.append(text)
            return not self._closed

    @property
    def waiting(self) -> tuple[int, int]:
        """How many words wait, and how many bytes of them."""
        with self._lock:
            return len(self._words), sum(map(size, self._words))

    def take(self) -> list[str]:
        """Return what was said since the last time."""
        with self._lock:
            words, self._words = self._words, []
            return words

    def take_or_close(self) -> list[str]:
        """Return what was said since; where that is nothing, hear nothing any more."""
        with self._lock:
            words, self._words = self._words, []
            self._closed = not words
            return words

    def close(self) -> list[str]:
        """Hear nothing any more; return what the model was not told."""
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
