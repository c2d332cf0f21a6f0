"""What "always" approves, and what it never does."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.permissions.approvals import Approvals, scope
from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.tool_protocol import Subject

TOOLS = ["bash", "read", "write", "web_fetch", "deploy"]
ROOT = PurePosixPath("/work")


class Asked:
    """A policy, and a user who answers `always` to one call."""

    def __init__(self, tool: str, subject: Subject, **rules: Any) -> None:
        self.policy = Policy(tools=TOOLS, **rules)
        self.approvals = Approvals(self.policy)
        path = ROOT / subject.value if subject.kind == "path" else None
        harmless = tool == "read"
        asked = self.approvals.decide(tool, subject, harmless=harmless, path=path, root=ROOT)
        assert asked.decision == "ask"
        self.scope = scope(tool, subject, asked, path)
        self.approvals.always(tool, subject, asked, path)

    def __call__(self, tool: str, subject: Subject, path: str | None = None) -> str:
        whole = ROOT / (path or subject.value) if subject.kind == "path" else None
        harmless = tool == "read"
        decision = self.approvals.decide(tool, subject, harmless=harmless, path=whole, root=ROOT)
        if decision.decision == "allow":
            assert decision.rule in ("user", "default")
        return decision.decision


def script(text: str) -> Subject:
    return Subject("command", text)


def test_a_narrow_rule_where_no_rule_spoke() -> None:
    asked = Asked("bash", script("git log -1"))
    assert asked.scope == "bash(git log:*)"
    assert asked("bash", script("git log --oneline")) == "allow"
    assert asked("bash", script("git log | sh")) == "ask"
    assert asked("bash", script("git push")) == "ask"
    assert asked("bash", script("git log > x")) == "ask"
    decision = asked.approvals.decide("bash", script("git log -2"))
    assert decision == Decision(
        "allow", "user", "it was approved for the rest of this run", "", decision.commands
    )


def test_never_a_whole_tool() -> None:
    asked = Asked("bash", script("a | b > c"))
    assert asked.scope == "bash(a:*), bash(b > c)"
    assert asked("bash", script("a x | b > c")) == "allow"
    assert asked("bash", script("a | b > d")) == "ask"
    asked = Asked("bash", script("$x | b"))
    assert asked.scope == "exactly this script"
    assert asked("bash", script("$x | b")) == "allow"
    assert asked("bash", script("$x | c")) == "ask"
    asked = Asked("web_fetch", Subject("url", "https://a.org/x"))
    assert asked.scope == "exactly this URL"
    assert asked("web_fetch", Subject("url", "https://a.org/x")) == "allow"
    assert asked("web_fetch", Subject("url", "https://a.org/y")) == "ask"


def test_a_file_however_it_is_spelled() -> None:
    asked = Asked("write", Subject("path", "a/b"))
    assert asked.scope == "every write of /work/a/b"
    assert asked("write", Subject("path", "./a/c/../b"), "a/b") == "allow"
    assert asked("write", Subject("path", "a/c")) == "ask"


def test_a_file_of_secrets() -> None:
    asked = Asked("read", Subject("path", ".env"))
    assert asked.scope == "read(.env)"
    assert asked("read", Subject("path", ".env")) == "allow"
    assert asked("read", Subject("path", "b/.env")) == "ask"


def test_a_tool_that_acts_on_nothing() -> None:
    asked = Asked("deploy", Subject())
    assert asked.scope == "every call of deploy"
    assert asked("deploy", Subject()) == "allow"
    assert asked("bash", script("")) == "ask"


def test_a_rule_that_asks_goes_on_asking_for_the_rest() -> None:
    asked = Asked("bash", script("git push"), ask=["bash(git push:*)"], allow=["bash"])
    assert asked.scope == "exactly this script"
    assert asked("bash", script("git push")) == "allow"
    assert asked("bash", script("git push --force")) == "ask"


@pytest.mark.parametrize("deny", ["bash(rm:*)", "bash(rm *)"])
def test_a_disguise_is_approved_as_it_is_and_no_more(deny: str) -> None:
    asked = Asked("bash", script("$x a"), deny=[deny], allow=["bash"])
    assert asked("bash", script("$x a")) == "allow"
    assert asked("bash", script("$y a")) == "ask"
    assert asked("bash", script("rm a")) == "deny"


WORDS = st.lists(st.sampled_from(["git", "log", "rm", "-rf", "x", "|", ";", "$y", ">"]), min_size=1)
SCRIPTS = WORDS.map(" ".join)


@given(st.lists(SCRIPTS, max_size=4), SCRIPTS)
def test_approvals_never_overrule_a_denial_and_never_tighten(
    approved: list[str], wanted: str
) -> None:
    policy = Policy(tools=TOOLS, deny=["bash(rm:*)"], ask=["bash(git log x:*)"])
    approvals = Approvals(policy)
    for each in approved:
        decision = approvals.decide("bash", script(each))
        if decision.decision == "ask":
            approvals.always("bash", script(each), decision)
            assert approvals.decide("bash", script(each)).decision == "allow"
    before, after = policy.decide("bash", script(wanted)), approvals.decide("bash", script(wanted))
    if before.decision == "ask":
        assert after.decision in ("ask", "allow")
    else:
        assert after == before


#: A command, the rule that "always" adds, what that allows as well, and what it must not.
INTERPRETED = [
    ("python3 x.py", "python3 x.py:*", "python3 x.py --all", "python3 -c 'import os'"),
    ("python3 x.py", "python3 x.py:*", "python3 x.py", "python3 -m http.server"),
    ("python3.12 x.py", "python3.12 x.py:*", "python3.12 x.py a", "python3.12 - "),
    ("/usr/bin/python3 x.py", "/usr/bin/python3 x.py:*", "/usr/bin/python3 x.py a", "python3 y.py"),
    ("python3 -m pytest", "python3 -m pytest:*", "python3 -m pytest -q", "python3 -m http.server"),
    ("timeout 5 python3 x.py", "timeout 5 python3 x.py:*", "", "timeout 5 python3 -c 1"),
    ("node a.js", "node a.js:*", "node a.js b", "node -e 1"),
    ("perl x.pl", "perl x.pl:*", "perl x.pl a", "perl -e 1"),
    ("ruby x.rb", "ruby x.rb:*", "ruby x.rb a", "ruby -e 1"),
    ("php a.php", "php a.php:*", "php a.php b", "php -r 1"),
    ("deno run a.ts", "deno run a.ts:*", "deno run a.ts b", "deno run -A b.ts"),
    ("go run x.go", "go run x.go:*", "go run x.go a", "go run y.go"),
    ("npm run test", "npm run test:*", "npm run test a", "npm run deploy"),
]


@pytest.mark.parametrize(("said", "rule", "more", "other"), INTERPRETED)
def test_always_for_a_script_is_not_for_code(said: str, rule: str, more: str, other: str) -> None:
    asked = Asked("bash", script(said))
    assert asked.scope == f"bash({rule})"
    assert asked("bash", script(more or said)) == "allow"
    assert asked("bash", script(other)) == "ask"


@pytest.mark.parametrize(
    "said", ["python3 -c 'print(1)'", "node -e 1", "python3 -u x.py", "python3"]
)
def test_always_for_code_is_for_that_code(said: str) -> None:
    """An option before the script could be one that takes code."""
    asked = Asked("bash", script(said))
    assert asked("bash", script(said)) == "allow"
    for other in (f"{said} x", "python3 -c 'print(2)'", "node -e 2", "python3 -u y.py"):
        assert asked("bash", script(other)) == "ask"
