"""What each wire sends: whole requests, byte for byte, and that nothing breaks them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.messages import Message, Part, Reasoning, Text, ToolCall, ToolResult
from a3s_cli.model import Endpoint
from tests.support.conversations import (
    CALL,
    CONVERSATION,
    RESULT,
    SCHEMA,
    TOOLS,
    conversation,
    encode,
    sent,
)
from tests.support.decoding import NAMES, endpoint


def test_openai_chat() -> None:
    request = conversation(*CONVERSATION, tools=TOOLS[:1], max_tokens=9, temperature=0.5)
    post = encode("openai_chat", request)
    assert post.url == "https://api.example/v1/chat/completions"
    assert post.headers == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "authorization": "Bearer sk-key",
    }
    assert json.loads(post.body) == {
        "model": "m-1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
        "tools": [
            {
                "type": "function",
                "function": {"name": "add", "description": "Add one.", "parameters": SCHEMA},
            }
        ],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": "let me see",
                "tool_calls": [
                    {
                        "id": "vendor_1",
                        "type": "function",
                        "function": {"name": "add", "arguments": '{"x": 1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "vendor_1", "content": "2"},
        ],
    }


def test_anthropic() -> None:
    request = conversation(*CONVERSATION, tools=TOOLS[:1], temperature=0.5)
    post = encode("anthropic", request)
    cached = {"cache_control": {"type": "ephemeral"}}
    assert post.url == "https://api.example/v1/messages"
    assert post.headers == {
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "accept": "text/event-stream",
        "x-api-key": "sk-key",
    }
    assert json.loads(post.body) == {
        "model": "m-1",
        "max_tokens": 8192,
        "stream": True,
        "temperature": 0.5,
        "system": [{"type": "text", "text": "Be brief.", **cached}],
        "tools": [{"name": "add", "description": "Add one.", "input_schema": SCHEMA}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi", **cached}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "let me see"},
                    {"type": "tool_use", "id": "vendor_1", "name": "add", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "vendor_1", "content": "2", **cached}
                ],
            },
        ],
    }


def test_openai_responses() -> None:
    request = conversation(*CONVERSATION, tools=TOOLS[:1], max_tokens=20, reasoning="low")
    post = encode("openai_responses", request)
    assert post.url == "https://api.example/v1/responses"
    assert post.headers["authorization"] == "Bearer sk-key"
    assert json.loads(post.body) == {
        "model": "m-1",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": 20,
        "reasoning": {"effort": "low"},
        "instructions": "Be brief.",
        "tools": [
            {
                "type": "function",
                "name": "add",
                "description": "Add one.",
                "parameters": SCHEMA,
                "strict": False,
            }
        ],
        "input": [
            {"type": "message", "role": "user", "content": "hi"},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "let me see"}],
            },
            {
                "type": "function_call",
                "call_id": "vendor_1",
                "name": "add",
                "arguments": '{"x": 1}',
            },
            {"type": "function_call_output", "call_id": "vendor_1", "output": "2"},
        ],
    }


def test_gemini() -> None:
    call = ToolCall("call_1", "add", '{"x": 1}', data={"thoughtSignature": "abc"}, wire="gemini")
    result = ToolResult("call_1", "add", "no", failed=True)
    request = conversation(
        CONVERSATION[0],
        Message("assistant", (Text("let me see"), call)),
        Message("tool", (result,)),
        tools=TOOLS[:1],
        max_tokens=20,
        temperature=0.0,
        model="gemini-3-pro",
    )
    post = encode("gemini", request)
    assert post.url == ("https://api.example/v1/models/gemini-3-pro:streamGenerateContent?alt=sse")
    assert post.headers["x-goog-api-key"] == "sk-key"
    assert json.loads(post.body) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "add", "description": "Add one.", "parametersJsonSchema": SCHEMA}
                ]
            }
        ],
        "generationConfig": {"maxOutputTokens": 20, "temperature": 0.0},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "let me see"},
                    {
                        "functionCall": {"name": "add", "args": {"x": 1}},
                        "thoughtSignature": "abc",
                    },
                ],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "add", "response": {"error": "no"}}}],
            },
        ],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_loop_only_ever_adds_to_the_end(name: str) -> None:
    """What the prompt cache of every vendor rests on."""
    more = (Message("assistant", (Text("and"), CALL)), Message("tool", (RESULT,)))
    field = {"openai_responses": "input", "gemini": "contents"}.get(name, "messages")

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k != "cache_control"}
        return [plain(item) for item in value] if isinstance(value, list) else value

    short = plain(sent(name, conversation(*CONVERSATION, tools=TOOLS)))
    long = plain(sent(name, conversation(*CONVERSATION, *more, tools=TOOLS)))
    assert long[field][: len(short[field])] == short[field]
    del short[field], long[field]
    assert list(long.items()) == list(short.items())


@pytest.mark.parametrize("name", NAMES)
def test_configured_headers_win(name: str) -> None:
    place = endpoint(name, api_key="k", headers={"X-Team": "a", "Accept": "x/y"})
    headers = encode(name, conversation(CONVERSATION[0]), place).headers
    assert headers["x-team"] == "a"
    assert headers["accept"] == "x/y"
    assert len({header.lower() for header in headers}) == len(headers)


@pytest.mark.parametrize("name", NAMES)
def test_another_header_for_the_key_and_a_query(name: str) -> None:
    quirks = {"auth_header": "api-key", "query": "api-version=1"}
    post = encode(name, conversation(CONVERSATION[0]), endpoint(name, api_key="k", quirks=quirks))
    assert post.headers["api-key"] == "k"
    assert "authorization" not in post.headers
    assert post.url.endswith("&api-version=1" if name == "gemini" else "?api-version=1")


@pytest.mark.parametrize("name", NAMES)
def test_no_key_no_header(name: str) -> None:
    headers = encode(name, conversation(CONVERSATION[0]), endpoint(name)).headers
    assert not {"authorization", "x-api-key", "x-goog-api-key"} & set(headers)


def test_an_anthropic_address_without_the_version() -> None:
    place = Endpoint("vendor", "m", "anthropic", "https://api.example/")
    url = encode("anthropic", conversation(CONVERSATION[0]), place).url
    assert url == "https://api.example/v1/messages"


@pytest.mark.parametrize("name", NAMES)
def test_quirks_that_leave_a_field_out(name: str) -> None:
    quirks = {"temperature": False, "reasoning_effort": False, "stream_options": False}
    request = conversation(CONVERSATION[0], temperature=1.0)
    text = encode(name, request, endpoint(name, quirks=quirks)).body.decode()
    assert "temperature" not in text
    assert "stream_options" not in text


def test_the_name_of_the_limit() -> None:
    place = endpoint("openai_chat", quirks={"max_tokens_field": "max_completion_tokens"})
    body = sent("openai_chat", conversation(CONVERSATION[0], max_tokens=5), place)
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


TEXTS = st.text(st.characters(), max_size=8) | st.just("\ud83d") | st.just("\ude00x")
PARTS: st.SearchStrategy[Part] = (
    st.builds(Text, TEXTS)
    | st.builds(Reasoning, TEXTS, st.none(), st.sampled_from(["", "gemini"]))
    | st.builds(ToolCall, TEXTS, TEXTS, TEXTS, TEXTS)
    | st.builds(ToolResult, TEXTS, TEXTS, TEXTS, st.booleans(), TEXTS)
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "tool"]),
    st.lists(PARTS, max_size=4).map(tuple),
)


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(MESSAGES, max_size=5), TEXTS, st.integers(0, 2))
def test_any_conversation_is_sent_as_valid_json(
    name: str, messages: list[Message], system: str, tools: int
) -> None:
    request = conversation(*messages, system=system, tools=TOOLS[:tools])
    first, second = encode(name, request), encode(name, request)
    assert first == second
    assert "\ufffd" not in json.dumps(first.headers)
    assert isinstance(json.loads(first.body.decode("utf-8")), dict)
