"""JSON text: values to bytes that every parser accepts, and back.

All JSON that leaves the program is encoded here, so three promises hold
everywhere: no parser rejects a line, no line reader splits one, and a text that
is too long for one event is cut with exact counts, never silently. This module
knows nothing of events; `stream.line` does.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

#: Every line is shorter than this, in bytes with its newline.
LINE_LIMIT = 64 * 1024
#: Levels of JSON that are read. What is deeper could not be written again by every encoder.
DEEPEST = 200
TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"
TOO_LONG = "it contains a number with too many digits"
#: Bytes of a tool's output that an event carries: head and tail.
HEAD, TAIL = 32 * 1024, 16 * 1024

# What JSON allows in a string but some line readers split at or terminals obey:
# DEL, the C1 controls, U+2028 and U+2029. In UTF-8 these byte sequences occur
# only inside strings, so they can be replaced in the finished line. So can the
# second `#` of the commands that some CI runners obey anywhere in a log line.
# Compiled on first use, like the two below: most texts contain none.
_AWKWARD = rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|(?<=#)#(?=\[|vso\[|teamcity\[)"
_SURROGATE = "[\ud800-\udfff]"
_PAIR = "[\ud800-\udbff][\udc00-\udfff]"


def dumps(value: Any) -> bytes:
    """Encode any JSON value so that every parser accepts it."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        data = _dumps_slowly(value)
    return escaped(data)


def escaped(data: bytes) -> bytes:
    """Return JSON text with everything escaped that a line reader, a terminal or a CI obeys."""
    if data.isascii() and b"\x7f" not in data and b"##" not in data:
        return data
    return re.sub(_AWKWARD, _escape, data)


def loads(data: str | bytes, *, distinct: bool = False) -> Any:
    """Parse JSON strictly (no NaN), keeping the digits of huge integers.

    Raises ValueError, whose message a person can read; with `distinct`, also for an object
    that has a key twice. A lone surrogate written as an escape comes back as one; `clean`
    it before showing it.
    """
    import json

    pairs = _distinct if distinct else None
    try:
        value = json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=pairs)
    except RecursionError:
        raise Refused(TOO_DEEP) from None
    except (json.JSONDecodeError, Refused):
        raise
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is {error.object[error.start]:#04x}"
        raise Refused(f"it is not UTF-8: {place}") from None
    except ValueError:
        # The only other one: an integer of more digits than are converted.
        raise Refused(TOO_LONG) from None
    if is_too_deep(value, data):
        raise Refused(TOO_DEEP)
    return value


class Refused(ValueError):
    """JSON that is not read, though perhaps it is well-formed."""


class Written(dict[str, Any]):
    """An object with the text that it was read from, which may have more digits."""

    text: str


def _refuse_constant(name: str) -> Any:
    raise Refused(f"{name} is not JSON")


def is_too_deep(value: Any, data: str | bytes) -> bool:
    """Return whether a value has more levels than we read; most texts show at once that not."""
    if isinstance(data, str):
        brackets = data.count("[") + data.count("{")
    else:
        brackets = data.count(b"[") + data.count(b"{")
    if brackets <= DEEPEST:
        return False
    level, containers = 0, [value] if isinstance(value, dict | list) else []
    while containers and level <= DEEPEST:
        level += 1
        below: list[Any] = []
        for one in containers:
            inner = one.values() if isinstance(one, dict) else one
            below += [each for each in inner if isinstance(each, dict | list)]
        containers = below
    return level > DEEPEST


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, one in pairs:
        if key in value:
            raise Refused(f"the key {key!r} appears twice")
        value[key] = one
    return value


class LineSplitter:
    """Splits bytes that come in pieces into lines of at most `limit` bytes.

    Of a longer line only the first `limit` + 1 bytes are returned, which marks it; the
    rest is dropped as it comes, so that memory is bounded. Only a line feed ends a
    line; a carriage return before it is removed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that these bytes complete, without their ends."""
        *whole, rest = data.split(b"\n")
        lines = []
        for piece in whole:
            self._hold(piece)
            lines.append(self._take())
        self._hold(rest)
        return lines

    def finish(self) -> list[bytes]:
        """Return the last line, where it has no end of its own."""
        return [self._take()] if self._pending else []

    def _hold(self, piece: bytes) -> None:
        # One more for the carriage return of a line that is just not too long.
        self._pending += piece[: max(0, self._limit + 2 - len(self._pending))]

    def _take(self) -> bytes:
        line = bytes(self._pending).removesuffix(b"\r")[: self._limit + 1]
        self._pending.clear()
        return line


def is_plain(value: Any) -> bool:
    """Return whether a value is encoded unchanged: nothing cleaned, nothing out of range."""
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
    """Join surrogate pairs and replace lone surrogates by U+FFFD."""
    if text.isascii() or not re.search(_SURROGATE, text):
        return text
    return re.sub(_SURROGATE, "\ufffd", joined(text))


def has_lone_surrogate(value: Any, data: bytes) -> bool:
    """Return whether a value that was read from `data` has half a surrogate pair in a text."""
    if b"\\ud" not in data and b"\\uD" not in data:
        return False
    import json

    return re.search(_SURROGATE, json.dumps(value, ensure_ascii=False)) is not None


def joined(text: str) -> str:
    """Join surrogate pairs, such as one that two deltas have split."""
    return text if text.isascii() else re.sub(_PAIR, lambda pair: _join(pair.group()), text)


class Joiner:
    """Cleans a text that arrives in pieces: half a pair waits for its other half."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown now."""
        text, self._half = self._half + piece, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return clean(text)

    def finish(self) -> str:
        """Return the replacement for a half whose other half never came."""
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


def digest(text: str) -> dict[str, Any]:
    """Return a stand-in for a string that does not fit: its size, sha256 and head."""
    from hashlib import sha256

    data = clean(text).encode()
    head = data[:256].decode(errors="ignore")
    return {"omitted": len(data), "sha256": sha256(data).hexdigest(), "head": head}


def size(text: str) -> int:
    """Return the size of a text in bytes of UTF-8."""
    return len(text) if text.isascii() else len(clean(text).encode())


def cut(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """Keep the first `head` and the last `tail` bytes of a text, and count what is missing."""
    total = size(text)
    if total <= head + tail:
        return text
    # A character has a byte at least, so the ends are in these; the middle is not copied.
    first = clean(text[:head]).encode()[:head].decode(errors="ignore")
    last = clean(text[len(text) - tail :]).encode()[-tail:].decode(errors="ignore")
    missing = total - len(first.encode()) - len(last.encode())
    return f"{first}\n[… {missing} bytes left out …]\n{last}"
