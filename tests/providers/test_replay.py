"""What goes back to a vendor of its own earlier turns: arguments, reasoning, signatures, ids."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a3s_cli.messages import Message, Reasoning, Text, ToolCall, ToolResult
from a3s_cli.model import ReasoningEffort
from tests.support.conversations import CALL, CONVERSATION, conversation, encode, sent
from tests.support.decoding import NAMES, endpoint, wire


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "meaning"),
    [
        ("", {}),
        ("  ", {}),
        ('{"x": 12345678901234567890123}', {"x": 12345678901234567890123}),
        ('{"x":', {"invalid_arguments": '{"x":'}),
        ("[1]", {"invalid_arguments": "[1]"}),
        ('{"x": "\ud83d"}', {"x": "\ufffd"}),
    ],
)
def test_arguments_as_the_model_wrote_them(name: str, arguments: str, meaning: Any) -> None:
    call = ToolCall("call_1", "add", arguments, "vendor_1")
    body = sent(name, conversation(CONVERSATION[0], Message("assistant", (call,))))
    if name == "openai_chat":
        text = body["messages"][-1]["tool_calls"][0]["function"]["arguments"]
        assert json.loads(text) == meaning
    elif name == "openai_responses":
        assert json.loads(body["input"][-1]["arguments"]) == meaning
    elif name == "anthropic":
        assert body["messages"][-1]["content"][0]["input"] == meaning
    else:
        assert body["contents"][-1]["parts"][0]["functionCall"]["args"] == meaning


OPAQUE: dict[str, Any] = {
    "anthropic": {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    "openai_responses": {"type": "reasoning", "id": "rs_1", "encrypted_content": "e"},
    "gemini": {"text": "", "thoughtSignature": "s"},
}


@pytest.mark.parametrize("name", OPAQUE)
def test_reasoning_goes_back_verbatim_and_only_to_its_own_wire(name: str) -> None:
    def body(own: str) -> str:
        parts = (Reasoning("hm", OPAQUE[name], own), Text("so"), CALL)
        return encode(
            name, conversation(CONVERSATION[0], Message("assistant", parts))
        ).body.decode()

    own = wire(name).name
    assert json.dumps(OPAQUE[name], separators=(",", ":")) in body(own)
    assert json.dumps(OPAQUE[name], separators=(",", ":")) not in body("another")


def test_reasoning_without_its_item_is_not_sent() -> None:
    lone = Message("assistant", (Reasoning("", OPAQUE["openai_responses"], "openai-responses"),))
    assert len(sent("openai_responses", conversation(CONVERSATION[0], lone))["input"]) == 1


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("reasoning_content", {"reasoning_content": "hm"}),
        ("reasoning_details", {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}),
        (None, {}),
    ],
)
def test_reasoning_of_a_turn_with_calls(field: str | None, expected: dict[str, Any]) -> None:
    data = [{"type": "reasoning.text", "text": "hm"}]
    parts = (Reasoning("hm", data, "openai-chat"), CALL)
    place = endpoint("openai_chat", quirks={"reasoning_replay": field} if field else {})
    body = sent("openai_chat", conversation(CONVERSATION[0], Message("assistant", parts)), place)
    turn = body["messages"][-1]
    assert {key: value for key, value in turn.items() if key.startswith("reasoning")} == expected


@pytest.mark.parametrize(
    ("name", "model", "effort", "expected"),
    [
        ("openai_chat", "m", "high", {"reasoning_effort": "high"}),
        ("openai_chat", "m", "none", {"reasoning_effort": "none"}),
        ("openai_responses", "m", "low", {"reasoning": {"effort": "low"}}),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "low",
            {"max_tokens": 10240, "thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        (
            "anthropic",
            "claude-sonnet-5",
            "high",
            {
                "max_tokens": 32768,
                "thinking": {"type": "adaptive"},
                "output_config": {"effort": "high"},
            },
        ),
        ("anthropic", "claude-sonnet-5", "none", {"max_tokens": 8192}),
        (
            "gemini",
            "gemini-2.5-flash",
            "none",
            {
                "generationConfig": {
                    "thinkingConfig": {"includeThoughts": False, "thinkingBudget": 0}
                }
            },
        ),
        (
            "gemini",
            "gemini-3-pro",
            "high",
            {
                "generationConfig": {
                    "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "high"}
                }
            },
        ),
    ],
)
def test_effort(name: str, model: str, effort: ReasoningEffort, expected: dict[str, Any]) -> None:
    body = sent(name, conversation(CONVERSATION[0], model=model, reasoning=effort))
    assert {key: body[key] for key in expected} == expected
    with_none = sent(name, conversation(CONVERSATION[0], model=model))
    assert {key for key in body if key not in with_none} == {
        key for key in expected if key != "max_tokens"
    }


def test_thinking_stays_within_the_limit_of_output() -> None:
    def body(limit: int) -> dict[str, Any]:
        return sent(
            "anthropic",
            conversation(
                CONVERSATION[0],
                model="claude-opus-4-1",
                reasoning="high",
                max_tokens=limit,
                temperature=0.1,
            ),
        )

    assert body(4000)["thinking"] == {"type": "enabled", "budget_tokens": 2976}
    assert "temperature" not in body(4000)
    assert "thinking" not in body(1500)
    assert body(1500)["temperature"] == 0.1


def test_no_thinking_in_the_middle_of_a_loop_that_began_without() -> None:
    request = conversation(*CONVERSATION, model="claude-sonnet-4-5", reasoning="low")
    assert "thinking" not in sent("anthropic", request)
    again = conversation(*CONVERSATION, CONVERSATION[0], model="claude-sonnet-4-5", reasoning="low")
    assert "thinking" in sent("anthropic", again)


def test_a_call_of_another_model_is_signed_for_gemini() -> None:
    request = conversation(*CONVERSATION, model="gemini-3-pro")
    parts = sent("gemini", request)["contents"][1]["parts"]
    assert parts[1]["thoughtSignature"] == "skip_thought_signature_validator"
    older = conversation(*CONVERSATION, model="gemini-2.5-pro")
    assert "thoughtSignature" not in sent("gemini", older)["contents"][1]["parts"][1]


def test_an_id_that_anthropic_refuses() -> None:
    call = ToolCall("call_1", "add", "{}", "functions.add:0")
    result = ToolResult("call_1", "add", "2", True, "functions.add:0")
    turns = (CONVERSATION[0], Message("assistant", (call,)), Message("tool", (result,)))
    messages = sent("anthropic", conversation(*turns))["messages"]
    assert messages[1]["content"][0]["id"] == "functions_add_0"
    assert messages[2]["content"][0]["tool_use_id"] == "functions_add_0"
    assert messages[2]["content"][0]["is_error"] is True
