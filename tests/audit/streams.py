"""Streams to audit, made by the emitter and the recorder that make the real ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from a3s_cli.events import End, Error, Event, Start, ToolEnd, ToolStart, TurnEnd, TurnStart
from a3s_cli.stream.emitter import Emitter
from a3s_cli.stream.recorder import Recording


def start(**more: Any) -> Event:
    known = {"schema_version": 1, "version": "0", "run_id": "r1", "cwd": "/work", "model": "m/x"}
    return Start(**known | more)


def call(
    tool: str, id: str = "c1", *, end: dict[str, Any] | None = None, **given: Any
) -> list[Any]:
    """A call and its end; the arguments are the keywords."""
    names = {"tool_name": tool, "tool_id": id}
    told = {"tool_output": "", "exit_code": 0, "duration_ms": 1, **(end or {})}
    return [
        ToolStart(**names, tool_input=given, turn=1, rule="default"),
        ToolEnd(**names, **told),
    ]


def bash(command: str, id: str = "c1") -> list[Event]:
    return call("bash", id, command=command)


def turn(number: int = 1, tokens: int = 15) -> list[Event]:
    return [
        TurnStart(turn=number),
        TurnEnd(turn=number, total_tokens=tokens, stop_reason="end_turn"),
    ]


def end(calls: int = 0, **more: Any) -> Event:
    known = {"text": "", "total_tokens": 15, "turns": 1, "tool_calls": calls, "duration_ms": 5}
    return End(**known | more)


def error(code: str, calls: int = 0) -> Event:
    known = {"total_tokens": 15, "turns": 1, "tool_calls": calls, "duration_ms": 5}
    return Error(error="x", code=code, retryable=False, exit_code=1, **known)


def run(*parts: Event | Iterable[Event], recording: Path | None = None, **more: Any) -> list[bytes]:
    """The lines of stdout of a run that ends well and did these things; recorded on request."""
    lines: list[bytes] = []
    emitter = Emitter()
    emitter.add_line_sink(lines.append)
    if recording is not None:
        emitter.record(Recording.create(recording, lambda _: None))
    events = [start(), *turn()]
    for part in parts:
        events += [part] if isinstance(part, Event) else part
    calls = sum(event.type == "tool_start" for event in events)
    for event in events:
        emitter.emit(event)
    if events[-1].type not in ("end", "error"):
        emitter.emit(end(calls, **more))
    return b"".join(lines).splitlines(keepends=True)
