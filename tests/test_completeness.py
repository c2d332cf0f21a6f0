"""The recording tells of everything that ran, before it ran: the kernel is the witness.

A run is traced. Every process that is executed must descend from a supervisor
whose command an earlier recorded `tool_start` announced; every file that the
run itself changes must be the recording, or the file of a call announced
before. What was denied or rejected must not appear at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess  # noqa: TID251 - finds out whether tracing works here
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .support.a3s import Bench
from .support.replies import a_call, bash, call, calls, text

TRACED = (
    "execve,execveat,clone,clone3,fork,vfork,write,openat,open,creat,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmodat"
)
FORKS = ("clone", "clone3", "fork", "vfork")
#: Devices, and what only the standard library writes for itself.
OWN = re.compile(r"/dev/(null|tty|urandom)|/proc/self/.*")


def _traceable() -> bool:
    command = [shutil.which("strace") or "false", "-qq", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _traceable(), reason="no strace, or it may not trace here")


@dataclass
class Syscall:
    pid: int
    name: str
    arguments: str
    result: int

    @property
    def strings(self) -> list[str]:
        """The quoted arguments; strace -xx writes every byte as \\xNN."""
        quoted = re.findall(r'"((?:\\x[0-9a-f]{2})*)"', self.arguments)
        return [bytes.fromhex(one.replace("\\x", "")).decode(errors="replace") for one in quoted]


def syscalls(log: Path) -> Iterator[Syscall]:
    """The calls of a log in the order in which they began; interrupted lines are joined."""
    lines = log.read_text().splitlines()
    begun: dict[tuple[int, str], Syscall] = {}
    found = []
    for line in lines:
        if whole := re.fullmatch(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?).*", line):
            pid, name, arguments, result = whole.groups()
            found.append(Syscall(int(pid), name, arguments, _number(result)))
        elif first := re.fullmatch(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>", line):
            pid, name, arguments = first.groups()
            begun[int(pid), name] = Syscall(int(pid), name, arguments, 0)
            found.append(begun[int(pid), name])
        elif rest := re.fullmatch(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?).*", line):
            pid, name, arguments, result = rest.groups()
            one = begun.pop((int(pid), name))
            one.arguments += arguments
            one.result = _number(result)
    return iter(found)


def _number(result: str) -> int:
    return -1 if result == "?" else int(result)


@dataclass
class Witness:
    """Reads a trace and asks of everything who announced it."""

    recording: Path
    announced: list[dict[str, Any]] = field(default_factory=list)
    #: Process -> the call that it belongs to; None is a3s itself.
    owner: dict[int, str | None] = field(default_factory=dict)
    executed: dict[str, list[str]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    _started: set[str] = field(default_factory=set)
    _descriptor: int = -1

    def see(self, one: Syscall) -> None:
        if not self.owner:
            self.owner[one.pid] = None
        if one.name in FORKS and one.result > 0:
            self.owner.setdefault(one.result, self.owner[one.pid])
        elif one.name.startswith("execve") and one.result == 0:
            self._see_execution(one)
        elif one.name == "write":
            self._see_write(one)
        elif self.owner.get(one.pid) is None and one.result >= 0:
            self._see_change(one)

    def _see_execution(self, one: Syscall) -> None:
        arguments = one.strings[1:]
        if "supervisor.py" in "".join(arguments):
            command = arguments[-1]
            calls = (each for each in self.announced if each["toolInput"].get("command") == command)
            call = next((each for each in calls if each["toolId"] not in self._started), None)
            assert call, f"no event announced {command!r}"
            self._started.add(call["toolId"])
            self.owner[one.pid] = call["toolId"]
            self.executed[call["toolId"]] = []
            return
        owner = self.owner.get(one.pid)
        if owner is None:
            assert "a3s_cli" in arguments, f"a3s executed {arguments} for no call"
        else:
            self.executed[owner].append(" ".join(arguments))

    def _see_write(self, one: Syscall) -> None:
        if self.owner.get(one.pid) is None and one.arguments.startswith(f"{self._descriptor},"):
            for line in one.strings[0].splitlines():
                event = json.loads(line)
                if event["type"] == "tool_start":
                    self.announced.append(event)

    def _see_change(self, one: Syscall) -> None:
        """A file that a3s itself creates, changes or removes."""
        if one.name in ("open", "openat") and not re.search(
            "O_WRONLY|O_RDWR|O_CREAT", one.arguments
        ):
            return
        for name in one.strings:
            if Path(name) == self.recording:
                self._descriptor = one.result
            elif not OWN.fullmatch(name):
                self._demand_announced(name)

    def _demand_announced(self, name: str) -> None:
        names = {Path(each["toolInput"].get("file_path", "")).name for each in self.announced}
        temporary = re.fullmatch(r"\.a3s-[0-9a-f]+\.tmp", name)
        assert temporary or Path(name).name in names, f"a3s changed {name} for no call"
        assert not temporary or names, f"a3s wrote {name} for no call"
        if not temporary:
            self.changed.add(Path(name).name)


def test_everything_that_ran_was_announced(a3s: Bench) -> None:
    recording, log = a3s.root / "run.ndjson", a3s.root / "trace"
    script = [
        bash("ls >/dev/null; (env true; bash -c 'touch one') & wait; exit 3", "c1"),
        calls(
            a_call("bash", {"command": "touch denied"}, "c2"),
            a_call("bash", {"command": "ls", "tiemout": 1}, "c3"),
            a_call("bahs", {"command": "touch rejected"}, "c4"),
            a_call("write", {"file_path": "../outside", "content": "x"}, "c5"),
            a_call("write", '{"file_path": "cut", "cont', "c6"),
            a_call("edit", {"file_path": "two", "old_string": "a", "new_string": "b"}, "c7"),
            a_call("bash", {"command": "true"}, "c8"),
        ),
        call("write", {"file_path": "two", "content": "a"}, "c9"),
        text("done"),
    ]
    command = ["strace", "-f", "-qq", "-xx", "-s", "65536", "-e", f"trace={TRACED}", "-o", str(log)]
    rules = ["--allow", "bash", "--allow", "write", "--deny", "bash(touch denied)"]
    # Inside a sandbox strace cannot tell whose process is whose, and a session is a file of ours.
    rules += ["--sandbox", "off", "--no-session"]
    a3s_run = [sys.executable, "-m", "a3s_cli", "run", "go", "-m", "openai/test-model"]
    server = a3s.serve(script)
    run = a3s.start(
        [*command, *a3s_run, "--record", str(recording), *rules],
        server,
        "whole",
        True,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    result = run.finish(300)
    assert result.last["type"] == "end", result.last

    witness = Witness(recording)
    for one in syscalls(log):
        witness.see(one)
    assert {each["toolId"] for each in witness.announced} == {"c1", "c8", "c9"}
    assert set(witness.executed) == {"c1", "c8"}
    seen = "\n".join(witness.executed["c1"])
    for part in ("ls", "env true", "bash -c touch one", "touch one"):
        assert part in seen, seen
    assert witness.changed == {"two"}
    assert sorted(os.listdir(a3s.work)) == ["one", "two"]
    assert not (a3s.root / "outside").exists()
    # What did not run is told of as well.
    assert [event["toolId"] for event in result.of("permission_denied")] == ["c2", "c5", "c7"]
    assert [event["toolId"] for event in result.of("tool_rejected")] == ["c3", "c4", "c6"]

    verdict = a3s("audit", str(recording), "--verify", "--head", result.last["recordHead"])
    assert verdict.status == 0, verdict.stdout
