"""Whatever a default-allowed tool is given, the run hears its signals and its deadline."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from a3s_cli.files.wildcards import Wildcard

from ..support.a3s import Bench
from ..support.processes import Work
from ..support.replies import call, text
from ..support.run import HANG

RULES = "".join(f"/d{n}/*/x{n}?[a-z]/**/y{n}\n" for n in range(10_000))


@pytest.fixture
def slow_tree(a3s: Bench) -> Path:
    """Three hundred directories with one file of ten thousand rules, and deep ones below."""
    (a3s.work / "rules").write_text(RULES)
    for number in range(300):
        place = a3s.work / f"d{number}" / "a" / "b"
        place.mkdir(parents=True)
        for directory in (place, place.parent, place.parent.parent):
            os.link(a3s.work / "rules", directory / ".gitignore")
    return a3s.work


SLOW = [
    ("glob", {"pattern": "**/*.py"}),
    ("glob", {"pattern": "**/" * 1000 + "x"}),
    ("glob", {"pattern": "{a,b,**}/" * 6 + "*"}),
    ("glob", {"pattern": "*" * 5000}),
    ("grep", {"pattern": "(a+)+$", "glob": "**/*.py"}),
    ("ls", {"path": "d1/a/b"}),
]


@pytest.mark.parametrize(
    ("tool", "arguments"), SLOW, ids=[f"{t}-{n}" for n, (t, _) in enumerate(SLOW)]
)
def test_a_signal_ends_the_run(
    a3s: Bench, slow_tree: Path, tool: str, arguments: dict[str, str]
) -> None:
    run = a3s.spawn("run", "go", script=[call(tool, arguments), text("done")], laws="whole")
    run.wait_for("tool_start")
    with Work(run.pid) as work:
        run.signal(signal.SIGTERM)
        result = run.finish(HANG)
    assert work.seconds < 1
    # It may have been done before the signal came; then the signal is the run's all the same.
    assert result.last["type"] == "error" or result.last["text"] == "done"
    assert result.last.get("signal", "SIGTERM") == "SIGTERM"


def test_a_deadline_ends_the_run(a3s: Bench, slow_tree: Path) -> None:
    for number in range(3000):
        (slow_tree / f"d{number % 300}" / "a" / f"n{number}").mkdir()
    glob = call("glob", {"pattern": "**/*.none"})
    result = a3s("run", "go", "--timeout", "1s", script=[glob] * 50 + [text("done")])
    assert (result.last["code"], result.last["exitCode"]) == ("timeout", 124)


def test_repeated_stars_cost_nothing() -> None:
    """A pattern of a thousand `**` has the states of one."""
    many, one = Wildcard("**/" * 1000 + "x"), Wildcard("**/x")
    path = ["a"] * 50
    states, fewer = many.start, one.start
    for name in path:
        states, fewer = many.step(states, name), one.step(fewer, name)
        assert states == fewer
    assert many.matches([*path, "x"]) and not many.matches(path)
