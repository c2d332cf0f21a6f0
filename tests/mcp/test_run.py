"""Tools of servers in a run: offered, judged, called, ended with it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from ..support import processes
from ..support.a3s import Bench
from ..support.replies import a_call, call, calls, text
from .bench import Scripted
from .scripted import ECHO

BUILT_IN = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {**ECHO, "name": name, **more}


def offered(body: dict[str, Any]) -> list[str]:
    return [one["function"]["name"] for one in body["tools"]]


def test_a_call_from_the_first_line_to_the_last(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    script = [call("mcp__one__echo", {"text": "hi"}), text("done")]
    result = a3s("run", "go", "--allow", "mcp__one__echo", script=script)
    assert result.types == [
        "start", "tools_changed", "turn_start", "turn_end", "tool_start", "tool_end",
        "turn_start", "text_delta", "turn_end", "end",
    ]  # fmt: skip
    start = result.events[0]
    assert (start["mcpServers"], start["tools"]) == (["one"], BUILT_IN)
    assert result.one("tools_changed")["tools"] == [*BUILT_IN, "mcp__one__echo"]
    begun, ended = result.one("tool_start"), result.one("tool_end")
    assert (begun["toolInput"], begun["rule"]) == ({"text": "hi"}, "mcp__one__echo")
    assert (ended["toolOutput"], ended["exitCode"]) == ("hi", 0)
    declared = result.requests[0].body["tools"][-1]["function"]
    assert declared == {
        "name": "mcp__one__echo",
        "description": "Return the text.",
        "parameters": ECHO["inputSchema"],
    }
    assert result.requests[0].body["tools"] == result.requests[1].body["tools"]
    received = scripted.received()
    methods = ["initialize", "notifications/initialized", "tools/list", "tools/call"]
    assert [one["method"] for one in received] == methods
    assert received[0]["params"]["protocolVersion"] == "2025-11-25"
    assert received[3]["params"]["name"] == "echo"
    assert received[3]["params"]["arguments"] == {"text": "hi"}


@pytest.mark.parametrize(
    ("options", "fate", "rule"),
    [
        ([], "permission_denied", "default"),
        (["--allow", "mcp__one__*"], "tool_end", "mcp__one__*"),
        (["--allow", "mcp__one"], "tool_end", "mcp__one"),
        (["--allow", "mcp__o*"], "tool_end", "mcp__o*"),
        (["--allow", "mcp__two__*"], "permission_denied", "default"),
        (["--allow-all"], "tool_end", "default"),
        (["--allow-all", "--deny", "mcp__one"], "permission_denied", "mcp__one"),
        (["--allow", "*", "--deny", "mcp__*__ec*"], "permission_denied", "mcp__*__ec*"),
        (["--allow", "mcp__one", "--ask", "mcp__one__echo"], "permission_denied", "mcp__one__echo"),
    ],
)
def test_nothing_runs_without_a_rule(
    a3s: Bench, scripted: Scripted, options: list[str], fate: str, rule: str
) -> None:
    """Whatever a server says of its tools."""
    hints = {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False}
    scripted.add(tools=[tool("echo", annotations=hints)])
    result = a3s("run", "go", *options, script=[call("mcp__one__echo", {"text": "x"}), text("ok")])
    assert len(result.of(fate)) == 1
    judged = result.of("permission_denied") + result.of("tool_start")
    assert [one["rule"] for one in judged] == [rule]
    assert ("tools/call" in scripted.methods()) == (fate == "tool_end")


def test_what_the_schema_refuses_reaches_no_server(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    script = [call("mcp__one__echo", {"text": 5}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    assert 'text: 5 is not of type "string"' in result.one("tool_rejected")["error"]
    assert "tools/call" not in scripted.methods()


def test_an_unknown_rule_or_name_is_a_usage_error(a3s: Bench, scripted: Scripted) -> None:
    scripted.add("github")
    for options, words in (
        (["--allow", "mcp__one__x(y)"], "takes no pattern"),
        (["--allow", "mcp__"], "no MCP tool has such a name"),
        (["--mcp", "gihtub"], "there is no MCP server 'gihtub' (configured: github)"),
        (["--no-mcp", "--mcp", "github"], "cannot be combined"),
    ):
        result = a3s("run", "go", *options, script=[], laws="none")
        assert (result.status, words in result.stderr.decode()) == (2, True), result.stderr
    assert (
        "a3s run -m openai/test-model go --mcp github"
        in a3s("run", "go", "--mcp", "gihtub", script=[], laws="none").stderr.decode()
    )


@pytest.mark.parametrize(
    ("options", "servers", "tools"),
    [
        ([], ["one", "two"], ["mcp__one__a", "mcp__one__b", "mcp__two__a", "mcp__two__b"]),
        (["--mcp", "two"], ["two"], ["mcp__two__a", "mcp__two__b"]),
        (["--mcp", "off"], ["off"], ["mcp__off__a", "mcp__off__b"]),
        (["--no-mcp"], None, []),
        (["--tools", "read"], None, []),
        (["--tools", "none"], None, []),
        (["--tools", "read,mcp__one__b"], ["one"], ["mcp__one__b"]),
        (["--tools", "mcp__*__a"], ["one", "two"], ["mcp__one__a", "mcp__two__a"]),
        (["--tools", "mcp__two"], ["two"], ["mcp__two__a", "mcp__two__b"]),
        (["--read-only"], ["two"], ["mcp__two__b"]),
        (["--network", "off"], ["two"], ["mcp__two__b"]),
    ],
)
def test_which_servers_are_started_and_what_is_offered(
    a3s: Bench,
    scripted: Scripted,
    options: list[str],
    servers: list[str] | None,
    tools: list[str],
) -> None:
    hints = {"readOnlyHint": True}
    two = [tool("a", annotations=hints), tool("b", annotations=hints)]
    scripted.add("one", tools=two)
    scripted.add("two", {"read_only": ["b"]}, tools=two)
    scripted.add("off", {"enabled": False}, tools=two)
    result = a3s("run", "go", *options, script=[text("ok")])
    assert result.events[0].get("mcpServers") == servers
    assert (
        [name for name in offered(result.requests[0].body) if name.startswith("mcp")] == tools
        if ("tools" in result.requests[0].body)
        else not tools
    )
    started = [name for name in ("one", "two", "off") if scripted.methods(name)]
    assert started == (servers or [])


def test_a_block_chooses_its_tools(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(keys={"tools": ["get_*", "b"]}, tools=[tool(n) for n in ("get_x", "b", "c")])
    result = a3s("run", "go", script=[text("ok")])
    assert result.one("tools_changed")["tools"][len(BUILT_IN) :] == [
        "mcp__one__b",
        "mcp__one__get_x",
    ]


@pytest.mark.parametrize("era", ["first", "later"])
def test_pages_are_all_read(a3s: Bench, scripted: Scripted, era: str) -> None:
    scripted.add(tools=[tool(f"t{number}") for number in range(7)], page=3, era=era)
    result = a3s(
        "run", "go", "--allow", "mcp__one", script=[call("mcp__one__t6", {"text": "x"}), text("ok")]
    )
    assert result.one("tool_end")["toolOutput"] == "x"
    assert scripted.methods().count("tools/list") == 3


def test_the_later_era_says_who_asks_in_every_request(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(era="later", calls={"echo": {"rounds": ["elicitation/create", "roots/list"]}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    assert result.one("tool_end")["toolOutput"] == "x"
    initialize, discover, *rest = scripted.received()
    assert (initialize["method"], discover["method"]) == ("initialize", "server/discover")
    asked = [one for one in rest if one["method"] != "notifications/cancelled"]
    assert {one["method"] for one in asked} == {"tools/list", "tools/call", "subscriptions/listen"}
    for one in (discover, *asked):
        meta = one["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "a3s"
    again = [one["params"] for one in asked if "inputResponses" in one["params"]]
    assert [one["requestState"] for one in again] == ["s"]
    assert again[0]["inputResponses"] == {
        "elicitation/create": {"action": "decline"},
        "roots/list": {"roots": [{"uri": a3s.work.as_uri(), "name": "work"}]},
    }


def test_what_a_server_asks_of_us(a3s: Bench, scripted: Scripted) -> None:
    asks = ["ping", "roots/list", "sampling/createMessage", "elicitation/create", "odd/method"]
    scripted.add(calls={"echo": {"asks": asks, "answers": True}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    answers = {one["id"]: one for one in json.loads(result.one("tool_end")["toolOutput"])}
    assert answers["ask-ping"]["result"] == {}
    root = {"uri": a3s.work.as_uri(), "name": "work"}
    assert answers["ask-roots/list"]["result"] == {"roots": [root]}
    assert answers["ask-elicitation/create"]["result"] == {"action": "decline"}
    assert answers["ask-sampling/createMessage"]["error"]["code"] == -1
    assert answers["ask-odd/method"]["error"]["code"] == -32601


def test_what_a_result_may_hold(a3s: Bench, scripted: Scripted) -> None:
    content = [
        {"type": "text", "text": "one"},
        {"type": "image", "mimeType": "image/png", "data": "AAAA"},
        {"type": "audio", "mimeType": "audio/wav", "data": "AAA="},
        {"type": "resource", "resource": {"uri": "file:///x", "text": "inside"}},
        {"type": "resource", "resource": {"uri": "file:///y", "mimeType": "a/b", "blob": "AA=="}},
        {"type": "resource_link", "uri": "https://x", "name": "the x", "description": "of it"},
        {"type": "hologram"},
    ]
    told = {"content": content, "structuredContent": {"a": [1, None]}, "isError": True}
    scripted.add(calls={"echo": told, "bare": {"content": [], "structuredContent": {"n": 1}}},
                 tools=[ECHO, tool("bare")])  # fmt: skip
    both = calls(
        a_call("mcp__one__echo", {"text": "x"}, "c1"), a_call("mcp__one__bare", {"text": "x"}, "c2")
    )
    result = a3s("run", "go", "--allow", "mcp__one", script=[both, text("ok")])
    ended = result.one("tool_end", "c1")
    assert ended["toolOutput"].splitlines()[0] == "one"
    for line in (
        "[audio: audio/wav, 2 bytes]",
        "[file:///x]\ninside",
        "[file:///y: a/b, 1 bytes]",
        "[link: https://x] the x of it",
        "[hologram: a3s does not know this kind of content]",
    ):
        assert line in ended["toolOutput"]
    assert (ended["exitCode"], ended["structured"]) == (1, {"a": [1, None]})
    bare = result.one("tool_end", "c2")
    assert (bare["toolOutput"], bare["exitCode"], bare["structured"]) == ('{"n":1}', 0, {"n": 1})


def test_an_error_of_the_protocol_is_told(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(calls={"echo": {"error": {"code": -32602, "message": "no such text"}}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    ended = a3s("run", "go", "--allow", "mcp__one", script=script).one("tool_end")
    assert ended["toolOutput"] == "the server refused the call: no such text (-32602)"
    assert ended["exitCode"] == 1


def test_progress_is_shown_while_it_is_made(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(calls={"echo": {"progress": 3}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    call_id = result.one("tool_start")["toolId"]
    assert result.output(call_id) == "0 step 0\n1 step 1\n2 step 2\n"
    assert result.one("tool_end")["toolOutput"] == "x"


def test_a_changed_list_is_offered_with_the_next_turn(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(calls={"echo": {"becomes": [tool("other")]}})
    script = [
        call("mcp__one__echo", {"text": "x"}),
        call("mcp__one__other", {"text": "y"}),
        text("ok"),
    ]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    first, second = result.of("tools_changed")
    assert first["tools"][-1] == "mcp__one__echo"
    assert second["tools"] == [*BUILT_IN, "mcp__one__other"]
    assert result.types.index("tools_changed", 2) < result.types.index("turn_start", 3)
    assert [end["toolOutput"] for end in result.of("tool_end")] == ["x", "y"]
    assert offered(result.requests[1].body)[-1] == "mcp__one__other"


def test_a_server_that_dies_is_started_once_more(
    a3s: Bench, scripted: Scripted, tmp_path: Path
) -> None:
    scripted.add(calls={"echo": {"once": str(tmp_path / "died")}, "die": {"exit": 9}},
                 tools=[ECHO, tool("die")])  # fmt: skip
    script = [
        call("mcp__one__echo", {"text": "a"}),
        call("mcp__one__echo", {"text": "b"}),
        call("mcp__one__die", {"text": "c"}),
        call("mcp__one__echo", {"text": "d"}),
        text("ok"),
    ]
    result = a3s("run", "go", "--allow", "mcp__one", script=script)
    said = [(end["exitCode"], end["toolOutput"]) for end in result.of("tool_end")]
    assert said == [
        (1, "the MCP server one failed: it ended with status 7"),
        (0, "b"),
        (1, "the MCP server one failed: it ended with status 9"),
        (1, "the MCP server one failed: it has ended, and is not started again"),
    ]
    assert scripted.methods().count("initialize") == 2


def test_a_cancelled_run_tells_the_server_and_ends_its_tree(a3s: Bench, scripted: Scripted) -> None:
    sleeper = processes.sleeper()
    scripted.add(calls={"echo": {"silent": True}}, child=sleeper.split(), stays=True)
    script = [call("mcp__one__echo", {"text": "x"})]
    run = a3s.spawn("run", "go", "--allow", "mcp__one", script=script)
    run.wait_for("tool_start")
    processes.wait_until_alive(sleeper)
    run.signal(signal.SIGTERM)
    result = run.finish()
    assert result.one("tool_end")["reason"] == "cancelled"
    assert result.last["signal"] == "SIGTERM"
    asked = [one for one in scripted.received() if one["method"] == "tools/call"]
    cancelled = scripted.received()[-1]
    assert cancelled["method"] == "notifications/cancelled"
    assert cancelled["params"]["requestId"] == asked[0]["id"]
    assert processes.wait_until_gone(sleeper, 5) == []


def test_a_call_has_a_deadline(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(calls={"echo": {"silent": True}})
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    result = a3s("run", "go", "--allow", "mcp__one", "--tool-timeout", "300ms", script=script)
    ended = result.one("tool_end")
    assert (ended["exitCode"], ended["reason"]) == (124, "timeout")
    assert scripted.methods()[-1] == "notifications/cancelled"


def test_secrets_of_a_server_are_its_own(a3s: Bench, scripted: Scripted) -> None:
    """A server has the commands' environment and its own; what it was given is hidden in output."""
    secret = "tok-0123456789abcdefgh"
    wanted = ["GIVEN_TOKEN", "OPENAI_API_KEY", "HOME"]
    scripted.add(keys={"env": {"GIVEN_TOKEN": 'env("MY_TOKEN")'}},
                 calls={"echo": {"environment": wanted}})  # fmt: skip
    script = [call("mcp__one__echo", {"text": "x"}), text("ok")]
    env = {"MY_TOKEN": secret}
    result = a3s("run", "go", "--allow", "mcp__one", script=script, env=env)
    told = json.loads(result.one("tool_end")["toolOutput"])
    assert told["OPENAI_API_KEY"] is None and told["HOME"] == str(a3s.home)
    assert secret not in result.stdout.decode() and told["GIVEN_TOKEN"] != secret
    assert told["GIVEN_TOKEN"] is not None


