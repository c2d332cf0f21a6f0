"""Measure what the guard of a large workspace costs a command.

    python -m benchmarks.guarded_tree [ROUNDS [FILES]]

A command that does nothing is run confined in a repository of 150,000 files and in an
empty directory: its first call, before which everything is recorded, and later ones,
after which nothing has changed. What the tree costs is the difference; wanted are at
most 300 ms at first and 50 ms later. Beside it stand `find` and `git status` in the same
tree, of the same round, and the ratio to them. A round before the first is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from a3s_cli.sandbox.bwrap import Bubblewrap
from a3s_cli.sandbox.probe import Probe

#: Files in a directory, and directories in one.
WIDE = 12
#: Later calls of a round.
CALLS = 5
PATH = os.environ.get("PATH", "/usr/bin:/bin")


def grow(root: Path, files: int) -> None:
    """Create a repository with so many files, a directory for every few of them."""
    root.mkdir()
    for number in range(-(-files // WIDE)):
        directory = root / f"a{number // WIDE // WIDE}" / f"b{number // WIDE % WIDE}" / f"c{number}"
        directory.mkdir(parents=True)
        for name in range(min(WIDE, files - number * WIDE)):
            (directory / f"f{name}.py").touch()
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-c", "gc.auto=0"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=root, check=True)


async def calls(program: str, workspace: Path, number: int) -> list[float]:
    """Return the seconds of the first calls of a run in a workspace that was never seen."""
    took = []
    with tempfile.TemporaryDirectory() as state:
        environment = {"PATH": PATH, "HOME": state, "XDG_STATE_HOME": state}
        sandbox = Bubblewrap([str(workspace)], program=program, environment=environment)
        for _ in range(number):
            began = time.perf_counter()
            await sandbox.run(
                ["true"],
                cwd=workspace,
                environment={"PATH": PATH},
                timeout=60.0,
                receive=_ignore,
            )
            took.append(time.perf_counter() - began)
        sandbox.close()
    return took


async def _ignore(_: bytes) -> None:
    pass


def timed(argv: Sequence[str], directory: Path) -> float:
    """Return the seconds of a program in a directory."""
    began = time.perf_counter()
    subprocess.run(argv, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(root: Path, program: str, files: int, rounds: int) -> None:
    """Measure in turn, and print."""
    tree, empty = root / "tree", root / "empty"
    grow(tree, files)
    empty.mkdir()
    first, later, found, status = list[float](), list[float](), list[float](), list[float]()
    for number in range(rounds + 1):
        small = asyncio.run(calls(program, empty, 1 + CALLS))
        large = asyncio.run(calls(program, tree, 1 + CALLS))
        seconds = timed(["find", "."], tree), timed(["git", "status", "-s"], tree)
        if number:
            first.append(large[0] - small[0])
            later.append(statistics.median(large[1:]) - statistics.median(small[1:]))
            found.append(seconds[0])
            status.append(seconds[1])
    print(f"{files:,} files, {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    print(f"`find`: {_shown(found)}; `git status`: {_shown(status)}")
    for name, values in (("first call", first), ("later call", later)):
        ratios = " and ".join(
            f"{statistics.median(one / two for one, two in zip(values, others, strict=True)):.2f}×"
            for others in (found, status)
        )
        print(f"{name}: {_shown(values)} more than in an empty directory, {ratios} of these")


def _shown(values: Sequence[float]) -> str:
    low, high = 1000 * min(values), 1000 * max(values)
    return f"{1000 * statistics.median(values):.0f} ms ({low:.0f}–{high:.0f})"


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure what the guard of a large tree costs.")
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("files", type=int, nargs="?", default=150_000)
    options = parser.parse_args()
    probe = Probe(os.environ, Path.cwd())
    if not probe.answer(10) or probe.program is None:
        raise SystemExit(f"no sandbox here: {probe.reason}")
    with tempfile.TemporaryDirectory(prefix="a3s-bench-", dir=Path.home()) as root:
        measure(Path(root), probe.program, options.files, options.rounds)


if __name__ == "__main__":
    main()
