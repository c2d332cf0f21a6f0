"""Reads a recorded run: lines to events, and what is wrong with them.

A recording is a saved stream; there is no second format. Replay, the replaying
provider and the audit all read one through this module, which checks what the
contract promises of any stream: each line against the schema, and across lines the
frame, the numbering and the pairs of tool events. It lets through types and fields
that later versions may add.

The file of a session is a recording, too: the streams of its runs, one after another.
The lines between the events are not events and have no `seq`; their type begins with
`session_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, BinaryIO, NamedTuple

from ..errors import InvalidStream
from ..events import SCHEMA_VERSION, TERMINAL, Denial, Event
from ..jsontext import has_lone_surrogate, loads
from ..messages import Usage
from ..validation import Validator
from .schema import schema_document

#: Each call of the model has exactly one of these.
FATES = ("tool_start", "permission_denied", "tool_rejected")
#: The prefix of the types of lines that belong to a session and to none of its runs.
ASIDE = "session_"
#: The line of a session that says that the run before it was killed.
INTERRUPTED = "session_interrupted"
#: Bytes that a line may have, its newline included, and how many of the rest are read at once.
LONGEST, _SKIPPED = 16 * 1024 * 1024, 1 << 20


class Problem(NamedTuple):
    """What is wrong, and where: `line` counts from 1, `field` may be empty.

    `brief` says it without quoting the stream, if `message` quotes it.
    """

    line: int
    field: str
    message: str
    brief: str = ""

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        return f"line {self.line}: {field}{self.message}"


class Line(NamedTuple):
    """One line: its bytes, its problems, its JSON object if it is one, and its event.

    `event` is None if the type is unknown or the object does not fit the schema.
    """

    number: int
    data: bytes
    problems: list[Problem]
    value: dict[str, Any] | None = None
    event: Event | None = None


class Checker:
    """Checks a stream line by line; after a bad line it continues with the next."""

    def __init__(self) -> None:
        self._validators = _validators()
        self._number = 0
        self._next_seq = 0
        self._ts = 0
        self._ended = False
        #: The session of the first run, once read: only its other runs may follow.
        self._session: object = ...
        #: How many lines before this one were unreadable; each may have been an event.
        self._unread = 0
        #: The calls that have started and not ended, with their lines.
        self._open: dict[str, int] = {}
        #: The calls that have had their fate, and those already reported.
        self._known: set[str] = set()
        self._blamed: set[str] = set()
        self._begun = 0

    def take(self, data: bytes) -> Line:
        """Check the next line, given with its newline."""
        self._number += 1
        value = self._parse(data)
        if isinstance(value, Problem):
            self._unread += 1
            return Line(self._number, data, [value])
        if value["type"].startswith(ASIDE):
            return Line(self._number, data, list(self._aside(value)), value)
        shape = list(self._shape(value))
        problems = [*shape, *self._frame(value), *self._calls(value)]
        self._unread = 0
        return Line(self._number, data, problems, value, None if shape else event_of(value))

    def finish(self) -> list[Problem]:
        """Return what is missing at the end of the stream."""
        if self._number == 0:
            return [Problem(1, "", "the stream is empty")]
        problems = self._unfinished()
        if not self._ended:
            problems.append(Problem(self._number, "type", "the stream has no end or error"))
        return problems

    def _unfinished(self) -> list[Problem]:
        return [
            Problem(line, "toolId", f"the call {call!r} has no tool_end")
            for call, line in self._open.items()
        ]

    def _aside(self, value: dict[str, Any]) -> Iterator[Problem]:
        self._leave(value)
        if value["type"] == INTERRUPTED and not self._ended:
            self._open.clear()
            self._ended = True
            yield Problem(self._number, "type", "the run was interrupted: it has no end or error")

    def _leave(self, value: dict[str, Any]) -> None:
        """Expect the runs of another session after the line that says that it is a copy."""
        if isinstance(self._session, str) and value.get("forkedFrom") == self._session:
            self._session = ...

    def _begin_again(self) -> Iterator[Problem]:
        """End one run of a session and expect the next."""
        yield from self._unfinished()
        if not self._ended:
            yield Problem(self._number, "type", "the run before has no end or error")
        self._open.clear()
        self._next_seq = self._ts = self._begun = 0
        self._ended = False

    def _parse(self, data: bytes) -> dict[str, Any] | Problem:
        if len(data) == LONGEST and not data.endswith(b"\n"):
            return Problem(self._number, "", f"the line is longer than {LONGEST >> 20} MiB")
        if not data.endswith(b"\n"):
            return Problem(self._number, "", "the line is torn: its newline is missing")
        try:
            value = loads(data)
        except ValueError as error:
            return Problem(self._number, "", f"not valid JSON: {error}")
        if not isinstance(value, dict):
            return Problem(self._number, "", "not a JSON object")
        if has_lone_surrogate(value, data):
            return Problem(self._number, "", "a string in it contains half a surrogate pair")
        if not isinstance(value.get("type"), str):
            return Problem(self._number, "type", "expected a string")
        return value

    def _shape(self, value: dict[str, Any]) -> Iterator[Problem]:
        validator = self._validators.get(value["type"])
        if validator is not None:
            for field, message in validator.violations(value):
                yield Problem(self._number, field, message, "does not fit the schema")

    def _frame(self, value: dict[str, Any]) -> Iterator[Problem]:
        kind, seq, ts = value["type"], value.get("seq"), value.get("ts")
        session = value.get("sessionId") if kind == "start" else None
        if session is not None:
            self._leave(value)
        # A recording of a process that keeps no session goes on where a `prev` leads back.
        goes_on = kind == "start" and self._ended and "prev" in value and self._session is None
        same = session is not None and self._session in (..., session)
        if self._number > 1 and (same or (goes_on and session is None)):
            self._unread = 0
            yield from self._begin_again()
        elif self._ended and self._unread and isinstance(self._session, str):
            # An unreadable line was the start of another run.
            yield from self._begin_again()
        else:
            if self._ended:
                yield Problem(self._number, "type", f"{kind} after the end of the run")
            if (kind == "start") != (self._number == 1):
                yield Problem(self._number, "type", "only the first line must be start")
        if kind == "start" and self._session is ...:
            self._session = session
        if isinstance(ts, int):
            if ts < self._ts:
                yield Problem(self._number, "ts", f"{ts} is before {self._ts}")
            self._ts = ts
        if kind == "start" and value.get("schemaVersion") != SCHEMA_VERSION:
            known = f"this a3s reads {SCHEMA_VERSION}"
            yield Problem(self._number, "schemaVersion", f"{value.get('schemaVersion')}: {known}")
        if seq not in range(self._next_seq, self._next_seq + self._unread + 1):
            yield Problem(self._number, "seq", f"{seq} where {self._next_seq} was expected")
        self._next_seq = (seq if isinstance(seq, int) else self._next_seq) + 1
        self._ended = self._ended or kind in TERMINAL

    def _calls(self, value: dict[str, Any]) -> Iterator[Problem]:
        kind, call = value["type"], value.get("toolId")
        if kind in TERMINAL and value.get("toolCalls") != self._begun:
            told = f"found {value.get('toolCalls')}, but {self._begun} calls have started"
            yield Problem(self._number, "toolCalls", told)
        if not isinstance(call, str):
            return
        if kind in FATES:
            if call in self._known:
                yield Problem(self._number, "toolId", f"the call {call!r} has already ended")
            self._known.add(call)
        if kind == "tool_start":
            # The pair of turn 0 is the run's own object, not a call of the model.
            self._begun += value.get("turn") != 0
            self._open[call] = self._number
        elif kind == "tool_end" and call in self._open:
            del self._open[call]
        elif kind in ("tool_end", "tool_output_delta") and call not in self._open:
            yield from self._strange(call)

    def _strange(self, call: str) -> Iterator[Problem]:
        if call not in self._blamed:
            self._blamed.add(call)
            what = "is not running" if call in self._known else "has no tool_start"
            yield Problem(self._number, "toolId", f"the call {call!r} {what}")


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, with their newlines; of one that is too long only its beginning.

    Only a finished object makes a line of a3s longer than 64 KiB; other files may be one line.
    """
    while data := file.readline(LONGEST):
        yield data
        whole = data.endswith(b"\n")
        while not whole and (rest := file.readline(_SKIPPED)):
            whole = rest.endswith(b"\n")


