"""Our events as an OpenAI chat completion: in chunks and whole, and what may be asked for.

The streams are the binary's own. `protocols.chat_message` folds the chunks as the
SDKs do; the SDKs themselves are in `clients/`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from a3s_cli import events as e
from a3s_cli.errors import NetworkError, UsageError
from a3s_cli.events import Event
from a3s_cli.serve import openai

from .legal import ENDINGS, legal_streams
from .protocols import Json, chat_message, frames
from .streams import SCHEMA, recorded

SHAPE = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}}
WITH_USAGE = {"stream_options": {"include_usage": True}}


def _bytes(events: list[Event], body: Json | None = None) -> bytes:
    stream = openai.CompletionStream(body or {})
    return b"".join(map(stream.feed, events))


def _usage(given: int, made: int) -> Json:
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _said(content: str, aside: str = "") -> Json:
    said = {"role": "assistant", "content": content}
    return said | ({"reasoning_content": aside} if aside else {})


def test_a_plain_answer_chunk_by_chunk() -> None:
    stream = recorded()["plain"]
    start = stream[0]
    head = {
        "id": f"chatcmpl-{start.run_id}",
        "object": "chat.completion.chunk",
        "created": start.ts // 1000,
        "model": "openai/test-model",
    }

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    chunks = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hello"}),
        chunk({"content": " there!"}),
        chunk({}, "stop"),
    ]
    *told, last = frames(_bytes(stream))
    assert [json.loads(one) for one in told] == chunks
    assert last == "[DONE]"
    # Who asks for the usage gets it last, and a null in every other chunk.
    *told, _ = frames(_bytes(stream, WITH_USAGE))
    assert [json.loads(one) for one in told] == [
        *({**one, "usage": None} for one in chunks),
        {**head, "choices": [], "usage": _usage(10, 5)},
    ]


def test_a_plain_answer_whole() -> None:
    stream = recorded()["plain"]
    assert openai.completion(stream, {}) == (
        200,
        {
            "id": f"chatcmpl-{stream[0].run_id}",
            "object": "chat.completion",
            "created": stream[0].ts // 1000,
            "model": "openai/test-model",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hello there!", "refusal": None},
                    "finish_reason": "stop",
                    "logprobs": None,
                }
            ],
            "usage": _usage(10, 5),
        },
    )


def test_the_way_to_an_answer_is_folded_away() -> None:
    stream = recorded()["everything"]
    rejections = {one.tool_id: one.error for one in stream if one.type == "tool_rejected"}
    message = chat_message(_bytes(stream))["message"]
    assert message["content"] == "I'll look.\n\nDone: *12*\n\u2028 end"
    # The calls of one turn run side by side, so that their lines come in any order.
    assert sorted(message["reasoning_content"].replace("[1] …\n", "").splitlines()) == sorted(
        [
            "Look first.",
            "[1] bash  echo one; echo two",
            "[2] read  missing",
            "[2] exit 1: missing does not exist",
            "[3] ls  ",
            "[3] exit 0",
            "one",
            "two",
            "[1] exit 0",
            "This is ",
            "[4] bash  rm x",
            "[4] denied: no rule covers `rm x`",
            f"[5] nothing: {rejections['c5']}",
            f"[6] bash: {rejections['c6']}",
            "[7] bash  echo begun; sleep 60",
            "begun",
            "[7] exit 124 (timeout)",
            "[8] generate_object  Describe the file.",
            "[8] exit 0",
        ]
    )


@pytest.mark.parametrize(
    ("name", "content", "aside"),
    [
        ("object", '{"name":"b","size":3}', "[1] bash  echo hi\nhi\n[1] exit 0\nIt is b."),
        ("only an object", '{"name":"b","size":3}', ""),
    ],
)
def test_a_response_format_is_the_object_alone(name: str, content: str, aside: str) -> None:
    stream = recorded()[name]
    body = {"response_format": SHAPE}
    assert chat_message(_bytes(stream, body)) == {
        "message": _said(content, aside),
        "finish_reason": "stop",
        "usage": None,
    }


@pytest.mark.parametrize(
    ("name", "reason", "text"),
    [("max_tokens", "length", "and so"), ("refusal", "content_filter", "no")],
)
def test_a_cut_answer_is_no_error(name: str, reason: str, text: str) -> None:
    stream = recorded()[name]
    streamed = chat_message(_bytes(stream, WITH_USAGE))
    usage = _usage(10, 5)
    assert streamed == {"message": _said(text), "finish_reason": reason, "usage": usage}
    status, whole = openai.completion(stream, {})
    assert (status, whole["choices"][0]["finish_reason"], whole["usage"]) == (200, reason, usage)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("auth", 502, "server_error"),
        ("truncated_stream", 502, "server_error"),
        ("no object", 500, "server_error"),
        ("cancelled", 499, "server_error"),
    ],
)
def test_a_failure(name: str, status: int, kind: str) -> None:
    stream = recorded()[name]
    last = stream[-1]
    message = f"{last.error} ({last.hint})" if last.hint else last.error
    told = {"message": message, "type": kind, "param": None, "code": last.code}
    body = {"response_format": SHAPE} if name == "no object" else {}
    assert openai.completion(stream, body) == (status, {"error": told})
    assert chat_message(_bytes(stream, body))["error"] == told


def test_a_refused_request() -> None:
    refused = UsageError("No.", hint="ask otherwise")
    assert openai.refusal(refused) == {
        "error": {
            "message": "No. (ask otherwise)",
            "type": "invalid_request_error",
            "param": None,
            "code": "usage",
        }
    }
    assert openai.status(refused.code) == 400
    assert openai.status(NetworkError("").code) == 502
    assert openai.status("a code of a later version") == 500


def test_long_output_is_cut_and_says_so() -> None:
    call = {"tool_name": "bash", "tool_id": "b"}
    printed = ["x" * (openai.SHOWN - 1), "y", "z", "z"]
    end = e.ToolEnd(tool_output="", exit_code=0, duration_ms=1, **call)
    stream: list[Event] = [
        e.Start(schema_version=1, version="", run_id="r"),
        e.ToolStart(tool_input={"command": "yes"}, turn=1, rule="default", **call),
        *(e.ToolOutputDelta(text=text, **call) for text in printed),
        end,
        ENDINGS["end"],
    ]
    aside = chat_message(_bytes(stream))["message"]["reasoning_content"]
    assert aside == f"[1] bash  yes\n{printed[0]}y\n[…]\n[1] exit 0\n"
    fits = [one for one in stream if one.text != "z"]
    aside = chat_message(_bytes(fits))["message"]["reasoning_content"]
    assert aside == f"[1] bash  yes\n{printed[0]}y\n[1] exit 0\n"


def test_calls_that_print_at_the_same_time_can_be_told_apart() -> None:
    def event(kind: type[Event], number: int, **more: Any) -> Event:
        return kind(tool_name="bash", tool_id=f"b{number}", **more)

    def printed(number: int, text: str) -> Event:
        return event(e.ToolOutputDelta, number, text=text)

    begun = {"turn": 1, "rule": "default"}
    stream: list[Event] = [
        e.Start(schema_version=1, version="", run_id="r"),
        event(e.ToolStart, 1, tool_input={"command": "a"}, **begun),
        event(e.ToolStart, 2, tool_input={"command": "b"}, **begun),
        *(printed(2, "two\n"), printed(2, "2\n"), printed(1, "one"), printed(2, "zwei\n")),
        *(
            event(e.ToolEnd, number, tool_output="", exit_code=0, duration_ms=1)
            for number in (1, 2)
        ),
        ENDINGS["end"],
    ]
    aside = chat_message(_bytes(stream))["message"]["reasoning_content"]
    assert aside == (
        "[1] bash  a\n[2] bash  b\ntwo\n2\n[1] …\none\n[2] …\nzwei\n[1] exit 0\n[2] exit 0\n"
    )


def test_no_line_is_long() -> None:
    """Open WebUI and others read with a limit of 64 KiB a line."""
    thing = {"name": "\x00" * 100_000}
    stream: list[Event] = [
        e.Start(schema_version=1, version="", run_id="r", model="m"),
        ENDINGS["end"].replace(object=thing),
    ]
    data = _bytes(stream, {"response_format": SHAPE})
    assert json.loads(chat_message(data)["message"]["content"]) == thing
    assert max(map(len, data.split(b"\n"))) < 64 * 1024


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_may_end_anywhere(ending: str) -> None:
    for stream in recorded().values():
        for length in range(1, len(stream)):
            answer = chat_message(_bytes([*stream[:length], ENDINGS[ending]]))
            assert ("error" in answer) == (ending != "end")
            assert answer["finish_reason"] == ("stop" if ending == "end" else None)


@given(legal_streams())
def test_whole_and_in_chunks_say_the_same(stream: list[Event]) -> None:
    streamed = chat_message(_bytes(stream, WITH_USAGE))
    status, whole = openai.completion(stream, {})
    if "error" in streamed:
        assert whole == {"error": streamed["error"]}
        assert status == openai.status(stream[-1].code)
        return
    (choice,) = whole["choices"]
    message = {name: one for name, one in choice["message"].items() if name != "refusal"}
    assert (status, message, choice["finish_reason"], whole["usage"]) == (
        200,
        streamed["message"],
        streamed["finish_reason"],
        streamed["usage"],
    )


@given(legal_streams())
def test_nothing_that_was_said_is_lost(stream: list[Event]) -> None:
    message = chat_message(_bytes(stream))["message"]
    turns: list[str] = []
    for event in stream:
        if event.type == "turn_start":
            turns.append("")
        elif event.type == "text_delta":
            turns[-1] += event.text
    assert message["content"] == "\n\n".join(filter(None, turns))
    aside = message.get("reasoning_content", "")
    for event in stream:
        if event.type in ("reasoning_delta", "tool_output_delta"):
            assert event.text in aside


def test_the_models() -> None:
    told = openai.models(["openai/gpt-5", "a3s", "openai/MODEL", "local"], created=7)
    assert told == {
        "object": "list",
        "data": [
            {"id": "a3s", "object": "model", "created": 7, "owned_by": "a3s"},
            {"id": "openai/gpt-5", "object": "model", "created": 7, "owned_by": "openai"},
            {"id": "local", "object": "model", "created": 7, "owned_by": "local"},
        ],
    }
