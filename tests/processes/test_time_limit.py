"""Time in which this process did not run is found out, however the block ends."""

from __future__ import annotations

import asyncio
import math
import time

from a3s_cli.processes.time_limit import TimeLimit


def test_what_was_lost_is_known_at_the_end() -> None:
    """The process does not run between the arrival of what it waits for and its next step."""

    async def lost(seconds: float) -> float:
        async with TimeLimit(math.inf) as limit:
            await asyncio.sleep(0)
            time.sleep(seconds)  # noqa: ASYNC251  # nothing runs meanwhile
        return limit.lost

    # The time is looked at once a second.
    assert asyncio.run(lost(0.1)) == 0.0
    assert asyncio.run(lost(2.0)) >= 1.0
