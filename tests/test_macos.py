"""The real binary, told that it runs on macOS: nothing that only Linux has may be needed.

Before a line of ours runs, the interpreter loses what macOS does not have, and
polling a terminal fails as it does there. A kernel cannot be pretended; what
differs on it is in a3s(1).
"""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from .support.a3s import Bench
from .support.replies import a_call, bash, calls, text

#: Runs at the start of the interpreter. Whatever chooses by the platform when it is imported and
#: then needs macOS itself is imported before.
PRETEND = """
import asyncio, ctypes, fcntl, os, select, signal, ssl, stat, subprocess, sys, urllib.request
for owner, names in {
    os: "memfd_create sched_getaffinity O_PATH O_TMPFILE pipe2 posix_fadvise pidfd_open waitid"
        " eventfd getrandom splice copy_file_range getxattr setxattr posix_fallocate",
    select: "epoll",
    signal: "sigwaitinfo sigtimedwait SIGRTMIN SIGPWR pidfd_send_signal",
    fcntl: "F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS",
}.items():
    for name in names.split():
        if hasattr(owner, name):
            delattr(owner, name)
os.process_cpu_count = os.cpu_count  # From Python 3.13 on, of what has just been taken away.
class Poll:
    def __init__(self):
        self.real = poll()
        self.poll = self.real.poll
    def register(self, fd, *events):
        assert not os.isatty(fd), "macOS cannot poll a terminal"
        self.real.register(fd, *events)
poll, select.poll = select.poll, Poll
sys.executable = os.environ["PRETENDING_PYTHON"]
sys.platform = "darwin"
"""
#: Takes the place of the bare interpreter that holds a command's tree.
PYTHON = """#!{real} -IS
import os, sys
words = sys.argv[1:]
if not words[2].endswith("supervisor.py"):
    os.execv("{real}", ["{real}", *words])
import runpy
sys.argv, sys.platform = words[2:], "darwin"
runpy.run_path(words[2], run_name="__main__")
"""


@pytest.fixture
def macos(a3s: Bench) -> dict[str, str]:
    """The environment in which a3s is on macOS."""
    pretend = a3s.root / "pretend"
    pretend.mkdir()
    (pretend / "sitecustomize.py").write_text(PRETEND)
    python = pretend / "python"
    python.write_text(PYTHON.format(real=sys.executable))
    python.chmod(0o755)
    here = str(Path(__file__).parent.parent)
    return {"PYTHONPATH": f"{pretend}:{here}", "PRETENDING_PYTHON": str(python)}


def test_a_run_with_tools(a3s: Bench, macos: dict[str, str]) -> None:
    script = [
        bash("sleep 600 & (echo b; echo a) > >(sort); echo done", "shell"),
        calls(
            a_call("write", {"file_path": "new", "content": "one\n"}, "write"),
            a_call("grep", {"pattern": "on", "path": "new"}, "grep"),
        ),
        text("fine"),
    ]
    result = a3s("run", "go", "--allow-all", script=script, env=macos)
    assert (result.text, result.events[0]["sandbox"]) == ("fine", "none")
    # What outlives its command in the command's group is waited for a moment, then killed.
    assert sorted(result.one("tool_end", "shell")["toolOutput"].split()) == ["a", "b", "done"]
    assert result.one("tool_end", "write")["exitCode"] == 0
    assert "one" in result.one("tool_end", "grep")["toolOutput"]
    notice = result.one("notice")
    assert (notice["code"], "bubblewrap exists only for Linux" in notice["text"]) == (
        "sandbox_missing",
        True,
    )


def test_a_page_on_a_terminal(a3s: Bench, macos: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    try:
        result = a3s("run", "go", script=[text("fine")], env=macos, terminal=theirs, stdout=theirs,
                     laws="none")  # fmt: skip
        assert (result.exit_status, b"bubblewrap exists only for Linux" in result.stderr) == (
            0,
            True,
        )
        assert b"fine" in os.read(ours, 1 << 16)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_command_that_is_interrupted(a3s: Bench, macos: dict[str, str]) -> None:
    script = [bash("sleep 600 & echo ready; sleep 600", "shell")]
    run = a3s.spawn("run", "go", "--allow-all", script=script, env=macos)
    run.wait_for("tool_output_delta")
    run.signal(2)
    assert run.finish().one("tool_end", "shell")["reason"] == "cancelled"
