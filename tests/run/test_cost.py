"""Prices and sums: what a vendor would bill, or nothing at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import ConfigError, MaxCost
from a3s_cli.messages import Usage
from a3s_cli.registry import WIRES
from a3s_cli.run.cost import Account, Price

COST = {"input": 3.0, "output": 15.0, "cache_read": 0.3, "cache_write": 3.75}
#: A million of each, so that the sum is the price list's own.
M = 10**6


def price(cost: dict[str, float] | None, wire: str) -> Price:
    found = Price.of(cost, wire)
    assert found is not None
    return found


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(), 0),
        (Usage(M, 0, total_tokens=M), 3),
        (Usage(0, M, total_tokens=M), 15),
        (Usage(M, M, total_tokens=2 * M), 18),
    ],
)
def test_plain_tokens(wire: str, usage: Usage, usd: float) -> None:
    assert price(COST, wire).usd(usage) == usd


@pytest.mark.parametrize(
    ("wire", "usage", "usd"),
    [
        # Cached input is a part of the input …
        ("openai-chat", Usage(M, M, cache_read_tokens=M // 2, total_tokens=2 * M), 16.65),
        ("openai-responses", Usage(M, M, cache_read_tokens=M, total_tokens=2 * M), 15.3),
        ("gemini", Usage(M, 0, cache_read_tokens=M, total_tokens=M), 0.3),
        # … but stands beside it in Anthropic's figures.
        ("anthropic", Usage(M, M, cache_read_tokens=M, total_tokens=3 * M), 18.3),
        ("anthropic", Usage(0, 0, cache_write_tokens=M, total_tokens=M), 3.75),
        ("anthropic", Usage(M, M, M, M, 0, 4 * M), 22.05),
        # Reasoning is a part of the output …
        ("openai-chat", Usage(0, M, reasoning_tokens=M, total_tokens=M), 15),
        ("openai-responses", Usage(0, M, reasoning_tokens=M, total_tokens=M), 15),
        # … but stands beside it where the total says so.
        ("gemini", Usage(0, M, reasoning_tokens=M, total_tokens=2 * M), 30),
        ("openai-chat", Usage(M, M, reasoning_tokens=M, total_tokens=3 * M), 33),
    ],
)
def test_what_each_vendor_counts_where(wire: str, usage: Usage, usd: float) -> None:
    assert price(COST, wire).usd(usage) == pytest.approx(usd)


@pytest.mark.parametrize("wire", WIRES)
def test_what_has_no_price_of_its_own_costs_as_input(wire: str) -> None:
    usage = Usage(M, 0, M // 4, M // 4, 0, M if wire != "anthropic" else M * 3 // 2)
    whole = M if wire != "anthropic" else M * 3 // 2
    assert price({"input": 2, "output": 9}, wire).usd(usage) == whole * 2 / M


@pytest.mark.parametrize("cost", [None, {}, {"input": 1}, {"output": 1}, {"cache_read": 1}])
def test_half_a_price_is_none(cost: dict[str, float] | None) -> None:
    assert Price.of(cost, "anthropic") is None


figures = st.integers(0, 10**9)
usages = st.builds(Usage, figures, figures, figures, figures, figures, figures)


@given(usages, st.sampled_from(sorted(WIRES)))
def test_no_figures_make_a_cost_negative(usage: Usage, wire: str) -> None:
    assert price(COST, wire).usd(usage) >= 0


@given(st.lists(usages, min_size=1, max_size=5))
def test_tokens_add_up(many: list[Usage]) -> None:
    account = Account()
    for usage in many:
        account.add(usage)
    assert account.total_tokens == sum(usage.total_tokens for usage in many)
    assert account.cost_usd is None


@given(st.lists(st.none() | usages, max_size=4))
def test_a_cost_is_known_only_where_everything_is(many: list[Usage | None]) -> None:
    account = Account(lambda: Price.of(COST, "openai-chat"))
    for usage in many:
        account.add(usage)
    assert (account.cost_usd is None) == (not many or None in many)


def test_a_limit_needs_a_price() -> None:
    with pytest.raises(ConfigError, match="--max-cost"):
        Account(lambda: None, 1.0)


def test_the_limit_itself_is_not_exceeded_knowingly() -> None:
    account = Account(lambda: Price.of(COST, "openai-chat"), 6.0)
    account.check()
    account.add(Usage(M, 0, total_tokens=M))
    account.check()
    account.add(Usage(M, 0, total_tokens=M))
    with pytest.raises(MaxCost, match=r"\$6\.0000, and \$6 is allowed"):
        account.check()


def test_a_limit_of_nothing_allows_what_is_free() -> None:
    account = Account(lambda: Price.of({"input": 0, "output": 0}, "openai-chat"), 0.0)
    account.check()


def test_what_is_not_counted_cannot_be_limited() -> None:
    account = Account(lambda: Price.of(COST, "openai-chat"), 6.0)
    account.add(None)
    with pytest.raises(MaxCost, match="reports no usage"):
        account.check()
