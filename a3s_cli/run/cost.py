"""What a run has used and what that costs; a limit on money is kept here.

A price comes from the user's own configuration and from nowhere else: a table
in a program is wrong the day after. Where a price or a count is unknown the
cost is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ConfigError, MaxCost
from ..messages import Usage
from ..values import Value

#: Wires whose `input_tokens` leave out what a cache gave or took.
CACHE_APART = frozenset(("anthropic",))


class Price(Value):
    """US dollars for a million tokens. What has no price of its own costs as plain input does."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    #: Whether cached tokens are counted beside the input, not as part of it.
    cache_apart: bool = False

    @classmethod
    def of(cls, cost: Mapping[str, float] | None, wire: str) -> Price | None:
        """Read the `cost` of a model; None where input or output have no price."""
        if not cost or "input" not in cost or "output" not in cost:
            return None
        plain = cost["input"]
        return cls(
            plain,
            cost["output"],
            cost.get("cache_read", plain),
            cost.get("cache_write", plain),
            wire in CACHE_APART,
        )

    def usd(self, usage: Usage) -> float:
        """Give what this usage costs."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        plain = usage.input_tokens if self.cache_apart else usage.input_tokens - cached
        read = usage.input_tokens + (cached if self.cache_apart else 0)
        # Some vendors count reasoning beside the output; the total has it in any case.
        written = max(usage.output_tokens, usage.total_tokens - read)
        millionths = (
            max(plain, 0) * self.input
            + written * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        )
        return millionths / 1e6


class Account:
    """The tokens and the money of one run: its main loop and everything nested."""

    def __init__(self, price: Price | None = None, limit: float | None = None) -> None:
        if limit is not None and price is None:
            raise ConfigError(
                "--max-cost needs the model's price, and there is none",
                hint="give the model cost = { input = …, output = … } in dollars a million tokens",
            )
        self._price = price
        self._limit = limit
        self._uncounted = False
        #: The sum of what providers reported; None before the first report.
        self.usage: Usage | None = None

    def add(self, usage: Usage | None) -> None:
        """Count one request; None is a request whose provider told nothing."""
        if usage is None:
            self._uncounted = True
        else:
            self.usage = self.usage + usage if self.usage else usage

    def check(self) -> None:
        """Refuse the next request once the limit is reached, or can no longer be kept."""
        if self._limit is None:
            return
        if self._uncounted:
            raise MaxCost("the provider does not say what it counts, so --max-cost cannot be kept")
        if self.usage and (spent := self.cost_usd or 0.0) >= self._limit:
            raise MaxCost(
                f"the run has cost ${spent:.4f} of the ${self._limit:g} allowed",
                hint="--max-cost sets the limit",
            )

    @property
    def total_tokens(self) -> int:
        """All tokens that were reported."""
        return self.usage.total_tokens if self.usage else 0

    @property
    def cost_usd(self) -> float | None:
        """What the run has cost so far; None where that is not known."""
        if self._price is None or self.usage is None or self._uncounted:
            return None
        return round(self._price.usd(self.usage), 9)
