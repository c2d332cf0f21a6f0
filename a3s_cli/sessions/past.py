"""Reads the conversation from a session's file: always valid, whatever happened to the file.

A kill may have torn the last line, a disk may have damaged one in the middle. What is
readable is resumed. An unreadable line is reported, and if the events tell what it
contained (a prompt, an output, the text of an answer) they replace it. What a run has
left unfinished is completed (see `interruption`) at the end of the file and before the
next run, so a run that was killed is remembered like one that ended in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ..events import TERMINAL
from ..jsontext import loads
from ..messages import File, Message, ToolResult, prompt_message
from ..values import Value, field
from .facts import Facts
from .interruption import KILLED, account, closing, results
from .lines import CLOSED, INTERRUPTED, MESSAGES, from_json
from .spill import read_spilled

#: The reason for an answer whose run succeeded.
LOST = "its line in the session's file cannot be read"
#: The events of a call that does not run.
_REFUSED = ("permission_denied", "tool_rejected")
_MESSAGES = b'{"type":"' + MESSAGES.encode() + b'"'
#: Most of a file: lines that are decoded only if an answer was cut, and never.
_TEXT = b'{"type":"text_delta",'
_DELTAS = tuple(
    b'{"type":"%s_delta",' % kind for kind in (b"tool_output", b"reasoning", b"tool_input")
)
_WHOLE = b"}\n"


class SessionNotice(Value):
    """A notice for the run that resumes a session; the fields are those of a `notice`."""

    code: str
    text: str
    file: str
    line: int | None = None


class Past(Value):
    """What a session needs to continue."""

    #: Every turn is complete, and the last message is the model's.
    messages: list[Message] = field(default_factory=list)
    #: The ids of all calls of the session.
    call_ids: frozenset[str] = frozenset()
    notices: list[SessionNotice] = field(default_factory=list)

    @property
    def unfinished(self) -> str:
        """A sentence on what was interrupted in the last run; empty if nothing was."""
        return next((one.text for one in self.notices if one.code == "session_interrupted"), "")


class _OpenRun:
    """What the events of a run tell that the steps of its conversation may lack."""

    def __init__(self, prompt: str | None = None, attachments: object = None) -> None:
        #: The prompt and what it came with, until its step is read.
        self.prompt = prompt
        self.attachments = attachments
        #: The lines of text since the last step, with their numbers.
        self.words: list[tuple[int, bytes]] = []
        #: The calls that have begun (id: name), and outputs and failures of those that ended.
        self.begun: dict[str, str] = {}
        self.ends: dict[str, tuple[str, bool]] = {}
        #: Why the run ended, if it says so.
        self.why: str | None = KILLED
        #: Whether a later run has reported that it was interrupted.
        self.told = False
        #: Whether it is a call that the library's user made, and no prompt.
        self.direct = False


class Reading:
    """Reads the lines of one session's file."""

    def __init__(self, path: Path, spilled: Path) -> None:
        self._path = path
        self._spilled = spilled
        self._messages: list[Message] = []
        #: Results of the last message's calls; empty once all are known.
        self._results: dict[str, ToolResult] = {}
        self._run = _OpenRun()
        self._unfinished = ""
        self._call_ids: set[str] = set()
        self._lost: list[int] = []
        self.facts = Facts()
        #: The names of files that the conversation has lost.
        self._missing: dict[str, None] = {}
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
            if data.startswith(_DELTAS) and data.endswith(_WHOLE):
                continue
            if data.startswith(_TEXT) and data.endswith(_WHOLE):
                self._run.words.append((number, data))
                continue
            try:
                self._take(_parsed(data))
            except ValueError:
                self._lost.append(number)
        self._settle()
        return Past(self._messages, frozenset(self._call_ids), list(self._notices()))

    def _take(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueError("no JSON object")
        kind = value.get("type")
        if kind == MESSAGES:
            self._step(value)
        elif kind == "turn_start":
            self._run.words = []
        elif kind == "tool_start":
            self._run.begun[str(value.get("toolId"))] = str(value.get("toolName"))
            self._call_ids.add(str(value.get("toolId")))
        elif kind == "tool_end" and value.get("reason") != "cancelled":
            told, failed = str(value.get("toolOutput")), value.get("exitCode") != 0
            self._run.ends[str(value.get("toolId"))] = told, failed
        elif kind in _REFUSED:
            self._call_ids.add(str(value.get("toolId")))
            told = str(value.get("error") or f"Permission denied: {value.get('reason')}")
            self._run.ends[str(value.get("toolId"))] = told, True
        elif kind == "turn_end":
            self.facts.turns += 1
        elif kind == "start":
            self._start(value)
        elif kind in (*TERMINAL, CLOSED, INTERRUPTED):
            self.interrupted = False
            self._end(kind, value)

    def _start(self, start: dict[str, Any]) -> None:
        self._settle()
        prompt = start.get("prompt")
        self._run = _OpenRun(prompt if isinstance(prompt, str) else None, start.get("attachments"))
        self._run.direct = prompt is None
        self._unfinished = ""
        self.facts.begin(start.get("model"))
        self.facts.take(start)
        self.interrupted = True

    def _end(self, kind: str, value: dict[str, Any]) -> None:
        if kind in TERMINAL:
            self._run.why = None if kind == "end" else str(value.get("error"))
            code = None if kind == "end" else str(value.get("code"))
            self.facts.end(code, value.get("totalTokens"), value.get("costUsd"))
            return
        self.facts.take(value)
        if kind == INTERRUPTED:
            self._run.told = True
        elif isinstance(value.get("unfinished"), str):
            self._unfinished = value["unfinished"]

    def _step(self, value: dict[str, Any]) -> None:
        said = value.get("messages")
        if "messagesFile" in value:
            said = loads(read_spilled(self._spilled, value["messagesFile"]))
        if value.get("replace") is True:
            self._messages, self._results, self._run.prompt = [], {}, None
            self._missing.clear()
        messages = from_json(said, self._content)
        for message in messages:
            self._append(message)
        self._run.words = []

    def _content(self, name: str, digest: str) -> bytes:
        try:
            return read_spilled(self._spilled, digest)
        except ValueError:
            self._missing[name] = None
            raise

    def _append(self, message: Message) -> None:
        """Add a message once what is missing before it is complete; drop what never fits."""
        if message.role == "tool":
            self._answer(message)
            return
        prompt, self._run.prompt = self._run.prompt, None
        if message.role == "assistant" and prompt is not None:
            self._append(self._asked(prompt))
        self._close_calls()
        if message.role == "user" and self._messages and self._messages[-1].role == "user":
            self._settle(KILLED)
        if message.role == "assistant" and not self._messages:
            return
        last = self._messages[-1] if self._messages else None
        if last is not None and last.role == message.role:  # the continuation of an answer
            self._messages[-1] = Message("assistant", (*last.parts, *message.parts))
        elif message.parts:
            self._messages.append(message)

    def _asked(self, prompt: str) -> Message:
        """Return a prompt whose step is lost, with those of its files that are still there."""
        files = []
        for one in self._run.attachments if isinstance(self._run.attachments, list) else ():
            with suppress(ValueError, TypeError, KeyError):
                name, digest = str(one["name"]), str(one["sha256"])
                content = self._content(name, digest)
                files.append(File(name, str(one["mediaType"]), digest, content))
        return prompt_message(prompt, files)

    def _answer(self, message: Message) -> None:
        """Add results of the last response's calls."""
        waiting = {call.id for call in self._messages[-1].calls} if self._messages else set()
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id in waiting:
                self._results[part.call_id] = part
        if waiting and len(self._results) == len(waiting):
            self._close_calls()

    def _close_calls(self) -> None:
        """Add the results of the last message's calls, if it has any."""
        last = self._messages[-1] if self._messages else None
        if last is None or not last.calls:
            return
        for call in last.calls:
            if call.id not in self._results and call.id in self._run.ends:
                told, failed = self._run.ends[call.id]
                self._results[call.id] = ToolResult(
                    call.id, call.name, told, failed=failed, provider_id=call.provider_id
                )
        told_of = results(last, self._results, self._run.begun)
        self._messages.append(Message("tool", told_of))
        self._results = {}
        self._run.begun, self._run.ends = {}, {}

    def _settle(self, why: str | None = None) -> None:
        """Complete what the last run has left unfinished."""
        run = self._run
        if run.prompt is not None:
            self._append(self._asked(run.prompt))
        open_calls = self._messages[-1].calls if self._messages else ()
        interrupted = [
            call.name
            for call in open_calls
            if call.id in run.begun and call.id not in {*self._results, *run.ends}
        ]
        self._close_calls()
        if self._messages and self._messages[-1].role != "assistant":
            why, partial = run.why or why, self._words()
            lost = LOST if partial else None
            self._messages.append(closing(partial, why or lost))
            if why is not None and not run.told:
                self._unfinished = account(why, partial, interrupted)
        elif run.direct and run.why == KILLED and not run.told:
            names = ", ".join(name for id, name in run.begun.items() if id not in run.ends)
            if names:
                self._unfinished = (
                    f"a direct call was interrupted: {names}; it may have had effects"
                )
        self._run.words = []

    def _words(self) -> str:
        """Return the text since the last step."""
        words = []
        for number, data in self._run.words:
            try:
                words.append(str(_parsed(data)["text"]))
            except (ValueError, KeyError):
                self._lost.append(number)
        return "".join(words)

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
        if self._missing:
            names = ", ".join(self._missing)
            yield SessionNotice(
                "attachment_missing",
                f"files of this session are missing or were changed ({names}), so the model "
                "cannot see them any longer: attach them again",
                str(self._spilled),
            )
        if self._unfinished:
            yield SessionNotice("session_interrupted", self._unfinished, str(self._path))
        elif self.torn or self.interrupted:
            yield SessionNotice(
                "session_interrupted",
                "the last run of this session was killed after its answer was complete",
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
    return loads(data)
