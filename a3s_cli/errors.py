"""Every way in which a run can fail, each with its code, exit status and hint.

The tree says what a caller can *do* about a failure: correct the call, correct
the configuration, wait and try again, or read the answer. Codes and exit
statuses are those of the event contract, and only this module decides an exit
status.

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
    │   └── TruncatedStream, SessionBusy, WorkerLost
    ├── ApprovalRequired      4   allow the call, or be there to answer
    ├── PolicyViolation       5   audit: the run broke the policy
    ├── Unavailable          69   a program or server that the run needs does not work
    ├── InvalidStream        65   audit, replay: the stream is incomplete or invalid
    ├── Unavailable          69   a program or server that the run needs does not work
    ├── OutputError          74   stdout or a recording cannot be written
    ├── RunTimeout          124   --timeout passed
    ├── Cancelled       128 + n   a signal; 130 from the library
    └── InternalError        70   a bug in a3s
"""

from __future__ import annotations

from typing import Any


class ExitStatus:
    """The exit statuses of every command; signals add 128 + n."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LIMIT = 3
    APPROVAL = 4
    POLICY = 5
    DATA = 65
    UNAVAILABLE = 69
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
    """Base class of every failure that a3s reports.

    `str(error)` is one sentence that contains no secret; `hint` is the next
    thing to try, or None. `code` (of the event contract) and `exit_status`
    belong to the class.
    """

    code = "internal"
    exit_status: int = ExitStatus.INTERNAL
    #: Whether the same run may succeed later.
    retryable = False
    #: The events emitted before the failure, where a library call raises it.
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
        #: The provider's HTTP status, if it sent one.
        self.status = status
        #: Milliseconds to wait before the next request, as the provider asked.
        self.retry_after_ms = retry_after_ms
        #: The mistyped word and the nearest valid one.
        self.correction = correction
        #: Whether this run may send the request again; a server's answer overrides the class.
        self.resend = self.retryable if resend is None else resend


class UsageError(A3SError):
    """A bad flag, argument, rule or schema file. Nothing has run."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class ConfigError(A3SError):
    """The configuration is wrong; the message names file, line and column."""

    code = "config"
    exit_status = ExitStatus.CONFIG


class AuthError(A3SError):
    """Credentials are missing, or the provider rejected them."""

    code = "auth"
    exit_status = ExitStatus.AUTH


class FailedError(A3SError):
    """The run failed, and would fail again."""

    code = "provider_error"
    exit_status = ExitStatus.FAILED


class ProviderError(FailedError):
    """The provider rejected the request: quota, unknown model, bad request."""


class InvalidResponse(FailedError):
    """The provider's response violates its protocol."""

    code = "invalid_response"


class InvalidObject(FailedError):
    """The model produced no object that satisfies the schema."""

    code = "invalid_object"


class ToolLoop(FailedError):
    """The model keeps repeating a failing call."""

    code = "tool_loop"


class Refusal(FailedError):
    """The model or its content filter refused to answer."""

    code = "refusal"


class ContextOverflow(FailedError):
    """The conversation no longer fits into the model's context window."""

    code = "context_overflow"


class LimitError(A3SError):
    """The run reached one of its limits."""

    code = "max_turns"
    exit_status = ExitStatus.LIMIT


class MaxTurns(LimitError):
    """The model wants another turn after the last one allowed."""


class MaxTokens(LimitError):
    """A token limit cut the response."""

    code = "max_tokens"


class MaxToolCalls(LimitError):
    """The model asked for more tool calls than are allowed."""

    code = "max_tool_calls"


class MaxCost(LimitError):
    """The run reached its cost limit."""

    code = "max_cost"


class TemporaryError(A3SError):
    """The same run may succeed later."""

    code = "network"
    exit_status = ExitStatus.TEMPORARY
    retryable = True


class RateLimited(TemporaryError):
    """The provider's rate limit was exceeded."""

    code = "rate_limited"


class Overloaded(TemporaryError):
    """The provider is temporarily unavailable (5xx, 529)."""

    code = "overloaded"


class NetworkError(TemporaryError):
    """The provider could not be reached, or the connection broke."""


class ProviderTimeout(TemporaryError):
    """The provider sent nothing for too long."""

    code = "provider_timeout"


class TruncatedStream(TemporaryError):
    """The response ended before its protocol's end marker."""

    code = "truncated_stream"


class SessionBusy(TemporaryError):
    """The session is in use by another process, or by a stream that is still being read."""

    code = "busy"


class WorkerLost(TemporaryError):
    """The process that ran an item of a batch died."""

    code = "worker_lost"


class ApprovalRequired(A3SError):
    """A call needed approval, no one could be asked, and `--on-ask fail` was set."""

    code = "approval_required"
    exit_status = ExitStatus.APPROVAL


class PolicyViolation(A3SError):
    """The audited run violated the policy."""

    code = "policy_violation"
    exit_status = ExitStatus.POLICY


class InvalidStream(A3SError):
    """The input is not a complete, valid event stream."""

    code = "invalid_stream"
    exit_status = ExitStatus.DATA


class Unavailable(A3SError):
    """A program or server that the run was told to use cannot be started or reached."""

    code = "unavailable"
    exit_status = ExitStatus.UNAVAILABLE


class OutputError(A3SError):
    """stdout or a recording cannot be written."""

    code = "output"
    exit_status = ExitStatus.OUTPUT


class RunTimeout(A3SError):
    """The run exceeded its `--timeout`."""

    code = "timeout"
    exit_status = ExitStatus.TIMEOUT


class Cancelled(A3SError):
    """The run was cancelled; `signal` is the number of the signal, if it was one."""

    code = "cancelled"
    exit_status: int = ExitStatus.INTERRUPT

    def __init__(self, message: str, *, signal: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal
        if signal is not None:
            self.exit_status = 128 + signal


class InternalError(A3SError):
    """A bug in a3s."""


def internal(error: Exception) -> InternalError:
    """Wrap an unexpected exception: a bug in a3s, or a machine on which it cannot run."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return InternalError(
            "there is not enough memory, or a limit of it is too low",
            hint="`ulimit -a` shows the limits; --debug shows where it fails",
        )
    if isinstance(error, ImportError):
        return InternalError(
            f"a3s is not installed completely: {error}",
            hint="install a3s-cli again; --debug shows where it fails",
        )
    return InternalError(
        f"a3s has a bug: {type(error).__name__}: {error}",
        hint="run again with --debug and report the output",
    )
