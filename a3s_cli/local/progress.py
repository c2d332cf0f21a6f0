"""How far a download has come, in words: percent, speed, time left."""

from __future__ import annotations

import time
from collections import deque

#: Seconds over which the speed is taken.
WINDOW = 10.0


class DownloadProgress:
    """Takes what `weights.pull` reports; call it as the `progress` of a pull."""

    def __init__(self) -> None:
        self.received = 0
        self.total = 0
        self.source = ""
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, received: int, total: int, source: str) -> None:
        now = time.monotonic()
        self.received, self.total, self.source = received, total, source
        self._seen.append((now, received))
        while now - self._seen[0][0] > WINDOW:
            self._seen.popleft()

    def __str__(self) -> str:
        share = 100 * self.received // self.total if self.total else 0
        words = f"{share}% of {self.total / 1e6:,.0f} MB"
        if speed := self.speed():
            left = (self.total - self.received) / speed
            words += f", {speed / 1e6:.1f} MB/s, {duration(left)} left"
        return words

    def speed(self) -> float:
        """Return bytes per second, 0 while unknown."""
        if not self._seen:
            return 0.0
        seconds = self._seen[-1][0] - self._seen[0][0]
        return (self._seen[-1][1] - self._seen[0][1]) / seconds if seconds > 0 else 0.0


def duration(seconds: float) -> str:
    """Write a duration for a person."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
