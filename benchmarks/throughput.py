"""Throughput: many deltas, and much output of a command, beyond what the start-up costs."""

from __future__ import annotations

from collections.abc import Sequence

from .agents import Agent
from .figures import Report, interleaved
from .place import Place, Seen
from .replies import Scenario

PART = "Throughput"
#: Bytes in a line of the command, with its newline.
LINE = 50


def measure(  # noqa: PLR0913 - the sizes are what a test makes small
    report: Report, place: Place, agents: Sequence[Agent], rounds: int, deltas: int, lines: int
) -> None:
    """Stream an answer and a command's output through each agent, next to an answer of one word."""
    jobs = {}
    command = f"yes {'x' * (LINE - 1)} | head -n {lines}"
    for agent in agents:
        jobs[f"{agent.name} one word"] = agent.ask(place, "word", Scenario())
        jobs[f"{agent.name} deltas"] = agent.ask(place, "deltas", Scenario(words=deltas))
        if agent.shell:
            jobs[f"{agent.name} command"] = agent.command(place, "command", command)
    seen, failures = interleaved(jobs, rounds)
    report.failures |= {(PART, job): why for job, why in failures.items()}
    for agent in agents:
        words = seen.get(f"{agent.name} one word", [])
        _deltas(report, agent.name, words, seen.get(f"{agent.name} deltas", []), deltas)
        _command(report, agent.name, words, seen.get(f"{agent.name} command", []), lines)


def flat(report: Report, place: Place, agent: Agent, few: int, many: int) -> None:
    """Compare the memory that a long answer takes with that of one a hundred times as long."""
    jobs = {
        str(number): agent.ask(place, f"deltas-{number}", Scenario(words=number))
        for number in (few, many)
    }
    seen: dict[str, Seen] = {}
    for name, job in jobs.items():
        seen[name] = job()
    small, big = seen[str(few)], seen[str(many)]
    name = f"peak memory, {many:,} deltas"
    report.add(PART, agent.name, name, "MB", [big.peak], against=[small.peak])


def _deltas(
    report: Report, row: str, words: Sequence[Seen], runs: Sequence[Seen], deltas: int
) -> None:
    beyond = _beyond(words, runs)
    report.add(PART, row, f"{deltas:,} deltas", "s", beyond, note="beyond start-up")
    report.add(PART, row, "deltas/s", "/s", [deltas / each for each in beyond])
    cpu = _beyond(words, runs, "cpu")
    report.add(PART, row, "deltas per CPU second", "/s", [deltas / each for each in cpu])
    sizes = [
        (run.bytes - word.bytes) / (deltas - 1) for word, run in zip(words, runs, strict=False)
    ]
    report.add(PART, row, "stdout for each", "B", sizes)
    report.add(PART, row, "peak memory", "MB", [one.peak for one in runs])


def _command(
    report: Report, row: str, words: Sequence[Seen], runs: Sequence[Seen], lines: int
) -> None:
    name = f"command, {lines:,} lines"
    report.add(PART, row, name, "s", _beyond(words, runs), note="beyond start-up")
    report.add(PART, row, "CPU for it", "s", _beyond(words, runs, "cpu"))
    size = LINE * lines
    sizes = [run.bytes / size for run in runs]
    report.add(PART, row, "stdout for its output", "x", sizes)
    report.add(PART, row, "peak memory, command", "MB", [one.peak for one in runs])


def _beyond(words: Sequence[Seen], runs: Sequence[Seen], what: str = "whole") -> list[float]:
    """Give what each run took beyond an answer of one word in its round; never nothing."""
    pairs = zip(words, runs, strict=False)
    return [max(getattr(run, what) - getattr(word, what), 1e-3) for word, run in pairs]
