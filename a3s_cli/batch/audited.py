"""What an audit of a batch's directory reads: its journals, and the recordings of its runs.

A journal is held against itself: its chain, and that every result belongs to an attempt
that was begun. The head of each recorded run stands in the journal, so that a recording
that was changed, cut or removed is found out. A run that was interrupted has no end, which
is no fault of its recording; what it did is judged all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..audit.chain import Chain
from ..audit.policy_file import AuditRule
from ..audit.verdict import Totals, Verdict, judge
from ..fingerprint import fingerprint
from ..jsontext import has_lone_surrogate, loads
from ..stream.reader import Line, Problem, lines_of
from .item import file_name
from .journal import wrong_field
from .results import journals


def verdicts(directory: Path, rules: Sequence[AuditRule], verify: bool | None) -> Iterator[Verdict]:
    """Yield the verdict on each journal of a batch, and on each recorded run."""
    for path in journals(directory):
        reading = _Reading(path)
        yield reading.verdict(verify)
        yield from reading.recordings(rules, verify)


class _Reading:
    """One journal, read to its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chain = Chain()
        self._problems: list[Problem] = []
        self._chained: list[Problem] = []
        self._patches: list[Problem] = []
        self._lines = 0
        #: The attempts that were begun, each with the head of its recording if it is known.
        self._begun: dict[tuple[str, int], str | None] = {}
        self._ended: set[tuple[str, int]] = set()
        self._totals = Totals(runs=0)
        with path.open("rb") as file:
            for number, data in enumerate(lines_of(file), 1):
                self._take(number, data)

    def _take(self, number: int, data: bytes) -> None:
        self._lines = number
        value: Any = None
        try:
            value = loads(data)
            if has_lone_surrogate(value, data):
                raise ValueError("a string in it contains half a surrogate pair")
        except ValueError as error:
            value = None
            self._problems.append(Problem(number, "", f"not valid JSON: {error}"))
        if not data.endswith(b"\n"):
            self._problems.append(Problem(number, "", "the line is torn: its newline is missing"))
        line = Line(number, data, [], value if isinstance(value, dict) else None)
        self._chained += self._chain.take(line)
        if not isinstance(value, dict):
            return
        if wrong := wrong_field(value):
            self._problems.append(Problem(number, *wrong))
        elif "item" in value:
            self._item(number, value)

    def _item(self, number: int, value: dict[str, Any]) -> None:
        attempt = (value["item"], value.get("attempt", 0))
        kind = value.get("type")
        if kind == "item_start":
            self._begun[attempt] = None
        elif kind in ("item_try", "item_end"):
            self._ended.add(attempt)
            if attempt not in self._begun:
                self._problems.append(Problem(number, "attempt", "this attempt never began"))
            self._begun[attempt] = value.get("recordHead")
            if kind == "item_end":
                self._patch(number, value)
                self._totals.runs = (self._totals.runs or 0) + 1
                self._totals.duration_ms += value.get("durationMs", 0)

    def _patch(self, number: int, value: dict[str, Any]) -> None:
        """Hold the patch of a result against its digest."""
        if "patch" not in value:
            return
        try:
            found = fingerprint((self._path.parent / value["patch"]).read_bytes())
        except OSError as error:
            self._patches.append(Problem(number, "patch", f"{value['patch']}: {error.strerror}"))
            return
        if found != value.get("patchSha256"):
            self._patches.append(Problem(number, "patch", f"{value['patch']} was changed"))

    def verdict(self, verify: bool | None) -> Verdict:
        """Return the verdict on the journal itself."""
        verdict = Verdict(str(self._path), self._totals, [], lines=self._lines)
        problems = list(self._problems)
        if verify is not False:
            problems += self._chained + self._patches + self._chain.finish(None)
            verdict.verified = True
        verdict.problems, verdict.problem_count = problems[:50], len(problems)
        verdict.head = self._chain.head if self._chain.recorded else None
        self._totals.end = "end"
        return verdict

    def recordings(self, rules: Sequence[AuditRule], verify: bool | None) -> Iterator[Verdict]:
        """Yield the verdict on each recorded run."""
        for (item, number), head in self._begun.items():
            path = self._path.parent / "runs" / f"{file_name(item, number)}.ndjson"
            if path.is_file():
                whole = (item, number) in self._ended
                with path.open("rb") as file:
                    lines = lines_of(file) if whole else _whole(lines_of(file))
                    yield judge(
                        lines, str(path), rules, verify=verify, head=head, interrupted=not whole
                    )
            elif head is not None:
                missing = Problem(1, "", "the recording of this run is missing")
                totals = Totals(runs=0)
                yield Verdict(str(path), totals, [], problems=[missing], problem_count=1)


def _whole(lines: Iterator[bytes]) -> Iterator[bytes]:
    return (line for line in lines if line.endswith(b"\n"))
