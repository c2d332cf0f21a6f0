"""Signals: the last line is written, everything below is gone, and the process dies of the signal.

Each is sent at the moments at which a run can be, to the process alone (an
editor, a CI runner) and to the whole foreground group (Ctrl-C).
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..support import laws, processes
from ..support.a3s import Bench, proofs
from ..support.processes import sleeper
from ..support.replies import Reply, bash, error, silence, stall, text
from ..support.run import HANG, PROMISE, SLACK, Run

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SOON = PROMISE + SLACK
ALLOW = ("--allow", "bash")


def _waiting(run: Run) -> None:
    assert run.server is not None
    run.server.wait_for_request()


MOMENTS: dict[str, tuple[Callable[[], list[Reply]], Callable[[Run], object]]] = {
    "no first byte": (lambda: [silence()], _waiting),
    "in the text": (lambda: [stall("so")], lambda run: run.wait_for("text_delta")),
    "in a tool": (
        lambda: [bash("echo up; " + sleeper())],
        lambda run: run.wait_for("tool_output_delta"),
    ),
    "in a flood": (lambda: [bash("yes")], lambda run: run.wait_for("tool_output_delta")),
    "in a stubborn tool": (
        lambda: [
            bash(f"trap '' TERM INT HUP; setsid {sleeper()} & echo up; {sleeper()}; sleep 60")
        ],
        lambda run: run.wait_for("tool_output_delta"),
    ),
    "in a retry's delay": (
        lambda: [error(503, headers={"retry-after": "60"})],
        lambda run: run.wait_for("retry"),
    ),
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("to", ["process", "group"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_the_run(a3s: Bench, moment: str, to: str, number: signal.Signals) -> None:
    script, wait = MOMENTS[moment]
    run = a3s.spawn("run", *ALLOW, "go", script=script())
    wait(run)
    (run.signal if to == "process" else run.signal_group)(number)
    result = run.finish(SOON)
    assert result.exit_status == -number
    assert result.last["code"] == "cancelled" and result.last["signal"] == number.name
    assert result.last["retryable"] is False
    for end in result.of("tool_end"):
        assert (end["exitCode"], end["reason"]) == (130, "cancelled")
    left = processes.wait_until_gone(a3s.mark, PROMISE + SLACK)
    assert not left, left


@pytest.fixture
def deaf() -> Iterator[str]:
    """A port that never completes a connection: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_signal_while_connecting(a3s: Bench, deaf: str, number: signal.Signals) -> None:
    run = a3s.spawn("run", "-m", "openai/x", "go", env={"OPENAI_BASE_URL": deaf})
    run.wait_for("turn_start")
    time.sleep(0.3)
    run.signal(number)
    result = run.finish(SOON)
    assert (result.exit_status, result.last["code"]) == (-number, "cancelled")


def test_the_deadline_while_connecting(a3s: Bench, deaf: str) -> None:
    env = {"OPENAI_BASE_URL": deaf}
    result = a3s("run", "-m", "openai/x", "--timeout", "1s", "go", env=env, timeout=1 + SOON)
    assert (result.status, result.last["code"]) == (124, "timeout")


def test_the_provider_is_left_at_once(a3s: Bench) -> None:
    run = a3s.spawn("run", "go", script=[stall("so")])
    run.wait_for("text_delta")
    run.signal(signal.SIGTERM)
    assert run.server is not None
    run.server.wait_for_departure(timeout=SOON)
    assert run.finish(SOON).status == 143


def test_a_signal_at_any_moment(a3s: Bench) -> None:
    """Sooner than `start` nothing is promised; later everything is."""
    pick = random.Random(4711)
    for _ in range(proofs(24)):
        number = pick.choice(NUMBERS)
        script = [bash("echo a; sleep 0.1; echo b"), text("x", "y"), text("late")]
        run = a3s.spawn("run", *ALLOW, "go", script=script, laws="none")
        time.sleep(pick.uniform(0, 0.8))
        if run.process.poll() is None:
            run.signal(number)
        result = run.finish(SOON)
        events = laws.parse(result.stdout)
        if events:
            assert result.exit_status in (0, -number), (result.exit_status, result.stderr)
            laws.check_stream(events, result.status)
            told = b"a3s: cancelled by %b\n" % signal.Signals(number).name.encode()
            assert result.stderr in (b"", told), result.stderr
        else:
            assert result.exit_status != 0


def test_the_second_signal_is_at_once(a3s: Bench) -> None:
    """The first waits for what it stops; who asks twice does not want to wait."""
    stubborn = f"trap '' TERM INT; echo up; {sleeper()}; {sleeper()}; {sleeper()}"
    run = a3s.spawn("run", *ALLOW, "go", script=[bash(stubborn)], laws="prefix")
    run.wait_for("tool_output_delta")
    run.signal(signal.SIGINT)
    time.sleep(0.05)
    if run.process.poll() is None:
        run.signal(signal.SIGINT)
    assert run.finish(SOON).status == 130
    assert not processes.wait_until_gone(a3s.mark, PROMISE + SLACK)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ignored_at_birth_stays_ignored(a3s: Bench, number: signal.Signals) -> None:
    """`nohup` and `&` in a script mean it."""
    run = a3s.spawn(
        "run", *ALLOW, "go", script=[bash("echo up; sleep 1"), text("done")], ignore=[number]
    )
    run.wait_for("tool_output_delta")
    run.signal(number)
    assert run.finish().text == "done"


