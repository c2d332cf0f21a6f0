"""When a growing object is shown, and as what.

Every document shows the whole object so far, so showing each piece of an object
of n bytes would cost n². A document is therefore paid for by the text that has
come: each character earns, each document costs its length. A small object is
shown at every piece, a large one less and less often, and all of it together is
no more than a fixed multiple of the text, whatever the text is.

An object that does not fit a line is not encoded again either: it only grows.
From then on its size is told, which is known without looking at it.

Nothing here knows the time. What was not shown because it was not paid for is
`pending`: the caller calls `flush` when the model has paused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from .. import jsontext
from ..secrets.redaction import NOTHING, Redactor
from .finder import Finder
from .partial import Partial

#: How long a pause of the model is before what is pending is shown.
PAUSE_SECONDS = 0.2
# What a character earns, and what there is to begin with: an object of some
# hundred characters is shown at every one.
_EARNED = 16
_CREDIT = 64 * 1024
# The text of a delta is JSON in JSON. The rest of its line: the stamp, the names,
# an id of 128 characters which may take six bytes each, and what a batch adds.
_ROOM = jsontext.LINE_LIMIT - 6144


class Growing:
    """The object of one call, over all its rounds."""

    def __init__(
        self,
        *,
        roots: Collection[str] | None = None,
        accepts: Callable[[Any], bool] = lambda _: True,
        wrapped: str | None = None,
        redactor: Redactor = NOTHING,
    ) -> None:
        """Expect a value of one of the types `roots` that `accepts` finds valid.

        `wrapped` is the key of an object around it, for a model that writes nothing
        but objects; the model may also leave that out.
        """
        #: Counts what replaces what was shown.
        self.round = 0
        #: Whether something has come that is not shown yet.
        self.pending = False
        #: How many bytes of documents were made.
        self.spent = 0
        self._roots = None if roots is None else {*roots, "object"} if wrapped else roots
        self._accepts = accepts
        self._wrapped = wrapped
        self._redactor = redactor
        self._credit = _CREDIT
        self._cost = 0
        # The document that is shown, whether it is too long for a line, and its last state.
        self._current: Partial | None = None
        self._omitted = False
        self._last: str | None = None
        self._forget()

    def feed(self, text: str) -> str | None:
        """Read a piece of the model's text, and return the document to show, if any.

        Raises Violation when the text cannot become the object any more.
        """
        self._credit += _EARNED * len(text)
        self._finder.feed(text)
        self.pending = self.pending or self._finder.shown is not None
        return self.flush() if self._credit >= self._cost else None

    def flush(self) -> str | None:
        """Return the document of the newest state, unless it is shown already."""
        if not self.pending or not self._finder.shown:
            return None
        self.pending = False
        self._turn_to(self._finder.shown)
        document = self._document(self._finder.shown)
        if document is None or document == self._last:
            return None
        self._last = document
        return document

    def finish(self) -> Any:
        """Return the value of the finished text, which `accepts` may have refused.

        Raises Violation where there is no complete value.
        """
        value = self._finder.finish()
        if self._finder.shown:
            self._turn_to(self._finder.shown)
        return self._unwrapped(value)

    def again(self) -> None:
        """Begin anew, for a repair: what was shown will be replaced."""
        self.round += 1
        self._forget()

    def retry(self) -> None:
        """Begin anew, for the same request sent again: a new round only if something was shown."""
        if self._last:
            self.round += 1
        self._forget()

    def final(self, value: Any) -> str:
        """Return the last document, with the valid object."""
        value = self._redactor.value(value)
        text = self._encoded(object_partial=value, final=True)
        if _fits(text):
            return text
        size = len(jsontext.dumps(value))
        return self._encoded(object_partial_omitted=True, partial_bytes=size, final=True)

    def _forget(self) -> None:
        self._finder = Finder(self._roots, self._is_accepted)
        self._current = None
        self._omitted = False
        self._last = None
        self.pending = False

    def _is_accepted(self, value: Any) -> bool:
        return self._accepts(self._unwrapped(value))

    def _turn_to(self, shown: Partial) -> None:
        """Begin a new round where another document takes the place of what was shown."""
        if self._current is not shown:
            if self._last:
                self.round += 1
            self._current = shown
            self._omitted = False
            self._last = None

    def _document(self, shown: Partial) -> str | None:
        if not self._omitted:
            whole = shown.value
            if self._wrapped and whole == {}:
                return None
            value = self._unwrapped(whole)
            # What grows is the last of the last, unless it stands beside what is shown.
            growing = shown.growing and (value is whole or len(whole) == 1)
            text = self._encoded(object_partial=self._hidden(value, growing), final=False)
            self._pay(len(text))
            if _fits(text):
                return text
            self._omitted = True
        # It costs what the whole would: it would come with every piece otherwise.
        self._pay(shown.size)
        return self._encoded(object_partial_omitted=True, partial_bytes=shown.size, final=False)

    def _pay(self, cost: int) -> None:
        self.spent += cost
        self._credit -= cost
        self._cost = cost

    def _unwrapped(self, value: Any) -> Any:
        if self._wrapped and isinstance(value, dict) and next(iter(value), None) == self._wrapped:
            return value[self._wrapped]
        return value

    def _hidden(self, value: Any, growing: bool) -> Any:
        """Hide secrets, and of a string that grows the end that could begin one."""
        if not self._redactor:
            return value
        if not growing:
            return self._redactor.value(value)
        if isinstance(value, str):
            return self._redactor.stream().feed(value)
        if isinstance(value, list):
            return [*self._redactor.value(value[:-1]), self._hidden(value[-1], growing)]
        *others, (key, last) = value.items()
        hidden = self._redactor.value(dict(others))
        return {**hidden, self._redactor.whole(key): self._hidden(last, growing)}

    def _encoded(self, *, final: bool, **fields: Any) -> str:
        return jsontext.dumps({**fields, "round": self.round, "final": final}).decode()


def _fits(text: str) -> bool:
    return len(text) < _ROOM and len(jsontext.dumps(text)) < _ROOM
