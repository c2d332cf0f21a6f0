"""What the body of a failure says: a message for people, and the words that a program matches.

Vendors, gateways and proxies put both in a dozen places. Loaded when something has
failed, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..values import Value

#: Bytes of a body that are looked at.
BODY_LIMIT = 256 * 1024
#: Where a message may be, the best place first.
MESSAGES = (
    "detail", "message", "msg", "error_description", "errorMessage", "faultstring", "title",
    "errors", "error", "fault",
)  # fmt: skip


class Report(Value):
    """What a body says: a message for people, and the words that a program matches."""

    message: str = ""
    words: str = ""
    status: int | None = None
    retry_ms: int | None = None


def read_body(body: bytes) -> Report:
    """Find message and words in an error body of any vendor: JSON, HTML, or text."""
    value = parse(body[:BODY_LIMIT])
    if isinstance(value, dict | list):
        return read_value(value)
    return Report(readable(body[:BODY_LIMIT].decode("utf-8", "replace")))


def parse(data: bytes) -> Any:
    """Return the parsed JSON, or None for anything else, such as a proxy's page."""
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def read_value(value: Any) -> Report:
    """Collect message, words and status from wherever a vendor puts them."""
    if isinstance(value, list):
        value = value[0] if value else {}
    if isinstance(value, str):
        return Report(value)
    if not isinstance(value, dict):
        return Report()
    inner = value.get("error")
    holders = [holder for holder in (inner, value) if isinstance(holder, dict)]
    message = next(_messages(inner, holders), "")
    words = [
        str(word)
        for holder in holders
        for key in ("type", "code", "status", "reason", "error_type")
        if isinstance(word := holder.get(key), str | int)
    ]
    retry_ms = None
    for detail in _details(holders):
        words.append(str(detail.get("reason") or ""))
        words += [str(item.get("quotaId") or "") for item in _items(detail.get("violations"))]
        retry_ms = seconds_ms(str(detail.get("retryDelay") or "").removesuffix("s")) or retry_ms
    return Report(message, " ".join(filter(None, words)), _status(holders), retry_ms)


def _messages(inner: Any, holders: list[dict[str, Any]]) -> Iterator[str]:
    for holder in holders:
        message = holder.get("message")
        if isinstance(message, str) and message.strip():
            # OpenRouter says "Provider returned error" and puts what it was told in `raw`.
            metadata = holder.get("metadata")
            upstream = metadata.get("raw") if isinstance(metadata, dict) else None
            if isinstance(upstream, str) and upstream:
                message = f"{message}: {_upstream(upstream)}"
            yield _placed(message, holder.get("param"))
    if isinstance(inner, str) and inner.strip():
        yield inner
    for holder in holders:
        for key in MESSAGES:
            told = _flat(holder.get(key))
            if told:
                yield told


def _flat(value: Any) -> str:
    """Return the text of a message that is a list or an object (FastAPI's `detail`)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_flat, value)))
    if isinstance(value, dict):
        keys = ("message", "msg", "detail", "faultstring")
        told = next((_flat(value[key]) for key in keys if value.get(key)), "")
        place = value.get("loc")
        if told and isinstance(place, list):
            return f"{'.'.join(map(str, place))}: {told}"
        return _placed(told, value.get("param"))
    return ""


def _placed(message: str, place: Any) -> str:
    """Return a message with the field that it is about, unless it names the field itself."""
    if not message or not isinstance(place, str) or not place or place in message:
        return message
    return f"{message} (in {place})"


def _upstream(raw: str) -> str:
    """Return what a gateway's own provider said, where it is passed on as it came."""
    value = parse(raw.encode("utf-8", "replace"))
    return (read_value(value).message if isinstance(value, dict) else "") or raw


def _details(holders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [detail for holder in holders for detail in _items(holder.get("details"))]


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _status(holders: list[dict[str, Any]]) -> int | None:
    for holder in holders:
        for key in ("status_code", "code", "status", "http_status"):
            value = holder.get(key)
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
                value = int(value)
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def readable(text: str) -> str:
    """Return what a person would read of a page: its title, or else its text."""
    if "<" not in text:
        return text
    import html

    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    heading = re.search(r"<h[12][^>]*>(.*?)</h[12]>", text, re.IGNORECASE | re.DOTALL)
    parts = [
        html.unescape(re.sub(r"<[^>]*>", " ", found[1])) for found in (title, heading) if found
    ]
    said = [one for one in (" ".join(part.split()) for part in parts) if one]
    if said:
        # The heading of an error page often repeats its title.
        return said[0] if len(said) == 1 or said[1] in said[0] else ": ".join(said)
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def seconds_ms(text: str, unit: int = 1000) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value * unit) or None if 0 < value < 1e9 else None
