"""Which processes has a run left behind, and how a test may signal one.

A survivor is found by what it cannot shake off by forking, `setsid` or
re-parenting: a unique mark in its command line or its environment, or a working
directory inside the test's own. All kills go through `send`, which refuses a
process that does not carry the mark: a wrong pid must never reach a stranger.
"""

from __future__ import annotations

import os
import resource
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Survivor:
    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.pid}: {self.command}"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _command(pid: int) -> str:
    """Return the command line as one would type it."""
    return _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()


def _carries(pid: int, mark: str) -> bool:
    if mark in _command(pid) or mark.encode() in _read(f"/proc/{pid}/environ"):
        return True
    try:
        return mark in os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False


def _alive(pid: int) -> bool:
    """A zombie is dead: it only waits for its parent to be told."""
    state = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return bool(state) and state[0] not in (b"Z", b"X")


def survivors(mark: str) -> list[Survivor]:
    """Every live process that carries the mark, this one excepted."""
    assert len(mark) >= 8, "a mark must be unique"
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        if _alive(pid) and _carries(pid, mark):
            found.append(Survivor(pid, _command(pid)[:200]))
    return found


def sleeper(seconds: int = 600) -> str:
    """A command that sleeps and that can be told from every other: its argument is its mark."""
    return f"sleep {seconds}.{uuid.uuid4().int % 10**15:015d}"


def wait_until_gone(mark: str, timeout: float) -> list[Survivor]:
    """Wait for the last of them to go; give those that did not."""
    deadline = time.monotonic() + timeout
    while (left := survivors(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def wait_until_alive(mark: str, timeout: float = 20, command: str = "") -> Survivor:
    """Wait for the first process with the mark, and whose command begins so."""
    deadline = time.monotonic() + timeout
    while not (found := [one for one in survivors(mark) if one.command.startswith(command)]):
        assert time.monotonic() < deadline, f"no process with {mark} came up"
        time.sleep(0.02)
    return found[0]


def send(pid: int, number: int, mark: str) -> None:
    """Signal one process of ours."""
    assert pid > 1 and pid != os.getpid() and _carries(pid, mark), f"{pid} is not ours"
    os.kill(pid, number)


def send_group(group: int, number: int, mark: str) -> None:
    """Signal a whole process group whose leader is ours, as a terminal does."""
    assert group > 1 and group != os.getpgrp() and _carries(group, mark), f"{group} is not ours"
    os.killpg(group, number)


def reap(child: int, timeout: float = 60) -> int:
    """Wait for the end of a child that was forked, and give its exit code."""
    deadline = time.monotonic() + timeout
    while (found := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the child {child} did not end within {timeout:g} s")
        time.sleep(0.001)
    return os.waitstatus_to_exitcode(found[1])


def clean_up(mark: str) -> list[Survivor]:
    """Kill what is left, so that one failed test does not fail the next; give what it was."""
    left = survivors(mark)
    for survivor in left:
        try:
            send(survivor.pid, signal.SIGKILL, mark)
        except (ProcessLookupError, AssertionError):
            continue
    return left


class Work:
    """Measure the work of a child of ours from here to its end, in seconds of processor.

    It does not grow with what other processes of the machine do, as time does. Of the
    child's own children those count that it has waited for.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        #: Known once the child has ended, and this block with it.
        self.seconds = 0.0

    def __enter__(self) -> Work:
        fields = _read(f"/proc/{self._pid}/stat").rpartition(b")")[2].split()
        assert fields, "the child has ended before it was measured"
        ticks = sum(map(int, fields[11:15]))
        self._before = ticks / os.sysconf("SC_CLK_TCK") + self._of_the_dead()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = self._of_the_dead() - self._before

    def _of_the_dead(self) -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
