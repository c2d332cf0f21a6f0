"""What a provider says went wrong -> one of our errors.

The same rules serve an HTTP error, an error inside a stream that began with
status 200, and a body that is no event stream at all, so that a failure has one
code however it was delivered. Vendors agree on nothing but the HTTP status, so
that decides first; their words decide only what a status cannot: whether a 429
is a pause or an empty account, and whether a 400 means "too long".

The sentence carries the vendor's own message, because it is the one that can
be searched for. Vendors echo keys in it, so it is masked; it is one line and of
bounded length, because a proxy's error page is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import (
    A3SError,
    AuthError,
    ContextOverflow,
    InvalidResponse,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
)
from ..values import Value

#: Characters of the vendor's message that are shown.
MESSAGE_LIMIT = 1500
#: Bytes of a body that are looked at.
BODY_LIMIT = 256 * 1024

# Patterns are kept as text: a run that fails compiles them, and every other starts faster.

TOO_LONG = (
    r"(?i)context_length_exceeded|exceed_context_size|too_many(_prompt)?_tokens|model_context_window"
    r"|maximum context length|max context length|prompt (is )?too long|input is too long"
    r"|exceeds? (the |this |its )?(model'?s? )?(maximum |available )?context"
    r"|context (window|length|size) (is |was |has been )?exceeded"
    r"|token count.{0,40}exceeds|number of input tokens exceeds|input tokens exceeded"
    r"|too many tokens"
    r"|exceeds the maximum number of (input )?tokens|total length of all messages is too long"
)
EXHAUSTED = (
    r"(?i)insufficient[_ ](quota|balance|credit|fund)|billing|credit balance|out of credits"
    r"|exceeded your (current |monthly )?quota|spending limit"
    r"|(quota|credits?) (is |are |has been |have been )?(exhausted|used up|depleted)"
)
#: A quota that fills up within the minute says so, in a header or in `RetryInfo`: Gemini
#: has the same sentence for both. One of a day may say so, too, but not mean it.
LASTING = r"insufficient_quota|PerDay"
UNKNOWN_MODEL = (
    r"(?i)model_not_found|invalid_model|invalid model|not a valid model|model identifier is invalid"
    r"|\bmodels?\b.{0,120}(not found|not exist|was removed|deprecated|end of its life)"
)
FILTERED = r"(?i)content_filter|content_policy|moderation_blocked"

#: What an error inside a stream calls itself -> the status that it would have had.
STATUS_BY_WORD = (
    ("overloaded", 529),
    ("capacity", 529),
    ("rate_limit", 429),
    ("ratelimit", 429),
    ("too_many_requests", 429),
    ("resource_exhausted", 429),
    ("quota", 429),
    ("billing", 402),
    ("authentication", 401),
    ("api_key", 401),
    ("unauth", 401),
    ("permission", 403),
    ("forbidden", 403),
    ("not_found", 404),
    ("timeout", 504),
    ("deadline", 504),
    ("unavailable", 503),
    ("server_error", 500),
    ("api_error", 500),
    ("internal", 500),
    ("network_error", 500),
    ("invalid", 400),
    ("cancelled", 499),
)

KEY_LIKE = (
    r"\b(?:sk|rk|pk|gsk|xai|hf|nvapi|pplx|csk|tgp|r8|fw)[-_][A-Za-z0-9_-]{16,}"
    r"|\bAIza[A-Za-z0-9_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[A-Z0-9]{16}"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"
)
KEY_AFTER_NAME = (
    r"(?i)((?:api[ _-]?key|token|bearer|secret|password|authorization)(?: provided)?"
    r"['\"]?\s*[:= ]\s*['\"]?)"
    r"(?=[A-Za-z0-9+/_.=-]*\d)([A-Za-z0-9+/_.=-]{20,})"
)
MASK = "***"


class Report(Value):
    """What a body says: a message for people, and the words that a program matches."""

    message: str = ""
    words: str = ""
    status: int | None = None
    retry_ms: int | None = None


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    provider: str,
    secrets: Sequence[str] = (),
) -> A3SError:
    """Turn an HTTP error into the error that the run ends with, or retries on."""
    report = read_body(body)
    fields = {name.lower(): value for name, value in headers.items()}
    error = _error(status, report, provider, secrets, _retry_after_ms(fields))
    wish = fields.get("x-should-retry", "").strip().lower()
    if wish in ("true", "false"):
        error.resend = wish == "true"
    return error


def in_stream(report: object, provider: str, secrets: Sequence[str] = ()) -> A3SError:
    """Turn the error value that a vendor sent inside a stream into the same error."""
    read = _read(report)
    status = read.status
    if status is None:
        words = read.words.lower()
        status = next((code for word, code in STATUS_BY_WORD if word in words), None)
    return _error(status, read, provider, secrets, None)


def no_stream(text: str, provider: str, secrets: Sequence[str] = ()) -> A3SError:
    """Turn a successful response that is no event stream into an error.

    A vendor that fails after it has sent status 200 may forget the framing, too
    (Gemini sends bare JSON, an older llama.cpp a line `error: {…}`).
    """
    start = text.find("{")
    value = (
        parse(text[start:].rstrip().rstrip("]").encode("utf-8", "replace")) if start >= 0 else None
    )
    if isinstance(value, dict) and ("error" in value or "detail" in value):
        return in_stream(value, provider, secrets)
    said = _shown(_plain(text), secrets)
    told = f": {said}" if said else ""
    return InvalidResponse(
        f"{provider} answered with something other than an event stream{told}", provider=provider
    )


def read_body(body: bytes) -> Report:
    """Find message and words in an error body of any vendor: JSON, HTML, or text."""
    value = parse(body[:BODY_LIMIT])
    if isinstance(value, dict | list):
        return _read(value)
    return Report(_plain(body[:BODY_LIMIT].decode("utf-8", "replace")))


def parse(data: bytes) -> Any:
    """Return the parsed JSON, or None for anything else, such as a proxy's page."""
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def mask(text: str, secrets: Sequence[str] = ()) -> str:
    """Hide the given secrets and everything that has the shape of one."""
    for secret in sorted(secrets, key=len, reverse=True):
        # A one-letter key of a loopback server would blank out every sentence.
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    return re.sub(KEY_AFTER_NAME, rf"\1{MASK}", re.sub(KEY_LIKE, MASK, text))


