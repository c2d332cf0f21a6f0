"""A shard: one of N parts of a batch, each with its own directory, process and machine.

Slurm arrays, indexed jobs of Kubernetes, CI matrices and GNU parallel all number their
parts; that number is all that they need to have in common. Items are dealt out by their
place, so that the shards of one data set are disjoint and equally large.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import UsageError
from ..values import Value

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


class Shard(Value):
    """Part `number` of `count`, from 1."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `I/N`. Raises UsageError."""
        match = _SHARD.fullmatch(text.strip())
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(
                f"--shard {text}: expected I/N with I from 1 to N, as in 1/4",
                hint="where parts are counted from 0, add one: --shard $((INDEX + 1))/4",
            )
        return cls(number, count)

    def has(self, place: int) -> bool:
        """Return whether the item at a place of the data set is in this part."""
        return place % self.count == self.number - 1

    def directory(self, below: Path) -> Path:
        """Return the directory of this part, below that of the batch."""
        return below / f"shard-{self.number}-of-{self.count}" if self.count > 1 else below
