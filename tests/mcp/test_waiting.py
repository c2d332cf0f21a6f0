"""Law 12: no turn begins without the tools that the user named."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import text
from .bench import Scripted, block


@pytest.mark.parametrize(
    ("script", "keys", "why", "hint"),
    [
        (
            {"exit": 3, "stderr": "no token\nset GITHUB_TOKEN\n"},
            {},
            "it ended with status 3",
            "it said: no token / set GITHUB_TOKEN",
        ),
        ({"silent": "initialize"}, {"timeout": "400ms"}, "it did not answer within 0.4 s", "0.4 s"),
        ({"silent": "tools/list"}, {"timeout_ms": 400}, "it did not answer within 0.4 s", "0.4 s"),
        ({"delay": 30}, {"timeout": 0.4}, "it did not answer within 0.4 s", "0.4 s"),
        ({"version": "1999-01-01"}, {}, "it speaks version '1999-01-01'", None),
        ({"era": "none"}, {}, "it refused to begin: no method initialize (-32601)", None),
        ({}, {"tools": ["ehco"]}, "it has no tool 'ehco'", "did you mean echo?"),
        ({}, {"cwd": "/nowhere"}, "its directory /nowhere does not exist", None),
    ],
)
def test_a_server_that_does_not_work_ends_the_run(
    a3s: Bench,
    scripted: Scripted,
    script: dict[str, Any],
    keys: dict[str, Any],
    why: str,
    hint: str | None,
) -> None:
    scripted.add(keys=keys, **script)
    result = a3s("run", "go", script=[text("never")])
    assert result.types == ["start", "error"]
    assert (result.status, result.last["code"]) == (69, "unavailable")
    assert result.last["error"].startswith(f"the MCP server one cannot be used: {why}")
    assert hint is None or hint in result.last["hint"]
    assert result.requests == []


def test_a_program_that_there_is_not(a3s: Bench, scripted: Scripted) -> None:
    scripted.write(block("gone", ["no-such-program", "x"]))
    result = a3s("run", "go", script=[text("never")])
    assert result.last["error"] == "the MCP server gone cannot be used: it ended with status 127"
    assert result.last["hint"] == "it said: no-such-program: command not found"


def test_an_optional_server_is_a_notice(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("one", {"optional": True}, exit=3, stderr="broken\n")
    scripted.add("two")
    result = a3s("run", "go", script=[text("ok")])
    assert result.text == "ok"
    notice = result.one("notice")
    assert notice["code"] == "mcp_unavailable"
    assert notice["text"] == (
        "the MCP server one cannot be used: it ended with status 3; it said: broken"
    )
    assert result.one("tools_changed")["tools"][-1] == "mcp__two__echo"
    assert result.types.index("notice") < result.types.index("turn_start")


def test_slow_servers_are_waited_for_in_parallel(a3s: Bench, scripted: Scripted) -> None:
    for name in ("one", "two", "three"):
        scripted.add(name, delay=1.0)
    result = a3s("run", "go", script=[text("ok")])
    waited = result.one("turn_start")["ts"] - result.events[0]["ts"]
    assert 1000 <= waited < 2500
    assert len(result.one("tools_changed")["tools"]) == 12


def test_a_named_tool_is_waited_for_as_well(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    result = a3s("run", "go", "--tools", "mcp__one__ecoh", script=[text("never")])
    assert (result.status, result.last["code"]) == (69, "unavailable")
    assert result.last["hint"] == "did you mean mcp__one__echo?"


def test_a_run_is_cancelled_while_it_waits(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(silent="initialize")
    result = a3s("run", "go", "--timeout", "1s", script=[text("never")])
    assert (result.status, result.last["code"]) == (124, "timeout")
