"""`-o raw`: the assistant's text, byte for byte, and nothing else on stdout.

It is made for `$(a3s run -o raw …)` and for pipes. Everything else goes to
stderr. Turns are separated by a newline, written at the end of a turn if its
text lacks one, so that the last line is complete too.

The only result of a run with a schema is its object: with `object_only`, the
text around it is not printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..events import Event
from .terminal import Neutraliser, encode
from .wording import bare, diagnostics

_OVER = ("turn_end", "end", "error")
_DIAGNOSED = ("notice", "retry", "permission_denied", "tool_rejected", "error")


class Raw:
    """An event sink: the events of one network read become at most one write to each stream."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        error: Callable[[bytes], None],
        terminal: bool,
        object_only: bool = False,
    ) -> None:
        self._write = write
        self._error = error
        self._object_only = object_only
        #: Only a terminal interprets escape sequences; a file gets the bytes unchanged.
        self._neutraliser = Neutraliser() if terminal else None
        #: Whether the last text ended within a line.
        self._open = False

    def accept(self, events: Sequence[Event]) -> None:
        """Write the text of these events to stdout and their diagnostics to stderr."""
        said: list[str] = []
        told: list[str] = []
        for event in events:
            kind = event.type
            if kind == "text_delta":
                if event.text and not self._object_only:
                    said.append(event.text)
                    self._open = not event.text.endswith("\n")
                continue
            if kind in _OVER:
                if "object" in vars(event):
                    said.append("\n" * self._open + bare(event.object))
                    self._open = True
                if self._open:
                    said.append("\n")
                    self._open = False
            if kind in _DIAGNOSED:
                told.append(diagnostics(event))
        if said:
            self._write(self._encode("".join(said)))
        if told:
            self._error(encode("".join(told)))

    def _encode(self, text: str) -> bytes:
        return encode(self._neutraliser.feed(text) if self._neutraliser else text)
