"""The loop: what runs, what does not, in which order, and what the model is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import Call, Ending, Reply, Wire, a_call, bash, call, calls, cut, text
from ..support.run import Result

ALLOW = ("--allow", "bash")
ALLOW_ALL = ("--allow", "bash", "--allow", "write", "--allow", "edit")


def _told(result: Result, number: int = 1) -> list[tuple[str, str]]:
    """The (id, output) of every tool result in the n-th following request, on either wire."""
    told = []
    for message in result.requests[number].body["messages"]:
        if message["role"] == "tool":
            told.append((message["tool_call_id"], message["content"]))
        elif message["role"] == "user" and isinstance(message["content"], list):
            for block in message["content"]:
                if block["type"] == "tool_result":
                    told.append((block["tool_use_id"], _flat(block["content"])))
    return told


def _flat(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


STATUSES = {
    "true": 0,
    "exit 3": 3,
    "false": 1,
    "no-such-program-here": 127,
    "/dev/null": 126,
    "kill -9 $$": 137,
    "kill -TERM $$": 143,
    "exit 255": 255,
    "if; then": 2,
}


@pytest.mark.parametrize("command", STATUSES)
def test_exit_status(a3s: Bench, command: str) -> None:
    result = a3s("run", *ALLOW, "go", script=[bash(command), text("done")])
    end = result.one("tool_end")
    assert end["exitCode"] == STATUSES[command]
    assert "reason" not in end
    assert result.status == 0


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_the_model_is_told_what_happened(a3s: Bench, wire: Wire) -> None:
    script = [text("I look.", a_call("bash", {"command": "echo hi; exit 3"}, "c1")), text("ah")]
    result = a3s("run", *ALLOW, "go", script=script, wire=wire)
    ((tool_id, output),) = _told(result)
    assert tool_id == "c1" and "hi\n" in output and "3" in output
    start = result.one("tool_start")
    assert start["toolInput"] == {"command": "echo hi; exit 3"}
    assert (start["turn"], start["rule"], start["toolId"]) == (1, "bash", "c1")
    spoken = [m for m in result.requests[1].body["messages"] if m["role"] == "assistant"]
    assert "I look." in str(spoken) and "echo hi" in str(spoken)


def test_calls_of_one_turn_run_in_parallel(a3s: Bench) -> None:
    """Each waits for the other: one after the other they would never end."""
    wait = "touch {0}; until [ -e {1} ]; do sleep 0.02; done; echo {0}"
    one, two = (a_call("bash", {"command": wait.format(*names)}) for names in ("ab", "ba"))
    result = a3s("run", *ALLOW, "go", script=[calls(one, two), text("done")])
    assert [end["exitCode"] for end in result.of("tool_end")] == [0, 0]


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_results_go_back_in_call_order(a3s: Bench, wire: Wire) -> None:
    """Whichever ends first: here each is let go only when its successor has ended."""
    command = "until [ -e {0} ]; do sleep 0.02; done; echo {0}"
    several = [a_call("bash", {"command": command.format(n)}, f"c{n}") for n in range(4)]
    run = a3s.spawn("run", *ALLOW, "go", script=[calls(*several), text("done")], wire=wire)
    for number in range(4):
        (a3s.work / str(3 - number)).touch()
        assert run.wait_for("tool_end", number=number + 1)["toolId"] == f"c{3 - number}"
    told = _told(run.finish())
    assert [tool_id for tool_id, _ in told] == [f"c{n}" for n in range(4)]
    assert all(str(n) in output for n, (_, output) in enumerate(told))


def _most_at_once(result: Result, exclusive: set[str]) -> int:
    running: dict[str, str] = {}
    most = 0
    for event in result.events:
        if event["type"] == "tool_start":
            running[event["toolId"]] = event["toolName"]
            most = max(most, len(running))
            alone = exclusive & set(running.values())
            assert not alone or len(running) == 1, f"{alone} does not run alone: {running}"
        elif event["type"] == "tool_end":
            del running[event["toolId"]]
    return most


def test_write_and_edit_run_alone(a3s: Bench) -> None:
    several = [
        a_call("bash", {"command": "sleep 0.3"}),
        a_call("write", {"file_path": "f", "content": "one"}),
        a_call("bash", {"command": "sleep 0.2; cat f"}, "c1"),
        a_call("edit", {"file_path": "f", "old_string": "one", "new_string": "two"}),
        a_call("bash", {"command": "cat f"}, "c2"),
    ]
    result = a3s("run", *ALLOW_ALL, "go", script=[calls(*several), text("done")])
    assert _most_at_once(result, {"write", "edit"}) == 1
    assert (result.output("c1"), result.output("c2")) == ("one", "two")


def test_at_most_so_many_at_once(a3s: Bench) -> None:
    several = [a_call("bash", {"command": "sleep 0.2"}) for _ in range(5)]
    script = [calls(*several), text("done")]
    result = a3s("run", *ALLOW, "--max-parallel", "2", "go", script=script)
    assert _most_at_once(result, set()) == 2


def test_a_file_written_is_named_and_hashed(a3s: Bench) -> None:
    script = [call("write", {"file_path": "d/f", "content": "hello\n"}), text("done")]
    end = a3s("run", *ALLOW_ALL, "go", script=script).one("tool_end")
    path = (a3s.work / "d/f").resolve()
    assert path.read_text() == "hello\n"
    assert end["path"] == str(path)
    assert end["sha256"] == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


def test_the_same_id_again(a3s: Bench) -> None:
    """Some vendors count from nought in each response; the provider gets its own id back."""
    script = [bash("echo 1", "c"), calls(bash("echo 2", "c").calls[0]), text("done")]
    result = a3s("run", *ALLOW, "go", script=script)
    first, second = (event["toolId"] for event in result.of("tool_start"))
    assert first == "c" and second.startswith("c~")
    assert [tool_id for tool_id, _ in _told(result, 2)] == ["c", "c"]


def test_no_arguments_are_an_empty_object(a3s: Bench) -> None:
    result = a3s("run", "go", script=[call("ls", ""), text("done")])
    assert result.one("tool_start")["toolInput"] == {}
    assert result.one("tool_end")["exitCode"] == 0


DENIALS: dict[str, tuple[tuple[str, ...], Reply, str, str | None]] = {
    "no rule": ((), bash("touch ran"), "ask", "--allow"),
    "deny": (("--deny", "bash", "--allow", "bash"), bash("touch ran"), "deny", None),
    "ask": (("--ask", "bash", "--allow", "bash"), bash("touch ran"), "ask", "--allow"),
    "default deny": (("--default-decision", "deny"), bash("touch ran"), "deny", None),
    "outside": (("--allow", "read"), call("read", {"file_path": "/etc/passwd"}), "deny", None),
    "a rule for less": (("--allow", "bash(ls *)"), bash("ls x; touch ran"), "ask", "--allow"),
    "denied under all": (("--allow-all", "--deny", "bash"), bash("touch ran"), "deny", None),
}


@pytest.mark.parametrize("name", DENIALS)
def test_a_denial(a3s: Bench, name: str) -> None:
    args, asked, decision, hint = DENIALS[name]
    result = a3s("run", *args, "go", script=[asked, text("pity")])
    denied = result.one("permission_denied")
    assert denied["decision"] == decision and denied["reason"] and denied["rule"]
    assert hint is None or hint in denied["hint"]
    assert result.of("tool_start") == [] and not (a3s.work / "ran").exists()
    assert (result.text, result.last["toolCalls"]) == ("pity", 0)
    ((tool_id, output),) = _told(result)
    assert tool_id == denied["toolId"] and output.strip()


def test_allow_all_grants_what_would_ask(a3s: Bench) -> None:
    result = a3s("run", "--allow-all", "--ask", "bash", "go", script=[bash("true"), text("done")])
    assert result.one("tool_end")["exitCode"] == 0


def test_on_ask_fail(a3s: Bench) -> None:
    result = a3s("run", "--on-ask", "fail", "go", script=[bash("touch ran")])
    assert (result.last["code"], result.status) == ("approval_required", 4)
    assert not (a3s.work / "ran").exists()


REJECTED: dict[str, tuple[Call, str]] = {
    "unknown": (a_call("bsh", {"command": "ls"}), "unknown_tool"),
    "cut": (a_call("bash", '{"command": "touch ran"'), "invalid_arguments"),
    "list": (a_call("bash", '["touch ran"]'), "invalid_arguments"),
    "string": (a_call("bash", '"touch ran"'), "invalid_arguments"),
    "trailing": (a_call("bash", '{"command": "touch ran"} x'), "invalid_arguments"),
    "missing": (a_call("bash", {}), "invalid_arguments"),
    "wrong type": (a_call("bash", {"command": 7}), "invalid_arguments"),
    "unknown argument": (a_call("bash", {"command": "touch ran", "cmd": 1}), "invalid_arguments"),
    "no number": (a_call("bash", '{"command": "touch ran", "timeout": NaN}'), "invalid_arguments"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_call_that_cannot_be_executed(a3s: Bench, name: str) -> None:
    asked, reason = REJECTED[name]
    result = a3s("run", "--allow-all", "go", script=[calls(asked), text("oh")])
    rejected = result.one("tool_rejected")
    assert (rejected["toolName"], rejected["reason"]) == (asked.name, reason)
    assert rejected["rawInput"] == asked.arguments
    assert not (a3s.work / "ran").exists()
    ((_, output),) = _told(result)
    assert output.strip()
    assert reason != "unknown_tool" or "bash" in rejected["error"]


LOOPS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "failing": [("bash", {"command": "exit 1"})] * 3,
    "denied": [("bash", {"command": "true"})] * 3,
    "unknown": [("nothing", {})] * 3,
    "unfit": [("bash", {"x": 1})] * 3,
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("at_once", [False, True], ids=["in turns", "at once"])
def test_three_identical_failures_are_a_loop(a3s: Bench, name: str, at_once: bool) -> None:
    several = [a_call(tool, arguments) for tool, arguments in LOOPS[name]]
    script = [calls(*several)] if at_once else [calls(one) for one in several]
    result = a3s("run", *(() if name == "denied" else ALLOW), "go", script=script)
    assert (result.last["code"], result.status) == ("tool_loop", 1)


NO_LOOPS = {
    "succeeding": ["true", "true", "true", "true"],
    "different": ["exit 1", "exit 2", "exit 1", "exit 2"],
    "interrupted": ["exit 1", "exit 1", "true", "exit 1", "exit 1"],
}


@pytest.mark.parametrize("name", NO_LOOPS)
def test_what_is_no_loop(a3s: Bench, name: str) -> None:
    script = [*(bash(command) for command in NO_LOOPS[name]), text("done")]
    assert a3s("run", *ALLOW, "go", script=script).text == "done"


def test_the_last_turn_s_tools_have_run(a3s: Bench) -> None:
    result = a3s("run", *ALLOW, "--max-turns", "1", "go", script=[bash("touch ran")])
    assert (result.last["code"], result.status) == ("max_turns", 3)
    assert (a3s.work / "ran").exists() and result.one("tool_end")["exitCode"] == 0


def test_a_call_too_many_does_not_run(a3s: Bench) -> None:
    script = [calls(*(a_call("bash", {"command": f"touch ran{n}"}) for n in range(3)))]
    result = a3s("run", *ALLOW, "--max-tool-calls", "2", "go", script=script)
    assert (result.last["code"], result.status) == ("max_tool_calls", 3)
    assert len(result.of("tool_start")) <= 2


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_a_cut_response_executes_nothing(a3s: Bench, wire: Wire) -> None:
    """Neither a whole call of it nor a cut one; and what it said is not said again."""
    whole, half = (a_call("bash", a) for a in ({"command": "touch ran"}, '{"command": "tou'))
    endings: tuple[Ending, ...] = ("end", "close", "reset")
    scripts = [[cut(whole, half, how=how), cut(half, how=how), text("yo")] for how in endings]
    # At once, because each waits before it tries again.
    runs = [a3s.spawn("run", *ALLOW, "go", script=script, wire=wire) for script in scripts]
    for result in [run.finish() for run in runs]:
        assert result.text == "yo" and not (a3s.work / "ran").exists()
        assert result.of("tool_start") == result.of("tool_rejected") == []
        assert len(result.of("retry")) == 2
        assert result.requests[2].body == result.requests[0].body


def test_an_empty_answer_after_tools_is_a_success_with_a_notice(a3s: Bench) -> None:
    result = a3s("run", *ALLOW, "go", script=[bash("true"), text()])
    assert (result.text, result.one("notice")["code"]) == ("", "empty_answer")


def test_tool_input_deltas_come_only_when_asked_for(a3s: Bench) -> None:
    for flags, expected in (((), ""), (("--tool-input",), '{"command": "echo hi"}')):
        result = a3s("run", *ALLOW, *flags, "go", script=[bash("echo hi", "c1"), text("done")])
        shown = "".join(event["text"] for event in result.of("tool_input_delta"))
        assert shown == expected


@pytest.mark.parametrize(("flag", "names"), [("none", []), ("bash,read", ["bash", "read"])])
def test_the_tools_offered(a3s: Bench, flag: str, names: list[str]) -> None:
    result = a3s("run", "--tools", flag, "go", script=[text("yo")])
    offered = result.requests[0].body.get("tools", [])
    assert [tool["function"]["name"] for tool in offered] == names
    assert result.events[0]["tools"] == names


def test_a_tool_inherits_only_its_own_descriptors(a3s: Bench) -> None:
    result = a3s("run", *ALLOW, "go", script=[bash("ls /proc/self/fd", "c1"), text("done")])
    assert result.output("c1").split() == ["0", "1", "2", "3"]
