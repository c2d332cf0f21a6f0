"""Start-up: from the spawn to the first line, the first text, the end, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .agents import Agent
from .figures import Report, interleaved
from .place import Place, Seen
from .replies import Scenario

PART = "Start-up"
BARE = "python -c pass"
WANTED = {
    "--version": "≤ 5×",
    "--help": "≤ 5×",
    "first line": "≤ 5×",
    "first text": "≤ 12×",
    "whole run": "≤ 13×",
    "peak memory": "≤ 45 MB",
}


def measure(
    report: Report, place: Place, python: str, agents: Sequence[Agent], rounds: int
) -> None:
    """Run everything in turn, beside a bare interpreter."""
    jobs = {BARE: lambda: place.run([python, "-c", "pass"], place.environment("bare", {}), mark="")}
    for agent in agents:
        if not agent.is_library:
            jobs[f"{agent.name} --version"] = agent.run(place, "--version")
            jobs[f"{agent.name} --help"] = agent.run(place, "--help")
        jobs[f"{agent.name} run"] = agent.ask(place, "word", Scenario())
    seen, failures = interleaved(jobs, rounds)
    report.failures |= {(PART, job): why for job, why in failures.items()}
    report.wanted |= {(PART, name): words for name, words in WANTED.items()}
    bare = [one.whole for one in seen[BARE]]
    cpu = [one.cpu for one in seen[BARE]]
    versions: list[str] = []
    for agent in agents:
        for name in ("--version", "--help"):
            ends = [one.whole for one in seen.get(f"{agent.name} {name}", [])]
            report.add(PART, agent.name, name, "s", ends, against=bare)
        said = seen.get(f"{agent.name} --version")
        if said and (number := re.search(rb"\d+\.\d[\w.]*", said[-1].tail)):
            versions.append(f"{agent.name} {number[0].decode()}")
        runs = seen.get(f"{agent.name} run", [])
        lines = [one.line or one.whole for one in runs]
        report.add(PART, agent.name, "first line", "s", lines, against=bare)
        texts = [one.text or one.whole for one in runs]
        report.add(PART, agent.name, "first text", "s", texts, against=bare)
        _whole(report, agent.name, runs, bare, cpu)
    report.about[PART] = f"Versions: {', '.join(versions) or 'unknown'}."
    _whole(report, BARE, seen[BARE], bare, cpu)


def _whole(
    report: Report, row: str, runs: Sequence[Seen], bare: Sequence[float], cpu: Sequence[float]
) -> None:
    report.add(PART, row, "whole run", "s", [one.whole for one in runs], against=bare)
    report.add(PART, row, "CPU", "s", [one.cpu for one in runs], against=cpu)
    report.add(PART, row, "peak memory", "MB", [one.peak for one in runs])
