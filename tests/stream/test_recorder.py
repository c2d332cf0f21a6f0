"""`--record FILE`: the same lines in a file that tells when it was changed."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, call, stall, text
from ..support.run import Result

NOTHING = hashlib.sha256(b"").hexdigest()


def chain(path: Path) -> list[bytes]:
    """The recorded lines without their `prev`, after checking each against the line before."""
    lines = path.read_bytes().splitlines(keepends=True)
    before, plain = b"", []
    for line in lines:
        event = json.loads(line)
        assert list(event)[-1] == "prev"
        assert event["prev"] == hashlib.sha256(before).hexdigest()
        plain.append(re.sub(rb',"prev":"[0-9a-f]{64}"\}\n$', b"}\n", line))
        before = line
    return plain


def head(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().splitlines(keepends=True)[-1]).hexdigest()


def check(path: Path, result: Result) -> None:
    """A recording is stdout's bytes, but for `prev` and the head that cannot contain itself."""
    *lines, last = result.stdout.splitlines(keepends=True)
    told = f',"recordHead":"{head(path)}"'.encode()
    assert told in last
    assert chain(path) == [*lines, last.replace(told, b"")]


@pytest.fixture
def file(a3s: Bench) -> Path:
    return a3s.root / "run.ndjson"


def test_a_recording_is_the_stream_chained(a3s: Bench, file: Path) -> None:
    script = [
        bash("echo out; echo err >&2; exit 3"),
        bash("rm x"),
        text("a", "é\u2028", "z" * 70000),
    ]
    result = a3s("run", "go", "--record", str(file), "--allow", "bash(echo *)", script=script)
    check(file, result)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


#: A sandbox hides the recording from commands.
UNCONFINED = ("--allow", "bash", "--sandbox", "off")


@pytest.mark.parametrize(
    ("args", "script", "code"),
    [
        (["--allow", "bash", "--max-turns", "1"], [bash("true")], "max_turns"),
        (["--config", "absent.acl"], [], "config"),
        (["--timeout", "1s"], [stall("x")], "timeout"),
    ],
)
def test_every_failure_is_recorded(
    a3s: Bench, file: Path, args: list[str], script: list[Any], code: str
) -> None:
    result = a3s("run", "go", "--record", str(file), *args, script=script)
    assert result.last["code"] == code
    check(file, result)


def test_a_signal_is_recorded(a3s: Bench, file: Path) -> None:
    run = a3s.spawn("run", "go", "--record", str(file), script=[stall("x")])
    run.wait_for("text_delta")
    run.signal(signal.SIGTERM)
    result = run.finish()
    assert result.status == 143
    check(file, result)


def test_a_call_is_recorded_before_it_runs(a3s: Bench, file: Path) -> None:
    """What the tool itself sees of the recording already tells of the tool."""
    script = [bash(f"tail -n 1 {file}", "c1"), text("done")]
    result = a3s("run", "go", "--record", str(file), *UNCONFINED, script=script)
    seen = json.loads(result.output("c1"))
    assert (seen["type"], seen["toolId"]) == ("tool_start", "c1")


def test_the_recording_outlives_the_reader(a3s: Bench, file: Path) -> None:
    line = f'a3s run go -m $MODEL --record {file} | head -n 1; echo "${{PIPESTATUS[0]}}"'
    result = a3s.shell(line, script=[stall("x")]).finish()
    assert result.stdout.splitlines()[-1] == b"141"
    events = [json.loads(line) for line in chain(file)]
    assert events[0]["type"] == "start" and events[-1]["code"] == "cancelled"
    assert [event["seq"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize("form", ["raw", "pretty"])
def test_the_head_is_on_stderr(a3s: Bench, file: Path, form: str) -> None:
    result = a3s("run", "go", "-o", form, "--record", str(file), script=[text("hello")])
    assert result.stderr.decode().endswith(f"a3s: recorded in {file}, head {head(file)}\n")
    assert [json.loads(line)["type"] for line in chain(file)][-1] == "end"
    assert b"hello" in result.stdout and head(file).encode() not in result.stdout


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("there.ndjson", "the file already exists"),
        ("absent/run.ndjson", "No such file or directory"),
        ("", "the file already exists"),
        ("there.ndjson/x", "Not a directory"),
        ("link.ndjson", "the file already exists"),
    ],
)
def test_a_file_that_cannot_be_made(a3s: Bench, name: str, sentence: str) -> None:
    there = a3s.root / "there.ndjson"
    there.write_text("precious\n")
    (a3s.root / "link.ndjson").symlink_to(a3s.root / "target.ndjson")
    path = str(a3s.root / name)
    result = a3s("run", "go", "--record", path, script=[text("x")], laws="none")
    assert (result.status, result.stdout, result.requests) == (2, b"", [])
    assert f"--record {path.rstrip('/')}: {sentence}" in result.stderr.decode()
    assert there.read_text() == "precious\n"
    assert not (a3s.root / "target.ndjson").exists()


