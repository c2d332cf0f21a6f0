"""The library takes servers, in a run and for a call of its own."""

from __future__ import annotations

import pytest

from a3s_cli import PermissionPolicy
from a3s_cli.errors import ConfigError, Unavailable

from ..api.conftest import Library
from ..support.a3s import Bench
from ..support.replies import call, text
from .bench import Scripted


@pytest.fixture
def library(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> Library:
    return Library(a3s, monkeypatch)


def test_servers_of_a_session(library: Library, a3s: Bench) -> None:
    command, *args = Scripted(a3s).argv("one")
    servers = {"mine": {"command": command, "args": args, "a3s": {"tools": ["echo"]}}}
    script = [call("mcp__mine__echo", {"text": "hi"}), text("done")]
    session = library.session(script, mcp_servers=servers)
    result = session.send("go")
    assert result.text == "done"
    kinds = [event.type for event in result.events]
    assert kinds[:3] == ["start", "tools_changed", "turn_start"]
    assert result.events[0].mcp_servers == ["mine"]
    (ended,) = [event for event in result.events if event.type == "tool_end"]
    assert ended.tool_output == "hi"
    session.close()


def test_a_direct_call_and_its_rules(library: Library, a3s: Bench) -> None:
    command, *args = Scripted(a3s).argv("one")
    servers = {"mine": {"command": command, "args": args}}
    session = library.session([], mcp_servers=servers)
    assert session.tool("mcp__mine__echo", {"text": "hi"}).output == "hi"
    careful = library.session([], mcp_servers=servers, permission_policy=PermissionPolicy())
    outcome = careful.tool("mcp__mine__echo", {"text": "hi"})
    assert outcome.failed and "Permission denied" in outcome.output


def test_which_servers(library: Library, a3s: Bench) -> None:
    Scripted(a3s).add("configured")
    command, *args = Scripted(a3s).argv("one")
    servers = {"mine": {"command": command, "args": args}}
    for chosen, used in ((None, ["configured", "mine"]), (["mine"], ["mine"]), ((), None)):
        session = library.session([text("ok")], mcp_servers=servers, mcp=chosen)
        assert session.send("go").events[0].mcp_servers == used


def test_what_is_wrong_is_said(library: Library) -> None:
    with pytest.raises(
        ConfigError, match=r"mcp_servers: mcpServers\.x: expected a command or a url"
    ):
        library.session([], mcp_servers={"x": {}})
    session = library.session([text("never")], mcp_servers={"x": {"command": "no-such-program"}})
    with pytest.raises(Unavailable, match="the MCP server x cannot be used"):
        session.send("go")
