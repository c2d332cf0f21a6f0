"""One stamped event to one line of bytes: the only encoder.

stdout, a session file, a recording and the web all carry the bytes made here.
Three promises are kept in this file: every parser accepts every line, no line
reaches 64 KiB (a limit that many readers have), and a text that is too long for
one event becomes several or is cut with exact counts, never silently.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from .events import Event

#: No line may reach this many bytes, its newline included.
LINE_LIMIT = 64 * 1024
#: How much of a tool's output an event carries: head and tail.
HEAD, TAIL = 32 * 1024, 16 * 1024

# What JSON allows in a string but some line reader splits or a terminal obeys:
# DEL, the C1 controls, U+2028 and U+2029. In UTF-8 these byte sequences occur
# only inside strings, so they can be replaced in the finished line. So can the
# second `#` of what some CI runners obey wherever it stands in a line of a log.
_AWKWARD = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|(?<=#)#(?=\[|vso\[|teamcity\[)")
# Compiled where they are met: most texts have none.
_SURROGATE = "[\ud800-\udfff]"
_PAIR = "[\ud800-\udbff][\udc00-\udfff]"


def encode(event: Event) -> bytes:
    """Give the event's line, newline included. `fit` it first if it may be long."""
    return dumps(event.to_dict()) + b"\n"


def encode_texts(texts: list[str], seq: int, ts: int) -> bytes:
    """Give the lines of consecutive text deltas, numbered from `seq`.

    Equal to encoding them one by one, at a fraction of the cost: a model's text
    is most of what a run says. The array's separators cannot be mistaken for
    text, because a quote inside a string is always escaped.
    """
    deltas = [
        {"type": "text_delta", "seq": number, "ts": ts, "text": text}
        for number, text in enumerate(texts, seq)
    ]
    lines = dumps(deltas)[1:-1].replace(b'},{"type":"text_delta",', b'}\n{"type":"text_delta",')
    return lines + b"\n"


