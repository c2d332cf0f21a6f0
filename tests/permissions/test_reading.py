"""What only reads asks no one, and can do nothing else: real runs, real sandboxes, real git."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251
from pathlib import Path
from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.replies import call, text

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap here")


def git(work: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *arguments], cwd=work, check=True, capture_output=True)


@pytest.fixture
def work(a3s: Bench) -> Path:
    """A repository with a tracked file, secrets beside it, and an example of them."""
    (a3s.work / "a.txt").write_text("one TODO\n")
    (a3s.work / ".env").write_text("KEY=topsecret\n")
    (a3s.work / ".env.example").write_text("KEY=yours\n")
    git(a3s.work, "init", "-q")
    git(a3s.work, "add", "a.txt", ".env.example")
    git(a3s.work, "commit", "-qm", "x")
    return a3s.work


def ran(a3s: Bench, command: str, *options: str) -> Any:
    return a3s("run", "hi", *options, script=[call("bash", {"command": command}), text("done")])


def output(a3s: Bench, command: str, *options: str) -> tuple[str, str]:
    """The rule that allowed a command, and what it printed."""
    events = ran(a3s, command, *options).events
    begun = next(event for event in events if event["type"] == "tool_start")
    ended = next(event for event in events if event["type"] == "tool_end")
    return begun["rule"], ended["toolOutput"]


def denied(a3s: Bench, command: str, *options: str) -> dict[str, Any]:
    events = ran(a3s, command, *options).events
    return next(event for event in events if event["type"] == "permission_denied")


def test_reading_asks_no_one_and_sees_no_secrets(a3s: Bench, work: Path) -> None:
    assert output(a3s, "cat a.txt | wc -l") == ("reading", "1\n")
    assert output(a3s, "grep -rhs KEY . | sort") == ("reading", "KEY=yours\n")
    assert output(a3s, "cat .env.example") == ("reading", "KEY=yours\n")
    assert (work / ".env").read_text() == "KEY=topsecret\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("cat .env", ": .env: files of this name hold secrets"),
        ("cat ./.en?", ": ./.en?: files of this name hold secrets"),
        ("head /etc/hostname", ": /etc/hostname is outside the workspace"),
        ("cat out", ": out is outside the workspace"),
        ("cat < secret", ": secret: files of this name hold secrets"),
    ],
)
def test_what_read_would_ask_for_is_asked(a3s: Bench, work: Path, command: str, why: str) -> None:
    (work / "out").symlink_to("/etc/hostname")
    (work / "secret").symlink_to(".env")
    event = denied(a3s, command)
    assert event["decision"] == "ask" and event["reason"].endswith(why)


def test_a_tracked_secret_makes_printing_git_ask(a3s: Bench, work: Path) -> None:
    assert output(a3s, "git show --format=%s HEAD")[0] == "reading"
    git(work, "add", "-f", ".env")
    git(work, "commit", "-qm", "y")
    said = "git tracks a file whose name says that it holds secrets"
    for command in ("git diff HEAD~1", "git log -p", "git show HEAD"):
        assert denied(a3s, command)["reason"].endswith(said)
    assert output(a3s, "git log --format=%s") == ("reading", "y\nx\n")
    # Tracked files are as they are to `git status`, which prints no contents.
    assert output(a3s, "git status --short") == ("reading", "")


def test_what_git_is_configured_to_run_does_nothing(a3s: Bench, work: Path) -> None:
    trap = work / "trap"
    trap.write_text("#!/bin/sh\necho x > PWNED\ncat .env\n")
    trap.chmod(0o755)
    git(work, "config", "core.fsmonitor", "./trap")
    git(work, "config", "diff.x.textconv", "./trap")
    (work / ".gitattributes").write_text("*.txt diff=x\n")
    (work / "a.txt").write_text("two\n")
    rule, status = output(a3s, "git status --short")
    assert rule == "reading" and " M a.txt" in status
    rule, shown = output(a3s, "git diff a.txt")
    assert rule == "reading" and "topsecret" not in shown
    assert not (work / "PWNED").exists()


@pytest.mark.parametrize(
    ("options", "config"),
    [
        (("--no-reading",), ""),
        (("--default-decision", "ask"), ""),
        (("--sandbox", "off"), ""),
        ((), "permissions { reading = false }"),
        ((), 'permissions { default_decision = "ask" }'),
    ],
)
def test_it_can_be_turned_off(
    a3s: Bench, work: Path, options: tuple[str, ...], config: str
) -> None:
    file = a3s.home / ".a3s" / "config.acl"
    file.parent.mkdir()
    file.write_text(config)
    assert denied(a3s, "cat a.txt", *options)["reason"] == "no rule covers `cat a.txt`"


def test_a_rule_decides_where_there_is_one(a3s: Bench, work: Path) -> None:
    assert output(a3s, "cat a.txt", "--allow", "bash(cat:*)")[0] == "bash(cat:*)"
    assert denied(a3s, "cat a.txt", "--ask", "bash(cat:*)")["rule"] == "bash(cat:*)"
    assert denied(a3s, "cat a.txt", "--deny", "bash(cat:*)")["decision"] == "deny"
    # In a mixed script each command needs its rule.
    mixed = denied(a3s, "cat a.txt && touch x", "--allow", "bash(touch:*)")
    assert mixed["reason"] == "no rule covers `cat a.txt`"
