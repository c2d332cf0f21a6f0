"""The one translation of a failure into an `error` event."""

from __future__ import annotations

import signal as signals

from ..errors import A3SError, Cancelled
from ..events import Denial, Error


def error_event(
    failure: A3SError,
    *,
    turns: int = 0,
    tool_calls: int = 0,
    total_tokens: int = 0,
    duration_ms: int = 0,
    denials: tuple[Denial, ...] | None = None,
) -> Error:
    """Return the `error` event that reports a failure."""
    number = failure.signal if isinstance(failure, Cancelled) else None
    return Error(
        error=str(failure),
        code=failure.code,
        retryable=failure.retryable,
        exit_code=int(failure.exit_status),
        turns=turns,
        tool_calls=tool_calls,
        total_tokens=total_tokens,
        duration_ms=duration_ms,
        permission_denials=denials,
        hint=failure.hint,
        signal=signals.Signals(number).name if number else None,
        retry_after_ms=failure.retry_after_ms,
        provider=failure.provider,
        status=failure.status,
    )
