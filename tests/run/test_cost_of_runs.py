"""Money: counted where its price is known, limited before each request, and never guessed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.replies import bash, cut, reasoning, soon, text
from ..support.run import Result

COMMAND = (sys.executable, "-m", "a3s_cli")
#: Dollars for a million tokens: each figure of the sum below is of another order.
COST = "cost = { input = 1000000 output = 10000 cache_read = 100 cache_write = 1 }"


def stream(*values: Any, names: bool = False) -> bytes:
    """Return values as an event stream."""
    return b"".join(
        (f"event: {value['type']}\n".encode() if names else b"")
        + b"data: "
        + (value.encode() if isinstance(value, str) else json.dumps(value).encode())
        + b"\n\n"
        for value in values
    )


def chat(**usage: Any) -> bytes:
    return stream(
        {"choices": [{"index": 0, "delta": {"content": "yo"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
        "[DONE]",
    )


def messages(**usage: Any) -> bytes:
    started = {"id": "msg_1", "role": "assistant", "content": [], "usage": usage}
    delta = {"type": "text_delta", "text": "yo"}
    stop = {"stop_reason": "end_turn"}
    made = {"output_tokens": usage["output_tokens"]}
    return stream(
        {"type": "message_start", "message": started},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": made},
        {"type": "message_stop"},
        names=True,
    )


def run_priced(a3s: Bench, script: Any, *flags: str, cost: str = COST, wire: Any = None) -> Result:
    server = a3s.serve(script)
    file = wires.config(wire or "openai-chat", server.url, cost)
    (a3s.work / "c.acl").write_text(file)
    args = ("run", "--allow-all", "--config", "c.acl", "-m", "test/m-1", *flags, "go")
    run = a3s.start([*COMMAND, *args], server, "whole", True)
    run.check_calls = False
    return run.finish()


CHAT = chat(
    prompt_tokens=9,
    completion_tokens=7,
    total_tokens=16,
    prompt_tokens_details={"cached_tokens": 4},
)
MESSAGES = messages(
    input_tokens=5, output_tokens=7, cache_read_input_tokens=4, cache_creation_input_tokens=3
)


@pytest.mark.parametrize(
    ("wire", "body", "usd"),
    [
        # Cached tokens are a part of the input there, and stand beside it here.
        ("openai-chat", CHAT, 5 + 7 * 0.01 + 4 * 0.0001),
        ("anthropic", MESSAGES, 5 + 7 * 0.01 + 4 * 0.0001 + 3 * 0.000001),
    ],
)
def test_cached_tokens_have_their_own_price(a3s: Bench, wire: str, body: bytes, usd: float) -> None:
    result = run_priced(a3s, [wires.reply(body)], wire=wire)
    assert result.last["costUsd"] == pytest.approx(usd, abs=1e-9)


@pytest.mark.parametrize("wire", wires.NAMES)
def test_every_wire_has_its_cost(a3s: Bench, wire: str) -> None:
    script = [wires.call(wire, "bash", {"command": "true"}), wires.text(wire, "done")]
    result = run_priced(a3s, [wires.reply(body) for body in script], wire=wire)
    assert result.last["costUsd"] == 2 * (wires.GIVEN + wires.MADE * 0.01)


@pytest.mark.parametrize(
    "cost", ["", "cost = { input = 1 }", "cost = { output = 1 }", "cost = { cache_read = 1 }"]
)
def test_a_cost_that_is_not_known_is_absent(a3s: Bench, cost: str) -> None:
    result = run_priced(a3s, [text("yo")], cost=cost)
    assert "costUsd" not in result.last and "cost" not in result.last


def test_a_model_that_costs_nothing(a3s: Bench) -> None:
    """Known to be nothing is not the same as unknown."""
    result = run_priced(a3s, [text("yo")], cost="cost = { input = 0 output = 0 }")
    assert result.last["costUsd"] == 0


def test_a_provider_that_does_not_count(a3s: Bench) -> None:
    assert "costUsd" not in run_priced(a3s, [text("yo", usage=None)]).last


def test_one_turn_that_is_not_counted_makes_the_whole_unknown(a3s: Bench) -> None:
    script = [bash("true"), text("yo", usage=None)]
    assert "costUsd" not in run_priced(a3s, script).last


def test_a_refused_attempt_costs_nothing(a3s: Bench) -> None:
    result = run_priced(a3s, [soon(503), text("yo")])
    assert result.last["costUsd"] == 10 + 5 * 0.01


# The limit


@pytest.mark.parametrize("cost", ["", "cost = { input = 1 }"])
def test_a_limit_without_a_price_is_told_before_any_request(a3s: Bench, cost: str) -> None:
    result = run_priced(a3s, [], "--max-cost", "1", cost=cost)
    assert (result.last["code"], result.status) == ("config", 78)
    assert "--max-cost" in result.last["error"] and "cost = {" in result.last["hint"]
    assert result.requests == []


@pytest.mark.parametrize(("limit", "requests"), [("1000", 3), ("20.1", 2), ("20", 2), ("10.04", 1)])
def test_the_limit_is_checked_before_each_request(a3s: Bench, limit: str, requests: int) -> None:
    """Each request costs 10.05; the one that reaches the limit is the last."""
    script = [bash("true"), bash("true"), text("yo")]
    server_script = script[:requests]
    result = run_priced(a3s, server_script, "--max-cost", limit)
    assert len(result.requests) == requests
    if requests == 3:
        assert result.text == "yo" and result.last["costUsd"] == pytest.approx(30.15)
        return
    assert (result.last["code"], result.status) == ("max_cost", 3)
    assert limit in result.last["error"] and result.last["totalTokens"] == 15 * requests
    # The tools of the last turn that was paid for have run.
    assert len(result.of("tool_end")) == requests


def test_an_answer_that_was_paid_for_is_given_though_it_passed_the_limit(a3s: Bench) -> None:
    result = run_priced(a3s, [text("yo")], "--max-cost", "0.01")
    assert result.text == "yo" and result.last["costUsd"] == 10.05


def test_a_limit_cannot_be_kept_where_nothing_is_counted(a3s: Bench) -> None:
    result = run_priced(a3s, [bash("true", usage=None)], "--max-cost", "9")
    assert (result.last["code"], result.status) == ("max_cost", 3)


def test_a_cut_attempt_that_was_counted_is_paid_for(a3s: Bench) -> None:
    """An attempt that shows no text is sent again; what its provider counted is owed."""
    thought = cut(reasoning("hm").pieces[0])
    server = a3s.serve([thought, text("yo")], "anthropic")
    (a3s.work / "c.acl").write_text(wires.config("anthropic", server.url, COST))
    args = ("run", "--config", "c.acl", "-m", "test/m-1", "go")
    result = a3s.start([*COMMAND, *args], server, "whole", True).finish()
    assert result.text == "yo" and len(result.of("retry")) == 1
    assert result.last["costUsd"] == pytest.approx(2 * 10 + (1 + 5) * 0.01)


@pytest.mark.parametrize(("project", "requests"), [("0.5", 1), ("5000", 2)])
def test_a_project_only_lowers_the_limit(a3s: Bench, project: str, requests: int) -> None:
    (a3s.work / ".a3s").mkdir()
    (a3s.work / ".a3s/config.acl").write_text(f"max_cost = {project}")
    script = [bash("true"), text("yo")][:requests]
    (a3s.home / ".config/a3s").mkdir(parents=True)
    (a3s.home / ".config/a3s/config.acl").write_text("max_cost = 1000")
    result = run_priced(a3s, script)
    assert len(result.requests) == requests
    if requests == 1:
        assert result.last["code"] == "max_cost"
    else:
        assert result.one("notice")["keys"] == ["max_cost"] and result.text == "yo"


def test_a_project_cannot_set_a_price(a3s: Bench) -> None:
    (a3s.work / ".a3s").mkdir()
    (a3s.work / ".a3s/config.acl").write_text(
        'providers "test" { models "m-1" { cost = { input = 0 output = 0 } } }'
    )
    result = run_priced(a3s, [text("yo")])
    assert result.last["costUsd"] == 10.05 and result.one("notice")["code"] == "config_untrusted"


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e10", "much"])
def test_a_limit_that_is_none(a3s: Bench, value: str) -> None:
    result = a3s("run", f"--max-cost={value}", "go", laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert b"--max-cost" in result.stderr
