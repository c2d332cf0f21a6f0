"""A response that does not end costs what the configuration allows, and no more."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.replies import Pause, Reply, bash, reasoning, text
from ..support.run import SLACK

LIMIT = "max_response_bytes = 100000\n"
#: More than the limit, in pieces.
PIECES = ["ä" * 1000] * 60


@pytest.mark.parametrize(
    "reply",
    [text(*PIECES), reasoning("x" * 120_000, "and done"), bash("echo " + "y" * 120_000)],
    ids=["text", "reasoning", "arguments"],
)
@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_a_response_beyond_the_limit_fails(a3s: Bench, reply: Reply, wire: str) -> None:
    config = a3s.root / "limit.acl"
    config.write_text(LIMIT)
    result = a3s(
        "run", "hi", "--config", str(config), "--allow", "bash", "--max-retries", "0",
        script=[reply], wire=wire,
    )  # fmt: skip
    assert (result.last["code"], result.last["exitCode"]) == ("invalid_response", 1)
    assert result.last["error"] == "the response is longer than 100000 bytes"
    assert "max_response_bytes" in result.last["hint"]
    assert "tool_start" not in {event["type"] for event in result.events}


def test_what_is_within_the_limit_is_whole(a3s: Bench) -> None:
    config = a3s.root / "limit.acl"
    config.write_text("max_response_bytes = 120000\n")
    result = a3s("run", "hi", "--config", str(config), script=[text(*PIECES)])
    deltas = [event["text"] for event in result.events if event["type"] == "text_delta"]
    assert "".join(deltas) == "".join(PIECES)


#: A piece without content, in each protocol.
EMPTY = {
    "openai-chat": b'data: {"choices":[{"index":0,"delta":{"content":""}}]}\n\n',
    "openai-responses": (
        b"event: response.output_text.delta\n"
        b'data: {"type":"response.output_text.delta","output_index":0,"delta":""}\n\n'
    ),
    "anthropic": b'event: ping\ndata: {"type":"ping"}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]}}]}\r\n\r\n',
}
#: Pieces that come twice in each second of patience, for ever.
PATIENCE = ("--first-byte-timeout", "2", "--idle-timeout", "60", "--max-retries", "0")


def told(a3s: Bench, wire: str, steps: tuple[Any, ...]) -> dict[str, Any]:
    server = a3s.serve([Reply((*steps,), ending="end")])
    config = a3s.root / "wire.acl"
    config.write_text(wires.config(wire, server.url))
    result = a3s("run", "hi", "--config", str(config), "-m", "test/m-1", *PATIENCE, timeout=20)
    assert result.status == 75
    return result.last


@pytest.mark.parametrize("piece", [b": still here\n\n", b"\n"], ids=["comment", "line"])
@pytest.mark.parametrize("wire", wires.NAMES)
def test_an_answer_that_says_nothing_more(a3s: Bench, wire: str, piece: bytes) -> None:
    said = wires.beginning(wires.text(wire, "half"), "half")
    nothing = (piece, EMPTY[wire], Pause(0.5)) * 60
    last = told(a3s, wire, (said, *nothing))
    assert (last["code"], last["retryable"]) == ("provider_timeout", True)
    assert last["error"] == "127.0.0.1:" + last["error"].partition(":")[2]
    assert "sent nothing but comments and empty pieces for 2 s" in last["error"]
    assert "--first-byte-timeout" in last["hint"]


def test_an_answer_that_takes_its_time(a3s: Bench) -> None:
    """Content in between starts the patience anew."""
    wire = "anthropic"
    body = wires.text(wire, "half")
    said = wires.beginning(body, "half")
    delta = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"."}}\n\n'
    )
    slow = (EMPTY[wire], Pause(0.7), EMPTY[wire], Pause(0.7), delta) * 3
    server = a3s.serve([Reply((said, *slow, body[len(said) - 2 :].lstrip()))])
    config = a3s.root / "wire.acl"
    config.write_text(wires.config(wire, server.url))
    result = a3s("run", "hi", "--config", str(config), "-m", "test/m-1", *PATIENCE)
    assert result.text == "half..."


@pytest.mark.parametrize(("pause", "number"), [(0.3, 1), (0.0, 20_000)], ids=["slow", "flood"])
def test_informational_answers_for_ever(a3s: Bench, pause: float, number: int) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            while not over.wait(pause):
                connection.sendall(b"HTTP/1.1 102 \r\n\r\n" * number)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        result = a3s("run", "hi", "-m", "openai/m", *PATIENCE, env={"OPENAI_BASE_URL": url})
    finally:
        over.set()
        listener.close()
        thread.join(10)
    assert (result.status, result.last["code"]) == (75, "provider_timeout")
    assert "gave no answer for 2 s" in result.last["error"]
    assert result.last["durationMs"] < 1000 * (2 + SLACK)
