"""What the headers of a successful answer say of a rate limit: how long to wait, if at all.

Vendors agree that something remains and that it is reset, and on nothing else: OpenAI and
those like it say `x-ratelimit-remaining-requests` and `x-ratelimit-reset-requests` (`6m0s`),
Anthropic `anthropic-ratelimit-requests-remaining` and `…-reset` (a date), others
`ratelimit-remaining` and `ratelimit-reset` (seconds).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
#: A number this large is a moment of the Unix epoch rather than a time to wait.
_EPOCH = 1e8


def pause(headers: Mapping[str, str]) -> float:
    """Return the seconds until another request is allowed; 0 if one is allowed now."""
    longest = 0.0
    for name, value in headers.items():
        low = name.lower()
        if "ratelimit" in low and "remaining" in low and value.strip() == "0":
            reset = low.replace("remaining", "reset")
            told = next((one for key, one in headers.items() if key.lower() == reset), "")
            longest = max(longest, seconds(told))
    return longest


def seconds(told: str) -> float:
    """Return how long a reset is away: a number, a duration such as `6m0s`, or a date."""
    told = told.strip()
    try:
        number = float(told)
    except ValueError:
        pass
    else:
        return max(0.0, number - time.time() if number > _EPOCH else number)
    if told and (match := _DURATION.fullmatch(told)):
        hours, minutes, rest, thousandths = (float(one or 0) for one in match.groups())
        return hours * 3600 + minutes * 60 + rest + thousandths / 1000
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - time.time())
