"""The flags of `a3s run` that say what it may do, up to where the run begins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.replies import a_call, bash, calls, text


def test_read_only_offers_nothing_that_writes(a3s: Bench) -> None:
    (a3s.work / "a").write_text("a")
    script = [
        calls(
            a_call("write", {"file_path": "b", "content": ""}, "w"),
            a_call("edit", {"file_path": "a", "old_string": "a", "new_string": "b"}, "e"),
        ),
        text("done"),
    ]
    result = a3s("run", "hi", "--read-only", "--allow-all", script=script)
    assert {"write", "edit"} & set(result.events[0]["tools"]) == set()
    assert {event["toolId"]: event["reason"] for event in result.of("tool_rejected")} == {
        "w": "unknown_tool",
        "e": "unknown_tool",
    }
    assert [(path.name, path.read_text()) for path in a3s.work.iterdir()] == [("a", "a")]


def test_permissions_of_a_file(a3s: Bench) -> None:
    user = a3s.home / ".a3s" / "config.acl"
    user.parent.mkdir()
    user.write_text('permissions { allow = ["bash"]  deny = ["bash(rm:*)"] }')
    (a3s.work / "p.acl").write_text('allow = ["bash(true:*)", "bash(rm:*)"]')
    asked = [bash("true", "a"), bash("false", "b"), bash("rm x", "c"), text("done")]
    result = a3s("run", "hi", "--permissions", "p.acl", "--on-ask", "deny", script=asked)
    assert result.one("tool_start")["rule"] == "bash(true:*)"
    assert {event["toolId"]: event["rule"] for event in result.of("permission_denied")} == {
        "b": "default",
        "c": "bash(rm:*)",
    }


def test_a_broken_file_of_permissions_ends_in_an_event(a3s: Bench) -> None:
    (a3s.work / "p.acl").write_text('permissions {\n  deny = ["bsh(rm:*)"]\n}')
    result = a3s("run", "hi", "--permissions", "p.acl", script=[])
    assert result.types == ["start", "error"]
    assert (result.status, result.last["code"]) == (78, "config")
    expected = f"{a3s.work}/p.acl:2:11: the rule 'bsh(rm:*)' is for an unknown tool"
    assert result.last["error"].startswith(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--env", "A=1"), "--env: expected the NAME of a variable, without its value"),
        (("--redact-env", "A-B"), "--redact-env: expected the name of a variable"),
        (("--sandbox", "on"), "--sandbox"),
        (("--on-ask", "prmpt"), "--on-ask prompt"),
    ],
)
def test_a_bad_flag_is_told_before_the_run(
    a3s: Bench, arguments: tuple[str, ...], sentence: str
) -> None:
    result: Any = a3s("run", "hi", *arguments, script=[], laws="none", quiet=False)
    assert (result.status, result.stdout, result.requests) == (2, b"", [])
    assert sentence in result.stderr.decode()
