"""Plug-ins: an installed package gives tools, and only if it is named."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 - the example package is installed as a user would
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.replies import call, text

EXAMPLE = Path(__file__).parent.parent / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the example package is installed."""
    place = tmp_path_factory.mktemp("installed")
    command = [
        sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-build-isolation",
        "--no-deps", "--disable-pip-version-check", "--target", str(place), str(EXAMPLE),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=300)
    return {"PYTHONPATH": str(place)}


def names(result: Any) -> list[str]:
    return [one["function"]["name"] for one in result.requests[0].body["tools"]]


def test_its_tools_are_offered_and_run(a3s: Bench, installed: dict[str, str]) -> None:
    script = [call("double", {"number": 21}), call("double", {"number": "x"}), text("done")]
    flags = ("--plugin", "example", "--tools", "shout,ls,double")
    result = a3s("run", "hi", *flags, script=script, env=installed, quiet=False)
    assert names(result) == result.events[0]["tools"] == ["ls", "double", "shout"]
    assert result.one("tool_end")["toolOutput"] == "42"
    assert result.one("tool_rejected")["reason"] == "invalid_arguments"
    assert result.stderr == b"imported\ncalled\n"  # stdout is the stream's alone


def test_it_is_not_imported_unless_it_is_named(a3s: Bench, installed: dict[str, str]) -> None:
    result = a3s("run", "hi", script=[text("yo")], env=installed)
    assert "double" not in names(result) and result.stderr == b""


