"""An answer that is not whole is asked for again, or fails the run; its calls never run."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.run import Result
from ..support.sockets import Asked, RawServer, response

NO_SUCCESS = {
    "openai-chat": (b'"finish_reason": "tool_calls"', b'"finish_reason": "abort"'),
    "openai-responses": (b'"status": "completed", "output"', b'"status": "failed", "output"'),
    "anthropic": (b'"stop_reason": "tool_use"', b'"stop_reason": "cancelled"'),
    "gemini": (b'"finishReason": "STOP"', b'"finishReason": "MALFORMED_FUNCTION_CALL"'),
}


def run(a3s: Bench, wire: str, bodies: list[bytes], *flags: str) -> tuple[Result, list[Asked]]:
    """Run against a server that gives these bodies in turn; return the requests as well."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(response(bodies[len(server.requests) - 1]))

    with RawServer(answer) as server:
        file = a3s.root / "c.acl"
        file.write_text(wires.config(wire, server.url))
        result = a3s(
            "run", "--config", str(file), "-m", "test/m-1", "--allow", "bash", *flags, "go"
        )
        assert len(server.requests) == len(bodies)
        return result, server.requests


def failing(wire: str) -> bytes:
    body = wires.call(wire, "bash", {"command": "touch ran"})
    old, new = NO_SUCCESS[wire]
    compact = [part.replace(b": ", b":").replace(b", ", b",") for part in (old, new)]
    changed = body.replace(old, new).replace(*compact)
    assert changed != body
    return changed


@pytest.mark.parametrize("wire", wires.NAMES)
def test_it_is_asked_for_again(a3s: Bench, wire: str) -> None:
    result, _ = run(a3s, wire, [failing(wire), wires.text(wire, "done")])
    assert (result.status, result.last["type"], result.text) == (0, "end", "done")
    assert result.one("retry")["code"] == "invalid_response"
    assert not (a3s.work / "ran").exists()
    assert result.last["toolCalls"] == 0


@pytest.mark.parametrize("wire", wires.NAMES)
def test_it_fails_where_it_stays_so(a3s: Bench, wire: str) -> None:
    result, _ = run(a3s, wire, [failing(wire)] * 2, "--max-retries", "1")
    assert (result.status, result.last["code"]) == (1, "invalid_response")
    assert result.one("turn_end")["stopReason"] == "other"
    assert not (a3s.work / "ran").exists()


def test_it_is_not_asked_for_again_once_words_were_shown(a3s: Bench) -> None:
    body = wires.text("openai-chat", "so far")
    body = body.replace(b'"finish_reason":"stop"', b'"finish_reason":"abort"')
    body = body.replace(b'"finish_reason": "stop"', b'"finish_reason": "abort"')
    result, _ = run(a3s, "openai-chat", [body])
    assert (result.status, result.last["code"]) == (1, "invalid_response")
    assert "abort" in result.last["error"]
    assert result.one("turn_end")["stopReason"] == "other"


def test_a_pause_is_continued(a3s: Bench) -> None:
    paused = wires.text("anthropic", "half")
    paused = paused.replace(b"end_turn", b"pause_turn")
    result, requests = run(a3s, "anthropic", [paused, wires.text("anthropic", "rest")])
    assert (result.status, result.last["text"]) == (0, "rest")
    assert [event["stopReason"] for event in result.of("turn_end")] == ["paused", "end_turn"]
    sent: list[dict[str, Any]] = json.loads(requests[1].body)["messages"]
    assert json.dumps(sent[-1]["content"]).count("half") == 1
    assert sent[-1]["role"] == "assistant"
    result, _ = run(a3s, "anthropic", [paused], "--max-turns", "1")
    assert (result.status, result.last["code"]) == (3, "max_turns")
