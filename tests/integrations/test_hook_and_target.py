"""The git hook and the target of make, run by git and by make."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import Reply, call, stall, text

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
GIT = "git -c user.name=a -c user.email=a@example.com -c commit.gpgsign=false"
COMMIT = f"{GIT} add -A && {GIT} commit -qm change; echo $?; git log --oneline 2>/dev/null | wc -l"


@pytest.fixture
def hooked(a3s: Bench) -> Bench:
    """A repository with the hook and one new file in it."""
    for program in ("git", "jq"):
        if not shutil.which(program):
            pytest.skip(f"no {program}")
    a3s.shell("git init -q", script=[]).finish()
    shutil.copy(INTEGRATIONS / "pre-commit", a3s.work / ".git/hooks")
    (a3s.work / "code.py").write_text("print(1 / 0)\n")
    return a3s


def commit(a3s: Bench, *script: Reply) -> tuple[list[str], str]:
    """What git does, and what the hook says."""
    # `-m` is not what a hook has; it takes the model of the environment.
    result = a3s.shell(COMMIT, script=script, env={"A3S_MODEL": "openai/test"}).finish()
    if script and result.requests:
        told = str(result.requests[0].body["messages"])
        assert "+print(1 / 0)" in told
        # The object is asked for with a tool of its own; the model is offered no other.
        assert {one["function"]["name"] for one in result.requests[0].body.get("tools", [])} <= {
            "generate_object"
        }
    return result.stdout.decode().split(), result.stderr.decode()


def test_a_commit_without_bugs_is_made(hooked: Bench) -> None:
    assert commit(hooked, text('{"bugs": []}')) == (["0", "1"], "")


def test_a_commit_with_a_bug_is_stopped(hooked: Bench) -> None:
    (done, said) = commit(hooked, text('{"bugs": ["code.py:1 divides\\u001b[2J by 0."]}'))
    assert done == ["1", "0"]
    assert said == (
        "pre-commit: a3s found\n  - code.py:1 divides [2J by 0.\n"
        "Commit anyway with: git commit --no-verify\n"
    )


def test_a_model_that_cannot_be_asked_stops_nothing(hooked: Bench) -> None:
    done, said = commit(hooked, Reply(status=401, body=b"{}"))
    assert done == ["0", "1"]
    last = "pre-commit: a3s could not judge this change (status 77); committing it unread"
    assert said.splitlines()[-1] == last


def test_control_c_ends_the_hook_and_the_commit(hooked: Bench) -> None:
    run = hooked.shell(
        COMMIT.replace("; echo", " || echo"), script=[stall("{")], env={"A3S_MODEL": "openai/test"}
    )
    assert run.server
    run.server.wait_for_request()
    run.signal_group(signal.SIGINT)
    assert run.finish().status == 130
    assert hooked.shell("git log", script=[]).finish().status == 128


def test_make_says_why_something_fails(a3s: Bench) -> None:
    if not shutil.which("make"):
        pytest.skip("no make")
    (a3s.work / "Makefile").write_text(
        f"include {INTEGRATIONS}/a3s.mk\n"
        "good:\n\t@echo fine\nbad:\n\t@echo no rule for eggs; exit 3\n"
    )
    env = {"A3S_MODEL": "openai/test", "NO_COLOR": "1"}
    result = a3s.shell("make why T=good", script=[], env=env).finish()
    assert (result.stdout, result.stderr, result.status) == (b"fine\n", b"", 0)
    script = [call("read", {"file_path": "Makefile"}), text("The target `bad` exits with 3.")]
    result = a3s.shell("make why T=bad", script=script, env=env).finish()
    assert (result.status, b"no rule for eggs\n" in result.stderr) == (2, True)
    assert "The target `bad` exits with 3." in result.stdout.decode()
    assert "no rule for eggs" in result.requests[0].body["messages"][-1]["content"]
