"""Hides secrets in the events of a run, before any sink gets them.

The model's output comes in pieces, and a secret may be split between two: so each of
its streams (the answer, the reasoning, the arguments of each call) is one text, whose
tail is held back while it could be the beginning of a secret. Tool output is redacted
in `run.execution`, because that must happen before it is cut for the model.

Ids, codes and digests are our own and stay unchanged. Error messages also lose what
only looks like a key: they quote text of unknown origin.
"""

from __future__ import annotations

from typing import Any

from ..events import Denial, Event, TextDelta
from ..secrets.masking import mask
from ..secrets.redaction import NOTHING, RedactedStream, Redactor
from ..values import replace

#: The model's streams. A retry voids what was shown of all but the answer.
_STREAMS = frozenset(("text_delta", "reasoning_delta", "tool_input_delta"))
_ANSWER = ("text_delta", None)
#: These end the model's answer, complete or not.
_OVER = frozenset(("turn_start", "turn_end", "retry", "end", "error"))
#: These end the arguments of their call.
_WITH_INPUT = frozenset(("permission_request", "tool_start"))
#: The fields in which anything that looks like a key is masked.
_MASKED = {
    "error": ("error", "hint"),
    "retry": ("reason",),
    "notice": ("text",),
    "tool_rejected": ("error",),
}
#: Fields with cut quotations, in which even the beginning of a secret is hidden.
_SENTENCES = frozenset(("error", "hint", "reason"))


class EventRedactor:
    """Hides the secrets of one run in its events."""

    def __init__(self, redactor: Redactor = NOTHING) -> None:
        self._redactor = redactor
        self._answer = redactor.stream()
        #: The open streams, each with its last event.
        self._open: dict[tuple[str, str | None], tuple[RedactedStream, Event]] = {}

    def texts(self, texts: list[str]) -> list[str] | None:
        """Return what can be shown of an answer; None if it has a secret: use `events` then."""
        if not self._redactor:
            return texts
        shown = self._answer.feed_harmless(texts)
        if self._answer and _ANSWER not in self._open:
            self._open[_ANSWER] = self._answer, TextDelta(text="")
        return shown

    def events(self, event: Event) -> list[Event]:
        """Return the events to emit in place of an event."""
        rest: list[Event] = []
        if self._redactor:
            if event.type in _STREAMS:
                return self._piece(event)
            if event.type in _OVER:
                rest = self._rest(event)
            elif event.type in _WITH_INPUT:
                rest = self._rest(event, ("tool_input_delta", event.tool_id))
            event = _changed(event, self._without_secrets(event))
        if names := _MASKED.get(event.type):
            event = _changed(event, {name: _masked(getattr(event, name)) for name in names})
        return [*rest, event]

    def _piece(self, event: Event) -> list[Event]:
        if event.tool_name is not None:
            event = _changed(event, {"tool_name": self._redactor.whole(event.tool_name)})
        key = (event.type, event.tool_id)
        stream = self._open[key][0] if key in self._open else self._new(event)
        self._open[key] = stream, event
        before = stream.replaced
        return _with_text(event, stream.feed(event.text), stream.replaced != before)

    def _new(self, event: Event) -> RedactedStream:
        return self._answer if event.type == "text_delta" else self._redactor.stream()

    def _rest(self, over: Event, *keys: tuple[str, str | None]) -> list[Event]:
        """Return what was held back of the streams that `over` ends: of these, or of all."""
        shown: list[Event] = []
        for key in keys or tuple(self._open):
            if key not in self._open:
                continue
            stream, last = self._open.pop(key)
            before = stream.replaced
            rest = stream.finish()
            if over.type != "retry" or key[0] == "text_delta":
                # A copy, because `last` itself may have been emitted.
                shown += _with_text(last.replace(text=""), rest, stream.replaced != before)
        return shown

    def _without_secrets(self, event: Event) -> dict[str, Any]:
        """Return the fields of an event that is not part of a stream, redacted."""
        values = event.__dict__
        return {
            name: self._without(name, values[name]) for name in event.foreign() if name in values
        }

    def _without(self, name: str, value: Any) -> Any:
        if name in _SENTENCES and isinstance(value, str):
            return self._redactor.sentence(value)
        if isinstance(value, tuple) and value and isinstance(value[0], Denial):
            hide = self._redactor.whole
            return tuple(
                replace(one, tool_name=hide(one.tool_name), rule=hide(one.rule)) for one in value
            )
        return self._redactor.value(value)


def _with_text(event: Event, text: str, redacted: bool) -> list[Event]:
    if not text:
        return []
    if text == event.text and not redacted:
        return [event]
    return [event.replace(text=text, redacted=redacted or event.redacted)]


def _changed(event: Event, values: dict[str, Any]) -> Event:
    """Return the event with these values, marked as redacted if any differs."""
    changes = {name: value for name, value in values.items() if value != getattr(event, name)}
    return event.replace(**changes, redacted=True) if changes else event


def _masked(sentence: str | None) -> str | None:
    return mask(sentence) if sentence else sentence
