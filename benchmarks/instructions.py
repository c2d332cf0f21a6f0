"""Counted instructions: the same on a busy machine, so that a reviewer sees what a change costs.

The figures of the last commit that changed them are in `instructions.json`, with
the version of Python, for they differ between two of them. `--commit` writes
them anew.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from .agents import Agent
from .figures import Report
from .place import Failed, Place
from .replies import MARK, Scenario

PART = "Instructions"
COMMITTED = Path(__file__).with_name("instructions.json")


def measure(report: Report, place: Place, agent: Agent, python: str, *, commit: bool) -> None:
    """Count once; the number varies by less than one in a hundred."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        report.failures[PART, f"{agent.name} run"] = "valgrind is not installed"
        return
    counter = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", python)
    _, environment = agent.asked(place, "instructions", Scenario())
    environment["PYTHONHASHSEED"] = "0"
    version = _version(place, python)
    known = _known(version)
    report.about[PART] = f"By callgrind, Python {version}."
    counted = {}
    for name, arguments in {
        "python -c pass": ["-c", "pass"],
        "a3s --version": [agent.program, "--version"],
        "a3s run, one word": agent.asked(place, "instructions", Scenario())[0],
    }.items():
        mark = MARK if "run" in name else ""
        place.run([python, *arguments], environment, mark=mark)  # what it caches, it caches now
        seen = place.run([*counter, *arguments], environment, mark=mark)
        counted[name] = _collected(seen.complaints, seen.pid)
        note = f"({counted[name] / known[name] - 1:+.1%})" if name in known else ""
        report.add(PART, name, "now", "instructions", [counted[name]], note=note)
        if name in known:
            report.add(PART, name, "committed", "instructions", [known[name]])
    if commit:
        figures = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
        figures[version] = counted
        COMMITTED.write_text(json.dumps(figures, indent=2) + "\n")


def _known(version: str) -> dict[str, int]:
    """Return the committed figures of this version of Python."""
    if not COMMITTED.exists():
        return {}
    figures: dict[str, Any] = json.loads(COMMITTED.read_text())
    return dict(figures.get(version, {}))


def _version(place: Place, python: str) -> str:
    argv = [python, "-c", "import platform; print(platform.python_version())"]
    return place.run(argv, {}, mark="").tail.decode().strip()


def _collected(complaints: str, pid: int) -> int:
    """Return valgrind's count for the process itself, without its children."""
    found = re.search(rf"=={pid}== Collected : (\d+)", complaints)
    if found is None:
        raise Failed("valgrind tells no number")
    return int(found[1])
