"""Whether and when to send a failed request to a provider again.

The server's `retry-after` comes first (the error carries it). Without one, the delay
doubles from half a second to eight. Both have jitter, which never shortens what the
server asked for, so that many clients do not return at the same moment. A
`retry-after` of more than two minutes is not waited for: the run ends and reports it.
"""

from __future__ import annotations

from ..errors import A3SError

FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0
JITTER = 0.25
#: What is added to a server's `retry-after`, at most.
WISH_JITTER = 0.1
#: Most seconds to wait at a server's request.
LONGEST_WISH = 120.0


def delay_before(attempt: int, error: A3SError) -> float | None:
    """Return the seconds to wait before attempt `attempt` (from 2); None to give up."""
    if not error.resend:
        return None
    from random import uniform  # most runs retry nothing

    if error.retry_after_ms is not None and error.retry_after_ms > 0:
        wish = error.retry_after_ms / 1000
        return wish * uniform(1, 1 + WISH_JITTER) if wish <= LONGEST_WISH else None

    # Cap the exponent: attempts are unlimited, and a float overflows at 2**1024.
    delay = min(FIRST_DELAY * 2.0 ** min(attempt - 2, 30), LONGEST_DELAY)
    return delay * uniform(1 - JITTER, 1)


async def pause(seconds: float) -> None:
    """Wait before the next attempt."""
    # Here, because reading a conversation needs no event loop.
    import asyncio

    await asyncio.sleep(seconds)