@cache
def _validators() -> dict[str, Validator]:
    # Cached: several streams may be read, and the schema is built from the types.
    return {kind: Validator(schema) for kind, schema in schema_document()["$defs"].items()}


def read(lines: Iterable[bytes], name: str) -> Iterator[Line]:
    """Yield the lines of a complete, valid stream. Raises InvalidStream at the first problem.

    A killed run of a session is not a problem here: the rest can be read.
    """
    checker = Checker()
    for data in lines:
        line = checker.take(data)
        if line.problems and not (line.value and line.value["type"] == INTERRUPTED):
            raise InvalidStream(f"{name}: {line.problems[0]}")
        yield line
    for problem in checker.finish():
        raise InvalidStream(f"{name}: {problem}")


def event_of(value: dict[str, Any]) -> Event | None:
    """Return the event of a line's object; None for a type of a later version."""
    kind = Event.kinds.get(value["type"])
    if kind is None:
        return None
    fields = {name: value[key] for name, key in kind.fields if key in value}
    if value.get("redacted") is True:
        fields["redacted"] = True
    if "usage" in fields:
        fields["usage"] = _usage(fields["usage"], value.get("totalTokens", 0))
    if "permission_denials" in fields:
        fields["permission_denials"] = tuple(
            Denial(one["toolId"], one["toolName"], one["rule"])
            for one in fields["permission_denials"]
        )
    event: Event = kind(**fields)
    # A refusal between two runs belongs to none, and has no number.
    event.stamp(value.get("seq", -1), value["ts"])
    return event


def _usage(value: dict[str, int], total: int) -> Usage:
    return Usage(
        value["inputTokens"],
        value["outputTokens"],
        value["cacheReadTokens"],
        value["cacheWriteTokens"],
        value["reasoningTokens"],
        total,
    )
