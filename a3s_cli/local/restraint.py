"""What a small model is kept from: calls that it repeats, in whatever variant, and appending.

All of it is read off the conversation since the user last spoke.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ..messages import Message, ToolCall, ToolResult, ToolSpec
from ..model import CallChunk

#: Calls of one kind, or failures in a row, after which there are only words left.
VARIANTS, FAILURES = 3, 4
_SEPARATOR = re.compile(r"\|\||&&|[|;&\n]")
_APPENDS = re.compile(r">>|\btee\s+-a\b")


def calls_since(messages: Sequence[Message]) -> list[tuple[ToolCall, bool]]:
    """Yield the calls since the user last spoke, the newest first, and whether each failed."""
    found: list[tuple[ToolCall, bool]] = []
    failed: set[str] = set()
    for message in reversed(messages):
        if message.role == "user":
            break
        failed |= {p.call_id for p in message.parts if isinstance(p, ToolResult) and p.failed}
        found += [(call, call.id in failed) for call in reversed(message.calls)]
    return found


def repeats(chunk: CallChunk, history: Sequence[Message], tools: Sequence[ToolSpec]) -> bool:
    """Return whether a call was made before, and nothing was changed since."""
    for call, failed in calls_since(history):
        if (call.name, parsed(call.arguments)) == (chunk.name, parsed(chunk.arguments)):
            return True
        if not failed and not is_tool(tools, call.name, "harmless"):
            return False
    return False


def is_tool(tools: Sequence[ToolSpec], name: str, attribute: str) -> bool:
    return any(tool.name == name and getattr(tool, attribute) for tool in tools)


def parsed(arguments: str) -> Any:
    """Return the value of a call's arguments; text that is not JSON stands for itself."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def path_of(call: ToolCall | CallChunk) -> str:
    """Return the file that a call names; empty if it names none."""
    arguments = parsed(call.arguments)
    return str(arguments.get("file_path", "")) if isinstance(arguments, dict) else ""


def is_stuck(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> bool:
    """Return whether the newest calls are variants of one thing, or have all failed."""
    calls = calls_since(messages)
    if len(calls) >= FAILURES and all(failed for _, failed in calls[:FAILURES]):
        return True
    kinds = {kind(call) for call, _ in calls[:VARIANTS]}
    newest = calls[0][0].name if calls else ""
    changes = is_tool(tools, newest, "writes")
    return len(calls) >= VARIANTS and len(kinds) == 1 and not changes and newest == "bash"


def kind(call: ToolCall) -> tuple[str, ...]:
    """Return what variants of a call have in common: the tool, and the programs of a pipe."""
    arguments = parsed(call.arguments)
    command = arguments.get("command") if isinstance(arguments, dict) else None
    if not isinstance(command, str):
        return (call.name,)
    parts = (part.split() for part in _SEPARATOR.split(command))
    return (call.name, *(words[0] for words in parts if words))


def appends(chunk: CallChunk) -> bool:
    """Return whether a call adds to the end of a file."""
    arguments = parsed(chunk.arguments)
    command = arguments.get("command", "") if isinstance(arguments, dict) else ""
    return chunk.name == "bash" and bool(_APPENDS.search(str(command)))


def has_changed(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> bool:
    """Return whether a call that can change something has succeeded."""
    return any(
        not failed and not is_tool(tools, call.name, "harmless")
        for call, failed in calls_since(messages)
    )
