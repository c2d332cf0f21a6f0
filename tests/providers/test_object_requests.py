"""How each wire asks for a JSON value: the body, to the letter."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from a3s_cli.config.vendors import VENDORS
from a3s_cli.messages import Message, Text, ToolSpec
from a3s_cli.model import Endpoint, ObjectMode, Request, Shape, Wire
from a3s_cli.registry import WIRES, load

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
READ = ToolSpec("read", "Read a file.", {"type": "object"})


def wire_named(name: str) -> Wire:
    wire: Wire = load(WIRES[name])
    return wire


def body(
    name: str, mode: ObjectMode, *, exact: bool = False, tools: bool = False, **more: Any
) -> Any:
    shape = Shape(mode, "result", "A number.", SCHEMA, exact)
    messages = (Message("user", (Text("go"),)),)
    request = Request("m-1", "", messages, (READ,) if tools else (), shape=shape)
    endpoint = Endpoint("test", "m-1", name, "http://127.0.0.1:1/v1")
    return json.loads(wire_named(name).encode(replace(request, **more), endpoint).body)


def told(name: str, mode: ObjectMode, **options: Any) -> Any:
    """What a request with a shape says more than the same request without one."""
    plain = Request("m-1", "", (Message("user", (Text("go"),)),))
    endpoint = Endpoint("test", "m-1", name, "http://127.0.0.1:1/v1")
    before = json.loads(wire_named(name).encode(plain, endpoint).body)
    after = body(name, mode, **options)
    assert before.items() <= after.items()
    return {key: value for key, value in after.items() if key not in before}


FUNCTION = {"name": "result", "description": "A number.", "parameters": SCHEMA}


def test_chat() -> None:
    described = {"name": "result", "schema": SCHEMA, "strict": True, "description": "A number."}
    assert told("openai-chat", "strict", exact=True) == {
        "response_format": {"type": "json_schema", "json_schema": described}
    }
    wish = told("openai-chat", "strict")["response_format"]["json_schema"]
    assert wish == {**described, "strict": False}
    assert told("openai-chat", "json") == {"response_format": {"type": "json_object"}}
    assert told("openai-chat", "tool") == {
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "result"}},
    }
    strict = told("openai-chat", "tool", exact=True)["tools"][0]["function"]
    assert strict == {**FUNCTION, "strict": True}
    assert told("openai-chat", "prompt") == {}


def test_responses() -> None:
    named = {"name": "result", "schema": SCHEMA, "strict": True, "description": "A number."}
    assert told("openai-responses", "strict", exact=True) == {
        "text": {"format": {"type": "json_schema", **named}}
    }
    assert told("openai-responses", "json") == {"text": {"format": {"type": "json_object"}}}
    assert told("openai-responses", "tool") == {
        "tools": [{"type": "function", **FUNCTION, "strict": False}],
        "tool_choice": {"type": "function", "name": "result"},
    }
    assert told("openai-responses", "prompt") == {}


def test_anthropic() -> None:
    formatted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert told("anthropic", "strict", exact=True) == {"output_config": formatted}
    tool = {"name": "result", "description": "A number.", "input_schema": SCHEMA}
    choice = {"type": "tool", "name": "result", "disable_parallel_tool_use": True}
    assert told("anthropic", "tool") == {"tools": [tool], "tool_choice": choice}
    assert told("anthropic", "prompt") == {}


def test_anthropic_thinks_beside_a_format_but_not_beside_a_forced_call() -> None:
    beside = body("anthropic", "strict", exact=True, reasoning="high", model="claude-sonnet-5")
    assert beside["thinking"] == {"type": "adaptive"}
    assert beside["output_config"].keys() == {"effort", "format"}
    forced = body("anthropic", "tool", reasoning="high", model="claude-sonnet-5")
    assert forced.keys().isdisjoint({"thinking", "output_config"})


def test_gemini() -> None:
    strict = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert told("gemini", "strict") == {"generationConfig": strict}
    json_alone = {"responseMimeType": "application/json"}
    assert told("gemini", "json") == {"generationConfig": json_alone}
    function = {"name": "result", "description": "A number.", "parametersJsonSchema": SCHEMA}
    forced = {"mode": "ANY", "allowedFunctionNames": ["result"]}
    assert told("gemini", "tool") == {
        "tools": [{"functionDeclarations": [function]}],
        "toolConfig": {"functionCallingConfig": forced},
    }
    assert told("gemini", "prompt") == {}


@pytest.mark.parametrize("mode", ["strict", "json", "prompt"])
def test_the_runs_tools_stay_but_may_not_be_called(mode: ObjectMode) -> None:
    # The conversation may hold calls of them, and the vendor's cache knows them.
    assert body("openai-chat", mode, tools=True)["tool_choice"] == "none"
    assert body("openai-responses", mode, tools=True)["tool_choice"] == "none"
    for name in ("openai-chat", "openai-responses"):
        assert len(body(name, mode, tools=True)["tools"]) == 1
    if mode != "json":
        asked = body("anthropic", mode, tools=True)
        assert (asked["tool_choice"], len(asked["tools"])) == ({"type": "none"}, 1)
    assert "tools" not in body("gemini", mode, tools=True)


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "anthropic"])
def test_the_forced_call_comes_after_the_runs_tools(name: str) -> None:
    tools = body(name, "tool", tools=True)["tools"]
    names = [tool.get("name") or tool["function"]["name"] for tool in tools]
    assert names == ["read", "result"]


def modes(wire: str, model: str = "m-1", **quirks: Any) -> list[str]:
    endpoint = Endpoint("test", model, wire, "http://127.0.0.1:1", quirks=quirks)
    return [way.mode for way in wire_named(wire).ways(endpoint)]


def test_ways() -> None:
    assert modes("openai-chat") == ["strict", "tool", "json", "prompt"]
    assert modes("openai-responses") == ["strict", "tool", "json", "prompt"]
    assert modes("anthropic", "claude-sonnet-4-5") == ["strict", "tool", "prompt"]
    assert modes("anthropic", "claude-3-5-haiku-latest") == ["tool", "prompt"]
    assert modes("anthropic", "claude-opus-4-20250514") == ["tool", "prompt"]
    assert modes("gemini") == ["strict", "json", "tool", "prompt"]
    assert modes("openai-chat", tool_call=False) == ["strict", "json", "prompt"]
    assert modes("openai-chat", object_modes=("json", "prompt")) == ["json", "prompt"]


@pytest.mark.parametrize("name", VENDORS)
def test_the_ways_of_a_vendor_are_ways(name: str) -> None:
    vendor = VENDORS[name]
    wanted = vendor.quirks.get("object_modes", ())
    assert list(wanted) == modes(vendor.wire, **vendor.quirks)[: len(wanted)]
    # Whatever a vendor refuses, the model can be told in words.
    assert modes(vendor.wire, **vendor.quirks)[-1] == "prompt"
