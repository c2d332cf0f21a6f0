"""Reading a recorded run: lines to events, and what is wrong with them.

A recording is a stream that somebody kept; there is no second format. Every
reader of one (replay, the replaying provider, the audit) sees it through this
file, which checks what the contract promises of any stream: each line by the
schema, and across lines the frame, the numbering and the pairs of tool events.
Types and fields that a later version may have added are let through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .errors import InvalidStream
from .event_schema import schema_document
from .events import SCHEMA_VERSION, TERMINAL, Denial, Event
from .messages import Usage
from .validation import Validator
from .wire import loads


class Problem(NamedTuple):
    """What is wrong, and where: `line` counts from 1, `field` may be empty."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        return f"line {self.line}: {field}{self.message}"


class Line(NamedTuple):
    """One good line: its bytes, its object, and its event (None for a type we do not know)."""

    number: int
    data: bytes
    value: dict[str, Any]
    event: Event | None


class Checker:
    """Takes a stream line by line; each answer is a `Line` or the `Problem`s with it."""

    def __init__(self) -> None:
        definitions = schema_document()["$defs"]
        self._validators = {kind: Validator(schema) for kind, schema in definitions.items()}
        self._number = 0
        self._next_seq = 0
        self._ended = False
        self._open: dict[str, int] = {}

    def take(self, data: bytes) -> Line | list[Problem]:
        """Check the next line, given with its newline."""
        self._number += 1
        value = self._parse(data)
        if isinstance(value, Problem):
            return [value]
        problems = [*self._shape(value), *self._frame(value), *self._pairs(value)]
        if problems:
            return problems
        return Line(self._number, data, value, event_of(value))

    def finish(self) -> list[Problem]:
        """Say what is missing at the end of the stream."""
        if self._number == 0:
            return [Problem(1, "", "the stream is empty")]
        problems = [
            Problem(line, "toolId", f"the call {call!r} has no tool_end")
            for call, line in self._open.items()
        ]
        if not self._ended:
            problems.append(Problem(self._number, "type", "the stream has no end or error"))
        return problems

    def _parse(self, data: bytes) -> dict[str, Any] | Problem:
        if not data.endswith(b"\n"):
            return Problem(self._number, "", "the line is torn: its newline is missing")
        try:
            value = loads(data)
        except (ValueError, RecursionError) as error:
            return Problem(self._number, "", f"no JSON: {error}")
        if not isinstance(value, dict):
            return Problem(self._number, "", "no JSON object")
        if not isinstance(value.get("type"), str):
            return Problem(self._number, "type", "a string is missing")
        return value

    def _shape(self, value: dict[str, Any]) -> Iterator[Problem]:
        validator = self._validators.get(value["type"])
        if validator is not None:
            for field, message in validator.violations(value):
                yield Problem(self._number, field, message)

    def _frame(self, value: dict[str, Any]) -> Iterator[Problem]:
        kind, seq = value["type"], value.get("seq")
        if self._ended:
            yield Problem(self._number, "type", f"{kind} comes after the end of the run")
        if (kind == "start") != (self._number == 1):
            yield Problem(self._number, "type", "start must be the first line, and only that")
        if kind == "start" and value.get("schemaVersion") != SCHEMA_VERSION:
            known = f"this a3s reads {SCHEMA_VERSION}"
            yield Problem(self._number, "schemaVersion", f"{value.get('schemaVersion')}: {known}")
        if seq != self._next_seq:
            yield Problem(self._number, "seq", f"{seq} where {self._next_seq} was expected")
        self._next_seq = (seq if isinstance(seq, int) else self._next_seq) + 1
        self._ended = self._ended or kind in TERMINAL

    def _pairs(self, value: dict[str, Any]) -> Iterator[Problem]:
        kind, call = value["type"], value.get("toolId")
        if not isinstance(call, str):
            return
        if kind == "tool_start":
            if call in self._open:
                yield Problem(self._number, "toolId", f"the call {call!r} has begun already")
            self._open[call] = self._number
        elif kind in ("tool_end", "tool_output_delta") and call not in self._open:
            yield Problem(self._number, "toolId", f"the call {call!r} has no tool_start")
        elif kind == "tool_end":
            del self._open[call]


def read(lines: Iterable[bytes], name: str) -> Iterator[Line]:
    """Give the lines of a whole, valid stream; an InvalidStream names the first bad place."""
    checker = Checker()
    for data in lines:
        found = checker.take(data)
        if isinstance(found, list):
            raise InvalidStream(f"{name}: {found[0]}")
        yield found
    for problem in checker.finish():
        raise InvalidStream(f"{name}: {problem}")


def event_of(value: dict[str, Any]) -> Event | None:
    """Give the event that a line's object says; None for a type of a later version."""
    kind = Event.kinds.get(value["type"])
    if kind is None:
        return None
    fields = {name: value[key] for name, key in kind.fields if key in value}
    if "usage" in fields:
        fields["usage"] = _usage(fields["usage"], value.get("totalTokens", 0))
    if "permission_denials" in fields:
        fields["permission_denials"] = tuple(
            Denial(one["toolId"], one["toolName"], one["rule"])
            for one in fields["permission_denials"]
        )
    event: Event = kind(**fields)
    event.stamp(value["seq"], value["ts"])
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
