"""Every wire through the whole program: what is sent, what comes of it, and that it stays the same.

The codecs' own tests know each body to the letter. Here is what only the whole
can show: flags reach the request, a conversation goes round, and a provider's
prompt cache finds what it has seen before.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.run import Result
from ..support.sockets import Asked, RawServer, response

#: The header that carries the key, and what is before the key in it.
KEY_HEADERS = {
    "openai-chat": ("authorization", "Bearer "),
    "openai-responses": ("authorization", "Bearer "),
    "anthropic": ("x-api-key", ""),
    "gemini": ("x-goog-api-key", ""),
}
each_wire = pytest.mark.parametrize("wire", wires.NAMES)


def run_with(
    a3s: Bench, wire: str, bodies: Sequence[bytes], *flags: str, model: str = "", name: str = "m-1"
) -> tuple[Result, list[Asked]]:
    """Run against a server that gives these bodies in turn; give the requests' bytes as well."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(response(bodies[len(server.requests) - 1]))

    with RawServer(answer) as server:
        # Outside of the workspace: its port is another one each time.
        file = a3s.root / "c.acl"
        file.write_text(wires.config(wire, server.url, model).replace('"m-1"', f'"{name}"'))
        args = ("run", "--config", str(file), "-m", f"test/{name}", *flags, "go")
        result = a3s(*args)
        assert len(server.requests) == len(bodies)
        return result, server.requests


@each_wire
def test_a_conversation_with_a_tool(a3s: Bench, wire: str) -> None:
    bodies = [wires.call(wire, "bash", {"command": "echo there"}), wires.text(wire, "done")]
    result, requests = run_with(a3s, wire, bodies, "--allow", "bash")
    assert (result.text, result.last["turns"], result.last["toolCalls"]) == ("done", 2, 1)
    assert (result.one("tool_end")["toolOutput"], result.one("tool_end")["exitCode"]) == (
        "there\n",
        0,
    )
    assert result.last["totalTokens"] == 2 * (wires.GIVEN + wires.MADE)
    header, scheme = KEY_HEADERS[wire]
    for asked in requests:
        assert asked.line == f"POST {wires.PATHS[wire]} HTTP/1.1"
        assert asked.headers[header] == scheme + wires.KEY
        assert asked.headers["content-type"] == "application/json"
    assert TOLD[wire](json.loads(requests[1].body)) == ("echo there", "there\n")


def _chat(body: Any) -> tuple[str, str]:
    call, result = body["messages"][-2:]
    (asked,) = call["tool_calls"]
    assert asked["id"] == result["tool_call_id"] == "call_1"
    return json.loads(asked["function"]["arguments"])["command"], result["content"]


def _responses(body: Any) -> tuple[str, str]:
    thought, call, result = body["input"][-3:]
    assert (thought["type"], thought["encrypted_content"]) == ("reasoning", "c2VjcmV0")
    assert body["store"] is False and call["call_id"] == result["call_id"] == "call_1"
    return json.loads(call["arguments"])["command"], result["output"]


def _anthropic(body: Any) -> tuple[str, str]:
    call, result = body["messages"][-2]["content"][-1], body["messages"][-1]["content"][0]
    assert call["id"] == result["tool_use_id"] == "call_1"
    return call["input"]["command"], result["content"]


def _gemini(body: Any) -> tuple[str, str]:
    call = body["contents"][-2]["parts"][-1]
    assert call["thoughtSignature"] == "c2ln"
    told = body["contents"][-1]["parts"][0]["functionResponse"]
    assert told["name"] == "bash"
    (output,) = told["response"].values()
    return call["functionCall"]["args"]["command"], output


TOLD = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}

FIGURES = ("--max-tokens", "5000", "--temperature", "0.25")
SENT: dict[str, dict[str, Any]] = {
    "openai-chat": {"max_tokens": 5000, "temperature": 0.25},
    "openai-responses": {"max_output_tokens": 5000, "temperature": 0.25},
    "anthropic": {"max_tokens": 5000, "temperature": 0.25},
    "gemini": {"generationConfig": {"maxOutputTokens": 5000, "temperature": 0.25}},
}
REASONED: dict[str, dict[str, Any]] = {
    "openai-chat": {"max_tokens": 5000, "reasoning_effort": "high"},
    "openai-responses": {"max_output_tokens": 5000, "reasoning": {"effort": "high"}},
    "anthropic": {"max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 3976}},
    "gemini": {
        "generationConfig": {
            "maxOutputTokens": 5000,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "high"},
        }
    },
}
MODELS = {"anthropic": "claude-opus-4-1", "gemini": "gemini-3-pro"}


@each_wire
def test_flags_reach_the_request(a3s: Bench, wire: str) -> None:
    _, (asked,) = run_with(a3s, wire, [wires.text(wire, "yo")], *FIGURES)
    body = json.loads(asked.body)
    assert {name: body[name] for name in SENT[wire]} == SENT[wire]
    assert "reasoning" not in asked.body.decode().replace("reasoning.encrypted_content", "")


