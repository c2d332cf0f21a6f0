"""The lines of a session that are not events: the conversation as the model needs it.

The events say what was shown; to continue, the model needs more: the signature of its
reasoning, the arguments as it wrote them, its own id of each call. These lines have a
`type` that begins with `session_` and no `seq`: they are not part of any run's stream,
and without them the file is the stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..events import camel
from ..jsontext import dumps
from ..messages import Message, Part, Reasoning, Text, ToolCall, ToolResult

MESSAGES = "session_messages"
CLOSED = "session_closed"
INTERRUPTED = "session_interrupted"

Hide = Callable[[str], str]

_KINDS: Mapping[str, type[Part]] = {
    "text": Text,
    "reasoning": Reasoning,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}
_ROLES: Mapping[str, tuple[type[Part], ...]] = {
    "user": (Text,),
    "assistant": (Text, Reasoning, ToolCall),
    "tool": (ToolResult,),
}
#: (attribute, key, default) of every field; a field with its default is omitted.
_FIELDS = {
    cls: [(name, camel(name), field.default) for name, field in cls.__dataclass_fields__.items()]
    for cls in _KINDS.values()
}
#: The fields that may contain secrets. The others are ids.
_HIDING = ("text", "arguments", "output", "name")


def line(kind: str, **values: Any) -> bytes:
    """Return a line that is not an event."""
    ts = time.time_ns() // 1_000_000
    return dumps({"type": kind, "ts": ts, **values}) + b"\n"


def to_json(messages: Sequence[Message], hide: Hide) -> list[dict[str, Any]]:
    """Return a step of the conversation as JSON values, without secrets."""
    return [
        {"role": message.role, "parts": [_part_to_json(part, hide) for part in message.parts]}
        for message in messages
    ]


def from_json(value: Any) -> list[Message]:
    """Return the step that a JSON value describes. Raises ValueError if it is not one."""
    try:
        return [_message(one) for one in value]
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not messages: {error}") from None


def _part_to_json(part: Part, hide: Hide) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _NAMES[type(part)]}
    for name, key, default in _FIELDS[type(part)]:
        value = getattr(part, name)
        if name in _HIDING:
            value = hide(value)
        if value != default or type(value) is not type(default):
            made[key] = value
    if made.get("data") is not None and _hidden(made["data"], hide) != made["data"]:
        # A vendor rejects signed data that was changed, so it is left out.
        del made["data"]
        made.pop("wire", None)
    return made


def _hidden(value: Any, hide: Hide) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: _hidden(one, hide) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(one, hide) for one in value]
    return value


def _message(value: Any) -> Message:
    role = value["role"]
    allowed = _ROLES[role]
    parts = tuple(_part(one) for one in value["parts"])
    for part in parts:
        if not isinstance(part, allowed):
            raise ValueError(f"a {role} message cannot hold a {_NAMES[type(part)]}")
    return Message(role, parts)


def _part(value: Any) -> Part:
    cls = _KINDS[value["type"]]
    given = {name: value[key] for name, key, _ in _FIELDS[cls] if key in value}
    for name, one in given.items():
        expected = bool if name == "failed" else str
        if name != "data" and not isinstance(one, expected):
            raise ValueError(f"{name} is not a {expected.__name__}")
    return cls(**given)
