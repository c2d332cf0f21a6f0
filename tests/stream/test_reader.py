"""Reading recordings: every event comes back as it was, and nothing else gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.errors import InvalidStream
from a3s_cli.events import (
    ControlRejected,
    Denial,
    End,
    Error,
    Event,
    Notice,
    PermissionAnswer,
    PermissionDenied,
    PermissionRequest,
    ReasoningDelta,
    Retry,
    Start,
    TextDelta,
    ToolEnd,
    ToolInputDelta,
    ToolOutputDelta,
    ToolRejected,
    ToolsChanged,
    ToolStart,
    TurnEnd,
    TurnStart,
    UserMessage,
)
from a3s_cli.messages import Usage
from a3s_cli.stream.emitter import Emitter
from a3s_cli.stream.line import encode
from a3s_cli.stream.reader import read
from tests.support.a3s import proofs

USAGE = Usage(5, 4, 3, 2, 1, 15)
BASH: dict[str, Any] = {"tool_name": "bash", "tool_id": "c1"}
EVENTS: list[Event] = [
    Start(schema_version=1, version="1", run_id="r", model="a/b", tools=["bash"]),
    Notice(code="config_untrusted", text="no", keys=["a"], file="f", line=3),
    TurnStart(turn=1),
    Retry(attempt=2, max_attempts=5, delay_ms=1, code="overloaded", reason="no", status=503),
    ReasoningDelta(text="hm"),
    TextDelta(text="é\u2028\x1b"),
    ToolInputDelta(**BASH, text="{}"),
    TurnEnd(turn=1, total_tokens=15, usage=USAGE, stop_reason="tool_use"),
    PermissionRequest(**{**BASH, "tool_id": "c2"}, tool_input={"command": "rm"}, rule="default"),
    PermissionAnswer(tool_id="c2", answer="no", by="tty"),
    PermissionDenied(
        **{**BASH, "tool_id": "c2"},
        tool_input={"command": "rm"},
        decision="ask",
        rule="default",
        reason="nobody",
        hint="--allow bash",
    ),
    ToolRejected(
        tool_name="x", tool_id="c3", raw_input="{", reason="unknown_tool", error="no such tool"
    ),
    UserMessage(text="left", how="steer"),
    ToolsChanged(tools=["bash", "mcp__git__log"]),
    ControlRejected(error="no", line="x", id=7),
    ToolStart(**BASH, tool_input={"n": 12345678901234567890123}, turn=1, rule="bash"),
    ToolOutputDelta(**BASH, text="out"),
    ToolEnd(**BASH, tool_output="out", exit_code=130, reason="cancelled", duration_ms=1),
    TurnStart(turn=2),
    TurnEnd(turn=2, total_tokens=0, stop_reason="end_turn"),
]
LAST: list[Event] = [
    End(
        text="yo",
        total_tokens=15,
        usage=USAGE,
        turns=2,
        tool_calls=1,
        duration_ms=3,
        exit_code=0,
        permission_denials=(Denial("c2", "bash", "default"),),
        cost_usd=0.5,
    ),
    Error(
        error="no",
        code="overloaded",
        retryable=True,
        exit_code=75,
        turns=2,
        tool_calls=1,
        total_tokens=15,
        duration_ms=3,
        retry_after_ms=9,
    ),
]


def stream(last: Event) -> list[bytes]:
    emitter, lines = Emitter(), list[bytes]()
    emitter.add_line_sink(lines.append)
    for event in [*EVENTS, last]:
        emitter.emit(event)
    return lines


@pytest.mark.parametrize("last", LAST, ids=["end", "error"])
def test_every_event_comes_back(last: Event) -> None:
    lines = stream(last)
    found = list(read(lines, "x"))
    assert [line.event for line in found] == [*EVENTS, last]
    assert [line.data for line in found] == lines
    for line in found:
        assert line.event is not None and encode(line.event) == line.data


def test_nothing_is_forgotten_here() -> None:
    assert {event.type for event in [*EVENTS, *LAST]} == set(Event.kinds)


VALUES = [json.loads(line) for line in stream(LAST[0])]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@st.composite
def changed(draw: st.DrawFn) -> list[bytes]:
    """The stream with one field set to anything, or taken away."""
    values = [dict(value) for value in VALUES]
    value = draw(st.sampled_from(values))
    name = draw(st.sampled_from(sorted(value)) | st.just("usage") | st.just("toolId"))
    if draw(st.booleans()):
        value.pop(name, None)
    else:
        value[name] = draw(anything)
    return [json.dumps(one).encode() + b"\n" for one in values]


@settings(max_examples=proofs(150), deadline=None)
@given(changed())
def test_a_changed_field_is_let_through_or_named(lines: list[bytes]) -> None:
    """Whatever is wrong is told as a wrong stream; never as a bug of ours."""
    try:
        found = list(read(lines, "x"))
    except InvalidStream as error:
        assert str(error).startswith("x: line ")
    else:
        assert [line.data for line in found] == lines


@settings(max_examples=proofs(100), deadline=None)
@given(st.lists(st.binary(max_size=40).map(lambda data: data + b"\n"), max_size=4))
def test_no_bytes_are_taken_for_a_stream(lines: list[bytes]) -> None:
    with pytest.raises(InvalidStream):
        list(read(lines, "x"))


@pytest.mark.parametrize("number", range(1, len(VALUES) + 1))
def test_every_beginning_is_not_the_whole(number: int) -> None:
    lines = [json.dumps(value).encode() + b"\n" for value in VALUES[:number]]
    if number == len(VALUES):
        assert len(list(read(lines, "x"))) == number
        return
    with pytest.raises(InvalidStream):
        list(read(lines, "x"))