@each_wire
def test_reasoning_reaches_the_request(a3s: Bench, wire: str) -> None:
    flags, name = (*FIGURES[:2], "--reasoning", "high"), MODELS.get(wire, "m-1")
    _, (asked,) = run_with(a3s, wire, [wires.text(wire, "yo")], *flags, name=name)
    body = json.loads(asked.body)
    assert {key: body[key] for key in REASONED[wire]} == REASONED[wire]


@each_wire
def test_a_model_has_its_own_limit_and_no_temperature(a3s: Bench, wire: str) -> None:
    model = "temperature = false limit = { output = 900 }"
    flags = ("--temperature", "0.25")
    _, (asked,) = run_with(a3s, wire, [wires.text(wire, "yo")], *flags, model=model)
    assert b"0.25" not in asked.body
    if wire == "anthropic":  # The one protocol that demands a figure.
        assert json.loads(asked.body)["max_tokens"] == 900


@each_wire
def test_the_same_run_sends_the_same_bytes(a3s: Bench, wire: str) -> None:
    def bodies() -> list[bytes]:
        script = [wires.call(wire, "bash", {"command": "echo there"}), wires.text(wire, "done")]
        _, requests = run_with(a3s, wire, script, "--allow-all", *FIGURES)
        return [asked.body for asked in requests]

    first, second = bodies()
    assert bodies() == [first, second]
    # The last thing in a body is the conversation: what was sent once begins the next request.
    begun = first[: first.rindex(b"]")]
    assert len(begun) > len(first) - 40 and second.startswith(begun)


@each_wire
def test_tools_are_offered_in_one_order(a3s: Bench, wire: str) -> None:
    def tools(wanted: str) -> bytes:
        _, (asked,) = run_with(a3s, wire, [wires.text(wire, "yo")], "--tools", wanted)
        return asked.body

    assert tools("ls,bash,read") == tools("read,ls,bash")


@each_wire
def test_a_model_that_cannot_call_is_offered_nothing(a3s: Bench, wire: str) -> None:
    model = "toolCall = false"
    _, (asked,) = run_with(a3s, wire, [wires.text(wire, "yo")], model=model)
    assert "tools" not in json.loads(asked.body)


# What is known to be wrong is told before any request.

CONFIGURED = 'providers "mine" { baseUrl = "http://127.0.0.1:1" models "big" {} }'


@pytest.mark.parametrize(
    ("model", "told", "first"),
    [
        ("opnai/gpt", 'did you mean "openai/gpt"?', "known: openai, "),
        ("antropic/x", 'did you mean "anthropic/x"?', "known: anthropic, "),
        ("mne/big", 'did you mean "mine/big"?', "known: mine, "),
        ("deepsek/x", 'did you mean "deepseek/x"?', "known: deepseek, "),
    ],
)
def test_an_unknown_vendor(a3s: Bench, model: str, told: str, first: str) -> None:
    (a3s.work / "c.acl").write_text(CONFIGURED)
    result = a3s("run", "--config", "c.acl", "-m", model, "go")
    assert (result.last["code"], result.status) == ("config", 78)
    assert told in result.last["error"] and result.last["hint"].startswith(first)
    assert "model" not in result.one("start") and result.types == ["start", "error"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('api = "openai-chta"', '"openai-chat"'),
        ('api = "claude"', '"anthropic"'),
        ('baseUrl = "127.0.0.1:9/v1"', "http://127.0.0.1:9/v1"),
        ('baseUrl = "ws://h/v1"', "https:// or http://"),
        ('apiKey = "sk-0123\\n4567"', "line break"),
        ('apiKey = "sk-sécret-0123456789"', "ASCII"),
    ],
)
def test_a_wrong_value_of_a_file(a3s: Bench, line: str, told: str) -> None:
    (a3s.work / "c.acl").write_text(f'providers "mine" {{\nbaseUrl = "http://h"\n{line}\n}}')
    result = a3s("run", "--config", "c.acl", "-m", "mine/m", "go")
    assert (result.last["code"], result.status) == ("config", 78), result.last
    assert told in result.last["error"] + result.last.get("hint", ""), result.last
    assert "c.acl:3" in result.last["error"]
    assert b"sk-" not in result.stdout and "error" not in result.types[:-1]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OPENAI_API_KEY", "sk-0123\n", "OPENAI_API_KEY"),
        ("OPENAI_API_KEY", "Bearer sk-0123456789", "the word Bearer"),
        ("OPENAI_API_KEY", "sk-\u20140123", "ASCII"),
        ("OPENAI_BASE_URL", "api.example.com/v1", "https://api.example.com/v1"),
        ("A3S_MODEL", "openai/gpt 5", "openai/gpt-5"),
    ],
)
def test_a_wrong_value_of_the_environment(a3s: Bench, name: str, value: str, told: str) -> None:
    result = a3s("run", "go", env={"A3S_MODEL": "openai/m", name: value})
    assert (result.last["code"], result.status) == ("config", 78), result.last
    assert told in result.last["error"] and name in result.last["error"]
    assert b"sk-" not in result.stdout and result.types == ["start", "error"]
