"""How a response may end: what is known to be whole, and that nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a3s_cli.errors import InvalidResponse
from a3s_cli.model import StopChunk
from tests.support.decoding import NAMES, Answer, answer, frames

KNOWN: dict[str, dict[str, str]] = {
    "openai_chat": {
        "stop": "end_turn",
        "STOP": "end_turn",
        "eos_token": "end_turn",
        "COMPLETE": "end_turn",
        "length": "max_tokens",
        "model_length": "max_tokens",
        "content_filter": "refusal",
        "safety": "refusal",
        "guardrail_intervened": "refusal",
    },
    "anthropic": {
        "end_turn": "end_turn",
        "stop_sequence": "end_turn",
        "max_tokens": "max_tokens",
        "refusal": "refusal",
        "pause_turn": "paused",
    },
    "openai_responses": {"completed": "end_turn"},
    "gemini": {"STOP": "end_turn", "MAX_TOKENS": "max_tokens", "SPII": "refusal"},
}
UNKNOWN: dict[str, tuple[str, ...]] = {
    "openai_chat": ("abort", "cancelled", "timeout", "load", "pause", "unknown", "stopped", "x y"),
    "anthropic": ("abort", "cancelled", "error", "unknown", "END"),
    "openai_responses": ("failed", "cancelled", "in_progress", "queued", "expired"),
    "gemini": ("MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL", "LANGUAGE", "NEW"),
}


def ended(name: str, reason: str, *, called: bool = False) -> bytes:
    """A response that ends for this reason, after a word or a call."""
    if name == "openai_chat":
        function = {"name": "f", "arguments": "{}"}
        delta: Any = {"tool_calls": [{"index": 0, "id": "1", "function": function}]}
        delta = delta if called else {"content": "hi"}
        return frames({"choices": [{"delta": delta}]}, {"choices": [{"finish_reason": reason}]})
    if name == "anthropic":
        block = {"type": "tool_use", "id": "1", "name": "f", "input": {}}
        return frames(
            {"type": "message_start", "message": {}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": block if called else {"type": "text", "text": "hi"},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason}},
            {"type": "message_stop"},
        )
    if name == "openai_responses":
        call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
        part = {"type": "output_text", "text": "hi"}
        output = [call if called else {"type": "message", "content": [part]}]
        response = {"status": reason, "output": output}
        return frames({"type": "response.completed", "response": response})
    part = {"functionCall": {"name": "f", "args": {}}} if called else {"text": "hi"}
    return frames({"candidates": [{"content": {"parts": [part]}, "finishReason": reason}]})


@pytest.mark.parametrize(
    ("name", "reason", "stop"),
    [(name, reason, stop) for name, known in KNOWN.items() for reason, stop in known.items()],
)
def test_a_known_reason(name: str, reason: str, stop: str) -> None:
    got = answer(name, [ended(name, reason)])
    assert (got.text, got.error) == ("hi", None)
    assert got.stop == StopChunk(stop, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize(
    ("name", "reason"), [(name, one) for name, reasons in UNKNOWN.items() for one in reasons]
)
def test_an_unknown_reason(name: str, reason: str, called: bool) -> None:
    got = answer(name, [ended(name, reason, called=called)])
    assert got.stop == StopChunk("other", reason)


def test_a_response_that_failed_after_all_says_why() -> None:
    response = {"status": "failed", "error": {"code": "server_error", "message": "m"}}
    got = answer("openai_responses", [frames({"type": "response.completed", "response": response})])
    assert got.error is not None
    assert got.error.code == "overloaded"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("openai_chat", frames({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})),
        (
            "anthropic",
            frames(
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
                {"type": "message_stop"},
            ),
        ),
    ],
)
def test_a_call_that_is_announced_and_missing(name: str, data: bytes) -> None:
    got = answer(name, [data])
    assert got.stop is not None
    assert (got.stop.reason, got.calls) == ("other", [])


SECOND = {
    "anthropic": [
        {"type": "message_start", "message": {"id": "a"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use"}},
        {"type": "message_start", "message": {"id": "b"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ],
    "openai_responses": [
        {"type": "response.created", "response": {"id": "a"}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "x"},
        {"type": "response.created", "response": {"id": "b"}},
        {"type": "response.completed", "response": {"id": "b"}},
    ],
    "openai_chat": [
        {"id": "a", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"id": "a", "choices": [{"delta": {"content": "x"}}]},
        {"id": "b", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"id": "b", "choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]},
    ],
}


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("size", [7, 100_000])
def test_a_second_message_before_the_first_has_ended(name: str, size: int) -> None:
    data = frames(*SECOND[name])
    got = answer(name, [data[at : at + size] for at in range(0, len(data), size)])
    assert isinstance(got.error, InvalidResponse)
    assert got.error.resend
    assert got.stop is None


def test_what_follows_a_whole_message_is_not_part_of_it() -> None:
    def message(text: str) -> list[dict[str, Any]]:
        delta = {"type": "text_delta", "text": text}
        return [
            {"type": "message_start", "message": {}},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            {"type": "message_stop"},
        ]

    got = answer("anthropic", [frames(*message("one"), *message("two"))])
    assert (got.text, got.stops, got.error) == ("one", 1, None)


def test_roles_and_ids_of_every_chunk_are_no_second_message() -> None:
    deltas = [{"role": "assistant", "content": text} for text in "abc"]
    chunks = [{"id": str(n), "choices": [{"delta": one}]} for n, one in enumerate(deltas)]
    end = {"id": "x", "choices": [{"delta": {"role": "assistant"}, "finish_reason": "stop"}]}
    plain = [{"id": str(n), "choices": [{"delta": {"content": one}}]} for n, one in enumerate("ab")]
    assert answer("openai_chat", [frames(*chunks, ENDED)]).text == "abc"
    assert answer("openai_chat", [frames(*plain, ENDED)]).text == "ab"
    assert answer("openai_chat", [frames(*chunks, end)]).text == "abc"


ENDED = {"choices": [{"delta": {}, "finish_reason": "stop"}]}

WHOLE: dict[str, Any] = {
    "openai_chat": {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "hi",
                    "tool_calls": [
                        {
                            "id": "1",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    },
    "anthropic": {
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    "openai_responses": {
        "object": "response",
        "status": "completed",
        "output": [
            {"type": "message", "content": [{"type": "output_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    },
    "gemini": [
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"text": "hi"}, {"functionCall": {"id": "1", "name": "f"}}]
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2},
        }
    ],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("long", [False, True])
def test_a_server_that_does_not_stream(name: str, indent: int | None, long: bool) -> None:
    words = "hi" * 20_000 if long else "hi"
    data = json.dumps(WHOLE[name], indent=indent).replace('"hi"', json.dumps(words)).encode()
    for pieces in ([data], [data[n : n + 999] for n in range(0, len(data), 999)], [data + b"\n"]):
        got = answer(name, pieces)
        ((identity, name_of, arguments),) = got.calls
        assert (got.text, got.error) == (words, None)
        assert (identity, name_of, arguments or "{}") == ("1", "f", "{}")
        assert got.stop is not None
        assert got.stop.reason == "tool_use"
        assert got.usage is not None
        assert (got.usage.input_tokens, got.usage.output_tokens) == (1, 2)
    cut = answer(name, [data[:-5]])
    assert cut.error is not None
    assert (cut.text, cut.calls) == ("", [])


def test_lines_of_json_without_the_framing() -> None:
    lines = [{"choices": [{"delta": {"content": one}}]} for one in "ab"]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, ENDED])
    assert (answer("openai_chat", [data]).text, answer("openai_chat", [data]).error) == ("ab", None)


def chat(*choices: dict[str, Any]) -> Answer:
    return answer("openai_chat", [frames(*({"choices": [one]} for one in choices))])


def test_messages_and_texts_in_place_of_deltas() -> None:
    stop = {"finish_reason": "stop"}
    got = chat({"message": {"content": "Hel"}}, {"message": {"content": "lo"}}, stop)
    assert (got.text, got.error) == ("Hello", None)
    got = chat({"message": {"content": "Hel"}}, {"message": {"content": "Hello"}, **stop})
    assert (got.text, got.error) == ("Hello", None)
    got = chat({"text": "Hel"}, {"text": "lo"}, {"text": "", **stop})
    assert (got.text, got.error) == ("Hello", None)


@pytest.mark.parametrize(
    "choice",
    [
        {"error": {"code": 429, "message": "m"}, "finish_reason": "error"},
        {"delta": {"content": ""}, "error": {"code": 429, "message": "m"}},
    ],
)
def test_an_error_in_a_choice(choice: dict[str, Any]) -> None:
    got = chat(choice)
    assert got.error is not None
    assert (got.error.code, got.error.status) == ("rate_limited", 429)
    assert str(got.error).endswith(": m")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        {"message": "m", "code": 503},
        {"code": "503", "msg": "m"},
        {"error": "m", "status": 503},
        {"object": "error", "message": "m", "code": 503},
        {"detail": "m", "status_code": 503},
    ],
)
def test_a_bare_error_object(name: str, framed: bool, error: dict[str, Any]) -> None:
    got = answer(name, [frames(error, done=False) if framed else json.dumps(error).encode()])
    assert got.error is not None
    assert (got.error.code, got.error.status) == ("overloaded", 503)
    assert str(got.error).endswith(": m")
