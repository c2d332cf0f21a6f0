"""Completes the conversation of a run that ended without an answer.

What has happened is kept: the prompt, every complete response, the results of its
calls. What is unfinished gets a result or a note that says so, until every vendor
accepts the conversation: each call has a result, and user and model alternate. Pure,
and the same for a run that ended in order and for a file whose writer was killed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from ..messages import Message, Part, Reasoning, Text, ToolCall, ToolResult
from ..values import replace

#: The result of a call that had begun and did not end.
INTERRUPTED = "[interrupted: the run ended before this call was finished; it may have had effects]"
#: The result of a call that had not begun.
NOT_EXECUTED = "[not executed: the run ended before this call began]"
#: The reason for a run whose file does not tell one.
KILLED = "the run was killed"
#: The length of a reason, in characters.
_REASON = 300


def results(
    message: Message, known: Mapping[str, ToolResult], begun: Container[str]
) -> tuple[ToolResult, ...]:
    """Return the results of a response's calls: the known ones, and notes for the others."""
    return tuple(known.get(call.id) or _without(call, call.id in begun) for call in message.calls)


def unsigned(message: Message) -> Message:
    """Return the text and the calls of a response that was cut: a signature may be incomplete."""
    return Message("assistant", tuple(part for one in message.parts if (part := _bare(one))))


def closing(partial: str, why: str | None) -> Message:
    """Return the final message of a run without an answer; `why` is None for an empty answer."""
    if why is None:
        return Message("assistant", (Text("[This answer has no text.]"),))
    reason = why[:_REASON].strip()
    if partial.strip():
        return Message("assistant", (Text(f"{partial}\n\n[This answer was cut: {reason}]"),))
    return Message("assistant", (Text(f"[There was no answer: {reason}]"),))


def account(why: str, partial: str, interrupted: Iterable[str]) -> str:
    """Return the sentence for the next run's notice."""
    what = "its answer was cut" if partial.strip() else "its prompt was not answered"
    calls = ", ".join(interrupted)
    more = f", and calls were interrupted: {calls}" if calls else ""
    return f"the last run of this session did not finish ({why[:_REASON]}): {what}{more}"


def _without(call: ToolCall, begun: bool) -> ToolResult:
    told = INTERRUPTED if begun else NOT_EXECUTED
    return ToolResult(call.id, call.name, told, failed=True, provider_id=call.provider_id)


def _bare(part: Part) -> Part | None:
    if isinstance(part, Reasoning):
        return None
    if isinstance(part, ToolCall) and part.data is not None:
        return replace(part, data=None, wire="")
    return part
