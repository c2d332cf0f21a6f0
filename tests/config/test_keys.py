"""A provider's key as people really give it: with quotes, by a variable that is not set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, error, text
from ..support.run import Result

KEY = "sk-quoted-0123456789abcdef"


def notice(result: Result, code: str) -> str:
    return next(str(one["text"]) for one in result.of("notice") if one["code"] == code)


@pytest.mark.parametrize("quoted", [f'"{KEY}"', f"'{KEY}'", f' "{KEY}"\n'])
def test_quotes_around_a_key(a3s: Bench, quoted: str) -> None:
    """It is used without them, and hidden with them and without."""
    command = bash(f"echo {KEY}; env")
    env = {"OPENAI_API_KEY": quoted, "COPY": quoted}
    result = a3s("run", "go", "--allow-all", script=[command, text("ok")], env=env)
    assert notice(result, "config_key_quoted") == (
        "OPENAI_API_KEY: the key is used without the quotes around it"
    )
    assert {one.headers["authorization"] for one in result.requests} == {f"Bearer {KEY}"}
    bodies = json.dumps([one.body for one in result.requests])
    # The script echoes the key itself, which is hidden wherever it is shown.
    assert KEY.encode() not in result.stdout and bodies.count(KEY) == 0


def test_quotes_in_a_file(a3s: Bench) -> None:
    server = a3s.serve([text("ok")])
    config = a3s.root / "one.acl"
    config.write_text(
        f'providers "test" {{\n  baseUrl = "{server.url}/v1"\n  apiKey = env("MINE")\n'
        '  models "m" {}\n}\n'
    )
    env = {"MINE": f'"{KEY}"'}
    result = a3s("run", "go", "--config", str(config), "-m", "test/m", env=env)
    assert result.text == "ok" and f"{config}:3: the key is used" in notice(
        result, "config_key_quoted"
    )
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_an_inner_quote_is_no_quote(a3s: Bench) -> None:
    result = a3s("run", "go", script=[text("ok")], env={"OPENAI_API_KEY": 'sk-"x"-0123456789'})
    assert result.requests[0].headers["authorization"] == 'Bearer sk-"x"-0123456789'
    assert result.of("notice") == []


@pytest.mark.parametrize("line", ['apiKey = env("MINE")', 'headers { "X-Api-Key" = env("MINE") }'])
def test_a_variable_that_is_not_set(a3s: Bench, line: str) -> None:
    """It is named, whether a3s misses the key or the server does."""
    file = a3s.root / "one.acl"
    file.write_text(f'providers "test" {{\n  baseUrl = "https://example.com/v1"\n  {line}\n}}\n')
    result = a3s("run", "go", "--config", str(file), "-m", "test/m")
    assert (result.status, result.last["code"]) == (77, "auth")
    assert result.last["error"] == 'no API key for test: env("MINE") has no value'
    assert result.last["hint"] == "export MINE=…"
    server = a3s.serve([error(401)])
    file.write_text(file.read_text().replace("https://example.com", server.url))
    result = a3s("run", "go", "--config", str(file), "-m", "test/m")
    assert (result.status, result.last["code"]) == (77, "auth")
    assert result.last["hint"] == 'env("MINE") has no value: export MINE=…'


def test_no_search_path(a3s: Bench) -> None:
    """A shell has a default one, and bwrap is looked for there."""
    env = {"PATH": None}
    result = a3s("run", "go", "--allow-all", script=[bash("echo hi"), text("ok")], env=env)
    assert result.events[0]["sandbox"] == "bwrap"
    assert result.one("tool_end")["toolOutput"] == "hi\n"


def test_a_workspace_that_holds_bwrap(a3s: Bench) -> None:
    place = Path("/usr")
    if not (place / "bin/bwrap").exists():
        pytest.skip("bwrap is elsewhere")
    result = a3s("run", "go", "--sandbox", "require", cwd=place, script=[])
    assert result.last["code"] == "config"
    assert "/usr/bin/bwrap lies in the workspace" in result.last["error"]
    assert "choose another workspace" in result.last["hint"]