def test_sigterm_ends_a_run_that_ignores_sigint(a3s: Bench) -> None:
    run = a3s.spawn("run", "go", script=[silence()], ignore=[signal.SIGINT])
    _waiting(run)
    run.signal(signal.SIGTERM)
    assert run.finish(SOON).status == 143


#: Modules of the first imports, in their order; the signal comes when one begins to load.
FIRST = ("a3s_cli/cli", "click", "a3s_cli/errors", "a3s_cli/cli/run", "a3s_cli/commands/run")


#: What Python says of a file that it has read, and has not run yet.
_CODE = re.compile(r"# code object from '?.*/((?:a3s_cli|click)/.+?)(?:\.cpython-\d+)?\.pyc?'?")


def _imports(a3s: Bench) -> subprocess.Popen[str]:
    """Start the installed program in a Python that writes each import to stderr."""
    return subprocess.Popen(
        [Path(sys.executable).parent / "a3s", "run", "--json", "hi"],
        cwd=a3s.work,
        env=a3s.environment(None) | {"PYTHONVERBOSE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _loaded(line: str) -> str | None:
    """Return the file whose code an import has just read: `a3s_cli/cli/__init__`."""
    found = _CODE.fullmatch(line.strip().replace("/__pycache__", ""))
    return found[1] if found else None


@pytest.mark.parametrize("module", FIRST)
def test_ctrl_c_during_the_first_imports(a3s: Bench, module: str) -> None:
    """The program dies of the signal, and prints neither an event nor a traceback."""
    with _imports(a3s) as started:
        assert started.stderr
        for line in started.stderr:
            if (file := _loaded(line)) and file.removesuffix("/__init__") == module:
                started.send_signal(signal.SIGINT)
                break
        out, rest = started.communicate(timeout=HANG)
    assert (started.returncode, out) == (-signal.SIGINT, "")
    assert "Traceback" not in rest


def test_nothing_is_imported_before_a_signal_has_its_default_action(a3s: Bench) -> None:
    """From the package's first line to the first import of `main`, no file is loaded."""
    with _imports(a3s) as started:
        _, told = started.communicate(timeout=HANG)
    files = [file for line in told.splitlines() if (file := _loaded(line))]
    first = files.index("a3s_cli/__init__")
    assert files[first + 1 : first + 3] == ["a3s_cli/__main__", "a3s_cli/cli/__init__"]


def test_ctrl_c_in_a_terminal(a3s: Bench) -> None:
    """The terminal's own driver signals the group; nothing but the stream is on stdout."""
    ours, theirs = os.openpty()
    try:
        script = [bash("echo up; " + sleeper())]
        run = a3s.spawn("run", "--json", *ALLOW, "go", script=script, terminal=theirs)
        run.wait_for("tool_output_delta")
        os.write(ours, b"\x03")
        result = run.finish(SOON)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.exit_status == -signal.SIGINT
    assert result.last["code"] == "cancelled"


def test_ctrl_c_stops_a_loop_of_the_shell(a3s: Bench) -> None:
    """A shell goes on with its loop unless its child really died of SIGINT."""
    line = 'for n in 1 2 3; do a3s run -m "$MODEL" go; done'
    run = a3s.shell(line, script=[silence()], after="repeat")
    assert run.server is not None
    run.server.wait_for_request()
    run.signal_group(signal.SIGINT)
    assert run.finish(SOON).exit_status == -signal.SIGINT
    assert len(run.server.requests) == 1


def test_ctrl_c_on_a_pipeline_keeps_the_last_event(a3s: Bench) -> None:
    """A reader that survives the Ctrl-C gets the whole stream."""
    line = 'a3s run -m "$MODEL" go | (trap "" INT; cat > out)'
    run = a3s.shell(line, script=[stall("so")])
    out = a3s.work / "out"
    _until(lambda: out.exists() and b"text_delta" in out.read_bytes())
    run.signal_group(signal.SIGINT)
    run.finish(SOON)
    _until(lambda: b'"error"' in out.read_bytes())
    laws.check_stream(laws.parse(out.read_bytes()), 130)


def _until(true: Callable[[], bool], timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


@pytest.mark.parametrize("output", ["raw", "pretty"])
def test_a_signal_keeps_its_status_in_every_rendering(a3s: Bench, output: str) -> None:
    run = a3s.spawn("run", "-o", output, "go", script=[stall("so")])
    run.wait_for_output(b"so")
    run.signal(signal.SIGTERM)
    result = run.finish(SOON)
    assert result.exit_status == -signal.SIGTERM
    assert b"Traceback" not in result.stdout + result.stderr


def test_kill_9_leaves_no_tool_behind(a3s: Bench) -> None:
    """It cannot be caught, and the tree below must die all the same."""
    escaped = f"setsid {sleeper()} & (setsid {sleeper()} &)"
    tree = f"{escaped}; trap '' TERM; echo up; {sleeper()}; {sleeper()}"
    run = a3s.spawn("run", *ALLOW, "go", script=[bash(tree)], laws="prefix")
    run.wait_for("tool_output_delta")
    run.signal(signal.SIGKILL)
    assert run.finish(SOON).exit_status == -signal.SIGKILL
    left = processes.wait_until_gone(a3s.mark, PROMISE + SLACK)
    assert not left, left


def test_a_tool_that_kills_its_parent_does_not_silence_the_run(a3s: Bench) -> None:
    """Whatever process stands between us and the tool may die; the run still ends by the laws."""
    result = a3s("run", *ALLOW, "go", script=[bash("kill -9 $PPID; echo on"), text("done")])
    assert result.last["type"] in ("end", "error")
