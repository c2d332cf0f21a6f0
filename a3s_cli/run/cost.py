"""The tokens and the cost of a run, and the limit on its cost.

A price comes from the user's configuration, else from the table of models, which has a
date. It is looked up when the first response has come, so that no request waits for it.
If a price or a count is unknown, the cost is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..config.model_names import LOCAL, REPLAY
from ..errors import ConfigError, MaxCost
from ..messages import Usage
from ..model import Endpoint
from ..values import Value, replace

if TYPE_CHECKING:
    from ..model import Gate
    from ..prices.table import Model, Tier

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
    #: What a request with more than so many tokens of input costs.
    above: int | None = None
    higher: Price | None = None

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

    @classmethod
    def listed(cls, model: Model | None, wire: str) -> Price | None:
        """Read the price of a model in the table; None if it is not there."""
        if model is None:
            return None
        plain = cls.of(_cost(model.price), wire)
        if plain is None or model.above is None or model.price_above is None:
            return plain
        higher = cls.of(_cost(model.price_above), wire)
        return replace(plain, above=model.above, higher=higher)

    def usd(self, usage: Usage) -> float:
        """Return the cost of one request in US dollars."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        plain = usage.input_tokens if self.cache_apart else usage.input_tokens - cached
        read = usage.input_tokens + (cached if self.cache_apart else 0)
        if self.higher and self.above is not None and read > self.above:
            return self.higher.usd(usage)
        # Some vendors' output excludes reasoning; the total always includes it.
        written = max(usage.output_tokens, usage.total_tokens - read)
        millionths = (
            max(plain, 0) * self.input
            + written * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        )
        return millionths / 1e6


def _cost(tier: Tier) -> dict[str, float]:
    named = {"cache_read": tier.cache_read, "cache_write": tier.cache_write}
    cached = {name: price for name, price in named.items() if price is not None}
    return {"input": tier.input, "output": tier.output, **cached}


class Listed:
    """What the table of models says of the model at an endpoint, looked up when it is needed."""

    def __init__(self, where: Endpoint) -> None:
        self._where = where
        self._found: tuple[Model | None] | None = None

    @property
    def model(self) -> Model | None:
        """The model in the table; None if it is not there."""
        if self._found is None:
            self._found = (self._find(),)
        return self._found[0]

    def price(self, cost: Mapping[str, float] | None) -> Price | None:
        """Return the configured price; what it leaves out is the listed one."""
        wire = self._where.wire
        if not cost:
            return Price.listed(self.model, wire)
        if "input" in cost and "output" in cost:
            return Price.of(cost, wire)
        return Price.of({**(_cost(self.model.price) if self.model else {}), **cost}, wire)

    @property
    def window(self) -> int | None:
        """The size of the context window in tokens; None if it is unknown."""
        return self.model.context_tokens if self.model else None

    def _find(self) -> Model | None:
        where = self._where
        if where.wire in (LOCAL, REPLAY):
            return None
        from ..prices.table import find

        return find(where.provider, where.model)


class Account:
    """The tokens and the cost of one run: its main loop and all nested requests.

    `price` returns the price of a request; it is asked when the first one is counted.
    """

    def __init__(
        self,
        price: Callable[[], Price | None] = lambda: None,
        limit: float | None = None,
        gate: Gate | None = None,
    ) -> None:
        if limit is not None and price() is None:
            raise ConfigError(
                "--max-cost needs the model's price, which is neither configured nor listed",
                hint="set the model's cost = { input = …, output = … } in dollars per million "
                "tokens",
            )
        self._price = price
        self._limit = limit
        self._gate = gate
        self._uncounted = False
        #: The cost so far; None once that of a request is unknown.
        self._spent: float | None = 0.0
        #: The sum of the reported usage; None before the first report.
        self.usage: Usage | None = None

    def ask_another(self, price: Callable[[], Price | None]) -> None:
        """Count what follows at the price of another model."""
        self._price = price

    def add(self, usage: Usage | None) -> None:
        """Count one request; None if its provider reported no usage."""
        price = self._price() if usage else None
        cost = price.usd(usage) if price and usage else None
        if usage is None:
            self._uncounted = True
        else:
            self.usage = self.usage + usage if self.usage else usage
            self._spent = None if cost is None or self._spent is None else self._spent + cost
        if self._gate is not None:
            self._gate.spent(usage.total_tokens if usage else 0, cost)

    def check(self) -> None:
        """Raise MaxCost if the limit is reached, or can no longer be checked."""
        if self._limit is None:
            return
        if self._uncounted:
            raise MaxCost("the provider reports no usage, so --max-cost cannot be enforced")
        if self.usage and (spent := self.cost_usd or 0.0) >= self._limit:
            from ..output.wording import dollars

            raise MaxCost(
                f"the run has cost {dollars(spent)}, and ${self._limit:g} is allowed",
                hint="--max-cost sets the limit",
            )

    @property
    def total_tokens(self) -> int:
        """All reported tokens."""
        return self.usage.total_tokens if self.usage else 0

    @property
    def cost_usd(self) -> float | None:
        """The cost of the run so far in US dollars; None if it is unknown."""
        if self._spent is None or self.usage is None or self._uncounted:
            return None
        return round(self._spent, 9)