def _error(
    status: int | None,
    report: Report,
    provider: str,
    secrets: Sequence[str],
    retry_after_ms: int | None,
) -> A3SError:
    wait = retry_after_ms if retry_after_ms is not None else report.retry_ms
    kind, verb, hint = _verdict(status, report, wait)
    said = _shown(report.message, secrets) or _phrase(status)
    shown = f" ({status})" if status is not None else ""
    return kind(
        f"{provider}{verb}{shown}: {said}",
        hint=hint,
        provider=provider,
        status=status,
        retry_after_ms=wait,
        # A conflict is a lock that is held for a moment.
        resend=True if status == 409 else None,
    )


def _verdict(
    status: int | None, report: Report, wait: int | None
) -> tuple[type[A3SError], str, str | None]:
    text = f"{report.words} {report.message}"
    if status in (401, 403):
        return AuthError, " refused the credentials", "check the API key and what it may use"
    if status in (402, 429):
        lasting = re.search(EXHAUSTED, text) and (wait is None or re.search(LASTING, text))
        if lasting or status == 402:
            return ProviderError, " has no quota left for this account", "check plan and billing"
        return RateLimited, ": rate limit", None
    if re.search(FILTERED, report.words):
        return Refusal, " refused the content", None
    if re.search(TOO_LONG, text):
        return ContextOverflow, ": the conversation is too long", "use a larger context"
    if status in (408, 504, 522, 524, 598, 599):
        return ProviderTimeout, " timed out", None
    if status is not None and status >= 500:
        return Overloaded, " cannot serve the request now", None
    return ProviderError, " refused the request", _hint(status, text)


def _hint(status: int | None, text: str) -> str | None:
    if re.search(r"api[ _-]?key", text, re.IGNORECASE):
        return "check the API key"
    if re.search(UNKNOWN_MODEL, text) or (status == 404 and "model" in text):
        return "check the model's name"
    return None


def _read(value: Any) -> Report:
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
        retry_ms = _seconds_ms(str(detail.get("retryDelay") or "").removesuffix("s")) or retry_ms
    return Report(message, " ".join(filter(None, words)), _status(holders), retry_ms)


def _messages(inner: Any, holders: list[dict[str, Any]]) -> Iterator[str]:
    for holder in holders:
        message = holder.get("message")
        if isinstance(message, str) and message.strip():
            # OpenRouter says "Provider returned error" and puts what it was told in `raw`.
            metadata = holder.get("metadata")
            upstream = metadata.get("raw") if isinstance(metadata, dict) else None
            yield f"{message}: {upstream}" if isinstance(upstream, str) and upstream else message
    if isinstance(inner, str) and inner.strip():
        yield inner
    for holder in holders:
        for key in ("detail", "message", "error_description", "title", "errors", "error"):
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
        return next(
            (_flat(value[key]) for key in ("message", "msg", "detail") if value.get(key)), ""
        )
    return ""


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


def _plain(text: str) -> str:
    """Return what a person would read of a page."""
    if "<" not in text:
        return text
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title and title[1].strip():
        text = title[1]
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    import html

    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def _shown(message: str, secrets: Sequence[str]) -> str:
    line = mask(" ".join(message.split()), secrets)
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"


def _phrase(status: int | None) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase if status is not None else "no reason given"
    except ValueError:
        return "no reason given"


def _retry_after_ms(fields: Mapping[str, str]) -> int | None:
    """Read how long to wait: milliseconds, seconds with a fraction, or an HTTP date."""
    exact = _seconds_ms(fields.get("retry-after-ms", ""), 1)
    if exact:
        return exact
    told = fields.get("retry-after", "").strip()
    seconds = _seconds_ms(told)
    if seconds or not told or told[0].isdigit():
        return seconds
    import time
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(told).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return round(wait * 1000) if wait > 0 else None


def _seconds_ms(text: str, unit: int = 1000) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value * unit) or None if 0 < value < 1e9 else None
