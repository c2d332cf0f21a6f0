"""What is at the other end of stdout: a reader that leaves, sleeps, never reads, or is absent."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support import descriptors, laws, processes
from ..support.a3s import Bench
from ..support.processes import sleeper
from ..support.replies import Reply, bash, error, silence, stall, text
from ..support.run import PROMISE, SLACK

SOON = PROMISE + SLACK
ALLOW = ("--allow", "bash")
RUN = 'a3s run -m "$MODEL" --allow bash go'
#: More than any pipe holds.
BIG = [f"{n:06d} " + "x" * 1000 + "\n" for n in range(2000)]


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """The reading and the writing end; a test may close either and put -1 in its place."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


def _close(pipe: list[int], which: int) -> None:
    os.close(pipe[which])
    pipe[which] = -1


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        read = descriptors.piece(descriptor)
        assert read, f"{wanted!r} did not come: {data[-500:]!r}"
        data += read
    return data


def _all_gone(a3s: Bench) -> None:
    left = processes.wait_until_gone(a3s.mark, PROMISE + SLACK)
    assert not left, left


SILENT: dict[str, tuple[list[Reply], bytes]] = {
    "tool": ([bash("exec " + sleeper())], b"tool_start"),
    "stubborn tool": (
        [bash(f"trap '' TERM; setsid {sleeper()} & {sleeper()}; sleep 9")],
        b"tool_start",
    ),
    "provider": ([silence()], b"turn_start"),
    "stalled provider": ([stall("so")], b"text_delta"),
    "retry": ([error(503, headers={"retry-after": "60"})], b"retry"),
}


@pytest.mark.parametrize("what", SILENT)
def test_a_reader_that_leaves_in_a_silence_is_noticed(
    a3s: Bench, pipe: list[int], what: str
) -> None:
    """Nothing is being written, so no write can fail: the descriptor itself must be watched."""
    script, wanted = SILENT[what]
    run = a3s.spawn("run", *ALLOW, "go", script=script, stdout=pipe[1], laws="none")
    _close(pipe, 1)
    _read_until(pipe[0], wanted)
    _close(pipe, 0)
    result = run.finish(SOON)
    assert result.exit_status == -signal.SIGPIPE
    assert result.stderr == b""
    _all_gone(a3s)


