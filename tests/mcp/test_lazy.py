"""Schemas that are loaded when they are needed, and a prefix that stays the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import Wire, a_call, call, calls, text
from .bench import Scripted
from .scripted import ECHO


def wide(number: int) -> dict[str, Any]:
    """A tool whose declaration has about a kilobyte."""
    described = {"type": "string", "description": "x" * 400}
    schema = {"type": "object", "properties": {"text": described, "other": described}}
    return {
        "name": f"wide{number}",
        "description": f"Do the {number}th thing. " + "And more. " * 20,
        "inputSchema": {**schema, "required": ["text"]},
    }


def declared(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [one.get("function", one) for one in body["tools"]]
    return {one["name"]: one for one in found}


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_large_schemas_are_loaded(a3s: Bench, scripted: Scripted, wire: Wire) -> None:
    scripted.add(tools=[wide(number) for number in range(8)])
    script = [
        call("load_tools", {"names": ["mcp__one__wide3", "mcp__one__wide5"]}),
        call("mcp__one__wide3", {"text": "x"}),
        text("ok"),
    ]
    result = a3s("run", "go", "--allow", "mcp__one", wire=wire, script=script)
    tools = declared(result.requests[0].body)
    wides = [f"mcp__one__wide{number}" for number in range(8)]
    assert list(tools)[-9:] == ["load_tools", *wides]
    told = tools["mcp__one__wide3"]
    assert told["description"] == "Do the 3th thing"
    schema = told.get("parameters") or told["input_schema"]
    assert schema == {"type": "object", "properties": {}, "additionalProperties": True}
    loaded, called = result.of("tool_end")
    first, second = map(json.loads, loaded["toolOutput"].splitlines())
    assert (first["name"], second["name"]) == ("mcp__one__wide3", "mcp__one__wide5")
    assert first["parameters"] == wide(3)["inputSchema"]
    assert called["exitCode"] == 0
    # The prefix is the same bytes in each request: everything before the conversation goes on.
    bodies = [one.body for one in result.requests]
    assert bodies[0]["tools"] == bodies[1]["tools"] == bodies[2]["tools"]
    assert bodies[1]["messages"][: len(bodies[0]["messages"])] or bodies[0]["messages"]


def test_a_tool_can_be_called_before_it_is_loaded(a3s: Bench, scripted: Scripted) -> None:
    """Its arguments are held against its schema all the same, and the model is told of the way."""
    scripted.add(tools=[wide(number) for number in range(8)])
    both = calls(
        a_call("mcp__one__wide1", {"text": "x"}, "right"),
        a_call("mcp__one__wide1", {"txt": "x"}, "wrong"),
        a_call("load_tools", {"names": ["mcp__one__wid2"]}, "unknown"),
    )
    result = a3s("run", "go", "--allow", "mcp__one", script=[both, text("ok")])
    assert result.one("tool_end", "right")["exitCode"] == 0
    said = result.one("tool_rejected", "wrong")["error"]
    assert '"text" is a required property' in said and "load_tools returns its schema" in said
    unknown = result.one("tool_end", "unknown")
    assert unknown["exitCode"] == 1 and "Did you mean mcp__one__wide2?" in unknown["toolOutput"]


def test_small_schemas_are_declared(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    result = a3s("run", "go", script=[text("ok")])
    tools = declared(result.requests[0].body)
    assert "load_tools" not in tools
    assert tools["mcp__one__echo"]["parameters"] == ECHO["inputSchema"]
