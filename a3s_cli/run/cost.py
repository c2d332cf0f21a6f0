"""The tokens and the cost of a run, and the limit on its cost.

Prices come from the user's configuration only: a table in a program would be out of
date the next day. If a price or a count is unknown, the cost is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ConfigError, MaxCost
from ..messages import Usage
from ..values import Value

if TYPE_CHECKING:
    from ..model import Gate

#: Wires whose `input_tokens` do not include cached tokens.
CACHE_APART = frozenset(("anthropic",))


class Price(Value):
    """US dollars per million tokens. Cached tokens without a price cost as much as input."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    #: Whether `input_tokens` excludes cached tokens.
    cache_apart: bool = False

    @classmethod
    def of(cls, cost: Mapping[str, float] | None, wire: str) -> Price | None:
        """Read the `cost` of a model; None if input or output has no price."""
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
        """Return the cost of a usage in US dollars."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        plain = usage.input_tokens if self.cache_apart else usage.input_tokens - cached
        read = usage.input_tokens + (cached if self.cache_apart else 0)
        # Some vendors' output excludes reasoning; the total always includes it.
        written = max(usage.output_tokens, usage.total_tokens - read)
        millionths = (
            max(plain, 0) * self.input
            + written * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        )
        return millionths / 1e6


class Account:
    """The tokens and the cost of one run: its main loop and all nested requests."""

    def __init__(
        self, price: Price | None = None, limit: float | None = None, gate: Gate | None = None
    ) -> None:
        if limit is not None and price is None:
            raise ConfigError(
                "--max-cost needs the model's price, and none is configured",
                hint="set the model's cost = { input = …, output = … } in dollars per million "
                "tokens",
            )
        self._price = price
        self._limit = limit
        self._gate = gate
        self._uncounted = False
        #: The sum of the reported usage; None before the first report.
        self.usage: Usage | None = None
        #: The part of it that has the present price, and what other models were asked for before.
        self._since: Usage | None = None
        self._earlier: list[tuple[Price | None, Usage | None]] = []

    def ask_another(self, price: Price | None) -> None:
        """Count what follows at the price of another model."""
        self._earlier.append((self._price, self._since))
        self._price, self._since = price, None

    def add(self, usage: Usage | None) -> None:
        """Count one request; None if its provider reported no usage."""
        if usage is None:
            self._uncounted = True
        else:
            self.usage = self.usage + usage if self.usage else usage
            if self._earlier:
                self._since = self._since + usage if self._since else usage
            else:
                self._since = self.usage
        if self._gate is not None:
            known = usage is not None and self._price is not None
            self._gate.spent(
                usage.total_tokens if usage else 0,
                self._price.usd(usage) if known else None,  # type: ignore[union-attr, arg-type]
            )

    def check(self) -> None:
        """Raise MaxCost if the limit is reached, or can no longer be checked."""
        if self._limit is None:
            return
        if self._uncounted:
            raise MaxCost("the provider reports no usage, so --max-cost cannot be enforced")
        if self.usage and (spent := self.cost_usd or 0.0) >= self._limit:
            raise MaxCost(
                f"the run has cost ${spent:.4f}, and ${self._limit:g} is allowed",
                hint="--max-cost sets the limit",
            )

    @property
    def total_tokens(self) -> int:
        """All reported tokens."""
        return self.usage.total_tokens if self.usage else 0

    @property
    def cost_usd(self) -> float | None:
        """The cost of the run so far in US dollars; None if it is unknown."""
        if self.usage is None or self._uncounted:
            return None
        spent = 0.0
        for price, usage in (*self._earlier, (self._price, self._since)):
            if usage is not None and price is None:
                return None
            spent += price.usd(usage) if price and usage else 0.0
        return round(spent, 9)
