"""The benchmarks: every figure is there, and what cannot be measured is said. No speed counts."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.agents import a3s
from benchmarks.figures import Report, interleaved
from benchmarks.place import Failed, Place
from benchmarks.replies import MARK, WORDS, Scenario

from .support import wires

ROOT = Path(__file__).parent.parent
A3S = Path(sys.executable).with_name("a3s")
#: Counts nothing and runs what it is given, in the process whose number it says.
VALGRIND = '#!/bin/sh\nshift 2\necho "==$$== Collected : 1000" >&2\nexec "$@"\n'
START_UP = "Start-up"
ANSWER = "Throughput: a long answer"
COMMAND = "Throughput: a command's output"
GROWTH = [
    "a turn that reads a file: of the first 2 in 4, of the last 2",
    "`sessions list` with 10 sessions, with 11 (wanted: < 1.5×)",
    "`run --continue` with 10 sessions, with 11 (wanted: < 1.5×)",
    "peak memory, 20 deltas, 2,000 (wanted: flat)",
]
COUNTED = ["python -c pass", "a3s --version", "a3s run, one word"]
EXPECTED = [
    *((START_UP, "a3s", name) for name in ("--version", "--help", "first line", "first text")),
    *((START_UP, "a3s", name) for name in ("whole run", "CPU", "peak memory")),
    *((START_UP, "python -c pass", name) for name in ("whole run", "CPU", "peak memory")),
    *(("Editor", "a3s", name) for name in ("first reply", "gone after stdin", "peak memory")),
    *((ANSWER, "a3s", name) for name in ("beyond start-up", "deltas/s")),
    *((ANSWER, "a3s", name) for name in ("deltas per CPU second", "stdout, a delta")),
    *((ANSWER, "a3s", name) for name in ("stdout, lines", "peak memory")),
    *((COMMAND, "a3s", name) for name in ("beyond start-up", "CPU beyond it")),
    *((COMMAND, "a3s", name) for name in ("stdout, a byte", "peak memory")),
    *(("Growth", row, name) for row in GROWTH for name in ("little", "much")),
    *(("Instructions", row, "now") for row in COUNTED),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as place:
        yield place


def test_every_figure_is_there(tmp_path: Path) -> None:
    valgrind = tmp_path / "valgrind"
    valgrind.write_text(VALGRIND)
    valgrind.chmod(0o755)
    written = tmp_path / "figures.json"
    small = ["--no-peers", "--rounds", "1", "--scale", "0.001", "--json", str(written)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *small],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    value = json.loads(written.read_text())
    assert value["failures"] == []
    figures = value["figures"]
    # What was committed is of one version of Python, perhaps not of this one.
    found = [(one["part"], one["row"], one["name"]) for one in figures]
    assert [one for one in found if one[2] != "committed"] == EXPECTED
    assert all(value > 0 for one in figures for value in one["values"] + one["ratios"])
    lines = {one["row"]: one["values"] for one in figures if one["name"] == "stdout, lines"}
    assert lines == {"a3s": [20 + 4]}  # start, turn_start, turn_end, end
    rows = [line.split(" | ")[0] for line in done.stdout.splitlines() if line.startswith("| ")]
    for row in dict.fromkeys(row for _, row, _ in EXPECTED):
        assert f"| {row}" in rows


@pytest.mark.parametrize("wire", wires.NAMES)
def test_the_model_speaks(wire: str, place: Place) -> None:
    scenario = Scenario(words=4500, turns=2, tool="read", arguments={"file_path": "n{turn}"})
    agent = a3s(A3S)
    argv, environment = agent.asked(place, "wire", scenario)
    config = place.root / "config.acl"
    config.write_text(wires.config(wire, place.url(scenario)))
    for turn in (1, 2):
        (place.work / f"n{turn}").write_text("here\n")
    seen = place.run([*argv, "--config", str(config), "-m", "test/m-1"], environment, kept=1 << 20)
    events = [json.loads(line) for line in seen.tail.splitlines()]
    inputs = [one["toolInput"] for one in events if one["type"] == "tool_start"]
    assert inputs == [{"file_path": "n1"}, {"file_path": "n2"}]
    assert [one["exitCode"] for one in events if one["type"] == "tool_end"] == [0, 0]
    texts = [one["text"] for one in events if one["type"] == "text_delta"]
    assert texts == [*WORDS, *WORDS[:499], MARK]
    assert (seen.lines, seen.size) == (len(events), len(seen.tail))


def test_what_fails_is_said_and_stops_nothing(place: Place) -> None:
    jobs = {
        "a": lambda: place.run(["/bin/sh", "-c", "echo no >&2; exit 3"], {}),
        "b": lambda: place.run(["/bin/echo", "nothing"], {}),
        "c": lambda: place.run(["/nowhere"], {}),
        "d": lambda: place.run(["/bin/echo", MARK], {}),
    }
    seen, failures = interleaved(jobs, 2)
    assert failures == {
        "a": "exit status 3: no",
        "b": "the whole answer is not on its stdout",
        "c": "cannot be started: [Errno 2] No such file or directory: '/nowhere'",
    }
    assert [(one.size, one.lines) for one in seen["d"]] == [(len(MARK) + 1, 1)] * 2
    report = Report(failures={("Part", name): why for name, why in failures.items()})
    assert "- a: exit status 3: no" in report.markdown().splitlines()


def test_what_hangs_is_ended(place: Place) -> None:
    with pytest.raises(Failed, match=r"^did not end in 0.2 s$"):
        place.run(["/bin/sh", "-c", "sleep 600 & wait"], {}, patience=0.2)
    assert place.run(["/bin/echo", MARK], {}).lines == 1
