"""`-o raw`: the assistant's words on stdout, everything else on stderr."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.events import (
    End,
    Error,
    Event,
    Notice,
    PermissionDenied,
    ReasoningDelta,
    Retry,
    TextDelta,
    ToolEnd,
    ToolOutputDelta,
    ToolRejected,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from a3s_cli.output.raw import Raw

from .test_terminal import text as hostile


def turn_end(turn: int = 1) -> Event:
    return TurnEnd(turn=turn, total_tokens=0, stop_reason="end_turn")


def end(**more: object) -> Event:
    return End(text="", total_tokens=0, turns=1, tool_calls=0, duration_ms=1, **more)  # type: ignore[arg-type]


def error(message: str, hint: str | None = None) -> Event:
    return Error(
        error=message, hint=hint, code="auth", retryable=False, exit_code=77,
        turns=0, tool_calls=0, total_tokens=0, duration_ms=1,
    )  # fmt: skip


def render(
    *events: Event, terminal: bool = False, at_once: bool = True, object_only: bool = False
) -> tuple[bytes, bytes]:
    out: list[bytes] = []
    err: list[bytes] = []
    sink = Raw(out.append, err.append, terminal, object_only)
    for batch in [events] if at_once else [[event] for event in events]:
        sink.accept(batch)
    return b"".join(out), b"".join(err)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ([["hel", "lo"]], b"hello\n"),
        ([["hello\n"]], b"hello\n"),
        ([["one"], ["two\n"], ["three"]], b"one\ntwo\nthree\n"),
        ([["one"], [], [""], ["two"]], b"one\ntwo\n"),
        ([[]], b""),
        ([["\x1b[1m\r\n\x00 ::x"]], b"\x1b[1m\r\n\x00 ::x\n"),
    ],
)
def test_text_of_all_turns(texts: list[list[str]], shown: bytes, at_once: bool) -> None:
    events: list[Event] = []
    for number, turn in enumerate(texts, 1):
        events += [TurnStart(turn=number), *(TextDelta(text=text) for text in turn)]
        events.append(turn_end(number))
    assert render(*events, end(), at_once=at_once) == (shown, b"")


def test_a_read_is_one_write() -> None:
    out: list[bytes] = []
    Raw(out.append, out.append, False).accept([TextDelta(text="a"), TextDelta(text="b")])
    assert out == [b"ab"]


def test_tools_and_reasoning_are_not_shown() -> None:
    assert render(
        ReasoningDelta(text="hm"),
        ToolStart(tool_name="bash", tool_id="1", tool_input={"command": "ls"}, turn=1, rule="bash"),
        ToolOutputDelta(tool_name="bash", tool_id="1", text="file\n"),
        ToolEnd(tool_name="bash", tool_id="1", tool_output="file\n", exit_code=0, duration_ms=1),
        end(),
    ) == (b"", b"")


def test_what_goes_to_stderr() -> None:
    out, err = render(
        Notice(code="stdin_ignored", text="stdin was not read; --stdin would read it"),
        Retry(attempt=2, max_attempts=5, delay_ms=1500, code="overloaded", reason="x answered 503"),
        PermissionDenied(
            tool_name="bash", tool_id="1", tool_input={"command": "rm\n-r x"}, decision="ask",
            rule="default", reason="nobody can be asked", hint="--allow 'bash(rm *)'",
        ),
        ToolRejected(
            tool_name="bsh", tool_id="2", raw_input="{", reason="unknown_tool", error="no tool bsh"
        ),
        TextDelta(text="Sorry"),
        error("no credentials", "export A_KEY=…\nor pick another model"),
        at_once=False,
    )  # fmt: skip
    assert out == b"Sorry\n"
    assert err.decode() == (
        "a3s: stdin was not read; --stdin would read it\n"
        "a3s: x answered 503; attempt 2 of 5 in 1.5s\n"
        "a3s: denied: bash rm⏎-r x: nobody can be asked\n"
        "hint: --allow 'bash(rm *)'\n"
        "a3s: rejected: bsh {: no tool bsh\n"
        "a3s: no credentials\n"
        "hint: export A_KEY=…\n"
        "hint: or pick another model\n"
    )


def test_a_terminal_is_not_obeyed() -> None:
    parts = (TextDelta(text="a\x1b"), TextDelta(text="[2J\r"), TextDelta(text="\nb"), end())
    assert render(*parts, terminal=True, at_once=False) == (b"a\\x1b[2J\nb\n", b"")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, None], "ü": 10**30}, '{"a":[1,null],"ü":' + "1" + "0" * 30 + "}\n"),
        (None, "null\n"),
        (False, "false\n"),
    ],
)
def test_a_schema_run_prints_just_the_object(value: object, shown: str) -> None:
    assert render(
        TextDelta(text="Here it is"), turn_end(), end(object=value), object_only=True
    ) == (shown.encode(), b"")


@given(st.lists(hostile, max_size=5))
def test_stdout_is_the_text_byte_for_byte(texts: list[str]) -> None:
    out, err = render(*(TextDelta(text=text) for text in texts), end())
    whole = "".join(texts)
    assert err == b""
    expected = whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert out.decode() == expected + "\n" * (bool(whole) and not whole.endswith("\n"))


@given(hostile, hostile)
def test_stderr_commands_nobody(message: str, hint: str) -> None:
    shown = render(error("x" + message, hint))[1].decode()
    assert all(line.startswith(("a3s: ", "hint: ")) for line in shown.split("\n")[:-1])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|##\\[|##vso\\[", shown)
