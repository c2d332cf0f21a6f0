"""How often, and how long after, a failed provider request is sent again.

A server's own wish goes first (`retry-after`, which the error carries); without
one the wait doubles from half a second to eight, jittered, so that a thousand
clients do not come back together. A wish beyond two minutes is not waited for:
the run ends and says when to come back.
"""

from __future__ import annotations

from ..errors import A3SError

FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0
JITTER = 0.25
#: Seconds that a server may ask us to wait.
LONGEST_WISH = 120.0


def delay_before(attempt: int, error: A3SError) -> float | None:
    """Give the seconds to wait before attempt number `attempt` (from 2), None to give up."""
    if not error.resend:
        return None
    if error.retry_after_ms is not None and error.retry_after_ms > 0:
        wish = error.retry_after_ms / 1000
        return wish if wish <= LONGEST_WISH else None
    import random  # most runs retry nothing

    # The exponent has a limit of its own: attempts have none, and a float overflows at 2**1024.
    delay = min(FIRST_DELAY * 2.0 ** min(attempt - 2, 30), LONGEST_DELAY)
    return delay * random.uniform(1 - JITTER, 1)
