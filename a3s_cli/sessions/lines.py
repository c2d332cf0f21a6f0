"""The lines of a session that are not events: the conversation as the model needs it.

The events say what was shown; to continue, the model needs more: the signature of its
reasoning, the arguments as it wrote them, its own id of each call. These lines have a
`type` that begins with `session_` and no `seq`: they are not part of any run's stream,
and without them the file is the stream.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..events import camel
from ..jsontext import dumps
from ..messages import File, Message, Part, Reasoning, Text, ToolCall, ToolResult
from ..values import declared, replace

MESSAGES = "session_messages"
CLOSED = "session_closed"
INTERRUPTED = "session_interrupted"

Hide = Callable[[str], str]
#: Returns the content of a kept file by its name and its digest. Raises ValueError if it is gone.
Kept = Callable[[str, str], bytes]

_KINDS: Mapping[str, type[Part]] = {
    "text": Text,
    "file": File,
    "reasoning": Reasoning,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}
_ROLES: Mapping[str, tuple[type[Part], ...]] = {
    "user": (Text, File),
    "assistant": (Text, Reasoning, ToolCall),
    "tool": (ToolResult,),
}
#: (attribute, key, default) of every field; a field with its default is omitted.
_FIELDS = {
    cls: [
        (name, camel(name), default)
        for name, default in declared(cls).items()
        if name not in ("content", "files")
    ]
    for cls in _KINDS.values()
}
#: The fields that may contain secrets. The others are ids.
_HIDING = ("text", "arguments", "output", "name")


def regular(path: str | os.PathLike[str], flags: int) -> int:
    """Open the file of a session; an opener for `open`.

    Raises OSError for what is no regular file: a FIFO would be waited for without end.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return descriptor


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


def gone(name: str, digest: str) -> bytes:
    """Return nothing: there are no kept files. Raises ValueError."""
    raise ValueError(f"{name} is gone: {digest}")


def from_json(value: Any, kept: Kept = gone) -> list[Message]:
    """Return the step that a JSON value describes. Raises ValueError if it is not one.

    A file that is gone becomes a note, so that the conversation can go on without it.
    """
    try:
        return [_message(one, kept) for one in value]
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
    if isinstance(part, ToolResult) and part.files:
        made["files"] = [_part_to_json(file, hide) for file in part.files]
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


def _message(value: Any, kept: Kept) -> Message:
    role = value["role"]
    allowed = _ROLES[role]
    parts = tuple(_part(one, kept) for one in value["parts"])
    for part in parts:
        if not isinstance(part, allowed):
            raise ValueError(f"a {role} message cannot hold a {_NAMES[type(part)]}")
    return Message(role, parts)


def _part(value: Any, kept: Kept) -> Part:
    cls = _KINDS[value["type"]]
    given = {name: value[key] for name, key, _ in _FIELDS[cls] if key in value}
    for name, one in given.items():
        expected = bool if name == "failed" else str
        if name != "data" and not isinstance(one, expected):
            raise ValueError(f"{name} is not a {expected.__name__}")
    if cls is File:
        try:
            return File(**given, content=kept(given["name"], given["sha256"]))
        except ValueError:
            return Text(f"[{given['name']} ({given['media_type']}) is missing]\n\n")
    if "files" not in value:
        return cls(**given)
    return _with_files(cls(**given), [_part(one, kept) for one in value["files"]])


def _with_files(result: Part, files: Sequence[Part]) -> Part:
    if not isinstance(result, ToolResult):
        raise ValueError("only the result of a call has files")
    missing = [part.text.strip() for part in files if isinstance(part, Text)]
    return replace(
        result,
        output="\n".join((result.output, *missing)),
        files=tuple(part for part in files if isinstance(part, File)),
    )
