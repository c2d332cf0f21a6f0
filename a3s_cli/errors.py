"""Every way in which a run can fail, each with its code, its exit status and its hint.

The tree says what a caller can *do* about a failure: correct the call, correct
the configuration, wait and try again, or read the answer. The codes and exit
statuses are the table of the event contract; nothing else in the program
decides an exit status.

    A3SError
    ├── UsageError            2   correct the command line
    ├── ConfigError          78   correct the configuration
    ├── AuthError            77   correct the credentials
    ├── FailedError           1   the run itself failed
    │   ├── ProviderError, InvalidResponse, InvalidObject
    │   └── ToolLoop, Refusal, ContextOverflow
    ├── LimitError            3   a limit was reached: raise it
    │   └── MaxTurns, MaxTokens, MaxToolCalls, MaxCost
    ├── TemporaryError       75   try again later
    │   ├── RateLimited, Overloaded, NetworkError, ProviderTimeout
    │   └── TruncatedStream, SessionBusy
    ├── ApprovalRequired      4   allow the call, or ask somebody
    ├── PolicyViolation       5   audit: the run broke the policy
    ├── InvalidStream        65   audit, replay: no whole, valid stream
    ├── OutputError          74   stdout or a recording cannot be written
    ├── RunTimeout          124   --timeout passed
    ├── Cancelled       128 + n   a signal, or 130 by the API
    └── InternalError        70   a bug of ours
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class ExitStatus(IntEnum):
    """The exit statuses of every command; signals add 128 + n."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LIMIT = 3
    APPROVAL = 4
    POLICY = 5
    DATA = 65
    INTERNAL = 70
    OUTPUT = 74
    TEMPORARY = 75
    AUTH = 77
    CONFIG = 78
    TIMEOUT = 124
    HANGUP = 129
    INTERRUPT = 130
    PIPE = 141
    TERMINATED = 143


class A3SError(Exception):
    """A failure that a person can act on.

    `str(error)` is one sentence without a secret in it; `hint` is the next
    thing to try. `code` and `exit_status` belong to the class.
    """

    code = "internal"
    exit_status: int = ExitStatus.INTERNAL
    #: Whether the same run may succeed later.
    retryable = False
    #: What the run had emitted, where a call of the library raises its failure.
    events: tuple[Any, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        provider: str | None = None,
        status: int | None = None,
        retry_after_ms: int | None = None,
        resend: bool | None = None,
        correction: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.provider = provider
        #: The provider's HTTP status, where there was one.
        self.status = status
        #: How long the provider asked to be left alone, in milliseconds.
        self.retry_after_ms = retry_after_ms
        #: The word that was mistyped and the one that was meant.
        self.correction = correction
        #: Whether this run may send the request again; a server can say so either way.
        self.resend = self.retryable if resend is None else resend


class UsageError(A3SError):
    """A bad flag, argument, rule or schema file: nothing has run."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class ConfigError(A3SError):
    """The configuration is wrong; the message names file, line and column."""

    code = "config"
    exit_status = ExitStatus.CONFIG


class AuthError(A3SError):
    """The provider refused the credentials, or there are none."""

    code = "auth"
    exit_status = ExitStatus.AUTH


class FailedError(A3SError):
    """The run failed, and trying again would fail again."""

    code = "provider_error"
    exit_status = ExitStatus.FAILED


class ProviderError(FailedError):
    """The provider refused the request: quota, unknown model, bad request."""


class InvalidResponse(FailedError):
    """The provider's answer is not what its protocol promises."""

    code = "invalid_response"


class InvalidObject(FailedError):
    """No object that satisfies the schema could be had."""

    code = "invalid_object"


class ToolLoop(FailedError):
    """The model repeats one failing call."""

    code = "tool_loop"


class Refusal(FailedError):
    """The model or its content filter refused."""

    code = "refusal"


class ContextOverflow(FailedError):
    """The conversation no longer fits into the model's window."""

    code = "context_overflow"


class LimitError(A3SError):
    """A limit that somebody set was reached."""

    code = "max_turns"
    exit_status = ExitStatus.LIMIT


class MaxTurns(LimitError):
    """The last allowed turn's tools have run, and the model wants more."""


class MaxTokens(LimitError):
    """A response was cut by a token limit."""

    code = "max_tokens"


class MaxToolCalls(LimitError):
    """The model asks for more calls than are allowed."""

    code = "max_tool_calls"


class MaxCost(LimitError):
    """The run has cost as much as it may."""

    code = "max_cost"


class TemporaryError(A3SError):
    """The same run may succeed later."""

    code = "network"
    exit_status = ExitStatus.TEMPORARY
    retryable = True


class RateLimited(TemporaryError):
    """The provider asks for fewer requests."""

    code = "rate_limited"


class Overloaded(TemporaryError):
    """The provider cannot serve just now (5xx, 529)."""

    code = "overloaded"


class NetworkError(TemporaryError):
    """The provider could not be reached, or the connection broke."""


class ProviderTimeout(TemporaryError):
    """The provider was silent for too long."""

    code = "provider_timeout"


class TruncatedStream(TemporaryError):
    """A response ended before its protocol's own end."""

    code = "truncated_stream"


class SessionBusy(TemporaryError):
    """The session is in use, by another process or by a stream that is still being read."""

    code = "busy"


class ApprovalRequired(A3SError):
    """A call needed approval, nobody could give it, and `--on-ask fail` was set."""

    code = "approval_required"
    exit_status = ExitStatus.APPROVAL


class PolicyViolation(A3SError):
    """An audited run broke the policy."""

    code = "policy_violation"
    exit_status = ExitStatus.POLICY


class InvalidStream(A3SError):
    """The input is not a whole, valid event stream."""

    code = "invalid_stream"
    exit_status = ExitStatus.DATA


class OutputError(A3SError):
    """stdout or a recording cannot be written."""

    code = "output"
    exit_status = ExitStatus.OUTPUT


class RunTimeout(A3SError):
    """`--timeout` passed."""

    code = "timeout"
    exit_status = ExitStatus.TIMEOUT


class Cancelled(A3SError):
    """Somebody cancelled the run; `signal` is its number where it was one."""

    code = "cancelled"
    exit_status: int = ExitStatus.INTERRUPT

    def __init__(self, message: str, *, signal: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal
        if signal is not None:
            self.exit_status = 128 + signal


class InternalError(A3SError):
    """A bug of ours."""


def internal(error: Exception) -> InternalError:
    """Give the failure that stands for a bug of ours."""
    return InternalError(
        f"a3s has a bug: {type(error).__name__}: {error}",
        hint="run again with --debug and report what it prints",
    )
