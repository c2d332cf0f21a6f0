"""The progress of a batch, in one line for a person."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from ..output.wording import dollars
from .driver import Driver

#: Seconds between two lines, on a terminal and elsewhere.
OFTEN, SELDOM = 0.5, 30.0
#: Seconds over which the rate is observed.
WINDOW = 60.0
_CLEAR = "\r\x1b[K"
#: Seconds after which the oldest item is worth a word.
_OLD = 10.0


async def on_terminal(driver: Driver, write: Callable[[str], None]) -> None:
    """Keep one line up to date until cancelled; then leave its last state there."""
    progress = Progress(driver)
    try:
        while True:
            write(_CLEAR + progress.line()[: _width() - 1])
            await asyncio.sleep(OFTEN)
    finally:
        write(_CLEAR + progress.line()[: _width() - 1] + "\n")


async def on_lines(driver: Driver, write: Callable[[str], None]) -> None:
    """Write a line now and then until cancelled."""
    progress = Progress(driver)
    while True:
        await asyncio.sleep(SELDOM)
        write(f"a3s: {progress.line()}\n")


def _width() -> int:
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80


class Progress:
    """Puts the state of a driver into words."""

    def __init__(self, driver: Driver, clock: Callable[[], float] = time.monotonic) -> None:
        self._driver = driver
        self._clock = clock
        #: (when, how many were done), not older than the window but for the first.
        self._marks: list[tuple[float, int]] = []

    def line(self) -> str:
        """Return the line."""
        driver, history = self._driver, self._driver.ledger.history
        all_items, done, now = len(driver.ledger.items), history.done, self._clock()
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] < now - WINDOW:
            del self._marks[0]
        begun, before = self._marks[0]
        rate = (done - before) / (now - begun) if now > begun else 0.0
        words = [f"{done}/{all_items}"]
        if history.failed:
            words.append(f"{history.failed} failed")
        words.append(f"{len(driver.flights)} running")
        if rate:
            words.append(f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min")
            if done < all_items:
                words.append(f"{_span((all_items - done) / rate)} left")
        totals = driver.ledger.totals
        if totals.tokens:
            words.append(f"{totals.tokens} tokens")
        if totals.usd:
            words.append(dollars(totals.usd))
        if (closed := driver.gate.closed_for) > 0:
            words.append(f"waiting {_span(closed)} for the rate limit")
        oldest = min(driver.flights.values(), key=lambda one: one.since, default=None)
        if oldest is not None and time.monotonic() - oldest.since > _OLD:
            from ..output.person import readable

            name = readable(oldest.item)[:40]
            words.append(f"{name} running for {_span(time.monotonic() - oldest.since)}")
        return ", ".join(words)


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
