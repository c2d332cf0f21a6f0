"""What a look at a tree costs: system calls are counted, never timed."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from a3s_cli.guard.changes import changed
from a3s_cli.guard.scan import Scan

DIRECTORIES, FILES = 60, 50
CALLS = ("lstat", "stat", "scandir", "open", "readlink", "listdir", "is_dir", "lower")


def counted(work: Callable[[], object]) -> Counter[str]:
    found: Counter[str] = Counter()

    def look(_: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in CALLS:
            found[called.__name__] += 1

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(DIRECTORIES):
        directory = tmp_path / f"d{number % 7}" / f"e{number}"
        directory.mkdir(parents=True)
        for name in range(FILES):
            (directory / f"f{name}.py").touch()
    time.sleep(0.05)  # longer than the clock of a file may lag
    return tmp_path


def test_a_look_costs_one_call_for_each_directory(tree: Path) -> None:
    scan = Scan([str(tree)])
    directories = 1 + 7 + DIRECTORIES
    first = counted(scan.look)
    # Beside the one entry in which the system says what an entry is, nothing is asked of a file.
    entries = DIRECTORIES * (FILES + 1) + 7
    assert first == {"lstat": directories, "scandir": directories, "is_dir": entries}
    assert counted(scan.look) == {"lstat": directories}
    (tree / "d0" / "new").touch()
    again = counted(scan.look)
    assert (again["scandir"], again["lstat"]) == (1, directories + 1)


def test_what_has_changed_costs_one_call_for_each_file(tree: Path) -> None:
    scan = Scan([str(tree)])
    scan.look()
    since = time.time_ns()
    looked = counted(lambda: changed(scan.nodes, scan, since))
    assert looked == {"lstat": DIRECTORIES * FILES}
    scan.many = True
    assert counted(lambda: changed(scan.nodes, scan, since)) == {}
