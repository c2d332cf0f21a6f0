"""Throughput: a long answer, and much output of a command, beyond what the start-up costs."""

from __future__ import annotations

from collections.abc import Sequence

from .agents import Agent
from .figures import Report, interleaved
from .place import Place, Seen
from .replies import Scenario

ANSWER = "Throughput: a long answer"
COMMAND = "Throughput: a command's output"
#: Bytes in a line of the command, with its newline.
LINE = 50
WANTED = {
    (ANSWER, "deltas/s"): "≥ 250,000 /s",
    (ANSWER, "stdout, a delta"): "≤ 80 B",
    (COMMAND, "beyond start-up"): "≤ 500 ms",
    (COMMAND, "stdout, a byte"): "≤ 2 ×",
}


def measure(
    report: Report, place: Place, agents: Sequence[Agent], rounds: int, deltas: int, lines: int
) -> None:
    """Stream both through each agent, next to an answer of one word."""
    jobs = {}
    command = f"yes {'x' * (LINE - 1)} | head -n {lines}"
    for agent in agents:
        jobs[f"{agent.name} one word"] = agent.ask(place, "word", Scenario())
        jobs[f"{agent.name} deltas"] = agent.ask(place, "deltas", Scenario(words=deltas))
        if agent.shell:
            jobs[f"{agent.name} command"] = agent.command(place, "command", command)
    seen, failures = interleaved(jobs, rounds)
    for job, why in failures.items():
        report.failures[COMMAND if job.endswith(" command") else ANSWER, job] = why
    report.wanted |= WANTED
    report.about[ANSWER] = (
        f"{deltas:,} deltas of four characters, beyond a run of one word. "
        "A program that writes only a few lines shows the answer as a whole, at its end."
    )
    report.about[COMMAND] = f"{lines:,} lines of {LINE} bytes, beyond a run of one word."
    for agent in agents:
        words = seen.get(f"{agent.name} one word", [])
        _answer(report, agent.name, words, seen.get(f"{agent.name} deltas", []), deltas)
        _command(report, agent.name, words, seen.get(f"{agent.name} command", []), lines)


def _answer(
    report: Report, row: str, words: Sequence[Seen], runs: Sequence[Seen], deltas: int
) -> None:
    beyond, cpu = _beyond(words, runs, "whole"), _beyond(words, runs, "cpu")
    report.add(ANSWER, row, "beyond start-up", "s", beyond)
    report.add(ANSWER, row, "deltas/s", "/s", [deltas / each for each in beyond])
    report.add(ANSWER, row, "deltas per CPU second", "/s", [deltas / each for each in cpu])
    pairs = zip(words, runs, strict=False)
    sizes = [(run.size - word.size) / (deltas - 1) for word, run in pairs]
    report.add(ANSWER, row, "stdout, a delta", "B", sizes)
    report.add(ANSWER, row, "stdout, lines", "", [run.lines for run in runs])
    report.add(ANSWER, row, "peak memory", "MB", [run.peak for run in runs])


def _command(
    report: Report, row: str, words: Sequence[Seen], runs: Sequence[Seen], lines: int
) -> None:
    report.add(COMMAND, row, "beyond start-up", "s", _beyond(words, runs, "whole"))
    report.add(COMMAND, row, "CPU beyond it", "s", _beyond(words, runs, "cpu"))
    sizes = [run.size / (LINE * lines) for run in runs]
    report.add(COMMAND, row, "stdout, a byte", "x", sizes)
    report.add(COMMAND, row, "peak memory", "MB", [run.peak for run in runs])


def _beyond(words: Sequence[Seen], runs: Sequence[Seen], what: str) -> list[float]:
    """Return what each run took beyond its round's one-word answer, at least a millisecond.

    On a busy machine a round may show less than nothing; the median tells.
    """
    pairs = zip(words, runs, strict=False)
    return [max(getattr(run, what) - getattr(word, what), 1e-3) for word, run in pairs]
