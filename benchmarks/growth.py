"""Growth: what is dear after many turns, with many sessions on the disk, in a long answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .agents import Agent
from .figures import Report, interleaved
from .place import Failed, Place, Seen
from .replies import Scenario

PART = "Growth"
LITTLE, MUCH = "little", "much"
#: Turns at either end that are compared.
ENDS = 20
FEW = 10


def turns(report: Report, place: Place, agent: Agent, rounds: int, number: int) -> None:
    """Compare the first turns of a long run with its last ones, by the times of their events."""
    for turn in range(1, number + 1):  # the same call again and again would be ended as a loop
        (place.work / f"notes-{turn}.txt").write_text("a line\n")
    arguments = {"file_path": "notes-{turn}.txt"}
    scenario = Scenario(turns=number, tool="read", arguments=arguments)
    more = ("--max-turns", str(number + 1))
    job = agent.ask(place, "turns", scenario, *more, kept=1 << 26)
    seen, failures = interleaved({"turns": job}, rounds)
    report.failures |= {(PART, f"{agent.name} {name}"): why for name, why in failures.items()}
    ends = min(ENDS, number // 2)
    costs = [_costs(run, ends) for run in seen.get("turns", [])]
    first, last = [little for little, _ in costs], [much for _, much in costs]
    row = f"a turn that reads a file: of the first {ends} in {number}, of the last {ends}"
    report.add(PART, row, LITTLE, "s", first)
    report.add(PART, row, MUCH, "s", last, against=first)


def sessions(
    report: Report, place: Place, agent: Agent, python: str, rounds: int, number: int
) -> None:
    """Compare listing and continuing sessions where there are many with where there are few."""
    jobs = {}
    for many in (FEW, number):
        kind = f"sessions-{many}"
        agent.ask(place, kind, Scenario())()  # the one that is multiplied
        _multiply(place, python, place.home(f"{agent.name}-{kind}"), many)
        jobs[f"list {many}"] = agent.run(place, "sessions", "list", kind=kind)
        jobs[f"continue {many}"] = agent.ask(place, kind, Scenario(), "--continue")
    seen, failures = interleaved(jobs, rounds)
    report.failures |= {(PART, f"{agent.name} {name}"): why for name, why in failures.items()}
    for what, shown in (("list", "sessions list"), ("continue", "run --continue")):
        little = [run.whole for run in seen.get(f"{what} {FEW}", [])]
        much = [run.whole for run in seen.get(f"{what} {number}", [])]
        row = f"`{shown}` with {FEW} sessions, with {number:,} (wanted: < 1.5×)"
        report.add(PART, row, LITTLE, "s", little)
        report.add(PART, row, MUCH, "s", much, against=little)


def memory(report: Report, place: Place, agent: Agent, deltas: int) -> None:
    """Compare the memory that a long answer takes with that of one a hundred times as long."""
    much = 100 * deltas
    small, big = (
        agent.ask(place, f"deltas-{number}", Scenario(words=number))() for number in (deltas, much)
    )
    row = f"peak memory, {deltas:,} deltas, {much:,} (wanted: flat)"
    report.add(PART, row, LITTLE, "MB", [small.peak])
    report.add(PART, row, MUCH, "MB", [big.peak], against=[small.peak])


def _multiply(place: Place, python: str, home: Path, number: int) -> None:
    program = Path(__file__).with_name("multiply_sessions.py")
    argv = [python, "-I", str(program), str(home), str(number), str(place.work)]
    made = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if made.returncode:
        raise Failed(f"sessions cannot be made: {made.stderr.strip().splitlines()[-1:]}")


def _costs(run: Seen, ends: int) -> tuple[float, float]:
    """Return the seconds of one of the first turns and of one of the last."""
    events = [json.loads(line) for line in run.tail.splitlines()]
    begun = [event["ts"] / 1000 for event in events if event["type"] == "turn_start"]
    return (begun[ends] - begun[0]) / ends, (begun[-1] - begun[-1 - ends]) / ends
