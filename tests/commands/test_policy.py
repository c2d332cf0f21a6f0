"""`a3s policy test`: what a run would decide, as JSON and as a status, and nothing executed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.replies import a_call, calls, text
from tests.test_imports import loaded

STATUS = {"allow": 0, "ask": 4, "deny": 5}


def bash(command: str) -> tuple[str, ...]:
    return ("--input", json.dumps({"command": command}), "bash")


def judged(a3s: Bench, *arguments: str, **options: Any) -> dict[str, Any]:
    result = a3s("policy", "test", *arguments, **options)
    assert result.stdout.count(b"\n") == 1, result.stderr
    decision: dict[str, Any] = json.loads(result.stdout)
    assert result.status == STATUS[decision["decision"]]
    return decision


def test_what_is_printed(a3s: Bench) -> None:
    assert judged(a3s, "--allow", "bash(ls:*)", *bash("ls -l && touch x; touch y")) == {
        "decision": "ask",
        "rule": "default",
        "reason": "no rule covers `touch x`",
        "commands": ["ls -l", "touch x", "touch y"],
        "hint": "--allow 'bash(touch:*)'",
    }
    assert list(a3s.work.iterdir()) == []
    assert judged(a3s, "--deny", "bash(touch:*)", "--allow", "bash", *bash("ls; touch x")) == {
        "decision": "deny",
        "rule": "bash(touch:*)",
        "reason": "`touch x` is denied by bash(touch:*)",
        "commands": ["ls", "touch x"],
    }
    # The commands are shown as well where a rule covers them without a look.
    assert judged(a3s, "--allow", "bash", *bash("ls | wc")) == {
        "decision": "allow",
        "rule": "bash",
        "reason": "`ls | wc` is allowed by bash",
        "commands": ["ls", "wc"],
    }
    assert judged(a3s, "--ask", "ls", "ls")["rule"] == "ls"
    assert judged(a3s, "--default-decision", "deny", "ls")["decision"] == "deny"
    assert judged(a3s, "--allow-all", *bash("ls"))["decision"] == "allow"


def test_stdin(a3s: Bench) -> None:
    given = b' {"file_path": ".env"}\n'
    assert judged(a3s, "--input", "-", "read", stdin=given)["hint"] == "--allow 'read(.env)'"


def test_the_configuration_counts_as_in_a_run(a3s: Bench) -> None:
    user = a3s.home / ".a3s" / "config.acl"
    user.parent.mkdir()
    user.write_text('permissions { allow = ["bash(a:*)"]  deny = ["bash(zap:*)"] }')
    project = a3s.work / "sub" / ".a3s" / "config.acl"
    project.parent.mkdir(parents=True)
    project.write_text('permissions { ask = ["bash(a b)"]  allow = ["bash"] }')
    (a3s.work / "c.acl").write_text("read_only = true")
    (a3s.work / "p.acl").write_text('allow = ["bash(c:*)", "bash(zap:*)"]')
    assert judged(a3s, *bash("a b"))["decision"] == "allow"
    assert judged(a3s, "-C", "sub", *bash("a b"))["rule"] == "bash(a b)"
    assert judged(a3s, "-C", "sub", "--no-project", *bash("a b"))["decision"] == "allow"
    told = a3s("policy", "test", "-C", "sub", *bash("c")).stderr.decode()
    assert told.startswith("a3s: ") and f"a3s trust {a3s.work}/sub" in told
    assert judged(a3s, "--permissions", "p.acl", *bash("c"))["decision"] == "allow"
    assert judged(a3s, "--permissions", "p.acl", *bash("a"))["decision"] == "ask"
    assert judged(a3s, "--permissions", "p.acl", *bash("zap"))["rule"] == "bash(zap:*)"
    written = ("--input", '{"file_path":"x","content":""}', "write")
    assert judged(a3s, "--config", "c.acl", "--allow", "write", *written) == {
        "decision": "deny",
        "rule": "read_only",
        "reason": f"write is not offered: read_only is set in {a3s.work}/c.acl:1",
        "commands": [],
    }


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("bash", {"command": "true"}),
    ("bash", {"command": "echo a; curl b"}),
    ("read", {"file_path": ".env"}),
    ("read", {"file_path": "../x"}),
    ("ls", {}),
]


def test_a_run_decides_the_same(a3s: Bench) -> None:
    (a3s.work / ".env").write_text("A=1")
    rules = ("--allow", "bash(true:*)", "--deny", "bash(curl:*)")
    asked = [a_call(name, arguments, id=name + str(n)) for n, (name, arguments) in enumerate(CALLS)]
    result = a3s("run", "hi", *rules, script=[calls(*asked), text("done")])
    for each in asked:
        said = judged(a3s, *rules, "--input", each.arguments, each.name)
        if said["decision"] == "allow":
            assert result.one("tool_start", each.id)["rule"] == said["rule"]
        else:
            denied = result.one("permission_denied", each.id)
            for key in ("decision", "rule", "reason"):
                assert denied[key] == said[key]
            assert denied.get("hint", "") == said.get("hint", "")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("wrte",), 2, "a3s policy test write"),
        (("--allow", "bahs(ls)", "ls"), 2, "did you mean bash?"),
        (("--input", "ls -l", "bash"), 2, '--input \'{"command":"…"}\''),
        (("--input", "[]", "bash"), 2, "expected a JSON object"),
        (("--input", '{"command":3}', "bash"), 2, "--input does not fit bash: command: 3 is not"),
        (("bash",), 2, '"command" is a required property'),
        (("--input", '{"pth":"a"}', "ls"), 2, "pth"),
        (("-C", "no", "ls"), 2, "there is no directory no"),
        (("--permissions", "no.acl", "ls"), 78, "found none at no.acl"),
        (("--permissions", "bad.acl", "ls"), 78, "bad.acl:1:9: the rule 'lss'"),
    ],
)
def test_bad_input(a3s: Bench, arguments: tuple[str, ...], status: int, sentence: str) -> None:
    (a3s.work / "bad.acl").write_text('allow = "lss"')
    result = a3s("policy", "test", *arguments)
    assert (result.status, result.stdout) == (status, b"")
    assert sentence in result.stderr.decode()


def test_a_closed_stdin(a3s: Bench) -> None:
    result = a3s.shell("a3s policy test --input - ls <&-", script=[]).finish()
    assert (result.status, result.stdout) == (2, b"")
    assert b"stdin cannot be read" in result.stderr


def test_it_loads_nothing_that_could_do_the_work() -> None:
    names = loaded("policy", "test", *bash("make | wc"))
    assert {"asyncio", "httpx", "subprocess", "ssl", "a3s_cli.run.run"} & names == set()


def test_a_call_is_named_by_what_it_acts_on(a3s: Bench) -> None:
    assert judged(a3s, "--allow", "bash(a:*)", "bash", "a b")["rule"] == "bash(a:*)"
    assert judged(a3s, "--allow", "write(x)", "write", "x")["rule"] == "write(x)"
    assert judged(a3s, "read", "../x")["rule"] == "workspace"
    assert judged(a3s, "--deny", "web_fetch(a.org)", "web_fetch", "https://a.org/b")["rule"] == (
        "web_fetch(a.org)"
    )
    both = a3s("policy", "test", "--input", "{}", "bash", "a")
    assert both.status == 2 and b"ARG and --input cannot be combined" in both.stderr
    none = a3s("policy", "test", "generate_object", "a")
    assert none.status == 2 and b"generate_object takes no ARG" in none.stderr
