"""Reads the conversation from a session's file: always valid, whatever happened to the file.

A kill may have torn the last line, a disk may have damaged one in the middle. What is
readable is resumed: an unreadable line is reported, and what needs it is left out, too,
such as an answer whose prompt is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from ..events import TERMINAL
from ..jsontext import loads
from ..messages import Message, ToolResult
from ..values import Value, field
from .lines import CLOSED, INTERRUPTED, MESSAGES, from_json
from .spill import read_spilled

#: The events that first name a call.
_FATES = ("tool_start", "permission_denied", "tool_rejected")
_MESSAGES = b'{"type":"' + MESSAGES.encode() + b'"'


class SessionNotice(Value):
    """A notice for the run that resumes a session; the fields are those of a `notice`."""

    code: str
    text: str
    file: str
    line: int | None = None


class Past(Value):
    """What a session needs to continue."""

    #: Every turn is complete; a prompt without an answer is left out.
    messages: list[Message] = field(default_factory=list)
    #: The ids of all calls of the session.
    call_ids: frozenset[str] = frozenset()
    notices: list[SessionNotice] = field(default_factory=list)


class Reading:
    """Reads the lines of one session's file."""

    def __init__(self, path: Path, spilled: Path) -> None:
        self._path = path
        self._spilled = spilled
        self._messages: list[Message] = []
        self._call_ids: set[str] = set()
        self._lost: list[int] = []
        self.runs = 0
        self.turns = 0
        self.model: str | None = None
        #: Size of all complete lines in bytes, and of what follows the last of them.
        self.size = 0
        self.torn = 0
        #: Whether the last run has no end and is not marked as interrupted yet.
        self.interrupted = False

    def read(self, lines: Iterable[bytes]) -> Past:
        """Read all lines, newlines included, and return what they contain."""
        for number, data in enumerate(lines, 1):
            if not data.endswith(b"\n"):
                self.torn = len(data)
                break
            self.size += len(data)
            try:
                self._take(_parsed(data))
            except ValueError:
                self._lost.append(number)
        while self._messages and not _may_end(self._messages[-1]):
            self._messages.pop()
        return Past(self._messages, frozenset(self._call_ids), list(self._notices()))

    def _take(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueError("not a JSON object")
        kind = value.get("type")
        if kind == "text_delta":  # most lines of a file
            return
        if kind == MESSAGES:
            self._step(value)
        elif kind in _FATES:
            self._call_ids.add(str(value.get("toolId")))
        elif kind == "turn_end":
            self.turns += 1
        elif kind == "start":
            self.runs += 1
            self.interrupted = True
            self.model = value.get("model", self.model)
        elif kind in (*TERMINAL, CLOSED, INTERRUPTED):
            self.interrupted = False

    def _step(self, value: dict[str, Any]) -> None:
        said = value.get("messages")
        if "messagesFile" in value:
            said = _slowly(read_spilled(self._spilled, value["messagesFile"]))
        messages = from_json(said)
        if value.get("replace") is True:
            self._messages = []
        for message in messages:
            self._append(message)

    def _append(self, message: Message) -> None:
        """Add a message if it is valid there; drop earlier ones that it makes invalid."""
        before = self._messages
        if before and before[-1].calls and not _answers(message, before[-1]):
            before.pop()
        last = before[-1] if before else None
        if message.role == "user":
            if last is not None and last.role == "user":
                before.pop()
        elif message.role == "assistant":
            if last is None or last.role == "assistant":
                return
        elif last is None or not last.calls:
            return
        before.append(message)

    def _notices(self) -> Iterable[SessionNotice]:
        if self._lost:
            more = f" (and {len(self._lost) - 1} more)" if len(self._lost) > 1 else ""
            yield SessionNotice(
                "session_line_lost",
                f"line {self._lost[0]}{more} of the session cannot be read "
                "and is left out of the conversation",
                str(self._path),
                self._lost[0],
            )
        if self.torn or self.interrupted:
            yield SessionNotice(
                "session_interrupted",
                "the last run of this session was interrupted: its unfinished turn is left out",
                str(self._path),
            )


def _parsed(data: bytes) -> Any:
    if not data.startswith(
        _MESSAGES
    ):  # in messages, integers beyond 64 bits must keep their digits
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # perhaps too deep for orjson
    return _slowly(data)


def _slowly(data: bytes) -> Any:
    try:
        return loads(data)
    except RecursionError:
        raise ValueError("too deep") from None


def _answers(message: Message, calling: Message) -> bool:
    """Return whether a message holds exactly the results of another one's calls."""
    answered = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
    return message.role == "tool" and answered == [call.id for call in calling.calls]


def _may_end(last: Message) -> bool:
    """Return whether a prompt may follow: after an answer, or after all results."""
    return last.role == "tool" or (last.role == "assistant" and bool(last.parts) and not last.calls)
