"""Durations in flags and files: `250ms`, `90s`, `5m`, `1h`; a bare number is seconds."""

from __future__ import annotations

import re

EXPECTED = "a duration such as 250ms, 90s, 5m or 1h (a bare number is seconds), above zero"

_DURATION = r"\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h)?\s*"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str | float) -> float:
    """Return a duration in seconds. Raises ValueError, which says what was expected."""
    match = re.fullmatch(_DURATION, str(duration))
    span = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if span <= 0.0:
        raise ValueError(f"expected {EXPECTED}")
    return span
