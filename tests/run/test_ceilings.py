"""A response that does not end costs what the configuration allows, and no more."""

from __future__ import annotations

import pytest

from ..support.a3s import Bench
from ..support.replies import Reply, bash, reasoning, text

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
