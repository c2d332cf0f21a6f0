"""Costs, limits, windows and sight of models that nothing is configured of."""

from __future__ import annotations

import json

import pytest

from ..support.a3s import Bench
from ..support.files import PNG
from ..support.replies import call, text
from ..support.run import Result

M = 10**6


def run(a3s: Bench, model: str, *flags: str, script: list[object]) -> Result:
    return a3s("run", "-m", model, *flags, "go", script=script)


def test_a_listed_model_has_its_cost(a3s: Bench) -> None:
    """On whatever host: this one is on loopback."""
    result = run(a3s, "openai/gpt-4o", script=[text("yo", usage=(M, M))])
    assert result.last["costUsd"] == 12.5
    result = run(a3s, "openai/gpt-4o-2024-08-06", script=[text("yo", usage=(1000, 100))])
    assert result.last["costUsd"] == 0.0035


def test_another_has_none(a3s: Bench) -> None:
    assert "costUsd" not in run(a3s, "openai/test-model", script=[text("yo")]).last


def test_each_request_has_its_own_tier(a3s: Bench) -> None:
    """Two short requests are not one long one."""
    script = [call("bash", {"command": "true"}, usage=(150_000, 0)), text("yo", usage=(150_000, 0))]
    config = a3s.root / "proxy.acl"
    server = a3s.serve(script)
    config.write_text(
        f'providers "proxy" {{ baseUrl = "{server.url}/v1" apiKey = "sk-0123456789abcdef" }}'
    )
    flags = ("--config", str(config), "-m", "proxy/google/gemini-2.5-pro", "--allow", "bash")
    result = a3s.start(["a3s", "run", *flags, "go"], server, "whole", True).finish()
    assert result.last["costUsd"] == 0.375
    server = a3s.serve([text("yo", usage=(300_000, 0))])
    config.write_text(
        f'providers "proxy" {{ baseUrl = "{server.url}/v1" apiKey = "sk-0123456789abcdef" }}'
    )
    result = a3s.start(["a3s", "run", *flags, "go"], server, "whole", True).finish()
    assert result.last["costUsd"] == 0.75


@pytest.mark.parametrize(
    "cost, usd",
    [("input = 1 output = 2", 3.0), ("output = 2", 4.5), ("input = 0 output = 0", 0.0)],
)
def test_what_is_configured_wins(a3s: Bench, cost: str, usd: float) -> None:
    config = a3s.root / "cost.acl"
    config.write_text(f'providers "openai" {{ models "gpt-4o" {{ cost = {{ {cost} }} }} }}')
    script = [text("yo", usage=(M, M))]
    result = run(a3s, "openai/gpt-4o", "--config", str(config), script=script)
    assert result.last["costUsd"] == usd


def test_a_limit_needs_no_configuration(a3s: Bench) -> None:
    script = [call("bash", {"command": "true"}, usage=(M, 0)), text("never")]
    result = run(a3s, "openai/gpt-4o", "--allow", "bash", "--max-cost", "2", script=script)
    assert (result.last["code"], result.last["exitCode"]) == ("max_cost", 3)
    assert result.last["error"] == "the run has cost $2.5000, and $2 is allowed"


def test_the_window_is_known(a3s: Bench) -> None:
    """The 8,191 tokens of this model hold no two of these outputs."""
    script = [
        call("bash", {"command": "seq 3000"}, usage=(5000, 9)),
        call("bash", {"command": "seq 3000"}, usage=(9000, 9)),
        text("yo"),
    ]
    flags = ("--allow", "bash", "--no-project")
    result = run(a3s, "openai/gpt-4", *flags, script=script)
    assert result.last["type"] == "end"
    notices = [event["code"] for event in result.events if event["type"] == "notice"]
    assert "compacted" in notices
    other = run(a3s, "openai/test-model", *flags, script=script)
    assert "compacted" not in [event.get("code") for event in other.events]


def test_a_model_that_is_listed_as_blind(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    flags = ("-m", "openai/gpt-3.5-turbo", "go", "-a", "shot.png")
    result = a3s("run", *flags, script=[], laws="none")
    assert (result.exit_status, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"a3s: openai/gpt-3.5-turbo cannot see images such as shot.png")
    seen = a3s("run", "-m", "openai/gpt-4o", "go", "-a", "shot.png", script=[text("a dot")])
    assert "image_url" in json.dumps(seen.requests[0].body)


def test_models_are_shown_with_what_is_known(a3s: Bench) -> None:
    config = a3s.root / "models.acl"
    config.write_text(
        'providers "openai" { models "gpt-4o" {} models "own" { cost = { input = 1 output = 2 } } }'
    )
    rows = {
        row["model"]: row
        for row in json.loads(a3s("models", "--json", "--config", str(config)).stdout)
    }
    known = rows["openai/gpt-4o"]
    assert (known["contextTokens"], known["maxTokens"]) == (128_000, 16_384)
    assert (known["seesImages"], known["seesPdf"], known["callsTools"]) == (True, True, True)
    listed = known["costUsd"].pop("listed")
    assert known["costUsd"] == {
        "input": 2.5, "output": 10.0, "cacheRead": 1.25, "cacheWrite": 2.5,
    }  # fmt: skip
    assert rows["openai/own"]["costUsd"] == {
        "input": 1.0, "output": 2.0, "cacheRead": 1.0, "cacheWrite": 1.0,
    }  # fmt: skip
    shown = a3s("models", "--config", str(config)).stdout.decode()
    assert f"$2.5 in, $10 out (listed {listed}); window 128000; sees images\n" in shown
    assert "; $1 in, $2 out\n" in shown
