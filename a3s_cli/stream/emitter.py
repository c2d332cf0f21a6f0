"""Stamps the events of a run and passes them to its sinks.

A run has one emitter and many producers: the model's text, parallel tools, timers.
All are on one thread, so the order of their calls of `emit` is the order of the run,
and `seq` needs no lock. Nothing here waits: a slow sink provides a `drain`, which
producers of many events await.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from ..errors import OutputError
from ..events import TERMINAL, Event, TextDelta, stamped_texts
from ..jsontext import LINE_LIMIT
from ..secrets.redaction import Redactor
from .line import encode, encode_texts, fit
from .redacted import EventRedactor

#: Takes the finished lines of one batch, newlines included.
LineSink = Callable[[bytes], None]
#: Takes the stamped events of one batch.
EventSink = Callable[[list[Event]], None]
Drain = Callable[[], Awaitable[None]]


class Recorder(Protocol):
    """Records the lines of a run, each before any other sink takes it."""

    #: Whether a line could not be recorded: then nothing more may be executed.
    lost: bool

    def write(self, lines: bytes) -> None:
        """Record finished lines."""

    def finish(self, line: bytes) -> str | None:
        """Record the terminal line and return its digest; None if the recording was lost before."""


class Emitter:
    """Numbers the events of one run and passes them to every sink."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        #: The run's id; empty outside a run.
        self.run_id = ""
        self._seq = 0
        self._ts = 0
        self._line_sinks: list[LineSink] = []
        self._event_sinks: list[EventSink] = []
        self._drains: list[Drain] = []
        self._recorder: Recorder | None = None
        self._hidden = EventRedactor()
        #: Bytes that a line may have; less where fields are added to it on its way.
        self.limit = LINE_LIMIT

    def redact(self, redactor: Redactor) -> None:
        """Hide these secrets in everything emitted from now on."""
        self._hidden = EventRedactor(redactor)

    def add_line_sink(
        self, sink: LineSink, drain: Drain | None = None, *, first: bool = False
    ) -> None:
        """Send finished lines to `sink`; bulk producers await `drain`.

        A `first` sink gets each line before the others, so that what they show is already saved.
        """
        self._line_sinks.insert(0 if first else len(self._line_sinks), sink)
        if drain:
            self._drains.append(drain)

    def add_event_sink(self, sink: EventSink, drain: Drain | None = None) -> None:
        """Send stamped events to `sink`; bulk producers await `drain`."""
        self._event_sinks.append(sink)
        if drain:
            self._drains.append(drain)

    def record(self, recorder: Recorder) -> None:
        """Pass every line to the recorder first; the terminal event then carries the head."""
        self._line_sinks.insert(0, recorder.write)
        self._recorder = recorder

    @property
    def unrecorded(self) -> bool:
        """Whether the recording was lost."""
        return self._recorder is not None and self._recorder.lost

    def end(self, event: Event, instead: Callable[[OutputError], Event]) -> Event:
        """Emit and return the terminal event, or what `instead` makes if it cannot be recorded."""
        try:
            self.emit(event)
        except OutputError as unrecorded:
            event = instead(unrecorded)
            self.emit(event)
        return event

    def emit(self, event: Event) -> None:
        """Emit one event without secrets, split or cut if it is too long for a line."""
        for one in self._hidden.events(event):
            self._pass_on(one)

    def _pass_on(self, event: Event) -> None:
        events = fit(event, self.limit)
        ts = self._now()
        for seq, one in enumerate(events, self._seq):
            one.stamp(seq, ts)
        if self._recorder and event.type in TERMINAL:
            head = self._recorder.finish(encode(events[0]))
            events = [events[0].replace(record_head=head)] if head else events
        self._seq += len(events)
        if self._line_sinks:
            lines = b"".join([encode(one) for one in events])
            for write in self._line_sinks:
                write(lines)
        for accept in self._event_sinks:
            accept(events)

    def emit_texts(self, texts: list[str]) -> None:
        """Emit one text_delta for each text: the hot path of a run."""
        shown = self._hidden.texts(texts)
        if shown is None:
            for text in texts:
                self.emit(TextDelta(text=text))
            return
        texts = shown
        if any(len(text) > 8192 for text in texts):
            for text in texts:
                self._pass_on(TextDelta(text=text))
            return
        if not texts:
            return
        ts = self._now()
        if self._line_sinks:
            lines = encode_texts(texts, self._seq, ts)
            for write in self._line_sinks:
                write(lines)
        if self._event_sinks:
            events: list[Event] = stamped_texts(texts, self._seq, ts)
            for accept in self._event_sinks:
                accept(events)
        self._seq += len(texts)

    async def drain(self) -> None:
        """Wait until every sink has room again."""
        for drain in self._drains:
            await drain()

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the run started."""
        return int((time.monotonic() - self.started) * 1000)

    def _now(self) -> int:
        # The wall clock may be set back during a run; stamps never go back.
        self._ts = max(self._ts, time.time_ns() // 1_000_000)
        return self._ts
