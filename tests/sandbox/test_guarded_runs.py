"""The guard as a user meets it: events of a run, rules and flags, and what a killed run leaves."""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251 - git, as the user runs it
import time
from pathlib import Path

import pytest

from ..support import processes
from ..support.a3s import Bench
from ..support.replies import a_call, calls, text
from ..support.run import Result

IDENTITY = {
    f"GIT_{who}_{what}": "n" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def git(a3s: Bench, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=a3s.work, check=True, text=True, capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(a3s.home), **IDENTITY},
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def guarded(a3s: Bench) -> Bench:
    git(a3s, "init", "-q", "-b", "main")
    (a3s.work / ".envrc").write_text("mine\n")
    git(a3s, "add", "-A")
    git(a3s, "commit", "-qm", "one")
    return a3s


def run(a3s: Bench, *scripts: str, flags: tuple[str, ...] = ()) -> Result:
    replies = [
        *(calls(a_call("bash", {"command": one}, f"c{n}")) for n, one in enumerate(scripts)),
        text("done"),
    ]
    return a3s("run", "go", "--allow", "bash", "--sandbox", "require", *flags,
               script=replies, env=IDENTITY)  # fmt: skip


def ends(result: Result) -> list[tuple[int, str | None]]:
    return [(e["exitCode"], e.get("reason")) for e in result.events if e["type"] == "tool_end"]


def test_what_the_stream_says(guarded: Bench) -> None:
    result = run(guarded, "echo evil > .envrc; exit 3", "true")
    assert ends(result) == [(3, "protected"), (0, None)]
    [notice] = [event for event in result.events if event["type"] == "notice"]
    path = str(guarded.work / ".envrc")
    assert {key: notice[key] for key in ("code", "path", "flag", "toolId")} == {
        "code": "protected_put_back", "path": path, "flag": "--protect", "toolId": "c0",
    }  # fmt: skip
    session = next(event["sessionId"] for event in result.events if event["type"] == "start")
    copy = Path(notice["copy"])
    assert (copy.read_text(), copy.parent.parent.name) == ("evil\n", f"{session}.d")
    told = result.requests[1].body["messages"][-1]["content"]
    assert ".envrc" in told and "commit" in told
    assert (guarded.work / ".envrc").read_text() == "mine\n"


def test_a_rule_that_spells_it_out(guarded: Bench) -> None:
    script = (
        "echo new > .envrc; mkdir -p a/.vscode; echo x > a/.vscode/x; echo x > .git/hooks/pre-push"
    )
    rules = (
        "--allow",
        "write(.envrc)",
        "--allow",
        "edit(a/.vscode/**)",
        "--allow",
        "write(.git/**)",
    )
    result = run(guarded, script, flags=rules)
    put_back = [
        event["path"] for event in result.events if event.get("code") == "protected_put_back"
    ]
    assert put_back == [str(guarded.work / ".git/hooks/pre-push")]
    assert (guarded.work / ".envrc").read_text() == "new\n"
    for rule in ("write", "*", "write(*)", "write(.*)"):
        assert ends(run(guarded, "echo other > .envrc", flags=("--allow", rule))) == [
            (0, "protected")
        ]
    assert (guarded.work / ".envrc").read_text() == "new\n"


def test_the_file_tools_follow_the_same_rule(guarded: Bench) -> None:
    write = calls(a_call("write", {"file_path": ".vscode/x", "content": "x"}, "w"))
    denied = guarded("run", "go", "--allow-all", script=[write, text("no")])
    [event] = [event for event in denied.events if event["type"] == "permission_denied"]
    assert (event["rule"], event["hint"]) == ("protected", "--allow 'write(.vscode/x)'")
    allowed = guarded("run", "go", "--allow", "write(.vscode/**)", script=[write, text("yes")])
    assert ends(allowed) == [(0, None)] and (guarded.work / ".vscode/x").read_text() == "x"


def test_tracked_is_a_flag_and_never_the_projects(guarded: Bench) -> None:
    script = "echo new > .envrc; git commit -qam new"
    (guarded.work / ".a3s").mkdir()
    (guarded.work / ".a3s/config.acl").write_text('protect = "tracked"\n')
    result = run(guarded, script)
    assert ends(result) == [(0, "protected")]
    git(guarded, "reset", "-q", "--hard", "HEAD~1")
    kept = run(guarded, script, flags=("--protect", "tracked"))
    assert ends(kept) == [(0, None)] and (guarded.work / ".envrc").read_text() == "new\n"
    digests = [result.events[0]["policySha256"], kept.events[0]["policySha256"]]
    assert digests[0] != digests[1]


@pytest.mark.parametrize(("later", "supervisor"), [(False, False), (True, False), (False, True)])
def test_after_a_kill_of_everything(guarded: Bench, later: bool, supervisor: bool) -> None:
    """The next run settles it first, and leaves alone what the user has changed since."""
    script = (
        "echo evil > .envrc; mkdir -p d/.vscode; echo evil > d/.vscode/tasks.json;"
        " echo evil > .git/hooks/pre-commit; git config core.pager evil; echo up; sleep 60"
    )
    reply = calls(a_call("bash", {"command": script}, "c"))
    process = guarded.spawn("run", "go", "--allow", "bash", "--sandbox", "require",
                            script=[reply], laws="prefix", env=IDENTITY)  # fmt: skip
    process.wait_for("tool_output_delta")
    if supervisor:
        # First, while a3s cannot notice: else it would end by itself.
        process.signal(signal.SIGSTOP)
        kill_supervisor(guarded.mark)
    process.signal(signal.SIGKILL)
    process.finish()
    assert processes.wait_until_gone(guarded.mark, 10) == []
    listed = sorted(os.listdir(guarded.work))
    assert listed == [".envrc", ".git", "d"]
    if later:
        # Beyond the moment in which the command may still have lived.
        time.sleep(3)
        (guarded.work / ".envrc").write_text("mine again\n")
    result = run(guarded, "cat .envrc")
    assert [e["toolOutput"] for e in result.events if e["type"] == "tool_end"] == [
        "mine again\n" if later else "mine\n"
    ]
    assert not (guarded.work / "d/.vscode").exists()
    assert not (guarded.work / ".git/hooks/pre-commit").exists()
    assert "evil" not in (guarded.work / ".git/config").read_text()
    assert (guarded.work / "d").is_dir()


def kill_supervisor(mark: str) -> None:
    found = [one.pid for one in processes.survivors(mark) if "supervisor.py" in one.command]
    # The stub is its child, and looks like it.
    parents = [int(Path(f"/proc/{pid}/stat").read_text().split()[3]) for pid in found]
    [pid] = [pid for pid, parent in zip(found, parents, strict=True) if parent not in found]
    processes.send(pid, signal.SIGKILL, mark)


def test_after_a_kill_of_the_supervisor(guarded: Bench) -> None:
    """What it held dies as well, and only then the guard compares."""
    script = "echo up; for i in 1 2 3 4; do (while :; do echo evil > .envrc; done) & done; wait"
    reply = [calls(a_call("bash", {"command": script}, "c")), text("done")]
    process = guarded.spawn("run", "go", "--allow", "bash", "--sandbox", "require",
                            script=reply, env=IDENTITY)  # fmt: skip
    process.wait_for("tool_output_delta")
    kill_supervisor(guarded.mark)
    assert ends(process.finish()) == [(137, "protected")]
    assert processes.wait_until_gone(guarded.mark, 10) == []
    assert (guarded.work / ".envrc").read_text() == "mine\n"


def test_where_nothing_can_be_recorded(guarded: Bench) -> None:
    state = guarded.home / ".local"
    state.write_text("no directory\n")
    required = run(guarded, "true", flags=("--no-session",))
    assert (required.status, required.last["code"]) == (78, "config")
    assert "cannot be recorded" in required.last["error"]
    reply = [calls(a_call("bash", {"command": "echo evil > .envrc"}, "c")), text("done")]
    result = guarded("run", "go", "--allow", "bash", "--no-session", script=reply)
    codes = [event["code"] for event in result.events if event["type"] == "notice"]
    assert codes == ["protected_unrecorded", "protected_put_back"]
    assert (guarded.work / ".envrc").read_text() == "mine\n"


def test_a_path_that_was_exchanged_since_it_was_judged(guarded: Bench) -> None:
    (guarded.work / ".env").write_text("SECRET\n")
    (guarded.work / "notes.txt").write_text("notes\n")
    swap = [a_call("bash", {"command": "ln -sf .env notes.txt"}, f"b{n}") for n in range(8)]
    read = a_call("read", {"file_path": "notes.txt"}, "r")
    result = guarded("run", "go", "--allow", "bash", script=[calls(*swap, read), text("done")])
    assert b"SECRET" not in result.stdout


def test_bash_of_the_workspace_is_not_run(guarded: Bench) -> None:
    fake = guarded.work / "bin/bash"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    path = f"bin:.:{guarded.work}/bin:{os.environ['PATH']}"
    reply = [calls(a_call("bash", {"command": "echo real"}, "c")), text("done")]
    for sandbox in ("off", "auto"):
        result = guarded("run", "go", "--allow", "bash", "--sandbox", sandbox,
                         script=reply, env={"PATH": path})  # fmt: skip
        assert [e["toolOutput"] for e in result.events if e["type"] == "tool_end"] == ["real\n"]
