"""Every law of the event stream, over a table of scenarios, on both wires and in every rendering.

`Bench` holds each run in JSON mode against all the laws; the table says which
verdict each scenario must have. The files beside this one look closer at one
topic each.
"""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 - jq is the reader that most scripts use
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .support import laws
from .support.a3s import MODELS, Bench
from .support.replies import (
    Reply,
    Wire,
    a_call,
    bash,
    call,
    calls,
    cut,
    error,
    reasoning,
    soon,
    stall,
    text,
)
from .support.run import Result, Run

ALLOW = ("--allow", "bash")
ONCE = ("--max-retries", "1")


@dataclass(frozen=True)
class Scenario:
    name: str
    script: Callable[[], list[Reply]]
    args: tuple[str, ...] = ()
    #: `error.code`, or None for a success.
    code: str | None = None
    requests: int = 1
    #: Raw and pretty: the text that must come out on stdout, where it is the same in both.
    says: str | None = None


def _loop() -> list[Reply]:
    return [bash("false", f"c{n}") for n in range(3)]


SCENARIOS = [
    Scenario("one word", lambda: [text("yo")], says="yo"),
    Scenario("several deltas", lambda: [text("a", "b", "c")], says="abc"),
    Scenario("reasoning", lambda: [reasoning("hm", "yes")], says="yes"),
    Scenario("no usage", lambda: [text("yo", usage=None)], says="yo"),
    Scenario("a tool", lambda: [bash("echo hi"), text("done")], ALLOW, requests=2, says="done"),
    Scenario(
        "text and a tool",
        lambda: [text("look:", a_call("bash", {"command": "echo hi"})), text("done")],
        ALLOW,
        requests=2,
    ),
    Scenario(
        "parallel calls",
        lambda: [
            calls(*[a_call("bash", {"command": f"echo {n}"}) for n in range(3)]),
            text("done"),
        ],
        ALLOW,
        requests=2,
    ),
    Scenario("a failing tool", lambda: [bash("exit 3"), text("done")], ALLOW, requests=2),
    Scenario("an ask is a denial", lambda: [bash("echo hi"), text("pity")], requests=2),
    Scenario("denied", lambda: [bash("rm x"), text("pity")], ("--deny", "bash"), requests=2),
    Scenario("ask fails", lambda: [bash("x")], ("--on-ask", "fail"), "approval_required"),
    Scenario("unknown tool", lambda: [call("bsh", {}), text("oh")], requests=2),
    Scenario("arguments no JSON", lambda: [call("bash", '{"com'), text("oh")], ALLOW, requests=2),
    Scenario("arguments a list", lambda: [call("bash", "[1]"), text("oh")], ALLOW, requests=2),
    Scenario("arguments unfit", lambda: [call("bash", {"x": 1}), text("oh")], ALLOW, requests=2),
    Scenario("a loop", _loop, ALLOW, "tool_loop", 3),
    Scenario("turns", lambda: [bash("true")], (*ALLOW, "--max-turns", "1"), "max_turns"),
    Scenario(
        "calls",
        lambda: [bash("true"), bash("touch ran")],
        (*ALLOW, "--max-tool-calls", "1"),
        "max_tool_calls",
        2,
    ),
    Scenario("token limit", lambda: [text("and so", finish="max_tokens")], code="max_tokens"),
    Scenario(
        "token limit in a call",
        lambda: [call("bash", '{"command": "touch ran', finish="max_tokens")],
        ALLOW,
        "max_tokens",
    ),
    Scenario("refusal", lambda: [text("no", finish="refusal")], code="refusal"),
    Scenario("nothing at all", lambda: [text()], code="invalid_response"),
    Scenario("reasoning alone", lambda: [reasoning("hm")], code="invalid_response"),
    Scenario("empty after a tool", lambda: [bash("true"), text()], ALLOW, requests=2),
    Scenario("cut after text", lambda: [cut("so")], code="truncated_stream"),
    Scenario("closed after text", lambda: [cut("so", how="close")], code="truncated_stream"),
    Scenario("reset after text", lambda: [cut("so", how="reset")], code="truncated_stream"),
    Scenario("cut, then whole", lambda: [cut(), text("yo")], requests=2, says="yo"),
    Scenario("closed, then whole", lambda: [cut(how="close"), text("yo")], requests=2),
    Scenario("reset, then whole", lambda: [cut(how="reset"), text("yo")], requests=2),
    Scenario(
        "cut in a call",
        lambda: [cut(a_call("bash", {"command": "touch ran"})), text("yo")],
        ALLOW,
        requests=2,
    ),
    Scenario("cut for ever", lambda: [cut(), cut()], ONCE, "truncated_stream", 2),
    Scenario("unauthorised", lambda: [error(401)], code="auth"),
    Scenario("forbidden", lambda: [error(403)], code="auth"),
    Scenario("unknown model", lambda: [error(404)], code="provider_error"),
    Scenario("bad request", lambda: [error(400)], code="provider_error"),
    Scenario("429, then whole", lambda: [soon(429), text("yo")], requests=2, says="yo"),
    Scenario("429 for ever", lambda: [soon(429)] * 2, ONCE, "rate_limited", 2),
    Scenario("500, then whole", lambda: [soon(500), text("yo")], requests=2, says="yo"),
    Scenario("503 for ever", lambda: [soon(503)] * 2, ONCE, "overloaded", 2),
    Scenario("529 for ever", lambda: [soon(529)] * 2, ONCE, "overloaded", 2),
    Scenario("idle", lambda: [stall("so")], ("--idle-timeout", "1s"), "provider_timeout"),
    Scenario("deadline", lambda: [stall("so")], ("--timeout", "3s"), "timeout"),
    Scenario(
        "deadline in a tool", lambda: [bash("sleep 60")], (*ALLOW, "--timeout", "4"), "timeout"
    ),
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def _spawn(a3s: Bench, scenario: Scenario, *args: str, wire: Wire = "openai-chat") -> Run:
    return a3s.spawn("run", *scenario.args, *args, "go", script=scenario.script(), wire=wire)


def _finish(a3s: Bench, scenario: Scenario, run: Run) -> Result:
    result = run.finish()
    assert len(result.requests) == scenario.requests, [seen.path for seen in result.requests]
    assert not (a3s.work / "ran").exists(), "a call of a cut response has run"
    assert result.status == _expected_status(scenario), result.stderr
    return result


def _expected_status(scenario: Scenario) -> int:
    return laws.STATUSES[scenario.code] if scenario.code else 0


def _shape(events: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """What both wires must tell alike: types with their meaning, deltas joined."""
    shape: list[tuple[str, Any]] = []
    for event in events:
        kind = event["type"]
        if kind in ("text_delta", "reasoning_delta", "tool_output_delta"):
            if not shape or shape[-1][0] != kind:
                shape.append((kind, ""))
            shape[-1] = (kind, shape[-1][1] + event["text"])
        else:
            names = ("toolName", "toolInput", "toolOutput", "exitCode", "stopReason", "turn")
            keep = (*names, "code", "totalTokens", "text", "attempt", "retryable", "status")
            told = {name: event[name] for name in keep if name in event and kind != "notice"}
            # What a response that was cut has cost is told by one vendor and not by the other.
            told.pop("totalTokens" if kind in ("end", "error") else "", None)
            shape.append((kind, told))
    return shape


@pytest.mark.parametrize("name", BY_NAME)
def test_verdict_and_laws(a3s: Bench, name: str) -> None:
    """Both wires tell the same story; at once, because many a scenario has to wait."""
    scenario = BY_NAME[name]
    runs = [_spawn(a3s, scenario, wire=wire) for wire in MODELS]
    results = [_finish(a3s, scenario, run) for run in runs]
    for result, path in zip(results, ("/v1/chat/completions", "/v1/messages"), strict=True):
        assert result.last.get("code") == scenario.code, result.last
        assert {seen.path for seen in result.requests} == {path}
        if scenario.says is not None:
            assert result.text == scenario.says
    _check_with_jq(results[0])
    # Parallel calls end in any order: what they must share is in test_tool_loop. The random
    # part of a scenario is the ids of its calls, and no shape has them.
    if name != "parallel calls":
        one, other = (_shape(result.events[1:]) for result in results)
        assert one == other


def _check_with_jq(result: Result) -> None:
    done = subprocess.run(["jq", "-c", "."], input=result.stdout, capture_output=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == result.events


@pytest.mark.parametrize("name", BY_NAME)
def test_renderings_keep_the_verdict(a3s: Bench, name: str) -> None:
    scenario = BY_NAME[name]
    runs = [_spawn(a3s, scenario, "-o", output) for output in ("raw", "pretty")]
    raw, pretty = (_finish(a3s, scenario, run) for run in runs)
    if scenario.says is not None:
        assert raw.stdout.decode() == scenario.says + "\n"
        assert scenario.says in pretty.stdout.decode()
    if scenario.code:
        for told in (raw.stderr, pretty.stdout + pretty.stderr):
            assert told.strip(), "a failure that says nothing"
            assert b"Traceback" not in told


def test_start_tells_what_is_known(a3s: Bench) -> None:
    start = a3s("run", "a question", script=[text("yo")]).events[0]
    assert start["schemaVersion"] == 1
    assert start["model"] == MODELS["openai-chat"]
    assert start["cwd"] == str(a3s.work.resolve())
    assert start["prompt"] == "a question"
    tools = "bash read write edit grep glob ls web_fetch generate_object"
    assert start["tools"] == tools.split()


def test_start_comes_before_the_network(a3s: Bench) -> None:
    """A consumer sees life although the provider does not answer."""
    run = a3s.spawn("run", "go", "--timeout", "30", script=[stall()])
    run.wait_for("start")
    assert run.server is not None
    run.server.wait_for_request()
    run.signal(15)
    assert run.finish().status == 143


def test_usage_is_told_and_summed(a3s: Bench) -> None:
    script = [bash("true"), text("done", usage=(7, 3))]
    for wire, expected in (("openai-chat", (17, 8)), ("anthropic", (17, 8))):
        result = a3s("run", *ALLOW, "go", script=script, wire=wire)
        usages = [event["usage"] for event in result.of("turn_end")]
        assert [(u["inputTokens"], u["outputTokens"]) for u in usages] == [(10, 5), (7, 3)]
        assert [event["totalTokens"] for event in result.of("turn_end")] == [15, 10]
        total = result.last["usage"]
        assert (total["inputTokens"], total["outputTokens"]) == expected
        assert result.last["totalTokens"] == 25
        assert (result.last["turns"], result.last["toolCalls"]) == (2, 1)


def test_no_usage_is_no_figure(a3s: Bench) -> None:
    result = a3s("run", "go", script=[text("yo", usage=None)])
    assert "usage" not in result.one("turn_end") and "usage" not in result.last
    assert result.one("turn_end")["totalTokens"] == result.last["totalTokens"] == 0


def test_the_published_schema_accepts_every_line(a3s: Bench) -> None:
    from jsonschema_rs import validator_for

    published = a3s("schema")
    assert published.status == 0 and published.stderr == b""
    schema = json.loads(published.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validator = validator_for(schema)
    for name in ("parallel calls", "denied", "unknown tool", "429, then whole", "idle", "refusal"):
        run = _spawn(a3s, BY_NAME[name])
        for event in _finish(a3s, BY_NAME[name], run).events:
            assert validator.is_valid(event), event
    assert not validator.is_valid({"type": "text_delta", "seq": 0, "ts": 0})
    assert not validator.is_valid({"type": "end"})
