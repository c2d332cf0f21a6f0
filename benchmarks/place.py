"""Where the programs run: a home of their own, the model, and the watcher.

Nothing of the machine's user is seen: the home, the state and the environment are
empty but for what the table of agents gives. Each program has its home for the
whole series, so that what it prepares once is prepared in the round that warms up.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .replies import MARK, Scenario

#: Seconds after which a program hangs.
PATIENCE = 120.0


class Failed(Exception):
    """A program did not do what was to be measured."""


@dataclass(frozen=True)
class Seen:
    """What one run showed; times in seconds since it was started, sizes in bytes."""

    #: The moment of the first newline on stdout.
    line: float | None
    #: The moment of the mark on stdout.
    text: float | None
    #: The moment of its end.
    whole: float
    #: Seconds of the processor, with the children that it waited for.
    cpu: float
    #: The most memory that a single process of it had.
    peak: int
    #: On stdout.
    size: int
    lines: int
    pid: int
    #: The end of stdout, and all of stderr.
    tail: bytes
    complaints: str


class Place:
    """An empty place in which programs are run, one at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / "work"
        self.work.mkdir()
        self._complaints = root / "stderr"
        module = [sys.executable, "-m", "benchmarks.model"]
        self._model = _child(module, Path(__file__).parent.parent)
        self._port = int(self._model.stdout.readline())  # type: ignore[union-attr]
        watcher = Path(__file__).with_name("watch.py")
        self._watcher = _child([sys.executable, "-I", "-S", "-E", str(watcher)], root)

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for child in (self._watcher, self._model):
            child.communicate(timeout=10)

    def home(self, name: str) -> Path:
        """Return the home of a program; create it if there is none."""
        home = self.root / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        return home

    def url(self, scenario: Scenario) -> str:
        """Return the base URL of a model that does this."""
        return f"http://127.0.0.1:{self._port}/{scenario.path()}"

    def environment(self, name: str, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a program."""
        home = str(self.home(name))
        path = os.environ.get("PATH", "/usr/bin:/bin")
        return {"PATH": path, "HOME": home, "LANG": "C.UTF-8", "TERM": "dumb", **more}

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        *,
        mark: str = MARK,
        kept: int = 4096,
        patience: float = PATIENCE,
    ) -> Seen:
        """Run a program to its end; Failed where it fails or does not show the mark."""
        job = (
            [os.fspath(word) for word in argv],
            dict(environment),
            str(self.work),
            mark.encode(),
            patience,
            str(self._complaints),
            kept,
        )
        assert self._watcher.stdin is not None and self._watcher.stdout is not None
        self._watcher.stdin.write(marshal.dumps(job))
        self._watcher.stdin.flush()
        seen: dict[str, Any] = marshal.load(self._watcher.stdout)
        if "failed" in seen:
            raise Failed(f"cannot be started: {seen['failed']}")
        status, tail = seen.pop("status"), seen["tail"].decode(errors="replace")
        complaints = self._complaints.read_text(errors="replace")
        if seen["whole"] is None:
            raise Failed(f"did not end in {patience:g} s")
        if status:
            last = (complaints.strip() or tail.strip()).splitlines()[-1:] or ["no word"]
            raise Failed(f"exit status {status}: {last[0][:200]}")
        if mark and seen["text"] is None:
            raise Failed("the whole answer is not on its stdout")
        return Seen(**seen, complaints=complaints)


def _child(argv: list[str], directory: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    # In a session of its own: what interrupts the benchmark is not meant for it.
    return subprocess.Popen(argv, cwd=directory, stdin=pipe, stdout=pipe, start_new_session=True)
