"""`a3s audit` as a pipeline and a CI job use it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ..audit.streams import bash as called
from ..audit.streams import run
from ..support.a3s import Bench
from ..support.replies import bash, text

POLICY = """
[[rule]]
id = "no-network"
message = "Nothing may be fetched."
must_not = ["bash(curl:*)"]
"""


@pytest.fixture
def files(a3s: Bench) -> Bench:
    """A bench with a policy, and with a clean, a bad and a torn stream."""
    made = {
        "policy.toml": POLICY.encode(),
        "clean.ndjson": b"".join(run(called("ls"))),
        "bad.ndjson": b"".join(run(called("curl a"))),
        "torn.ndjson": b"".join(run(called("ls")))[:-9],
        "empty.ndjson": b"",
    }
    for name, data in made.items():
        (a3s.work / name).write_bytes(data)
    return a3s


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("clean", 0),
        ("bad", 5),
        ("torn", 65),
        ("empty", 65),
        ("clean bad", 5),
        ("bad torn clean", 65),
    ],
)
def test_the_exit_status(files: Bench, names: str, status: int) -> None:
    paths = [f"{name}.ndjson" for name in names.split()]
    result = files("audit", "--policy", "policy.toml", "-o", "json", *paths)
    report = json.loads(result.stdout)
    assert (result.status, report["exitCode"], result.stderr) == (status, status, b"")
    assert [one["name"] for one in report["streams"]] == paths


def test_without_a_policy_only_the_stream_is_judged(files: Bench) -> None:
    assert files("audit", "bad.ndjson").status == 0


@pytest.mark.parametrize("args", [[], ["-"]])
def test_stdin(files: Bench, args: list[str]) -> None:
    data = (files.work / "bad.ndjson").read_bytes()
    result = files("audit", *args, "--policy", "policy.toml", stdin=data)
    assert (result.status, result.stdout.splitlines()[0]) == (5, b"stdin: 1 violation")
    assert files("audit", stdin=b"").status == 65


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["absent.ndjson"], "absent.ndjson: No such file or directory"),
        (["."], ". is not the directory of a batch"),
        (["-", "-"], "stdin can be audited only once"),
        (["clean.ndjson", "--head", "abc"], "--head: expected a SHA-256, 64 hexadecimal digits"),
        (["clean.ndjson", "bad.ndjson", "--head", "0" * 64], "--head belongs to one recording"),
        (["clean.ndjson", "--policy", "clean.ndjson"], "--policy clean.ndjson: not valid TOML: "),
    ],
)
def test_usage(files: Bench, args: list[str], sentence: str) -> None:
    result = files("audit", *args)
    assert (result.status, result.stdout) == (2, b"")
    assert sentence in result.stderr.decode()


def test_a_live_run(files: Bench) -> None:
    """The verdict comes with the end of the run, in one pipeline."""
    gate = threading.Event()
    line = 'a3s run go -m $MODEL --allow bash | a3s audit --policy policy.toml; echo "$?"'
    shell = files.shell(line, script=[bash("true"), text("a", gate, "b")])
    assert shell.server
    shell.server.wait_for_request(2)
    assert bytes(shell._out) == b""
    gate.set()
    first, *_, status = shell.finish().stdout.decode().splitlines()
    assert (first, status) == ("stdin: clean", "0")


def test_a_recording_that_was_edited_is_never_clean(files: Bench) -> None:
    """Nobody has to ask for it, and the report says what was not checked."""
    files("run", "go", "--record", "run.ndjson", script=[text("hi")])
    whole = files("audit", "run.ndjson")
    assert whole.status == 0 and b"chain: verified, head: not given" in whole.stdout
    path = files.work / "run.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"text":"hi"', b'"text":"ho"', 1))
    edited = files("audit", "run.ndjson")
    assert edited.status == 65 and b"edited" in edited.stdout
    ignored = files("audit", "run.ndjson", "--no-verify")
    assert ignored.status == 0 and b"chain: not checked" in ignored.stdout
    plain = files("audit", "clean.ndjson")
    assert plain.status == 0 and b"chain: not checked" in plain.stdout
    assert files("audit", "clean.ndjson", "--verify").status == 65
    both = files("audit", "run.ndjson", "--no-verify", "--head", "0" * 64)
    assert both.status == 2


def test_a_recording_and_its_head(files: Bench) -> None:
    args = ("--record", "run.ndjson", "--allow", "bash")
    ran = files("run", "go", *args, script=[bash("echo a"), text("done")])
    head = ran.last["recordHead"]
    assert files("audit", "run.ndjson", "--verify", "--head", head).status == 0
    assert files("audit", "run.ndjson", "--head", head.upper()).status == 0
    assert files("audit", "run.ndjson", "--head", "0" * 64).status == 65
    file = files.work / "run.ndjson"
    lines = file.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines, 1) if b'"tool_start"' in line)
    lines[number - 1] = lines[number - 1].replace(b"echo a", b"echo b")
    file.write_bytes(b"".join(lines))
    assert files("audit", "run.ndjson").status == 65
    result = files("audit", "run.ndjson", "--head", head, "-o", "json")
    problems = json.loads(result.stdout)["streams"][0]["problems"]
    assert (result.status, [one["line"] for one in problems]) == (65, [number])


def test_replay_shows_a_recording(files: Bench) -> None:
    files("run", "go", "--record", "run.ndjson", script=[text("hello")])
    assert files("replay", "run.ndjson", "-o", "raw").stdout == b"hello\n"


def test_the_step_summary(files: Bench) -> None:
    summary = files.root / "summary.md"
    summary.write_text("before\n")

    def audit(**env: Any) -> int:
        args = ("--policy", "policy.toml", "-o", "github", "bad.ndjson")
        result = files("audit", *args, env=env)
        assert result.stdout.decode() == (
            "::error title=no-network%3A Nothing may be fetched.::"
            "bad.ndjson line 4: bash (c1): bash(curl:*) must not run\n"
            "a3s audit: bad.ndjson: 1 violation\n"
        )
        return result.status

    assert audit() == 5
    assert audit(GITHUB_STEP_SUMMARY=str(summary)) == 5
    assert summary.read_text().startswith("before\n### a3s audit: 1 violation\n")
    assert "curl a" not in summary.read_text()
    assert audit(GITHUB_STEP_SUMMARY=str(files.root / "absent" / "x")) == 74


def test_other_reports_write_no_summary(files: Bench) -> None:
    summary = files.root / "summary.md"
    files("audit", "clean.ndjson", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert not Path(summary).exists()


def test_a_hostile_name_gives_no_order(files: Bench) -> None:
    name = "::error::owned"
    (files.work / name).write_bytes((files.work / "clean.ndjson").read_bytes())
    for form in ("text", "junit", "json", "github"):
        result = files("audit", name, "-o", form)
        assert result.status == 0
        assert not any(line.lstrip().startswith(b"::") for line in result.stdout.splitlines())