def test_the_policy_digest_names_the_servers(a3s: Bench, scripted: Scripted) -> None:
    digests = [a3s("run", "go", script=[text("ok")]).events[0]["policySha256"]]
    scripted.add()
    for options in ([], ["--no-mcp"]):
        digests.append(a3s("run", "go", *options, script=[text("ok")]).events[0]["policySha256"])
    assert digests[0] == digests[2] != digests[1]


def test_stderr_goes_to_the_log_alone(a3s: Bench, scripted: Scripted) -> None:
    scripted.add(stderr="listening\x1b[31m\n", stdout="Welcome!\nnot json {\n")
    quiet = a3s("run", "go", script=[text("ok")])
    assert quiet.stderr == b""
    loud = a3s("run", "go", "--debug", script=[text("ok")]).stderr.decode()
    assert "MCP server one: listening" in loud and "\x1b" not in loud


def test_a_model_that_takes_no_tools_is_offered_none(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    scripted.write('providers "openai" { models "test-model" { tool_call = false } }\n')
    result = a3s("run", "go", script=[text("ok")])
    assert result.of("tools_changed") == []
    assert "tools" not in result.requests[0].body


def test_a_recording_is_audited_and_replayed(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    script = [call("mcp__one__echo", {"text": "hi"}), text("done")]
    recording = str(a3s.root / "run.ndjson")
    a3s("run", "go", "--allow", "mcp__one", "--record", recording, script=script)
    policy = a3s.root / "policy.toml"
    for rule, status in (('must_not = ["mcp__one__*"]', 5), ('must_only = ["mcp__one"]', 0)):
        policy.write_text(f'[[rule]]\nid = "x"\n{rule}\n')
        assert a3s("audit", recording, "--policy", str(policy)).status == status
    assert b"done" in a3s("replay", recording, "-o", "raw").stdout
