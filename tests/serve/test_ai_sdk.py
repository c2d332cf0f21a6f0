"""Our events as the AI SDK reads them: what it is shown, and that its protocol is kept.

The streams are the binary's own. `protocols.ui_message` reads the bytes as the
client does and refuses what that would; the client itself is in `clients/`.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given

from a3s_cli import events as e
from a3s_cli.events import Event
from a3s_cli.serve import ai_sdk

from .legal import ENDINGS, legal_streams
from .protocols import Json, frames, ui_message
from .streams import recorded


def _bytes(events: list[Event]) -> bytes:
    stream = ai_sdk.UIMessageStream()
    return b"".join(map(stream.feed, events))


def _message(name: str) -> Json:
    return ui_message(_bytes(recorded()[name]))


def _call(tool_id: str, name: str, given: Any, **more: Any) -> Json:
    streamed = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return {
        "type": "call",
        "id": tool_id,
        "name": name,
        "input": given,
        "streamed": streamed,
        **more,
    }


def _failed(error: str) -> Json:
    return {"state": "failed", "output": None, "error": error}


def test_a_run_with_everything() -> None:
    stream = recorded()["everything"]
    durations = {one.tool_id: one.duration_ms for one in stream if one.type == "tool_end"}
    asking = next(one.tool_input for one in stream if one.tool_id == "c8" and one.tool_input)
    thing = {"name": "a", "size": 12}
    message = ui_message(_bytes(stream))
    entry = next(
        one.tool_output for one in stream if one.type == "tool_end" and one.tool_id == "c3"
    )
    denied = "denied: no rule covers `rm x`\nallow it with: --allow 'bash(rm:*)'"
    rejections = {one.tool_id: one.error for one in stream if one.type == "tool_rejected"}
    assert message["parts"] == [
        {"type": "step"},
        {"type": "reasoning", "text": "Look first."},
        {"type": "text", "text": "I'll look."},
        _call(
            "c1",
            "bash",
            {"command": "echo one; echo two"},
            state="done",
            output={"toolOutput": "one\ntwo\n", "exitCode": 0, "durationMs": durations["c1"]},
        ),
        _call("c2", "read", {"file_path": "missing"}, **_failed("missing does not exist")),
        _call(
            "c3",
            "ls",
            {},
            state="done",
            output={
                "toolOutput": entry,
                "exitCode": 0,
                "durationMs": durations["c3"],
                "path": next(one.cwd for one in stream if one.type == "start"),
            },
        ),
        {"type": "step"},
        {"type": "reasoning", "text": "This is "},
        {
            "type": "call",
            "id": "lost",
            "name": "bash",
            "streamed": '{"command": "echo lost"}',
            "input": None,
            "state": "failed",
            "error": "the response was cut off and is requested again",
        },
        _call("c4", "bash", {"command": "rm x"}, **_failed(denied)),
        {
            **_call("c6", "bash", '{"command": 1}', state="failed", error=rejections["c6"]),
        },
        _call(
            "c7",
            "bash",
            {"command": "echo begun; sleep 60", "timeout": 400},
            **_failed("the call timed out\nbegun\n"),
        ),
        # Empty arguments are shown last: a vendor may send `{}` before the real ones.
        {
            **_call("c5", "nothing", "{}", state="failed", error=rejections["c5"]),
        },
        {"type": "step"},
        _call(
            "c8",
            "generate_object",
            asking,
            state="done",
            output={"object": thing, "repairRounds": 1},
        ),
        {"type": "object", "id": "c8", "data": {"object": thing, "round": 1, "final": True}},
        {"type": "step"},
        {"type": "text", "text": "Done: *12*\n\u2028 end"},
    ]
    (retry,) = [one for one in stream if one.type == "retry"]
    left_out = ("seq", "ts")
    assert message["asides"] == [
        {key: one for key, one in retry.to_dict().items() if key not in left_out}
    ]
    end = stream[-1]
    assert message["last"] == {
        "type": "finish",
        "finishReason": "stop",
        "messageMetadata": {
            "totalTokens": end.total_tokens,
            "usage": end.to_dict()["usage"],
            "turns": 4,
            "toolCalls": end.tool_calls,
            "durationMs": end.duration_ms,
            "permissionDenials": [{"toolId": "c4", "toolName": "bash", "rule": "default"}],
        },
    }


def test_the_start_names_the_run_and_its_session() -> None:
    stream = recorded()["plain"]
    start = stream[0]
    assert json.loads(frames(_bytes(stream))[0]) == {
        "type": "start",
        "messageId": start.run_id,
        "messageMetadata": {
            "runId": start.run_id,
            "sessionId": start.session_id,
            "model": start.model,
        },
    }


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("auth", {"type": "error"}),
        ("max_tokens", {"type": "error"}),
        ("refusal", {"type": "error"}),
        ("truncated_stream", {"type": "error"}),
        ("no object", {"type": "error"}),
        ("cancelled", {"type": "abort", "reason": "cancelled by SIGTERM"}),
        ("object", {"type": "finish"}),
        ("only an object", {"type": "finish"}),
    ],
)
def test_how_a_run_ends(name: str, last: Json) -> None:
    event = recorded()[name][-1]
    found = _message(name)["last"]
    if last["type"] == "error":
        hint = f" ({event.hint})" if event.hint else ""
        last = {**last, "errorText": f"{event.error}{hint}"}
    found.pop("messageMetadata", None)
    found.pop("finishReason", None)
    assert found == last


def test_an_object_grows_in_one_part() -> None:
    chunks = [json.loads(one) for one in frames(_bytes(recorded()["only an object"]))[:-1]]
    states = [chunk["data"] for chunk in chunks if chunk["type"] == "data-object"]
    assert {chunk["id"] for chunk in chunks if chunk["type"] == "data-object"} == {"object"}
    whole = {"name": "b", "size": 3}
    assert states[-1] == {"object": whole, "round": 0, "final": True}
    assert states[0] == {"object": {"name": "b"}, "round": 0, "final": False}
    assert [state["final"] for state in states] == [False] * (len(states) - 1) + [True]


def test_an_object_that_was_too_large_to_be_shown_comes_whole() -> None:
    omitted = {"object_partial_omitted": True, "partial_bytes": 99, "round": 0, "final": True}
    made = {"object": [1], "repairRounds": 0}
    call = {"tool_name": "generate_object", "tool_id": "g"}
    stream = [
        e.Start(schema_version=1, version="", run_id="r"),
        e.ToolStart(**call, tool_input={}, turn=0, rule="default"),
        e.ToolOutputDelta(**call, text=json.dumps(omitted)),
        e.ToolEnd(**call, tool_output=json.dumps(made), exit_code=0, duration_ms=1),
        ENDINGS["end"],
    ]
    assert ui_message(_bytes(stream))["parts"][-1] == {
        "type": "object",
        "id": "g",
        "data": {"object": [1], "round": 0, "final": True},
    }


def test_an_object_that_cannot_be_had_is_a_tool_error() -> None:
    (call,) = [one for one in _message("no object")["parts"] if one["type"] == "call"]
    assert call["state"] == "failed"
    assert call["error"] == (
        "the model's answer does not fit the schema after 2 repairs\n"
        ': "name" is a required property\n: "size" is a required property'
    )


def test_who_is_asked_is_a_part_that_gets_its_answer() -> None:
    call = {"tool_name": "bash", "tool_id": "b", "tool_input": {"command": "x"}}
    stream: list[Event] = [
        e.Start(schema_version=1, version="", run_id="r"),
        e.PermissionRequest(**call, rule="default"),
        e.PermissionAnswer(tool_id="b", answer="once", by="user"),
        e.ToolStart(**call, turn=1, rule="user"),
        e.ToolEnd(tool_name="bash", tool_id="b", tool_output="y", exit_code=0, duration_ms=1),
        ENDINGS["end"],
    ]
    asking = {"toolName": "bash", "toolInput": {"command": "x"}, "rule": "default"}
    before = [json.loads(one) for one in frames(_bytes(stream[:2]))]
    assert before[-1] == {"type": "data-permission", "id": "b", "data": asking}
    parts = ui_message(_bytes(stream))["parts"]
    answered = {**asking, "answer": "once", "by": "user"}
    assert {"type": "permission", "id": "b", "data": answered} in parts


def test_live_output_is_the_end_of_what_was_printed() -> None:
    call = {"tool_name": "bash", "tool_id": "b"}
    lines = [f"line {number:05}\n" for number in range(1000)]
    stream: list[Event] = [
        e.Start(schema_version=1, version="", run_id="r"),
        e.ToolStart(**call, tool_input={}, turn=1, rule="default"),
        *(e.ToolOutputDelta(**call, text=line) for line in lines),
    ]
    chunks = [json.loads(one) for one in frames(_bytes(stream))]
    shown = [one["output"]["toolOutput"] for one in chunks if one.get("preliminary")]
    whole = [("".join(lines[: number + 1]))[-ai_sdk.TAIL :] for number in range(1000)]
    assert shown == whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_may_end_anywhere(ending: str) -> None:
    """Whatever was open is closed, and the last word is the protocol's."""
    for stream in recorded().values():
        for length in range(1, len(stream)):
            message = ui_message(_bytes([*stream[:length], ENDINGS[ending]]))
            kind = {"end": "finish", "cancelled": "abort"}.get(ending, "error")
            assert message["last"]["type"] == kind


@given(legal_streams())
def test_every_legal_stream_keeps_the_protocol_and_loses_nothing(stream: list[Event]) -> None:
    message = ui_message(_bytes(stream))
    for kind in ("text", "reasoning"):
        said = "".join(one.text for one in stream if one.type == f"{kind}_delta")
        shown = [part["text"] for part in message["parts"] if part["type"] == kind]
        assert "".join(shown) == said
    done = {part["id"]: part["output"] for part in message["parts"] if part.get("state") == "done"}
    assert done == {
        one.tool_id: {"toolOutput": one.tool_output, "exitCode": one.exit_code, "durationMs": 1}
        for one in stream
        if one.type == "tool_end" and not one.reason
    }
    turns = sum(one.type == "turn_start" for one in stream)
    assert sum(part["type"] == "step" for part in message["parts"]) == turns
    # What the model says in one turn is one part for as long as it is of one kind.
    spoken = [
        one.type for one in stream if one.type not in ("notice", "tool_output_delta", "tool_end")
    ]
    runs = [kind for kind, _ in groupby(spoken)]
    assert sum(part["type"] == "text" for part in message["parts"]) == runs.count("text_delta")
