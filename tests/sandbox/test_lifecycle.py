"""A confined command ends as it would without a sandbox: status, output, deadline, survivors."""

from __future__ import annotations

import time

import pytest

from a3s_cli.sandbox import caches

from ..support import processes
from ..support.processes import sleeper
from .cage import USERS, Cage

# How a command ends is the same for everybody.
pytestmark = pytest.mark.parametrize("driver", USERS[-1:], indirect=True)


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("exit 0", 0, ""),
        ("exit 1", 1, ""),
        ("exit 255", 255, ""),
        ("nosuch", 127, "bash: line 1: nosuch: command not found\n"),
        ("/etc/passwd", 126, "bash: line 1: /etc/passwd: Permission denied\n"),
        ("kill -KILL $$", 137, ""),
        ("kill -TERM $$", 143, ""),
        ("kill -SEGV $$", 139, ""),
        ("kill -PIPE $$", 141, ""),
        ("kill -KILL $PPID; sleep 99", 137, ""),
        ("kill 0; sleep 99", 143, ""),
        ("kill -KILL -1; sleep 99", 137, ""),
        ("kill -KILL 1; echo alive", 0, "alive\n"),
        ("cat; echo $?", 0, "0\n"),
        ("echo out; echo err >&2; echo out", 0, "out\nerr\nout\n"),
        ("echo late > >(sleep 0.05; cat)", 0, "late\n"),
        ("trap 'echo bye' EXIT; exit 4", 4, "bye\n"),
        ("test -t 0 || test -t 1 || : < /dev/tty", 1, None),
        ("echo $0 $#; set -- a; echo $#", 0, "bash 0\n1\n"),
    ],
)
def test_status_and_output(cage: Cage, script: str, status: int, output: str | None) -> None:
    outcome = cage.bash(script)
    assert (outcome.status, outcome.reason) == (status, None)
    assert output is None or outcome.output == output


def test_a_program_that_is_not_there(cage: Cage) -> None:
    assert cage.run(["nosuch"]).status == 127
    assert cage.run(["/etc/passwd"]).status == 126


def test_arguments_arrive_as_they_are(cage: Cage) -> None:
    arguments = ["a b", "", "-c", "--", "$HOME", "'", '"', "é\n", "*"]
    script = "import sys; print(sys.argv[1:])"
    assert cage.run(["python3", "-c", script, *arguments]).output.encode("latin-1").decode() == (
        f"{arguments}\n"
    )


def test_the_environment_is_the_given_one(cage: Cage) -> None:
    outcome = cage.bash("env; cat /proc/1/environ /proc/$PPID/environ | tr '\\0' '\\n'")
    names = {line.partition("=")[0] for line in outcome.output.splitlines() if line}
    names -= caches.variables("/x").keys()
    assert names <= {"PATH", "HOME", "MARK", "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}


def test_a_flood(cage: Cage) -> None:
    outcome = cage.bash("head -c 5000000 /dev/zero | tr '\\0' x; exit 3")
    assert (outcome.status, len(outcome.output)) == (3, 5_000_000)


@pytest.mark.parametrize(
    "script",
    [
        "setsid SLEEP & disown",
        "nohup SLEEP >/dev/null 2>&1 &",
        "(setsid sh -c 'SLEEP & exec SLEEP' &) ; true",
        "SLEEP & exec python3 -c 'import os; os.fork() or os.setsid() or os.fork() or os.pause()'",
    ],
)
def test_nobody_survives(cage: Cage, script: str) -> None:
    began = time.monotonic()
    cage.bash(script.replace("SLEEP", sleeper()), timeout=2)
    assert processes.wait_until_gone(cage.mark, 5) == []
    assert time.monotonic() - began < 20


def test_a_deadline_leaves_time_for_last_words(cage: Cage) -> None:
    script = f"trap 'echo bye; exit 5' TERM; echo up; {sleeper()} & wait"
    outcome = cage.bash(script, timeout=0.6)
    assert (outcome.status, outcome.reason, outcome.output) == (124, "timeout", "up\nbye\n")


def test_a_deadline_for_the_stubborn(cage: Cage) -> None:
    script = f"trap '' TERM INT HUP; echo up; setsid {sleeper()} & kill -STOP $PPID; {sleeper()}"
    outcome = cage.bash(script, timeout=0.6)
    assert (outcome.status, outcome.reason, outcome.output) == (124, "timeout", "up\n")


def test_a_fork_bomb_ends_at_the_deadline(cage: Cage) -> None:
    bomb = "n=0; while [ $n -lt 200 ]; do (sleep 99 & sleep 99 &) ; n=$((n+1)); done; sleep 99"
    outcome = cage.bash(bomb, timeout=1.5)
    assert outcome.reason == "timeout"


def test_stopping_what_holds_it(cage: Cage) -> None:
    assert cage.bash("kill -STOP 1; kill -STOP $PPID; kill -STOP $$", timeout=0.6).status == 124
