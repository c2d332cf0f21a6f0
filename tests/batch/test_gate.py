"""One gate paces all requests: told a rate, or taught one by refusals."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.batch.gate import Gate
from a3s_cli.batch.rate_headers import pause
from a3s_cli.errors import MaxCost, RateLimited

from .bench import BatchBench
from .model import Model


def slow_batch(batch: BatchBench, model: Model, number: int, *args: str) -> float:
    """Run many items against a strict model; return the seconds that it took."""
    batch.model = model
    batch.say(number)
    begun = time.monotonic()
    result = batch("items.ndjson", "--jobs", "16", "--no-session", *args)
    assert (result.status, result.last["succeeded"]) == (0, number), result.last
    return time.monotonic() - begun


def test_refusals_teach_the_pace(batch: BatchBench, strict: Model) -> None:
    slow_batch(batch, strict, 40)
    assert len(strict.allowed) == 40
    assert strict.refused <= 40


def test_a_told_rate_is_kept_from_the_beginning(batch: BatchBench, strict: Model) -> None:
    # A third below what is allowed: on a busy machine a request may be late, and the next not.
    slow_batch(batch, strict, 20, "--rpm", "200")
    assert (len(strict.allowed), strict.refused) == (20, 0)


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_one_request_a_second_not_told(batch: BatchBench) -> None:
    strict = Model(rate=1, headers={"retry-after": "1"})
    slow_batch(batch, strict, 40)
    assert strict.refused <= 40
    strict.close()


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_one_request_a_second_told(batch: BatchBench) -> None:
    strict = Model(rate=1, headers={"retry-after": "1"})
    slow_batch(batch, strict, 40, "--rpm", "54")
    assert strict.refused == 0
    strict.close()


def test_a_long_wait_pauses_the_batch_and_costs_no_attempt(batch: BatchBench) -> None:
    refusing = Model(rate=0.001, headers={"retry-after": "300"})
    batch.model = refusing
    batch.say(3)
    run = batch.spawn("items.ndjson", "--jobs", "3", "--attempts", "1")
    run.wait_for_output(b'"type":"item_retry"')
    run.wait_for_output(b'"type":"limit"')
    run.signal(15)
    result = run.finish()
    (limit,) = result.of("limit")
    assert 300_000 <= limit["delayMs"] <= 330_000
    assert "429" in limit["reason"]
    assert {one["code"] for one in result.of("item_retry")} == {"rate_limited"}
    assert [one["text"] for one in result.of("item_end")] == ["0"]
    refusing.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(1, 600))
def test_a_told_rate_is_never_exceeded(pauses: list[float], rpm: float) -> None:
    clock = Clock()
    gate = Gate(rpm=rpm, clock=clock)
    sent = []
    for seconds in pauses:
        clock.now += seconds
        clock.now += gate.reserve(patience=float("inf")) or 0
        sent.append(clock.now)
        gate.sent()
    gaps = [after - before for before, after in pairwise(sent)]
    assert all(gap >= 60 / rpm - 1e-6 for gap in gaps)


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=1, max_size=40))
def test_a_told_number_of_tokens_is_kept(requests: list[tuple[int, int]]) -> None:
    clock = Clock()
    gate = Gate(tpm=60_000, clock=clock)
    used = 0
    for estimate, real in requests:
        clock.now += gate.reserve(estimate, patience=float("inf")) or 0
        # What was used before this request was allowed at the rate of 1,000 a second.
        assert used <= (clock.now - 1000.0) * 1000 + 1e-3
        gate.spent(real, None, estimate)
        used += real


def test_a_free_gate_costs_nothing_until_it_is_refused() -> None:
    clock = Clock()
    gate = Gate(clock=clock)
    closings: list[tuple[str, float]] = []
    gate.on_close = lambda reason, seconds: closings.append((reason, seconds))
    assert gate.free
    assert [gate.reserve() for _ in range(100)] == [0.0] * 100
    gate.refused("too fast", 2.0, gate.epoch)
    assert not gate.free
    assert 2 <= gate.closed_for <= 2.2
    # The rest of the burst that was refused closes it no further, and reduces nothing.
    paced: list[int] = []
    gate.on_pace = lambda: paced.append(gate.epoch)
    for _ in range(99):
        gate.refused("too fast", 2.0, 0)
    assert len(closings) == 1 and gate.epoch == 1
    wait = gate.reserve()
    assert wait is not None and wait >= 2
    assert gate.reserve() is None
    clock.now += wait
    gate.sent()
    again = gate.reserve()
    assert again is not None and again >= 0.99
    # Every reduction is told: a refusal from before the last one would not count.
    gate.refused("too fast", 2.0, 1)
    assert paced == [2]


def test_a_wait_of_more_than_two_minutes_and_a_spent_budget_are_refused() -> None:
    gate = Gate(clock=Clock())
    gate.close("used up", 121)
    with pytest.raises(RateLimited) as refused:
        asyncio.run(gate.permit())
    assert (refused.value.resend, refused.value.retry_after_ms or 0) >= (False, 121_000)
    poor = Gate(budget=1.0)
    poor.spent(1, 1.0, 0)
    with pytest.raises(MaxCost):
        asyncio.run(poor.permit())
    unknown = Gate(budget=1.0)
    unknown.spent(1, None, 0)
    with pytest.raises(MaxCost):
        asyncio.run(unknown.permit())


def test_rate_headers_of_vendors() -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    cases: list[tuple[dict[str, str], float]] = [
        ({}, 0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "6m0s"}, 0),
        ({"X-RateLimit-Remaining-Requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "7"}, 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{time.time() + 9}"}, 9),
        ({"anthropic-ratelimit-requests-remaining": "0",
          "anthropic-ratelimit-requests-reset": soon.replace("+00:00", "Z")}, 30),
        ({"x-ratelimit-remaining": "0"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 0),
    ]  # fmt: skip
    for headers, seconds in cases:
        assert pause(headers) == pytest.approx(seconds, abs=1), json.dumps(headers)
