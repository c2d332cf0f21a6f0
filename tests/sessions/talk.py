"""Runs that were never run: their events and messages, written as a run writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from a3s_cli.events import End, Start, ToolEnd, ToolStart, TurnEnd, TurnStart
from a3s_cli.messages import Message, Reasoning, Text, ToolCall, ToolResult
from a3s_cli.sessions.file import SessionFile
from a3s_cli.sessions.store import Store
from a3s_cli.stream.emitter import Emitter


def store(root: Path) -> Store:
    return Store.find({"XDG_STATE_HOME": str(root / "state")})


def prompt(text: str) -> Message:
    return Message("user", (Text(text),))


def turn(number: int, output: str = "a\nb\n") -> list[Message]:
    """A response that calls a tool, and the result."""
    call = ToolCall(f"c{number}", "bash", '{"command":"ls"}', f"toolu_{number}", {"s": [1]}, "x")
    thought = Reasoning("hm", {"signature": "c2ln"}, "anthropic")
    result = ToolResult(call.id, "bash", output, provider_id=call.provider_id)
    return [
        Message("assistant", (thought, Text(f"turn {number}"), call)),
        Message("tool", (result,)),
    ]


def answer(text: str) -> Message:
    return Message("assistant", (Text(text),))


def run(
    file: SessionFile,
    asked: str,
    said: str,
    *,
    turns: int = 1,
    first: int = 1,
    kept: Callable[[], None] = lambda: None,
) -> list[Message]:
    """Write a whole run of so many turns with a tool and one with an answer; give its messages.

    `kept` is called when a turn has been forced to the disk.
    """
    messages = [prompt(asked)]
    emitter = Emitter()
    emitter.add_line_sink(file.write)
    emitter.emit(
        Start(
            schema_version=1,
            version="1",
            run_id="r",
            session_id=file.id,
            model="openai/test-model",
            cwd="/w",
            prompt=asked,
        )
    )
    file.keep([prompt(asked)])
    for number in range(first, first + turns):
        step = turn(number)
        emitter.emit(TurnStart(turn=number - first + 1))
        emitter.emit_texts([f"turn {number}"])
        file.keep(step[:1])
        _stop(emitter, number - first + 1, "tool_use")
        names = {"tool_name": "bash", "tool_id": f"c{number}"}
        given = {"tool_input": {"command": "ls"}, "turn": number - first + 1}
        emitter.emit(ToolStart(**names, **given, rule="bash"))
        file.keep(step[1:])
        emitter.emit(ToolEnd(**names, tool_output="a\nb\n", exit_code=0, duration_ms=1))
        file.flush()
        kept()
        messages += step
    emitter.emit(TurnStart(turn=turns + 1))
    emitter.emit_texts(list(said))
    file.keep([answer(said)])
    _stop(emitter, turns + 1, "end_turn")
    end = End(text=said, total_tokens=3, turns=turns + 1, tool_calls=turns, duration_ms=1)
    emitter.emit(end)
    file.end_run(ended=end)
    kept()
    return [*messages, answer(said)]


def _stop(emitter: Emitter, number: int, reason: str) -> None:
    emitter.emit(TurnEnd(turn=number, total_tokens=3, stop_reason=reason))


def valid(messages: list[Message]) -> bool:
    """Whether every vendor would take this conversation with one more prompt behind it."""
    before: Message | None = None
    for message in messages:
        calls = [call.id for call in before.calls] if before else []
        results = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        if results != calls or (message.role == "tool") != bool(calls):
            return False
        if message.role == (before.role if before else "assistant"):
            return False
        before = message
    return before is None or (before.role != "user" and not before.calls)


def known(messages: list[Message], said: list[Message]) -> int:
    """How many messages are as they were said; what follows them is what completes a cut run."""
    same = 0
    while same < min(len(messages), len(said)) and messages[same] == said[same]:
        same += 1
    completing = messages[same:]
    assert [one.role for one in completing] in (
        [],
        ["assistant"],
        ["user", "assistant"],
        ["tool", "assistant"],
    ), completing
    if completing:
        assert re.search(r"\[(There was no answer|This answer was cut): .*\]$", messages[-1].text)
    assert not messages or (messages[-1].role == "assistant" and not messages[-1].calls)
    return same


def forked(work: Callable[[Callable[[], None]], None]) -> tuple[int, int]:
    """Do work in a child; give its pid and the pipe on which it says one byte when it is told to.

    The child never returns to the test.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        work(lambda: os.write(writing, b".") and None)
        os._exit(0)
    finally:
        os._exit(1)


def beginnings(data: bytes) -> Iterator[bytes]:
    """Every beginning of some bytes."""
    return (data[:end] for end in range(len(data) + 1))
