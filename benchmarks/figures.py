"""Figures: how they are gathered so that noise does not decide, and how they are printed.

Everything that is compared runs in turn, A B C A B C, because a machine that is
busy for a minute is busy for all of them then. A ratio is formed within a round,
and the median of the ratios is what counts; a difference likewise.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .place import Failed, Seen

#: From seconds and bytes to what is printed.
_UNITS: dict[str, tuple[float, str]] = {
    "s": (1000, "ms"),
    "MB": (1e-6, "MB"),
    "B": (1, "B"),
    "/s": (1, "/s"),
    "x": (1, "×"),
    "": (1, ""),
    "instructions": (1e-6, "M"),
}


@dataclass(frozen=True)
class Figure:
    """One cell of the table."""

    part: str
    row: str
    name: str
    unit: str
    values: tuple[float, ...]
    #: Against the bare interpreter, or whatever the part compares with, of the same round.
    ratios: tuple[float, ...] = ()
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.ratios else None

    def text(self) -> str:
        """Return the table's cell: ratio, median, and the range of several measurements."""
        factor, unit = _UNITS[self.unit]
        low, high = (_short(factor * edge(self.values)) for edge in (min, max))
        words = [_short(factor * self.median), unit]
        if low != high and self.unit != "/s":  # near nothing, a quotient may be anything
            words.append(f"({low}–{high})")
        if self.ratio is not None:
            words.insert(0, f"**{_short(self.ratio)}×**")
        return " ".join(word for word in (*words, self.note) if word)

    def json(self) -> dict[str, Any]:
        """Return the figure as values for JSON."""
        return {**asdict(self), "median": self.median, "ratio": self.ratio}


@dataclass
class Report:
    """Everything that was measured, and what could not be."""

    figures: list[Figure] = field(default_factory=list)
    #: Why a row has no figures: (part, row) to a sentence.
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    #: What is wanted of a3s: (part, name) to words.
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    #: A sentence under the title of a part.
    about: dict[str, str] = field(default_factory=dict)

    def add(self, part: str, row: str, name: str, unit: str, values: Sequence[float], *,
            against: Sequence[float] = (), note: str = "") -> None:  # fmt: skip
        """Add a figure, with its ratios to other values of the same rounds; none of no values."""
        if not values:
            return
        ratios = tuple(one / other for one, other in zip(values, against, strict=False))
        self.figures.append(Figure(part, row, name, unit, tuple(values), ratios, note))

    def markdown(self) -> str:
        """Return a table for each part, in the order of the figures."""
        parts = dict.fromkeys([figure.part for figure in self.figures])
        parts |= dict.fromkeys(part for part, _ in self.failures)
        return "\n".join(self._table(part) for part in parts)

    def failed(self) -> list[dict[str, str]]:
        """Return the failures as values for JSON."""
        return [
            {"part": part, "row": row, "why": why} for (part, row), why in self.failures.items()
        ]

    def _table(self, part: str) -> str:
        figures = [figure for figure in self.figures if figure.part == part]
        names = list(dict.fromkeys(figure.name for figure in figures))
        rows = dict.fromkeys(figure.row for figure in figures)
        cells = {(figure.row, figure.name): figure.text() for figure in figures}
        lines = [["", *names], ["---"] * (len(names) + 1)]
        lines += [[row, *(cells.get((row, name), "–") for name in names)] for row in rows]
        if any((part, name) in self.wanted for name in names):
            wanted = (self.wanted.get((part, name), "") for name in names)
            lines.append(["*wanted of a3s*", *wanted])
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        failed = [f"- {row}: {why}" for (where, row), why in self.failures.items() if where == part]
        about = [self.about[part], ""] if part in self.about else []
        table = [text, ""] if names else []
        return "\n".join([f"### {part}", "", *about, *table, *failed, *([""] if failed else [])])


def interleaved(
    jobs: Mapping[str, Callable[[], Seen]], rounds: int
) -> tuple[dict[str, list[Seen]], dict[str, str]]:
    """Run all jobs in turn; give what was seen of each, and why some failed.

    A round before the first is not counted: it fills caches, and shows what fails.
    """
    seen: dict[str, list[Seen]] = {name: [] for name in jobs}
    failures: dict[str, str] = {}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            if name in failures:
                continue
            _progress(f"{number}/{rounds} {name}")
            try:
                found = job()
            except Failed as error:
                failures[name] = str(error)
                del seen[name]
            else:
                if number:
                    seen[name].append(found)
    _progress("")
    return seen, failures


def _short(number: float) -> str:
    """Return a number with three digits, or all that precede the point."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _progress(text: str) -> None:
    """Show on a terminal what is being done."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