def test_rules_name_its_tools(a3s: Bench, installed: dict[str, str]) -> None:
    own = a3s.home / ".config/a3s/config.acl"
    own.parent.mkdir(parents=True)
    own.write_text('plugins = ["example"]\npermissions { deny = ["double"] ask = ["shout"] }')
    script = [call("double", {"number": 1}), call("shout", {"text": "a"}), text("done")]
    result = a3s("run", "hi", script=script, env=installed, quiet=False)
    denied = [event for event in result.events if event["type"] == "permission_denied"]
    assert [(one["toolName"], one["decision"]) for one in denied] == [
        ("double", "deny"),
        ("shout", "ask"),
    ]
    tested = a3s("policy", "test", "--input", '{"number":1}', "double", env=installed)
    assert json.loads(tested.stdout)["decision"] == "deny"
    own.write_text('plugins = ["example"]\npermissions { deny = ["duoble"] }')
    result = a3s("run", "hi", script=[], env=installed, quiet=False)
    assert (
        result.last["code"] == "config" and f"{own}:2:23: the rule 'duoble'" in result.last["error"]
    )


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("exmaple",), "the plug-in 'exmaple': no installed package has it (installed: "),
        (("broken",), "the plug-in 'broken': it cannot be loaded: SystemExit: no database"),
        (("nothing",), "the plug-in 'nothing': it cannot be loaded: TypeError"),
        (("builtin",), "its tool bash has the same name as one of a3s itself"),
        (("example", "clashing"), "its tool shout has the same name as one of plug-in example"),
        (("example", "one"), "its tool double has the same name as one of plug-in example"),
        (("twice",), "its tool double has the same name as one of plug-in twice"),
        (("mixed",), "a3s_example.more:MIXED is neither a tool nor a list of tools"),
        (("none",), "a3s_example.more:NONE is neither a tool nor a list of tools"),
        (("absent",), "the plug-in 'absent': it cannot be loaded: AttributeError"),
        (("gone",), "the plug-in 'gone': it cannot be loaded: ModuleNotFoundError"),
        (("server",), "the name mcp__server__send is one of tools of MCP servers"),
        (("loading",), "the name load_tools is one of tools of MCP servers"),
    ],
)
def test_what_is_wrong_is_said(
    a3s: Bench, installed: dict[str, str], names: tuple[str, ...], why: str
) -> None:
    flags = [word for name in names for word in ("--plugin", name)]
    result = a3s("run", "hi", *flags, env=installed, laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert "--plugin: " in result.stderr.decode() and why in result.stderr.decode()
    listed = ", ".join(f'"{name}"' for name in names)
    (a3s.root / "own.acl").write_text(f"plugins = [{listed}]")
    result = a3s(
        "run", "hi", "--config", str(a3s.root / "own.acl"), script=[], env=installed, quiet=False
    )
    assert (result.status, result.last["code"]) == (78, "config")
    assert "own.acl:1" in result.last["error"] and why in result.last["error"]


def test_a_project_names_none_unless_it_is_trusted(a3s: Bench, installed: dict[str, str]) -> None:
    path = a3s.work / ".a3s/config.acl"
    path.parent.mkdir()
    path.write_text('plugins = ["example"]')
    result = a3s("run", "hi", script=[text("yo")], env=installed)
    assert "double" not in names(result)
    assert result.one("notice")["keys"] == ["plugins"]


def test_the_list_says_where_each_comes_from(a3s: Bench, installed: dict[str, str]) -> None:
    for name, tools in (
        ("example", ["double", "shout"]),
        ("one", ["double"]),
        ("module", ["double", "shout"]),
    ):
        result = a3s("tools", "--json", "--plugin", name, env=installed)
        rows = [row for row in json.loads(result.stdout) if row["source"] != "built in"]
        assert [row["name"] for row in rows] == tools
        assert {row["source"] for row in rows} == {f"plug-in {name} (a3s-example 1.2)"}
    shown = a3s("tools", "--plugin", "one", env=installed).stdout.decode()
    assert "double  number  # plug-in one (a3s-example 1.2)\n    Double a number.\n" in shown


COUNTING = ("--plugin", "counting")


@pytest.mark.parametrize(
    ("flags", "offered"),
    [
        (["--tools", "ls"], ["ls"]),
        (["--tools", "count"], ["count"]),
        (["--tools", "count, read ,double"], ["read", "double", "count"]),
        (["--tools", "none"], []),
        (["--tools", "count", "--read-only"], ["count"]),
        (["--tools", "double,count", "--read-only"], ["count"]),
        (["--tools", "double,read", "--network", "off"], ["read"]),
        (["--tools", "double,count,ls", "--network", "off"], ["ls", "count"]),
    ],
)
def test_they_are_chosen_and_withheld_as_others_are(
    a3s: Bench, installed: dict[str, str], flags: list[str], offered: list[str]
) -> None:
    """What a function does is not known, unless it says that it only reads."""
    result = a3s("run", "hi", *COUNTING, *flags, script=[text("ok")], env=installed, quiet=False)
    if result.last.get("code") == "config":
        pytest.skip("no sandbox")
    assert result.events[0]["tools"] == offered
    sent = result.requests[0].body.get("tools", [])
    assert [one["function"]["name"] for one in sent] == offered


def test_a_tool_that_is_withheld_does_not_run(a3s: Bench, installed: dict[str, str]) -> None:
    script = [call("double", {"number": 1}), call("count", {"text": "abc"}), text("done")]
    flags = (*COUNTING, "--read-only", "--allow-all")
    result = a3s("run", "hi", *flags, script=script, env=installed, quiet=False)
    assert result.one("tool_rejected")["reason"] == "unknown_tool"
    assert result.one("tool_end")["toolOutput"] == "3" and b"called" not in result.stderr
    own = a3s.home / ".config/a3s/config.acl"
    own.parent.mkdir(parents=True)
    own.write_text('plugins = ["counting"] read_only = true')
    for tool, given, decision in (
        ("double", {"number": 1}, "deny"),
        ("count", {"text": "a"}, "allow"),
    ):
        tested = a3s("policy", "test", "--input", json.dumps(given), tool, env=installed)
        assert json.loads(tested.stdout)["decision"] == decision


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([*COUNTING, "--tools", "cuont"], "a3s run hi --plugin counting --tools count -m openai/x"),
        ([*COUNTING, "--tools", "shout"], "there is no tool 'shout' (known: bash, "),
        (["--tools", "count"], "there is no tool 'count' (known: bash, "),
        (["--tools", "bad name"], "there is no tool 'bad name' (known: bash, "),
        (["--tools", "raed"], "a3s run hi --tools read -m openai/x"),
        (["--tools", "mcp__none__x"], "no MCP server has a tool mcp__none__x"),
    ],
)
def test_a_tool_that_there_is_nowhere(
    a3s: Bench, installed: dict[str, str], flags: list[str], said: str
) -> None:
    result = a3s("run", "hi", *flags, "-m", "openai/x", env=installed, laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert said in result.stderr.decode()
