"""Where servers come from: blocks, JSON files, projects; and what is wrong with an entry."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.jsontext import TOO_LONG

from ..support.a3s import Bench
from ..support.replies import call, text
from .bench import SCRIPTED, Scripted, block


def write_json(path: Path, servers: dict[str, Any]) -> str:
    path.write_text(json.dumps({"mcpServers": servers}))
    return str(path)


def test_a_json_file_as_others_read_it(a3s: Bench, scripted: Scripted) -> None:
    command, *args = scripted.argv("one", calls={"echo": {"environment": ["A", "B", "C"]}})
    entry = {
        "type": "stdio",
        "command": "${PYTHON}",
        "args": args,
        "env": {"A": "${GIVEN}", "B": "${UNSET_ONE:-by default}", "C": "x${GIVEN}y"},
        "timeout": 20000,
        "alwaysAllow": ["echo"],
        "a3s": {"optional": True, "readOnly": ["echo"], "tools": ["e*"]},
    }
    off = {"command": "false", "disabled": True}
    path = write_json(a3s.root / "servers.json", {"one": entry, "off": off})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    options = ["--mcp-config", path, "--allow", "mcp__one", "--read-only"]
    env = {"PYTHON": command, "GIVEN": "given"}
    result = a3s("run", "go", *options, script=script, env=env)
    assert result.events[0]["mcpServers"] == ["one"]
    told = json.loads(result.one("tool_end")["toolOutput"])
    assert told == {"A": "given", "B": "by default", "C": "xgiveny"}


def test_others_approvals_are_not_ours(a3s: Bench, scripted: Scripted) -> None:
    command, *args = scripted.argv("one")
    entry = {"command": command, "args": args, "alwaysAllow": ["echo"], "trust": True}
    path = write_json(a3s.root / "servers.json", {"one": entry})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    result = a3s("run", "go", "--mcp-config", path, script=script)
    assert result.one("permission_denied")["rule"] == "default"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "expected a command or a url for the server 'x', found neither"),
        ({"command": "a", "url": "http://b"}, "found both"),
        ({"command": 5}, "expected the name or path of a program for command, found a number"),
        ({"command": "a", "args": [5]}, "expected a list of strings for args"),
        ({"command": "a", "timeout": -1}, "expected a number of milliseconds above zero"),
        ({"command": "a", "timeout": True}, "expected a duration"),
        ({"command": "a", "env": {"A": 5}}, "expected an object of strings for env"),
        ({"command": "a\ud800"}, "expected the name or path of a program for command"),
        ({"command": "a", "args": ["\ud800"]}, "expected a list of strings for args"),
        ({"command": "a", "env": {"A": "\ud800"}}, "expected an object of strings for env"),
        ({"command": "a", "env": {"\ud800": "a"}}, "expected an object of strings for env"),
        ({"command": "a", "cwd": "\ud800"}, "expected the path of a directory for cwd"),
        ({"url": "ftp://x"}, "expected a URL that begins with https:// or http://, with a port"),
        ({"url": "http://x", "headers": {"a b": "c"}}, "for headers"),
        ({"url": "http://x", "type": "stdio"}, "expected what fits a url for transport"),
        ({"type": "carrier-pigeon", "command": "a"}, 'expected one of "stdio", "http"'),
        ({"command": "a", "a3s": {"redonly": True}}, "expected one of readOnly for a3s"),
        ([], "expected an object with a command or a url"),
    ],
)
def test_what_is_wrong_with_an_entry(a3s: Bench, entry: Any, words: str) -> None:
    path = write_json(a3s.root / "servers.json", {"x": entry})
    result = a3s("run", "go", "--mcp-config", path, script=[])
    assert (result.status, result.last["code"]) == (78, "config")
    assert result.last["error"].startswith(f"{path}: mcpServers.x: ")
    assert words in result.last["error"]


def test_a_number_that_is_too_long(a3s: Bench) -> None:
    path = a3s.root / "servers.json"
    path.write_text('{"mcpServers": {"x": {"command": "a", "timeout": ' + "1" * 5000 + "}}}")
    result = a3s("run", "go", "--mcp-config", str(path), script=[])
    assert (result.status, result.last["code"]) == (78, "config")
    assert result.last["error"] == f"{path}: this JSON is not read: {TOO_LONG}"


def test_a_name_is_corrected_where_it_stands_alone(a3s: Bench, scripted: Scripted) -> None:
    """No other word of the command that happens to contain it is changed."""
    scripted.add("one")
    for given, meant in (["on"], ["one"]), (["--json", "on"], ["--json", "one"]):
        result = a3s("mcp", "test", *given, "--config", str(scripted.config))
        assert result.status == 2
        line = " ".join(["a3s", "mcp", "test", *meant, "--config", str(scripted.config)])
        assert result.stderr.decode().splitlines()[-1] == f"hint: did you mean:  {line}"
    result = a3s("run", "go on", "--mcp=on", script=[], laws="none")
    assert result.stderr.decode().rstrip().endswith("'go on' --mcp=one")


def test_last_words_without_an_end_of_line(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("one", stderr="first\nthe token is wrong", exit=3)
    result = a3s("run", "go", script=[text("never")])
    assert (result.status, result.last["hint"]) == (69, "it said: first / the token is wrong")


def test_a_server_without_tools(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("one", tools=[])
    result = a3s("mcp", "tools", "one")
    assert (result.status, result.stdout) == (0, b"one  offers no tools\n")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('mcp_servers "x" { }', "expected a command or a url for the server 'x', found neither"),
        ('mcp_servers "x" { command = 5 }', "expected the name or path of a program for command"),
        ('mcp_servers { command = "x" }', "expected one quoted name"),
        ('mcp_servers "x" { command = "x"  timeout = "soon" }', "expected a duration"),
        ('mcp_servers "x" { command = "x"  read_only = 1 }', "expected true, false or a list"),
    ],
)
def test_what_is_wrong_with_a_block(a3s: Bench, scripted: Scripted, lines: str, words: str) -> None:
    scripted.write(lines + "\n")
    result = a3s("run", "go", script=[])
    assert result.status == 78 and words in result.last["error"], result.last


@pytest.mark.parametrize("kind", ["json", "acl"])
def test_a_variable_that_is_not_set(a3s: Bench, scripted: Scripted, kind: str) -> None:
    """It is no wrong configuration: whoever does not have the token runs without the server."""
    options: list[str] = []
    if kind == "json":
        entry = {"url": "http://127.0.0.1:9/", "headers": {"authorization": "Bearer ${NO_TOKEN}"}}
        options = ["--mcp-config", write_json(a3s.root / "s.json", {"x": entry})]
    else:
        scripted.write('mcp_servers "x" { url = "http://x"  bearer_token = env("NO_TOKEN") }\n')
    result = a3s("run", "go", *options, script=[])
    assert result.status == 69
    assert result.last["error"].endswith("cannot be used: the variable NO_TOKEN is not set")


def test_the_old_transport_is_named(a3s: Bench) -> None:
    path = write_json(a3s.root / "s.json", {"x": {"type": "sse", "url": "http://x/sse"}})
    result = a3s("run", "go", "--mcp-config", path, script=[])
    assert result.status == 69 and "HTTP+SSE transport" in result.last["error"]


# -- projects --------------------------------------------------------------------------------


def project(bench: Bench, scripted: Scripted, /, **more: Any) -> dict[str, Any]:
    """Write the project's `.mcp.json` and return its entry.

    The server lies in the workspace: of the directories of temporary files it sees no other.
    """
    (bench.work / "server.py").write_text(Path(SCRIPTED).read_text())
    played = Path(scripted.argv("one", **more.pop("script", {}))[-1])
    (bench.work / "script.json").write_text(played.read_text())
    interpreter = os.path.realpath(sys.executable)
    args = ["-S", "-E", "server.py", "script.json"]
    entry = {"command": interpreter, "args": args, **more}
    write_json(bench.work / ".mcp.json", {"one": entry})
    return entry


def test_an_untrusted_project_starts_nothing(a3s: Bench, scripted: Scripted) -> None:
    project(a3s, scripted)
    result = a3s("run", "go", script=[text("ok")])
    notice = result.one("notice")
    assert (notice["code"], notice["keys"]) == ("config_untrusted", ["mcpServers"])
    assert f"a3s trust {a3s.work}" in notice["text"]
    assert "mcpServers" not in result.events[0] and scripted.received() == []
    for quiet in ("--no-mcp", "--no-project"):
        assert a3s("run", "go", quiet, script=[text("ok")]).of("notice") == []


def test_a_trusted_project_starts_its_server_confined(a3s: Bench, scripted: Scripted) -> None:
    """It cannot write the workspace, nor call itself reading, nor see what is not listed."""
    wanted = ["LISTED", "UNLISTED"]
    how = {"calls": {"echo": {"environment": wanted}}, "log": str(a3s.work / "log")}
    env = {"LISTED": "seen", "UNLISTED": "unseen"}
    given = {"LISTED": "${LISTED}", "UNLISTED": "${UNLISTED:-no}"}
    project(a3s, scripted, script=how, env=given, a3s={"readOnly": True, "sandbox": False})
    assert a3s("trust").status == 0
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    options = ["--allow", "mcp__one", "--env", "LISTED"]
    result = a3s("run", "go", *options, script=script, env=env)
    # The log of what it receives is in the workspace: writing it ends the server.
    assert result.last["code"] == "unavailable"
    assert "Read-only file system" in result.last["hint"]
    how["log"] = ""
    ours = {"readOnly": True, "sandbox": False}
    project(a3s, scripted, script=how, env=given, a3s=ours, timeout=9000)
    changed = a3s("run", "go", *options, script=[text("ok")], env=env)
    assert "changed since it was trusted" in changed.of("notice")[0]["text"]
    assert a3s("trust").status == 0
    result = a3s("run", "go", *options, script=script, env=env)
    assert json.loads(result.one("tool_end")["toolOutput"]) == {"LISTED": "seen", "UNLISTED": "no"}
    withheld = a3s("run", "go", "--read-only", script=[text("ok")], env=env)
    assert "mcpServers" not in withheld.events[0]


def test_without_a_sandbox_a_project_has_no_server(a3s: Bench, scripted: Scripted) -> None:
    project(a3s, scripted)
    assert a3s("trust").status == 0
    result = a3s("run", "go", "--sandbox", "off", script=[text("never")])
    assert (result.status, result.last["code"]) == (69, "unavailable")
    assert "it must run in a sandbox" in result.last["error"]
    assert "copy its entry to your own configuration" in result.last["hint"]


def test_a_project_cannot_take_the_name_of_yours(a3s: Bench, scripted: Scripted) -> None:
    project(a3s, scripted)
    assert a3s("trust").status == 0
    scripted.write(block("one", scripted.argv("mine")))
    result = a3s("run", "go", script=[text("ok")])
    assert "is not used, because you have one of this name" in result.one("notice")["text"]
    assert scripted.methods("mine") and not scripted.methods("one")


def test_a_project_reaches_no_private_address(a3s: Bench) -> None:
    write_json(a3s.work / ".mcp.json", {"one": {"url": "http://169.254.169.254/mcp"}})
    assert a3s("trust").status == 0
    result = a3s("run", "go", script=[text("never")])
    assert result.status == 69 and "leads to a private network" in result.last["error"]


# -- the commands ----------------------------------------------------------------------------


def test_the_command(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("one")
    scripted.add("two", {"optional": True}, exit=4, stderr="no luck\n")
    scripted.add("off", {"enabled": False})
    shown = a3s("mcp", "list")
    assert shown.status == 0 and b"one  works: 1 tool, " in shown.stdout
    assert b"two  does not work: " in shown.stdout and b"off  is not enabled" in shown.stdout
    rows = json.loads(a3s("mcp", "list", "--json").stdout)
    assert [(row["name"], row["works"]) for row in rows] == [("one", True), ("two", False)]
    assert rows[0]["tools"] == ["mcp__one__echo"] and rows[0]["protocolVersion"] == "2025-11-25"
    assert a3s("mcp", "test", "two").status == 69
    assert a3s("mcp", "test", "one").status == 0
    unknown = a3s("mcp", "test", "onne")
    assert (unknown.status, b"a3s mcp test one" in unknown.stderr) == (2, True)
    (tool,) = json.loads(a3s("mcp", "tools", "one", "--json").stdout)
    assert (tool["name"], tool["ownName"], tool["readOnly"]) == ("mcp__one__echo", "echo", False)
    assert a3s("mcp", "tools", "two").status == 69


def test_policy_test_knows_them(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("one", {"read_only": ["get_*"]})
    name = "mcp__one__echo"
    assert a3s("policy", "test", name).status == 4
    allowed = a3s("policy", "test", "--allow", "mcp__one", name, "--input", '{"any":1}')
    assert (allowed.status, json.loads(allowed.stdout)["rule"]) == (0, "mcp__one")
    assert a3s("policy", "test", "--deny", "mcp__*", name).status == 5


def test_a_rule_for_a_server_that_is_not_configured_is_told(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("git")
    rules = ["mcp__gti", "mcp__hub__x", "mcp__git__log", "mcp__*__get_*", "mcp__gi*"]
    options = [word for rule in rules for word in ("--allow", rule)]
    result = a3s("run", "go", *options, script=[text("ok")])
    assert [(one["code"], one["key"], one["text"]) for one in result.of("notice")] == [
        (
            "rule_server_unknown",
            "gti",
            "--allow: the rule 'mcp__gti' is for an MCP server that is not configured;"
            " did you mean mcp__git?",
        ),
        (
            "rule_server_unknown",
            "hub",
            "--allow: the rule 'mcp__hub__x' is for an MCP server that is not configured",
        ),
    ]


@pytest.mark.parametrize("port", ["99999", "0", "-1", "x"])
def test_a_port_that_there_is_not_is_an_error_of_the_configuration(
    a3s: Bench, scripted: Scripted, port: str
) -> None:
    scripted.write(f'mcp_servers "far" {{ url = "http://h.example:{port}/mcp" }}\n')
    result = a3s("run", "go", script=[text("never")])
    assert (result.status, result.last["code"], result.requests) == (78, "config", [])
    assert "with a port from 1 to 65535 if any" in result.last["error"]


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("TOK", "s3cr3tValueOfMine", True),
        ("X", "hunter2hunter2", True),
        ("PASS", "correcthorsebatterystaple", True),
        ("ID", "550e8400-e29b-41d4-a716-446655440000", True),
        ("MODE", "production", False),
        ("REGION", "eu-central-1", False),
        ("SINCE", "2024-01-31", False),
        ("DEBUG", "true", False),
        ("LIMIT", "1000000000", False),
        ("ROOT", "/srv/data12345678/x", False),
        ("LANG", "de_DE.UTF-8@euro1234567", False),
        ("WHERE", "https://example.com/v1/abcdef123456", False),
    ],
)
def test_what_a_server_is_given_is_secret_unless_it_plainly_is_not(
    a3s: Bench, scripted: Scripted, name: str, value: str, hidden: bool
) -> None:
    scripted.add(keys={"env": {name: json.dumps(value)}}, calls={"echo": {"text": f"<{value}>"}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    ended = a3s("run", "go", "--allow", "mcp__one", script=script).one("tool_end")
    assert ended["toolOutput"] == ("<[redacted:MCP_SECRET]>" if hidden else f"<{value}>")
