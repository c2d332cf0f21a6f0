"""When a failed request is sent again: laws of the waiting time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import Overloaded, ProviderError, RateLimited
from a3s_cli.run.retry import (
    FIRST_DELAY,
    JITTER,
    LONGEST_DELAY,
    LONGEST_WISH,
    WISH_JITTER,
    delay_before,
)

attempts = st.integers(2, 10_000)


@given(attempts)
def test_without_a_wish_the_wait_doubles_up_to_a_cap(attempt: int) -> None:
    full = min(FIRST_DELAY * 2 ** min(attempt - 2, 50), LONGEST_DELAY)
    delay = delay_before(attempt, Overloaded("no"))
    assert delay is not None and full * (1 - JITTER) <= delay <= full


def test_the_wait_is_jittered() -> None:
    assert len({delay_before(3, Overloaded("no")) for _ in range(20)}) > 1


@given(attempts, st.integers(1, 10**12))
def test_a_wish_is_granted_with_a_little_more_or_not_at_all(attempt: int, wish: int) -> None:
    delay = delay_before(attempt, RateLimited("no", retry_after_ms=wish))
    if wish > LONGEST_WISH * 1000:
        assert delay is None
    else:
        assert delay is not None
        assert wish / 1000 <= delay <= wish / 1000 * (1 + WISH_JITTER) + 1e-9


def test_a_wish_is_jittered() -> None:
    limited = RateLimited("no", retry_after_ms=30_000)
    assert len({delay_before(2, limited) for _ in range(20)}) > 1


@given(attempts, st.integers(-(10**6), 0))
def test_a_wish_for_no_time_is_none(attempt: int, wish: int) -> None:
    delay = delay_before(attempt, RateLimited("no", retry_after_ms=wish))
    assert delay is not None and delay >= FIRST_DELAY * (1 - JITTER)


@given(attempts, st.none() | st.integers(0, 10**6))
def test_what_may_not_be_sent_again_is_not(attempt: int, wish: int | None) -> None:
    assert delay_before(attempt, ProviderError("no", retry_after_ms=wish)) is None
    assert delay_before(attempt, Overloaded("no", resend=False, retry_after_ms=wish)) is None


def test_a_server_may_ask_for_what_is_else_final() -> None:
    delay = delay_before(2, ProviderError("no", resend=True, retry_after_ms=7))
    assert delay is not None and 0.007 <= delay <= 0.007 * (1 + WISH_JITTER)
