"""What any wire may deliver besides an answer: errors, rubbish, and ends of every kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a3s_cli.errors import InvalidResponse, TruncatedStream
from a3s_cli.messages import Usage
from a3s_cli.model import StopChunk
from a3s_cli.providers.codec import EventDecoder
from tests.support.decoding import NAMES, answer, endpoint, frames, wire

ERRORS = {
    "openai_chat": {"error": {"message": "m", "code": 529}},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
    "openai_responses": {"type": "error", "code": "server_is_overloaded", "message": "m"},
    "gemini": {"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}},
}
TEXTS = {
    "openai_chat": {"choices": [{"delta": {"content": "so far"}}]},
    "anthropic": {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "so far"},
    },
    "openai_responses": {"type": "response.output_text.delta", "delta": "so far"},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "so far"}]}}]},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 100_000])
def test_an_error_inside_a_stream_comes_after_what_was_said(name: str, size: int) -> None:
    data = frames(TEXTS[name], ERRORS[name], TEXTS[name], done=False)
    got = answer(name, [data[n : n + size] for n in range(0, len(data), size)])
    assert got.text == "so far"
    assert got.error is not None
    assert (got.error.code, got.error.retryable) == ("overloaded", True)
    assert str(got.error).endswith(": m")


@pytest.mark.parametrize("name", NAMES)
def test_an_error_hides_the_key(name: str) -> None:
    error = json.loads(json.dumps(ERRORS[name]).replace('"m"', '"no sesame here"'))
    got = answer(name, [frames(error, done=False)], api_key="sesame")
    assert "no *** here" in str(got.error)


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_raised_once_and_for_all(name: str) -> None:
    decoder = wire(name).decoder(endpoint(name))
    assert isinstance(decoder, EventDecoder)
    events = [("message", json.dumps(TEXTS[name])), ("message", json.dumps(ERRORS[name]))]
    assert decoder.feed(events) == ["so far"]
    for _ in range(2):
        with pytest.raises(Exception, match=r"m$"):
            _ = decoder.complete
        with pytest.raises(Exception, match=r"m$"):
            decoder.feed([])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", ["{", "[]", "1", "null", "nonsense", "[DONE", '{"type":'])
def test_an_event_that_is_no_object(name: str, data: str) -> None:
    got = answer(name, [frames(TEXTS[name], data, done=False)])
    assert got.text == "so far"
    assert isinstance(got.error, InvalidResponse)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html><title>Sign in</title></html>", "invalid_response"),
        (b"just words", "invalid_response"),
        (b'{"error":{"message":"m","type":"overloaded_error"}}', "overloaded"),
        (b'{\n  "error": {\n    "code": 401,\n    "message": "m"\n  }\n}\n', "auth"),
        (b"", "truncated_stream"),
        (b": hello\n\n", "truncated_stream"),
        (b"data: [DONE]\n\n", "truncated_stream"),
    ],
)
def test_a_body_that_is_no_stream(name: str, body: bytes, code: str) -> None:
    got = answer(name, [body])
    assert got.error is not None
    assert got.error.code == code


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", "end_turn"),
        ("stop_sequence", "end_turn"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("refusal", "refusal"),
        ("pause_turn", "paused"),
        ("novelty", "other"),
    ],
)
def test_how_a_message_ends(reason: str, stop: str) -> None:
    data = frames(
        {"type": "message_start", "message": {}},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
        done=False,
    )
    got = answer("anthropic", [data])
    assert got.stop == StopChunk(stop, reason)  # type: ignore[arg-type]
    assert got.usage == Usage(output_tokens=2, total_tokens=2)


def test_thinking_is_kept_verbatim() -> None:
    def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
        return [
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": one} for one in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    redacted = {"type": "redacted_thinking", "data": "x\u2028y"}
    data = frames(
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "a "},
            {"type": "thinking_delta", "thinking": "b"},
            {"type": "signature_delta", "signature": "s="},
        ),
        *block(1, redacted),
        *block(2, {"type": "server_tool_use", "id": "s", "name": "search", "input": {}}),
        *block(3, {"type": "tool_use", "id": "t", "name": "add", "input": {"x": 1}}),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
        done=False,
    )
    got = answer("anthropic", [data])
    thinking = {"type": "thinking", "thinking": "a b", "signature": "s="}
    assert got.opaque == [thinking, redacted]
    assert got.reasoning == "a b"
    assert got.calls == [("t", "add", '{"x":1}')]


def test_responses_calls_that_come_whole() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "add", "arguments": '{"x":1}'}
    data = frames(
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {}},
    )
    got = answer("openai_responses", [data])
    assert got.calls == [("c", "add", '{"x":1}')]
    assert got.stop == StopChunk("tool_use", "completed")


@pytest.mark.parametrize(
    ("event", "stop"),
    [
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens"),
        ({"incomplete_details": {"reason": "content_filter"}}, "refusal"),
        ({"incomplete_details": None}, "other"),
    ],
)
def test_an_incomplete_response(event: dict[str, Any], stop: str) -> None:
    got = answer("openai_responses", [frames({"type": "response.incomplete", "response": event})])
    assert got.error is None
    assert got.stop is not None
    assert got.stop.reason == stop


def test_a_failed_response() -> None:
    failed = {"error": {"code": "server_error", "message": "m"}}
    got = answer("openai_responses", [frames({"type": "response.failed", "response": failed})])
    assert got.error is not None
    assert got.error.code == "overloaded"


def test_encrypted_reasoning_is_kept() -> None:
    item: dict[str, Any] = {"type": "reasoning", "id": "r", "summary": [], "status": None}
    item["encrypted_content"] = "e"
    plain = {"type": "reasoning", "id": "q", "summary": []}
    data = frames(
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 1, "item": plain},
        {"type": "response.completed", "response": {}},
    )
    kept = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "e"}
    assert answer("openai_responses", [data]).opaque == [kept]


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", "end_turn"),
        ("MAX_TOKENS", "max_tokens"),
        ("SAFETY", "refusal"),
        ("RECITATION", "refusal"),
        ("MALFORMED_FUNCTION_CALL", "other"),
        ("LANGUAGE", "other"),
    ],
)
def test_how_gemini_ends(reason: str, stop: str) -> None:
    got = answer("gemini", [frames({"candidates": [{"finishReason": reason}]}, done=False)])
    assert (got.stop, got.error) == (StopChunk(stop, reason), None)  # type: ignore[arg-type]


def test_a_prompt_that_gemini_blocks() -> None:
    got = answer("gemini", [frames({"promptFeedback": {"blockReason": "SAFETY"}}, done=False)])
    assert (got.stop, got.error) == (StopChunk("refusal", "SAFETY"), None)


def test_thought_signatures_are_kept() -> None:
    parts = [
        {"text": "hm", "thought": True},
        {"text": "so", "thoughtSignature": "a"},
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "b"},
        {"functionCall": {"id": "7", "name": "g"}},
    ]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    got = answer("gemini", [frames({"candidates": [candidate]}, done=False)])
    assert (got.reasoning, got.text) == ("hm", "so")
    assert got.opaque == [{"text": "", "thoughtSignature": "a"}, {"thoughtSignature": "b"}]
    assert got.calls == [("", "f", "{}"), ("7", "g", "{}")]
    assert got.stop == StopChunk("tool_use", "STOP")


ENDS = {
    "openai_chat": {"choices": [{"delta": {"content": "!"}, "finish_reason": "stop"}]},
    "anthropic": {"type": "message_stop"},
    "openai_responses": {"type": "response.completed", "response": {}},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP"}]},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_last_event_without_its_blank_line_counts_if_it_is_the_end(name: str) -> None:
    start, end = frames(TEXTS[name], done=False), frames(ENDS[name], done=False)
    whole = answer(name, [start + end])
    assert whole.error is None
    for short in (end[:-1], end[:-2]):
        assert repr(answer(name, [start, short])) == repr(whole)
    got = answer(name, [start, end[:-3]])
    assert isinstance(got.error, TruncatedStream)
    assert got.text == "so far"
    again = answer(name, [start, start[:-2]])
    assert isinstance(again.error, TruncatedStream)
    assert again.text == "so far"


@pytest.mark.parametrize("name", NAMES)
def test_events_that_say_nothing(name: str) -> None:
    data = frames("", TEXTS[name], " ", ENDS[name], "[DONE] ", "")
    assert (answer(name, [data]).error, answer(name, [data]).text[:6]) == (None, "so far")
