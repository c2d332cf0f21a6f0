"""Texts that raw and pretty share: what a call does, and what goes to stderr.

Every line for stderr begins with `a3s: ` or `hint: `, contains no terminal
escape and no CI command, and says one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..events import Event
from ..messages import Usage
from .disarm import disarm
from .terminal import fit, single_line

#: The arguments that best tell a person what a call does, the best first.
_TELLING = ("command", "file_path", "pattern", "url", "query", "prompt", "path")
#: The most columns of a call's arguments in a line for stderr.
_SHOWN = 200
#: Milliseconds of a wait that a person at a terminal is told of, if they read JSON.
LONG_WAIT = 2000


def argument(tool_input: Mapping[str, Any]) -> str:
    """Return the argument that best describes a call, or all of them as JSON."""
    for name in _TELLING:
        value = tool_input.get(name)
        if isinstance(value, str):
            return single_line(value)
        if isinstance(value, Mapping) and isinstance(value.get("head"), str):
            return single_line(value["head"]) + "…"  # too long for its event
    return single_line(compact(tool_input)) if tool_input else ""


def compact(value: Any, indent: int | None = None) -> str:
    """Return a JSON value as text for a person."""
    import json  # not orjson, which refuses large integers that a model may write

    return json.dumps(value, ensure_ascii=False, indent=indent)


def bare(value: Any) -> str:
    """Return a JSON value as text for a program, without spaces."""
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def duration(milliseconds: int) -> str:
    """Return milliseconds as readable text: `0.4s`, `2m 05s`, `1h 02m`."""
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 turn`, `3 turns`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def tokens(usage: Usage) -> str:
    """Return the tokens of a usage."""
    return f"{usage.input_tokens} tokens in, {usage.output_tokens} out"


def dollars(amount: float) -> str:
    """Return US dollars as readable text: `$0.0123`, and `<$0.0001` for less than that."""
    return "<$0.0001" if 0 < amount < 0.0001 else f"${amount:.4f}"


def diagnostics(event: Event) -> str:
    """Return the lines for stderr about a notice, a retry, an error or a call that did not run."""
    lead, hint = _MESSAGES[event.type](event)
    return _labelled("a3s: ", lead) + _labelled("hint: ", hint)


def long_wait(lines: bytes) -> str:
    """Return the lines for stderr about a `retry` that waits longer than a person expects."""
    import json

    told = json.loads(lines.partition(b"\n")[0])
    if told["delayMs"] <= LONG_WAIT:
        return ""
    attempt = _attempt(told["reason"], told["attempt"], told["maxAttempts"], told["delayMs"])
    return _labelled("a3s: ", attempt)


def _labelled(label: str, text: str | None) -> str:
    lines = (text or "").replace("\r\n", "\n").split("\n")
    return "".join(label + disarm(single_line(line)) + "\n" for line in lines if line.strip())


def _call(event: Event, arguments: str) -> str:
    return f"{event.tool_name} {fit(arguments, _SHOWN)}".rstrip()


def _denied(event: Event) -> tuple[str, str | None]:
    return f"denied: {_call(event, argument(event.tool_input))}: {event.reason}", event.hint


def _rejected(event: Event) -> tuple[str, str | None]:
    return f"rejected: {_call(event, single_line(event.raw_input))}: {event.error}", None


def _retry(event: Event) -> tuple[str, str | None]:
    return _attempt(event.reason, event.attempt, event.max_attempts, event.delay_ms), None


def _attempt(reason: str, attempt: int, most: int, delay_ms: int) -> str:
    return f"{reason}; attempt {attempt} of {most} in {duration(delay_ms)}"


def _notice(event: Event) -> tuple[str, str | None]:
    return event.text, None


def _error(event: Event) -> tuple[str, str | None]:
    return event.error, event.hint


_MESSAGES = {
    "permission_denied": _denied,
    "tool_rejected": _rejected,
    "retry": _retry,
    "notice": _notice,
    "error": _error,
}
