"""How soon the embedded model answers, and how fast: cold, warm and kept.

    python -m benchmarks.local_model [--model NAME] [--prompt TEXT]

- cold: nothing of the weights in the page cache, no state kept of the instructions
- warm: the next run of the same machine
- kept: a run that finds the server of the one before (`--keep-alive`)

Each is one run of the real program in an empty directory. The first token is the first
text or call; the speed is that of the answer's tokens behind it. Other programs make both
worse, so the load of the machine is printed with them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess  # not a part of a3s: it runs a3s
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from a3s_cli.local import weights

KEEP = ("--keep-alive", "5s")
PROMPT = "Count from one to twelve in words, separated by commas."


class Measured(NamedTuple):
    """Seconds to the first token and to the end, and the tokens of the answer per second."""

    first: float
    total: float
    speed: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_model")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", metavar="NAME")
    parser.add_argument("--prompt", default=PROMPT, metavar="TEXT")
    options = parser.parse_args()
    path = weights.installed(options.model, os.environ)
    if path is None:
        parser.error(f"a3s models pull {options.model}")
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name, "a3s", "models")
        cache.mkdir(parents=True)
        (cache / path.name).symlink_to(path)
        evict(path)
        load = os.getloadavg()[0]
        print(f"{options.model}, {os.cpu_count()} processors, load {load:.1f}")
        print("        first token    tokens/s    whole run")
        for label, flags in (("cold", ()), ("warm", ()), ("", KEEP), ("kept", KEEP)):
            found = measured(options.model, options.prompt, Path(name), flags)
            if label:
                print(f"{label:6} {found.first:10.2f} s {found.speed:10.1f} {found.total:10.2f} s")


def evict(path: Path) -> None:
    """Take a file out of the page cache, as far as no one else has it mapped."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def measured(model: str, prompt: str, cache: Path, flags: tuple[str, ...]) -> Measured:
    """Run one prompt, and take the times at which its events arrive."""
    command = [sys.executable, "-m", "a3s_cli", "run", "-m", f"local/{model}", "-o", "json"]
    began = time.monotonic()
    arrived: list[tuple[float, dict[str, Any]]] = []
    with (
        tempfile.TemporaryDirectory() as directory,
        subprocess.Popen(
            [*command, "--no-session", "--no-project", *flags, prompt],
            cwd=directory,
            env={
                **os.environ,
                "XDG_CACHE_HOME": str(cache),
                "PYTHONPATH": str(Path(__file__).parent.parent),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            arrived.append((time.monotonic() - began, json.loads(line)))
    if not arrived or arrived[-1][1]["type"] != "end":
        raise SystemExit(f"the run has failed: {arrived[-1:]}")
    shown = [at for at, event in arrived if event["type"] in ("text_delta", "tool_start")]
    tokens = next(event for _, event in arrived if event["type"] == "turn_end")
    seconds = max(shown[-1] - shown[0], 0.001)
    count = tokens["usage"]["outputTokens"]
    return Measured(shown[0], arrived[-1][0], max(count - 1, 0) / seconds)


if __name__ == "__main__":
    main()