def test_a_reader_killed_with_9(a3s: Bench) -> None:
    line = f"{RUN} 2> err | (echo $BASHPID > reader; exec cat > out); echo ${{PIPESTATUS[0]}}"
    run = a3s.shell(line, script=[bash("exec " + sleeper())])
    out = a3s.work / "out"
    deadline = time.monotonic() + 30
    while not (out.exists() and b"tool_start" in out.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    processes.send(int((a3s.work / "reader").read_text()), signal.SIGKILL, a3s.mark)
    result = run.finish(SOON)
    assert result.stdout == b"141\n"
    assert (a3s.work / "err").read_bytes() == b""
    _all_gone(a3s)


@pytest.mark.parametrize(
    "script", [[bash("exec " + sleeper())], [silence()]], ids=["tool", "provider"]
)
def test_head_1(a3s: Bench, script: list[Reply]) -> None:
    run = a3s.shell(f"{RUN} | head -1; echo ${{PIPESTATUS[*]}}", script=script)
    result = run.finish(SOON)
    line, statuses = result.stdout.splitlines()
    assert laws.parse(line + b"\n")[0]["type"] == "start"
    assert statuses == b"141 0"
    assert result.stderr == b""
    _all_gone(a3s)


def test_a_reader_that_leaves_in_a_flood(a3s: Bench, pipe: list[int]) -> None:
    run = a3s.spawn("run", *ALLOW, "go", script=[bash("yes")], stdout=pipe[1], laws="none")
    _close(pipe, 1)
    _read_until(pipe[0], b"tool_output_delta")
    _close(pipe, 0)
    result = run.finish(SOON)
    assert (result.exit_status, result.stderr) == (-signal.SIGPIPE, b"")
    _all_gone(a3s)


@pytest.mark.parametrize("output", ["raw", "pretty"])
def test_a_reader_that_leaves_any_rendering(a3s: Bench, pipe: list[int], output: str) -> None:
    script = [text("word\n", bash("exec " + sleeper()).calls[0])]
    run = a3s.spawn("run", "-o", output, *ALLOW, "go", script=script, stdout=pipe[1])
    _close(pipe, 1)
    _read_until(pipe[0], b"word")
    _close(pipe, 0)
    result = run.finish(SOON)
    assert (result.exit_status, result.stderr) == (-signal.SIGPIPE, b"")
    _all_gone(a3s)


def test_sigpipe_ignored_at_birth_changes_nothing(a3s: Bench, pipe: list[int]) -> None:
    """Many parents ignore SIGPIPE and leave it so in their children."""
    run = a3s.spawn(
        "run", "go", script=[silence()], stdout=pipe[1], laws="none", ignore=[signal.SIGPIPE]
    )
    _close(pipe, 1)
    _read_until(pipe[0], b"turn_start")
    _close(pipe, 0)
    result = run.finish(SOON)
    assert (result.status, result.stderr) == (141, b"")


def test_a_socket_as_stdout(a3s: Bench) -> None:
    """Node gives its children sockets for pipes."""
    ours, theirs = socket.socketpair()
    run = a3s.spawn("run", "go", script=[silence()], stdout=theirs.fileno(), laws="none")
    theirs.close()
    _read_until(ours.fileno(), b"turn_start")
    ours.close()
    assert run.finish(SOON).exit_status == -signal.SIGPIPE


@pytest.mark.parametrize(
    "command", [("run", "-m", "openai/x", "go"), ("tools",), ("schema",), ("-h",)]
)
def test_a_reader_that_was_never_there(
    a3s: Bench, pipe: list[int], command: tuple[str, ...]
) -> None:
    _close(pipe, 0)
    result = a3s(*command, stdout=pipe[1], laws="none", timeout=SOON)
    assert (result.status, result.stderr) == (141, b"")


@pytest.mark.parametrize("output", ["json", "raw", "pretty"])
def test_a_full_disk(a3s: Bench, output: str) -> None:
    with Path("/dev/full").open("wb") as full:
        result = a3s(
            "run", "-o", output, "go", script=[text("yo")], stdout=full.fileno(), laws="none"
        )
    assert result.status == 74
    assert len(result.stderr.splitlines()) == 1 and b"Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["run -m $MODEL go", "tools", "schema", "--version", "--help"])
@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_a_stdout_that_takes_nothing(a3s: Bench, command: str, where: str) -> None:
    run = a3s.shell(f"a3s {command} {where}", script=[text("yo")])
    result = run.finish()
    assert result.status == 74, result.stderr
    assert len(result.stderr.splitlines()) == 1 and b"Traceback" not in result.stderr
    assert where != ">&-" or not result.requests, "a run whose output cannot be read"


def test_a_closed_stderr_and_stdin(a3s: Bench) -> None:
    """The next descriptor that is opened must not become one of the three."""
    run = a3s.shell(f"{RUN} <&- 2>&-", script=[bash("echo hi; echo err >&2"), text("done")])
    result = run.finish()
    assert result.status == 0
    laws.check_stream(laws.parse(result.stdout), 0)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_no_file_becomes_a_closed_stderr_or_stdin(a3s: Bench, closed: str) -> None:
    """What is said on stderr would end in the session, and the session look like a stdin."""
    refused = a3s.shell(
        f"a3s run -m $MODEL -o raw go {closed}", script=[error(400, {"error": {"message": "no"}})]
    )
    assert refused.finish().status == 1
    (session,) = (a3s.home / ".local/state/a3s/sessions").glob("*.ndjson")
    assert all(json.loads(line) for line in session.read_text().splitlines())
    told = a3s.shell(f"a3s run -m $MODEL go {closed}", script=[text("done")]).finish()
    assert b"stdin_ignored" not in told.stdout and told.status == 0


def test_a_reader_that_never_reads_cannot_stop_a_signal(a3s: Bench, pipe: list[int]) -> None:
    run = a3s.spawn("run", "go", script=[text(*BIG)], stdout=pipe[1], laws="none")
    assert run.server is not None
    run.server.wait_for_request()
    time.sleep(1)
    run.signal(signal.SIGTERM)
    assert run.finish(SOON).exit_status == -signal.SIGTERM


def test_a_reader_that_never_reads_cannot_stop_the_deadline(a3s: Bench, pipe: list[int]) -> None:
    run = a3s.spawn(
        "run", "--timeout", "2", *ALLOW, "go", script=[bash("yes")], stdout=pipe[1], laws="none"
    )
    assert run.finish(2 + SOON).status == 124
    _all_gone(a3s)


ENDINGS = {
    "success": ([text(*BIG)], 0),
    "failure": ([text(*BIG, finish="max_tokens")], 3),
    "tool": ([bash("seq 300000"), text("done")], 0),
}


def test_a_slow_reader_gets_everything(a3s: Bench) -> None:
    """The run is over long before its reader wakes up; the end must be waited for."""
    line = f"{RUN} | (sleep 4; cat); exit ${{PIPESTATUS[0]}}"
    runs = {name: a3s.shell(line, script=script) for name, (script, _) in ENDINGS.items()}
    for name, run in runs.items():
        result, status = run.finish(), ENDINGS[name][1]
        assert result.status == status, name
        laws.check_stream(laws.parse(result.stdout), status)
        if name == "tool":
            shown = "".join(result.output(event["toolId"]) for event in result.of("tool_start"))
            assert shown == "".join(f"{n}\n" for n in range(1, 300001))
        else:
            assert "".join(event["text"] for event in result.of("text_delta")) == "".join(BIG)


def test_a_non_blocking_stdout_loses_nothing(a3s: Bench, pipe: list[int]) -> None:
    """A parent's event loop may have set O_NONBLOCK on the shared description: it is left so."""
    fcntl.fcntl(pipe[1], fcntl.F_SETFL, os.O_NONBLOCK)
    run = a3s.spawn("run", "go", script=[text(*BIG)], stdout=pipe[1], laws="none")
    flags = fcntl.fcntl(pipe[1], fcntl.F_GETFL)
    _close(pipe, 1)
    time.sleep(1)
    data = descriptors.whole(pipe[0])
    assert run.finish().status == 0
    assert flags & os.O_NONBLOCK
    laws.check_stream(laws.parse(data), 0)


def test_an_inherited_description_keeps_its_flags(a3s: Bench, pipe: list[int]) -> None:
    script = [text("so", *BIG[:10])]
    run = a3s.spawn("run", "go", script=script, stdin=pipe[0], stdout=pipe[1], laws="none")
    assert run.finish().status == 0
    for end in pipe:
        assert not fcntl.fcntl(end, fcntl.F_GETFL) & os.O_NONBLOCK


def test_a_file_is_appended_to(a3s: Bench) -> None:
    run = a3s.shell(f"echo before > out; {RUN} >> out", script=[text("yo")])
    assert run.finish().status == 0
    first, _, rest = (a3s.work / "out").read_bytes().partition(b"\n")
    assert first == b"before"
    laws.check_stream(laws.parse(rest), 0)


def test_a_terminal_gets_pretty_and_a_pipe_json(a3s: Bench) -> None:
    ours, theirs = os.openpty()
    run = a3s.spawn("run", "go", script=[text("yo")], stdout=theirs, laws="none")
    assert run.finish().status == 0
    os.close(theirs)
    shown = _read_until(ours, b"yo")
    os.close(ours)
    assert b'{"type"' not in shown
    assert a3s("run", "go", script=[text("yo")]).types[0] == "start"
