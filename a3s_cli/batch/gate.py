"""Paces the requests of all runs of a batch: one gate, which hears every limit.

Runs that retry alone come back in step and are refused again, so permits are given here,
one by one. Until a server has refused something, and where no rate was told, the gate is
*free* and costs nothing. A refusal closes it for as long as the server asked, with
jitter; then requests are paced at the rate that was observed to work, which grows a
little with every answer and shrinks with every further refusal, as TCP does. A told rate
(`--rpm`, `--tpm`) is a pace from the beginning, without bursts.

Nothing here waits for the network or knows of engines: time comes from `clock`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from random import uniform

from ..errors import A3SError, MaxCost, RateLimited

#: Seconds that a request may wait at the gate; a longer wait ends its run at no cost.
LONGEST_WAIT = 120.0
#: What is added to a wait that a server asked for, at most, so that not all return at once.
JITTER = 0.1
#: Seconds of a first refusal without a wish, doubled with each in a row, and the most of them.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
#: What remains of the rate after a refusal, and by which it grows with each answer.
SHRINK, GROW = 0.7, 1.03
#: Seconds over which the rate of answers is observed.
WINDOW = 10.0
#: The lowest pace that a refusal leads to, in requests a second.
SLOWEST = 1 / 60
#: Seconds between two requests from which on each has to have left before the next may: a
#: busy machine would let one leave late and the next in time.
STRICT = 0.05
#: Seconds that a request has for leaving, and between two looks whether it has.
LEAVING, MOMENT = 5.0, 0.01


class Gate:
    """The permits of one batch."""

    def __init__(
        self,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        budget: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._told = rpm / 60 if rpm else None
        self._tokens = tpm / 60 if tpm else None
        self._budget = budget
        self._clock = clock
        #: Requests a second; None while there is no reason to pace.
        self._rate = self._told
        self._closed_until = 0.0
        #: When the next request may be sent by the pace, and by the tokens.
        self._next = self._next_by_tokens = 0.0
        #: Until when the request that was permitted last is waited for.
        self._leaving_until = 0.0
        self._answers: deque[float] = deque(maxlen=1000)
        self._since = clock()
        self._refusals = 0
        #: Counts the reductions: a refusal of a request from before one reduces nothing more.
        self.epoch = 0
        #: US dollars spent so far; None once a cost is unknown.
        self.usd: float | None = 0.0
        self.tokens = 0
        #: Is told why the gate closes, and for how many seconds.
        self.on_close: Callable[[str, float], None] = lambda _, __: None
        #: Is called when the pace is reduced, also for the first time.
        self.on_pace: Callable[[], None] = lambda: None

    @property
    def free(self) -> bool:
        """Whether every request may be sent without a permit."""
        return self._rate is None and self._tokens is None and self._budget is None

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are limited."""
        return self._tokens is not None

    @property
    def exhausted(self) -> bool:
        """Whether the budget is spent."""
        return self._budget is not None and (self.usd is None or self.usd >= self._budget)

    @property
    def closed_for(self) -> float:
        """Seconds until the gate opens; 0 if it is open."""
        return max(0.0, self._closed_until - self._clock())

    async def permit(self, tokens: int = 0) -> None:
        """Wait for a permit. Raises RateLimited for a long wait, MaxCost for a spent budget."""
        while True:
            wait = self.reserve(tokens)
            if wait is None:
                await asyncio.sleep(MOMENT)
                continue
            if wait > 0:
                await asyncio.sleep(wait)
            if self.closed_for <= 0:
                # The place in the queue was reserved; only a gate that has closed meanwhile
                # makes it worthless.
                self._demand_budget()
                return
            self.sent()

    def reserve(self, tokens: int = 0, patience: float = LONGEST_WAIT) -> float | None:
        """Reserve the next place and return the seconds until it.

        None says to ask again in a `MOMENT`: the request before has not left yet. Raises
        MaxCost for a spent budget, RateLimited for a place further away than `patience`.
        """
        self._demand_budget()
        now = self._clock()
        if now < self._leaving_until:
            return None
        at = max(now, self._closed_until, self._next, self._next_by_tokens)
        if at - now > patience:
            raise RateLimited(
                f"the next request may be sent in {at - now:.0f} s",
                retry_after_ms=round((at - now) * 1000),
                resend=False,
            )
        if self._rate is not None:
            self._next = at + 1 / self._rate
            if self._rate <= 1 / STRICT:
                self._leaving_until = at + LEAVING
        if self._tokens is not None:
            self._next_by_tokens = max(at, self._next_by_tokens) + tokens / self._tokens
        return at - now

    def sent(self) -> None:
        """Learn that a request leaves now, or that its permit is not used."""
        self._leaving_until = 0.0
        if self._rate is not None:
            self._next = max(self._next, self._clock() + 1 / self._rate)

    def _demand_budget(self) -> None:
        if self.exhausted:
            raise MaxCost(
                "the batch has reached --max-cost"
                if self.usd is not None
                else "a cost is unknown, so --max-cost cannot be enforced"
            )

    def _answered(self) -> None:
        self._refusals = 0
        self._answers.append(self._clock())
        if self._rate is not None:
            grown = self._rate * GROW
            self._rate = grown if self._told is None else min(grown, self._told)

    def spent(self, tokens: int, usd: float | None, estimate: int = 0) -> None:
        """Count what an answered request used, `estimate` tokens of which were counted before."""
        self._answered()
        self.tokens += tokens
        if usd is None or self.usd is None:
            self.usd = None
        else:
            self.usd += usd
        if self._tokens is not None:
            self._next_by_tokens += (tokens - estimate) / self._tokens

    def refused(self, reason: str, retry_after: float | None, epoch: int) -> None:
        """Close the gate after a refusal of a request that was sent in this `epoch`."""
        now = self._clock()
        wait = retry_after
        if not wait:
            wait = min(FIRST_DELAY * 2.0 ** min(self._refusals, 10), LONGEST_DELAY)
        if epoch == self.epoch:
            self._refusals += 1
            self._slow_down(now, wait)
        self.close(reason, wait)

    def close(self, reason: str, seconds: float) -> None:
        """Let no request pass for so many seconds, and a little longer."""
        now = self._clock()
        until = now + seconds * uniform(1, 1 + JITTER)
        if until <= self._closed_until:
            return
        was_open = self._closed_until <= now
        self._closed_until = until
        if was_open:
            self.on_close(reason, until - now)

    def _slow_down(self, now: float, wait: float) -> None:
        self.epoch += 1
        if self._rate is None:
            while self._answers and self._answers[0] < now - WINDOW:
                self._answers.popleft()
            seen = min(max(now - self._since, 1.0), WINDOW)
            self._rate = max(len(self._answers) / seen, 1 / max(wait, 1.0), SLOWEST)
        else:
            self._rate = max(self._rate * SHRINK, SLOWEST)
        # Who does not know of this reduction would not be heard at the next refusal.
        self.on_pace()


def limiting(error: A3SError) -> bool:
    """Tell whether a failure says that requests come too fast."""
    return isinstance(error, RateLimited) or bool(error.retryable and error.retry_after_ms)