def dumps(value: Any) -> bytes:
    """Encode any JSON value so that every parser accepts it."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        data = _dumps_slowly(value)
    if data.isascii() and b"\x7f" not in data and b"##" not in data:
        return data
    return _AWKWARD.sub(_escape, data)


def loads(data: str | bytes) -> Any:
    """Parse JSON strictly (no NaN), keeping the digits of huge integers.

    Raises ValueError. A lone surrogate that was written as an escape comes back
    as one: whoever shows it cleans it.
    """
    import json

    return json.loads(data, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def is_plain(value: Any) -> bool:
    """Tell whether a value is encoded as it stands, with nothing cleaned or out of range."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _dumps_slowly(value: Any) -> bytes:
    # orjson refuses lone surrogates and integers beyond 64 bits.
    import json

    text = json.dumps(_clean(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {
            _clean(key) if isinstance(key, str) else key: _clean(one) for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    return value


def clean(text: str) -> str:
    """Join surrogate pairs and replace what is left of them by U+FFFD."""
    if text.isascii() or not re.search(_SURROGATE, text):
        return text
    return re.sub(_SURROGATE, "\ufffd", joined(text))


def joined(text: str) -> str:
    """Join surrogate pairs, such as one that was cut between two deltas."""
    return text if text.isascii() else re.sub(_PAIR, lambda pair: _join(pair.group()), text)


class Joiner:
    """Cleans a text that comes in pieces: half a pair waits for the other half."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Give what can be shown now."""
        text, self._half = self._half + piece, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return clean(text)

    def finish(self) -> str:
        """Give what stands for a half that never met its other."""
        half, self._half = self._half, ""
        return clean(half)

    @property
    def waiting(self) -> bool:
        """Whether half a pair is being held."""
        return bool(self._half)


def _join(pair: str) -> str:
    return pair.encode("utf-16", "surrogatepass").decode("utf-16")


def _escape(match: re.Match[bytes]) -> bytes:
    return f"\\u{ord(match.group().decode()):04x}".encode()


def fit(event: Event) -> list[Event]:
    """Give the event as one or more events, each of which fits into a line."""
    if _fits(event) or _whole(event):
        return [event]
    if event.type in ("text_delta", "reasoning_delta", "tool_input_delta", "tool_output_delta"):
        return _split(event)
    return [_shorten(event)]


def _whole(event: Event) -> bool:
    # A finished object is useless when cut.
    return "object" in event.__dict__ or (
        event.type == "tool_end" and event.tool_name == "generate_object"
    )


def _split(event: Event) -> list[Event]:
    middle = len(event.text) // 2
    halves = (event.text[:middle], event.text[middle:])
    return [piece for half in halves for piece in fit(event.replace(text=half))]


#: event type -> (field that may be cut, field that then tells its size in bytes)
_CUTTABLE = {
    "start": ("prompt", "prompt_bytes"),
    "end": ("text", "text_bytes"),
    "tool_end": ("tool_output", "output_bytes"),
    "tool_rejected": ("raw_input", "input_bytes"),
    "error": ("error", None),
    "notice": ("text", None),
}


def _shorten(event: Event) -> Event:
    """Cut what is long: the head and the tail stay, and the event says so."""
    if event.tool_input is not None:
        return _shorten_input(event)
    shorter = _shorten_text(event, *_CUTTABLE.get(event.type, ("text", None)))
    while not _fits(shorter) and shorter.permission_denials:
        # The terminal event lists as many refused calls as it can; each had its own event.
        kept = shorter.permission_denials[: len(shorter.permission_denials) // 2]
        omitted = len(event.permission_denials) - len(kept)
        shorter = shorter.replace(permission_denials=kept, permission_denials_omitted=omitted)
    return shorter


def _shorten_text(event: Event, name: str, counter: str | None) -> Event:
    whole = getattr(event, name)
    if not isinstance(whole, str) or len(whole) < 1024:
        return event
    changes: dict[str, Any] = {}
    if counter:
        changes = {"truncated": True, counter: getattr(event, counter) or size(whole)}
    # A control character takes six bytes in JSON, so the room is found by trying.
    room = HEAD + TAIL
    while True:
        shorter = event.replace(**changes, **{name: cut(whole, room * 2 // 3, room // 3)})
        if room < 1024 or _fits(shorter):
            return shorter
        room = room * 3 // 4


def _fits(event: Event) -> bool:
    # One text that is too long alone is not encoded to see that: it may be megabytes.
    if any(type(one) is str and len(one) >= LINE_LIMIT for one in event.__dict__.values()):
        return False
    # The margin is for the digits that the stamp adds, and for the digest that a recording does.
    return len(encode(event)) < LINE_LIMIT - 192


def _shorten_input(event: Event) -> Event:
    """Replace the longest strings of a call's arguments by their digests."""
    from copy import deepcopy

    arguments = deepcopy(event.tool_input)
    strings = sorted(_strings(arguments), key=lambda place: -len(place[0][place[1]]))
    shorter = event
    for holder, key in strings:
        holder[key] = digest(holder[key])
        shorter = event.replace(tool_input=arguments, input_truncated=True)
        if _fits(shorter):
            return shorter
    # Thousands of short values: one digest stands for the whole.
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


def digest(text: str) -> dict[str, Any]:
    """Give what stands for a string that does not fit: its size, sha256 and head."""
    from hashlib import sha256

    data = clean(text).encode()
    head = data[:256].decode(errors="ignore")
    return {"omitted": len(data), "sha256": sha256(data).hexdigest(), "head": head}


def size(text: str) -> int:
    """Give the size of a text in bytes of UTF-8."""
    return len(text) if text.isascii() else len(clean(text).encode())


def cut(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """Keep the first `head` and the last `tail` bytes of a text, and say what is missing."""
    total = size(text)
    if total <= head + tail:
        return text
    # A character has a byte at least, so the ends are in these; the middle is not copied.
    first = clean(text[:head]).encode()[:head].decode(errors="ignore")
    last = clean(text[len(text) - tail :]).encode()[-tail:].decode(errors="ignore")
    missing = total - len(first.encode()) - len(last.encode())
    return f"{first}\n[… {missing} bytes left out …]\n{last}"
