"""Score the embedded model on small jobs, through the real command line.

    python -m evaluation.local_tasks [--model NAME] [--set NAME] [--only N] [--verbose]

Each task gets a fresh directory and one `a3s run`; what counts is what is in the
directory and what was answered. It is an evaluation and not a test: its result
is a score, printed as a table, and nothing else is written anywhere.
"""

from __future__ import annotations

import argparse
import json
import subprocess  # noqa: TID251  # not a part of a3s: it runs a3s
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .held_out import THIRD
from .tasks import FIRST, SECOND, Outcome, Task

SETS = {"first": FIRST, "second": SECOND, "third": THIRD}
#: Seconds for one task, on a machine that may be slow and busy.
TIMEOUT = 900


def main() -> None:
    """Run the tasks and print the score."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.local_tasks")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", metavar="NAME")
    parser.add_argument("--set", default="first", choices=SETS)
    parser.add_argument("--only", type=int, metavar="N", help="only task N, counted from 1")
    parser.add_argument("--verbose", action="store_true", help="show what happened in each task")
    options = parser.parse_args()
    chosen = list(enumerate(SETS[options.set], 1))
    if options.only:
        chosen = [chosen[options.only - 1]]
    passed = 0
    for number, task in chosen:
        began = time.monotonic()
        done, story = attempt(task, options.model)
        passed += done
        seconds = time.monotonic() - began
        verdict = "pass" if done else "FAIL"
        print(f"{number:3}  {task.name:24} {verdict} {seconds:7.1f} s", flush=True)
        if options.verbose or not done:
            print("".join(f"       {line}\n" for line in story), end="", flush=True)
    print(f"{options.model}, {options.set} set: {passed} of {len(chosen)}")


def attempt(task: Task, model: str) -> tuple[bool, list[str]]:
    """Do a task; say whether it was done, and how."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        for path, content in task.files.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        events = run(task.prompt, model, directory)
        last = events[-1] if events else {}
        tools = tuple(event["toolName"] for event in events if event["type"] == "tool_start")
        outcome = Outcome(directory, last.get("text", ""), tools)
        try:
            done = last.get("type") == "end" and task.check(outcome)
        except (OSError, ValueError) as error:
            return False, [*told(events), f"check: {error}"]
        return done, told(events)


def run(prompt: str, model: str, directory: Path) -> list[dict[str, Any]]:
    """Run one prompt in a directory; give its events."""
    command = [sys.executable, "-m", "a3s_cli", "run", "-m", f"local/{model}", "-o", "json"]
    try:
        done = subprocess.run(
            [*command, "--allow-all", "--no-project", prompt],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    return [json.loads(line) for line in done.stdout.splitlines()]


def environment() -> dict[str, str]:
    """Return an environment in which `a3s` is this checkout."""
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


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
