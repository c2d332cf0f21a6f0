"""Score the embedded model on small jobs, through the real command line.

    python -m evaluation.local_tasks [--model NAME] [--set NAME] [--seeds N] [--only N] [--verbose]

Each task gets a fresh directory and one `a3s run`; what counts is what is in the
directory, what the tools printed, and what was answered. It is an evaluation and not a
test: its result is a score, printed as a table, and nothing else is written anywhere.

The set `everyday` has thirty jobs that a seed varies: names, numbers and how they are
said. With several seeds the score is their mean and comes with its spread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess  # noqa: TID251  # not a part of a3s: it runs a3s
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from .changes import everyday
from .held_out import THIRD
from .paraphrased import FOURTH
from .tasks import FIRST, SECOND, Outcome, Task

SETS: dict[str, Callable[[int], Sequence[Task]]] = {
    "first": lambda _: FIRST,
    "second": lambda _: SECOND,
    "third": lambda _: THIRD,
    "paraphrased": lambda _: FOURTH,
    "everyday": everyday,
}
#: Seconds for one task, on a machine that may be slow and busy.
TIMEOUT = 900


class Attempt(NamedTuple):
    """Whether a task was done, how, and the seconds to the first text or call."""

    done: bool
    story: list[str]
    first: float


def main() -> None:
    """Run the tasks and print the score."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.local_tasks")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", metavar="NAME")
    parser.add_argument("--set", default="everyday", choices=SETS)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="run N variants")
    parser.add_argument("--from-seed", type=int, default=1, metavar="S", help="the first seed")
    parser.add_argument("--only", metavar="N,…", help="only these tasks, counted from 1")
    parser.add_argument("--keep-alive", default="0s", metavar="TIME", help="keep the model loaded")
    parser.add_argument("--verbose", action="store_true", help="show what happened in each task")
    options = parser.parse_args()
    scores, firsts = [], []
    for seed in range(options.from_seed, options.from_seed + options.seeds):
        chosen = list(enumerate(SETS[options.set](seed), 1))
        if options.only:
            chosen = [chosen[int(number) - 1] for number in options.only.split(",")]
        passed = 0
        for number, task in chosen:
            began = time.monotonic()
            attempt = attempted(task, options.model, options.keep_alive)
            passed += attempt.done
            firsts.append(attempt.first)
            seconds = time.monotonic() - began
            verdict = "pass" if attempt.done else "FAIL"
            print(f"{number:3}  {task.name:24} {verdict} {seconds:7.1f} s", flush=True)
            if options.verbose or not attempt.done:
                story = [f"asked: {task.prompt}", *attempt.story]
                print("".join(f"       {line}\n" for line in story), end="", flush=True)
        scores.append(passed)
        print(f"{options.model}, {options.set}, seed {seed}: {passed} of {len(chosen)}", flush=True)
    print(
        f"mean {mean(scores):.1f}, from {min(scores)} to {max(scores)}; "
        f"first text or call after {median(firsts):.1f} s (median)"
    )


def attempted(task: Task, model: str, keep_alive: str) -> Attempt:
    """Do a task; say whether it was done, and how."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        for path, content in task.files.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        events = run(task.prompt, model, directory, keep_alive)
        last = events[-1] if events else {}
        outcome = Outcome(
            directory,
            last.get("text", ""),
            tuple(event["toolName"] for event in events if event["type"] == "tool_start"),
            tuple(event["toolOutput"] for event in events if event["type"] == "tool_end"),
        )
        try:
            done = last.get("type") == "end" and task.check(outcome)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return Attempt(False, [*told(events), f"check: {error}"], first(events))
        return Attempt(done, told(events), first(events))


def run(prompt: str, model: str, directory: Path, keep_alive: str) -> list[dict[str, Any]]:
    """Run one prompt in a directory; give its events."""
    command = [sys.executable, "-m", "a3s_cli", "run", "-m", f"local/{model}", "-o", "json"]
    kept = ("--keep-alive", keep_alive) if keep_alive != "0s" else ()
    try:
        done = subprocess.run(
            [*command, "--allow-all", "--no-project", "--no-session", *kept, prompt],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    return [json.loads(line) for line in done.stdout.splitlines()]


def first(events: list[dict[str, Any]]) -> float:
    """Return the seconds from `start` to the first text or call; the time limit for none."""
    for event in events:
        if event["type"] in ("text_delta", "tool_start"):
            return float(event["ts"] - events[0]["ts"]) / 1000
    return float(TIMEOUT)


def told(events: list[dict[str, Any]]) -> list[str]:
    """Tell what happened, a line for each step."""
    story = []
    for event in events:
        match event["type"]:
            case "tool_start":
                story.append(f"{event['toolName']} {json.dumps(event['toolInput'])}")
            case "tool_end":
                story.append(f"  {event['toolOutput'][:200]!r}")
            case "end":
                story.append(f"answer: {event['text']!r}")
            case "error":
                story.append(f"error: {event['error']}")
    return story or ["nothing within the time"]


if __name__ == "__main__":
    main()
