"""Encodes a stamped event as one line of bytes: the only encoder of events.

stdout, session files, recordings and the server all carry these bytes. Every line is
shorter than 64 KiB, a common limit of line readers: a text that is too long for one
event is split into several events, or cut with exact counts.
"""

from __future__ import annotations

from typing import Any

from ..events import Event
from ..jsontext import HEAD, LINE_LIMIT, TAIL, cut, digest, dumps, size


def encode(event: Event) -> bytes:
    """Return the event's line, newline included. `fit` the event first if it may be long."""
    return dumps(event.to_dict()) + b"\n"


def encode_texts(texts: list[str], seq: int, ts: int) -> bytes:
    """Return the lines of consecutive text deltas, numbered from `seq`.

    Equal to encoding them one by one, at a fraction of the cost: most of a stream is
    the model's text. The array's separators cannot occur in a text, because quotes
    inside strings are escaped.
    """
    deltas = [
        {"type": "text_delta", "seq": number, "ts": ts, "text": text}
        for number, text in enumerate(texts, seq)
    ]
    lines = dumps(deltas)[1:-1].replace(b'},{"type":"text_delta",', b'}\n{"type":"text_delta",')
    return lines + b"\n"


def fit(event: Event, limit: int = LINE_LIMIT) -> list[Event]:
    """Return the event as one or more events, each of which fits into a line of `limit` bytes."""
    if _fits(event, limit) or _whole(event):
        return [event]
    if event.type in ("text_delta", "reasoning_delta", "tool_input_delta", "tool_output_delta"):
        return _split(event, limit)
    return [_shorten(event, limit)]


def _whole(event: Event) -> bool:
    # A cut object is useless.
    return "object" in event.__dict__ or (
        event.type == "tool_end" and event.tool_name == "generate_object"
    )


def _split(event: Event, limit: int) -> list[Event]:
    middle = len(event.text) // 2
    halves = (event.text[:middle], event.text[middle:])
    return [piece for half in halves for piece in fit(event.replace(text=half), limit)]


def _shorten(event: Event, limit: int) -> Event:
    """Cut the long fields to head and tail, and mark the event."""
    while not _fits(event, limit) and event.changed:
        # As many as fit are named, and never at the cost of what a call returned.
        event = event.replace(changed=event.changed[: len(event.changed) // 2] or None)
    shorter = event if event.tool_input is None else _shorten_input(event, limit)
    if shorter.structured is not None and not _fits(shorter.replace(tool_output=""), limit):
        shorter = shorter.replace(structured=digest(dumps(shorter.structured).decode()))
    shorter = _shorten_texts(_shorten_tools(shorter), limit)
    while not _fits(shorter, limit) and shorter.permission_denials:
        # The terminal event lists as many denied calls as fit; each had its own event.
        kept = shorter.permission_denials[: len(shorter.permission_denials) // 2]
        omitted = len(event.permission_denials) - len(kept)
        shorter = shorter.replace(permission_denials=kept, permission_denials_omitted=omitted)
    return shorter


def _shorten_tools(event: Event) -> Event:
    """Cut a list of tools that takes more than half a line, and say how long it was."""
    tools = event.tools or ()
    kept = list(tools)
    while kept and len(dumps(kept)) > LINE_LIMIT // 2:
        kept = kept[: len(kept) // 2]
    if len(kept) == len(tools):
        return event
    return event.replace(tools=kept, tool_count=len(tools), truncated=True)


def _shorten_texts(event: Event, limit: int) -> Event:
    """Cut the longest texts; where there is a field for it, say how long they were.

    `raw_input` is counted by `input_bytes`, `text` by `text_bytes`, and so on.
    """
    values = event.__dict__
    long = {
        name: values[name]
        for name in event.foreign()
        if type(values.get(name)) is str and len(values[name]) >= 1024
    }
    # A control character takes six bytes in JSON, so the size is found by trying.
    room, shorter = HEAD + TAIL, event
    while not _fits(shorter, limit) and long and room > 512:
        changes: dict[str, Any] = {}
        for name, whole in long.items():
            changes[name] = cut(whole, room * 2 // 3, room // 3)
            counter = f"{name.rpartition('_')[2]}_bytes"
            if counter in event.accepted and changes[name] != whole:
                changes |= {"truncated": True, counter: values.get(counter) or size(whole)}
        shorter = event.replace(**changes)
        room = room * 3 // 4
    return shorter


def _fits(event: Event, limit: int) -> bool:
    # A text that is too long by itself need not be encoded: it may be megabytes.
    if any(type(one) is str and len(one) >= limit for one in event.__dict__.values()):
        return False
    # The margin is for the digits of the stamp and for a recording's digest.
    return len(encode(event)) < limit - 192


def _shorten_input(event: Event, limit: int) -> Event:
    """Replace the longest strings in a call's arguments by their digests."""
    from copy import deepcopy

    arguments = deepcopy(event.tool_input)
    strings = sorted(_strings(arguments), key=lambda place: -len(place[0][place[1]]))
    shorter = event
    for holder, key in strings:
        holder[key] = digest(holder[key])
        shorter = event.replace(tool_input=arguments, input_truncated=True)
        if _fits(shorter, limit):
            return shorter
    # Thousands of short values: one digest for all of them.
    whole = digest(dumps(event.tool_input).decode())
    return shorter.replace(tool_input=whole, input_truncated=True)


def _strings(value: Any) -> list[tuple[Any, Any]]:
    places = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, one in places:
        if isinstance(one, str):
            found.append((value, key))
        elif isinstance(one, (dict, list)):
            found.extend(_strings(one))
    return found