def test_a_usage_error_leaves_no_file(a3s: Bench, file: Path) -> None:
    result = a3s("run", "go", "--record", str(file), "--allow", "bahs", laws="none")
    assert result.status == 2 and not file.exists()


# -- a recording that cannot be written ------------------------------------------------


def limited(a3s: Bench, file: Path, blocks: int, script: list[Any], *args: str) -> Result:
    """A run that may write files of so many KiB: the write after that fails."""
    line = f'ulimit -f {blocks}; exec a3s run go -m $MODEL --no-session --record {file} "$@"'
    server = a3s.serve(script)
    command = ["bash", "-c", line, "bash", *args]
    env = {"MODEL": "openai/test-model"}
    return a3s.start(command, server, "whole", True, env=env).finish()


def test_a_failing_write_cancels_the_run(a3s: Bench, file: Path) -> None:
    script = [text("x" * 3000, "y" * 3000), text("never")]
    result = limited(a3s, file, 1, script)
    assert (result.status, result.last["code"]) == (74, "output")
    assert "recordHead" not in result.last
    assert "is lost: File too large" in result.last["error"]


def test_nothing_is_asked_when_even_start_cannot_be_recorded(a3s: Bench, file: Path) -> None:
    result = limited(a3s, file, 0, [text("never")])
    assert result.types == ["start", "error"]
    assert (result.status, result.requests) == (74, [])


@pytest.mark.parametrize("tool", ["bash", "write"])
def test_nothing_runs_that_cannot_be_recorded(a3s: Bench, file: Path, tool: str) -> None:
    ran, long = a3s.work / "ran", "x" * 3000
    asked = {
        "bash": bash(f"touch {ran} # {long}"),
        "write": call("write", {"file_path": str(ran), "content": long}),
    }
    result = limited(a3s, file, 2, [asked[tool]], "--allow", "bash", "--allow", "write")
    assert (result.status, result.last["code"]) == (74, "output")
    assert not ran.exists()


def test_a_terminal_event_that_cannot_be_recorded_fails_the_run(a3s: Bench, file: Path) -> None:
    """`end.text` repeats the deltas, so there is a limit that only the last line exceeds."""
    result = limited(a3s, file, 8, [text("x" * 5000)])
    assert result.types == ["start", "turn_start", "text_delta", "turn_end", "error"]
    assert (result.status, result.last["code"]) == (74, "output")


@pytest.mark.parametrize(
    "command", ["rm {0}", "rm {0}; touch {0}", "echo >> {0}", "truncate -s -1 {0}", "mv {0} {0}.x"]
)
def test_a_recording_that_a_tool_touches_is_lost(a3s: Bench, file: Path, command: str) -> None:
    script = [bash(command.format(file)), text("done")]
    result = a3s("run", "go", "--record", str(file), *UNCONFINED, script=script)
    assert (result.status, result.last["code"]) == (74, "output")
    assert "recordHead" not in result.last


def test_no_child_inherits_the_recording(a3s: Bench, file: Path) -> None:
    script = [bash("ls -l /proc/self/fd", "c1"), text("done")]
    result = a3s("run", "go", "--record", str(file), "--allow", "bash", script=script)
    assert file.name not in result.output("c1")


def test_a_directory_that_may_not_be_written(a3s: Bench) -> None:
    # Not even root may create a file there.
    result = a3s("run", "go", "--record", "/proc/recording", script=[], laws="none")
    assert (result.status, result.stdout) == (2, b"")
