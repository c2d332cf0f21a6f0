"""Messages on disk: what comes back is what was said, and no secret with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.jsontext import loads
from a3s_cli.messages import Message, Reasoning, Text, ToolCall, ToolResult
from a3s_cli.sessions.lines import MESSAGES, from_json, line, to_json
from tests.support.a3s import proofs

text = st.text(max_size=20)
opaque = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
thoughts = st.builds(Reasoning, text, opaque, text)
tool_calls = st.builds(ToolCall, text, text, text, text, opaque, text)
results = st.builds(ToolResult, text, text, text, st.booleans(), text)
messages = st.one_of(
    st.builds(Message, st.just("user"), st.lists(st.builds(Text, text)).map(tuple)),
    st.builds(
        Message,
        st.just("assistant"),
        st.lists(st.builds(Text, text) | thoughts | tool_calls, max_size=4).map(tuple),
    ),
    st.builds(Message, st.just("tool"), st.lists(results, max_size=3).map(tuple)),
)


@settings(max_examples=proofs(200), deadline=None)
@given(st.lists(messages, max_size=4))
def test_messages_come_back(said: list[Message]) -> None:
    written = line(MESSAGES, messages=to_json(said, str))
    assert written.count(b"\n") == 1 and written.endswith(b"\n")
    value = loads(written)
    assert (value["type"], "seq" in value) == (MESSAGES, False)
    assert from_json(value["messages"]) == said


@settings(max_examples=proofs(200), deadline=None)
@given(opaque)
def test_no_json_breaks_the_reader(value: Any) -> None:
    try:
        found = from_json(value)
    except ValueError:
        return
    assert to_json(found, str) == to_json(from_json(to_json(found, str)), str)


def _hide(said: str) -> str:
    return said.replace("hunter2", "[redacted:PW]")


def test_a_secret_is_kept_nowhere() -> None:
    said = [
        Message("user", (Text("log in with hunter2"),)),
        Message(
            "assistant",
            (
                Reasoning("hunter2?", {"signed": ["hunter2"], "signature": "s"}, "anthropic"),
                Reasoning("", {"signature": "untouched"}, "anthropic"),
                ToolCall("c1", "bash", '{"command":"login hunter2"}', "p1"),
            ),
        ),
        Message("tool", (ToolResult("c1", "bash", "welcome, hunter2", True, "p1"),)),
    ]
    kept = to_json(said, _hide)
    assert "hunter2" not in json.dumps(kept)
    thought, signed, call = from_json(kept)[1].parts
    # What was signed cannot be changed: it goes, and with it the name of who would want it.
    assert thought == Reasoning("[redacted:PW]?", None, "")
    assert signed == Reasoning("", {"signature": "untouched"}, "anthropic")
    assert call == ToolCall("c1", "bash", '{"command":"login [redacted:PW]"}', "p1")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        [7],
        [{}],
        [{"role": "system", "parts": []}],
        [{"role": [], "parts": []}],
        [{"role": "user", "parts": [{"type": "tool_call", "id": "", "name": "", "arguments": ""}]}],
        [{"role": "user", "parts": [{"type": "text"}]}],
        [{"role": "user", "parts": [{"type": "text", "text": 7}]}],
        [{"role": "user", "parts": [{"type": "song", "text": "la"}]}],
        [{"role": "user", "parts": 7}],
    ],
)
def test_what_says_no_messages(wrong: Any) -> None:
    with pytest.raises(ValueError):
        from_json(wrong)
