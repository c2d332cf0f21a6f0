"""Measure a3s and the agents that are installed, and print a table.

python -m benchmarks [PART…]     startup, editor, throughput, growth, instructions; or api,
                                 objects, batch, decisions, mcp, guard
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import editor, growth, instructions, isolation, startup, throughput
from .agents import Agent, a3s
from .figures import Report
from .peers import PEERS
from .place import Failed, Place

PARTS = ("startup", "editor", "throughput", "growth", "instructions")
#: Measured in this process, each by a script of its own.
SCRIPTS = {
    "api": "api_streams",
    "batch": "batch",
    "decisions": "decisions",
    "objects": "object_growth",
    "mcp": "mcp_servers",
    "guard": "guarded_tree",
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure a3s, and the agents on PATH beside it."
    )
    parser.add_argument(
        "part",
        nargs="*",
        help=f"some of {', '.join(PARTS)} (default: these), or {', '.join(SCRIPTS)}",
    )
    here = Path(sys.executable).with_name("a3s")
    parser.add_argument("--a3s", type=Path, default=here, help="the a3s to measure (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of everything (%(default)s)")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only this agent; may recur"
    )
    parser.add_argument("--no-peers", action="store_true", help="a3s alone")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="part of the sizes to measure with"
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"), help="(%(default)s)")
    parser.add_argument("--commit", action="store_true", help="write benchmarks/instructions.json")
    options = parser.parse_args()
    for part in options.part:
        if part not in PARTS and options.part[0] not in SCRIPTS:
            parser.error(f"no part {part!r}: {', '.join(PARTS)}, or one of {', '.join(SCRIPTS)}")
    return options


def main() -> int:
    """Measure and print; the status is 1 if a figure of a3s is missing."""
    options = arguments()
    if options.part[:1] and options.part[0] in SCRIPTS:
        module = f"benchmarks.{SCRIPTS[options.part[0]]}"
        os.execv(sys.executable, [sys.executable, "-m", module, *options.part[1:]])
    if not options.no_peers and not isolation.isolated():
        isolation.enter()  # does not return if it can
    agents = chosen(options)
    about = machine(options)
    print(f"{about['date']}, {about['machine']}, Python {about['python']}; ", end="")
    print(f"rounds: {about['rounds']}, load: {about['load']:.1f}\n", flush=True)
    figures: list[dict[str, Any]] = []
    failures: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="a3s-bench-") as root, Place(Path(root)) as place:
        for part in options.part or PARTS:
            report = Report()
            measure(part, report, place, agents, options)
            # What is measured is shown: the next part may take minutes, and may be interrupted.
            print(report.markdown(), flush=True)
            figures += [figure.json() for figure in report.figures]
            failures += report.failed()
            value = {**about, "figures": figures, "failures": failures}
            options.json.write_text(json.dumps(value, indent=1) + "\n")
    return 1 if any(one["row"].startswith(("a3s ", "a3s,")) for one in failures) else 0


def chosen(options: argparse.Namespace) -> list[Agent]:
    """Return the agents to measure: a3s, and the peers that are found."""
    ours = a3s(options.a3s)
    if options.no_peers or not isolation.isolated():
        return [ours]
    found = [ours, *(peer for each in PEERS if (peer := each.found()))]
    return [agent for agent in found if not options.only or agent.name in options.only]


def measure(
    part: str, report: Report, place: Place, agents: list[Agent], options: argparse.Namespace
) -> None:
    """Measure one part; what fails is said in the report and stops nothing else."""

    def sized(number: int, least: int) -> int:
        return max(least, int(number * options.scale))

    rounds, python = options.rounds, interpreter(options.a3s)
    ours = [agent for agent in agents if agent.name == "a3s"]
    deltas = sized(20_000, 10)
    steps: list[Callable[[], None]] = []
    if part == "startup":
        steps.append(lambda: startup.measure(report, place, python, agents, rounds))
    elif part == "editor":
        steps.append(lambda: editor.measure(report, place, agents, rounds))
    elif part == "throughput":
        lines = sized(200_000, 10)
        steps.append(lambda: throughput.measure(report, place, agents, rounds, deltas, lines))
    elif part == "growth" and ours:
        turns, many = sized(200, 4), sized(10_000, 11)
        steps.append(lambda: growth.turns(report, place, ours[0], rounds, turns))
        steps.append(lambda: growth.sessions(report, place, ours[0], python, rounds, many))
        steps.append(lambda: growth.memory(report, place, ours[0], deltas))
    elif ours:
        commit = options.commit
        steps.append(lambda: instructions.measure(report, place, ours[0], python, commit=commit))
    for number, step in enumerate(steps, 1):
        try:
            step()
        except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
            report.failures[part.capitalize(), f"a3s, step {number}"] = str(error)


def interpreter(program: Path) -> str:
    """Return a program's interpreter, which is run alone for comparison."""
    with open(program, "rb") as file:
        first = file.readline().decode(errors="replace")
    path = first.removeprefix("#!").strip()
    return path if first.startswith("#!") and "python" in path else sys.executable


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """Say when and where this was."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {system}, {platform.machine()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "rounds": options.rounds,
    }


if __name__ == "__main__":
    sys.exit(main())
