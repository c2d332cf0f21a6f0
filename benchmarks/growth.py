"""Growth: what a turn costs after many turns, and a start with many sessions on the disk."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .agents import Agent
from .figures import Report, interleaved
from .place import Failed, Place, Seen
from .replies import Scenario

PART = "Growth"
#: Turns at either end that are compared.
ENDS = 20
FEW = 10


def turns(report: Report, place: Place, agent: Agent, rounds: int, number: int) -> None:
    """Compare the first turns of a long run with its last ones, by the times of their events."""
    (place.work / "notes.txt").write_text("a line\n" * number)
    arguments = {"file_path": "notes.txt", "offset": "{turn}", "limit": 1}
    scenario = Scenario(turns=number, tool="read", arguments=arguments)
    more = ("--max-turns", str(number + 1))
    job = agent.ask(place, "turns", scenario, *more, kept=1 << 26)
    seen, failures = interleaved({"turns": job}, rounds)
    report.failures |= {(PART, f"{agent.name} {name}"): why for name, why in failures.items()}
    ends = min(ENDS, number // 2)
    costs = [_costs(run, ends) for run in seen.get("turns", [])]
    report.add(PART, agent.name, f"a turn, first {ends} of {number}", "s", [a for a, _ in costs])
    first = [a for a, _ in costs]
    last = [b for _, b in costs]
    report.add(PART, agent.name, f"a turn, last {ends}", "s", last, against=first)


def sessions(  # noqa: PLR0913
    report: Report, place: Place, agent: Agent, python: str, rounds: int, number: int
) -> None:
    """Compare listing and continuing sessions where there are many with where there are few."""
    jobs = {}
    for many in (FEW, number):
        kind = f"sessions-{many}"
        agent.ask(place, kind, Scenario())()  # the one that is multiplied
        program = Path(__file__).with_name("multiply_sessions.py")
        argv = [python, "-I", str(program), str(place.home(f"{agent.name}-{kind}")), str(many)]
        argv.append(str(place.work))
        made = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
        if made.returncode:
            raise Failed(f"sessions cannot be made: {made.stderr.strip().splitlines()[-1:]}")
        jobs[f"list {many}"] = agent.run(place, "sessions", "list", kind=kind)
        jobs[f"continue {many}"] = agent.ask(place, kind, Scenario(), "--continue")
    seen, failures = interleaved(jobs, rounds)
    report.failures |= {(PART, f"{agent.name} {name}"): why for name, why in failures.items()}
    for what, shown in (("list", "sessions list"), ("continue", "run --continue")):
        few = [one.whole for one in seen.get(f"{what} {FEW}", [])]
        many_ = [one.whole for one in seen.get(f"{what} {number}", [])]
        report.add(PART, agent.name, f"{shown}, {FEW} sessions", "s", few)
        report.add(PART, agent.name, f"{shown}, {number:,}", "s", many_, against=few)


def _costs(run: Seen, ends: int) -> tuple[float, float]:
    """Give the seconds that one of the first turns took, and one of the last."""
    events = [json.loads(line) for line in run.tail.splitlines()]
    begun = [event["ts"] / 1000 for event in events if event["type"] == "turn_start"]
    return (begun[ends] - begun[0]) / ends, (begun[-1] - begun[-1 - ends]) / ends
