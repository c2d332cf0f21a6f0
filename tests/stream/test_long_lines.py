"""A line without an end costs a reader of recordings no more than its ceiling."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the measured program is a child of a child
import sys
from pathlib import Path

import pytest

from a3s_cli.stream.reader import LONGEST, lines_of

from ..support.a3s import Bench

#: Says the status of a command and the most kilobytes that it had in memory.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(done.stdout + done.stderr)
"""


@pytest.fixture
def giant(tmp_path: Path) -> Path:
    """A recording whose second line is 200 MB of one string."""
    path = tmp_path / "giant.ndjson"
    with path.open("wb") as file:
        file.write(b'{"type":"start","seq":0,"ts":0,"schemaVersion":1,"version":"1","runId":"r"}\n')
        file.write(b'{"type":"text_delta","seq":1,"ts":0,"text":"')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n')
    return path


@pytest.mark.parametrize("command", [["audit"], ["replay", "-o", "raw"]], ids=["audit", "replay"])
def test_a_giant_line_is_refused_cheaply(a3s: Bench, giant: Path, command: list[str]) -> None:
    program = [sys.executable, "-m", "a3s_cli", *command, str(giant)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *program],
        env=a3s.environment(None), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    figures, _, said = done.stdout.partition("\n")
    status, kilobytes = map(int, figures.split())
    assert status == 65
    assert "longer than 16 MiB" in said
    assert kilobytes < 150_000


def test_lines_are_told_apart_whatever_their_length(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for length in (LONGEST - 1, LONGEST, LONGEST + 1, 2 * LONGEST):
        path.write_bytes(b"a\n" + b"b" * length + b"\nc\nd")
        with path.open("rb") as file:
            first, long, *rest = lines_of(file)
        assert (first, rest) == (b"a\n", [b"c\n", b"d"])
        assert long == (b"b" * length + b"\n")[:LONGEST]
