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
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from .error_report import Report

#: Characters of the vendor's message that are shown.
MESSAGE_LIMIT = 1500
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

NO_TOOLS = (
    r"(?i)does(n't| not) support (tools|tool use|tool calling|function calling)"
    r"|(tool use|tools|function calling) (is|are) not supported|support tool use"
    r"|tool choice requires|enable-auto-tool-choice"
)
#: A server without a part for images says so with 500, and would say it again.
NO_SIGHT = r"(?i)(image|audio|vision|multi-?modal) (input|data)?s? ?(is|are) not supported|mmproj"
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


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    provider: str,
    secrets: Sequence[str] = (),
) -> A3SError:
    """Turn an HTTP error into the error that the run ends with, or retries on."""
    from .error_report import read_body

    report = read_body(body)
    fields = {name.lower(): value for name, value in headers.items()}
    error = _error(status, report, provider, secrets, _retry_after_ms(fields))
    wish = fields.get("x-should-retry", "").strip().lower()
    if wish in ("true", "false"):
        error.resend = wish == "true"
    return error


def in_stream(report: object, provider: str, secrets: Sequence[str] = ()) -> A3SError:
    """Turn the error value that a vendor sent inside a stream into the same error."""
    from .error_report import read_value

    read = read_value(report)
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
    from .error_report import parse, readable

    start = text.find("{")
    value = (
        parse(text[start:].rstrip().rstrip("]").encode("utf-8", "replace")) if start >= 0 else None
    )
    if is_error(value):
        return in_stream(value, provider, secrets)
    said = _shown(readable(text), secrets)
    told = f": {said}" if said else ""
    return InvalidResponse(
        f"{provider} answered with something other than an event stream{told}", provider=provider
    )


def is_error(value: object) -> bool:
    """Whether a value that came where an answer was expected is an error, in any vendor's words."""
    if not isinstance(value, dict):
        return False
    if any(value.get(key) for key in ("error", "detail", "fault", "errorMessage")):
        return True
    # vLLM and Mistral have no `error` around it, gateways just a code or a status.
    told = any(isinstance(value.get(key), str) for key in ("message", "msg", "title"))
    kinds = ("code", "status", "statusCode", "status_code", "success", "error_code", "request_id")
    return value.get("object") == "error" or (told and any(key in value for key in kinds))


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
        return AuthError, " refused the credentials", "check the API key and its permissions"
    if status in (402, 429):
        lasting = re.search(EXHAUSTED, text) and (wait is None or re.search(LASTING, text))
        if lasting or status == 402:
            return (
                ProviderError,
                " has no quota left for this account",
                "check the plan and the billing",
            )
        return RateLimited, " rate limit", None
    if re.search(FILTERED, report.words):
        return Refusal, " refused the content", None
    if re.search(TOO_LONG, text):
        return ContextOverflow, " says that the conversation is too long", "use a larger context"
    if re.search(NO_SIGHT, text):
        return ProviderError, " refused the request", None
    if status in (408, 504, 522, 524, 598, 599):
        return ProviderTimeout, " timed out", None
    # A model that failed or is not ready yet behind a gateway, and a request that was ended there.
    if status in (424, 425, 499) or (status is not None and status >= 500):
        return Overloaded, " cannot serve the request now", None
    return ProviderError, " refused the request", _hint(status, text)


def _hint(status: int | None, text: str) -> str | None:
    if status == 413:
        return (
            "the request is larger than the server or a proxy before it accepts: begin a new"
            " session, attach less, or raise that limit"
        )
    if re.search(NO_TOOLS, text):
        return (
            "choose a model that can call tools, start the server with its tool parser, or set"
            " tool_call = false for this model in the configuration"
        )
    if re.search(r"api[ _-]?key", text, re.IGNORECASE):
        return "check the API key"
    if re.search(UNKNOWN_MODEL, text) or (status == 404 and "model" in text):
        return "check the model's name"
    return None


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
    from .error_report import seconds_ms

    exact = seconds_ms(fields.get("retry-after-ms", ""), 1)
    if exact:
        return exact
    told = fields.get("retry-after", "").strip()
    seconds = seconds_ms(told)
    if seconds or not told or told[0].isdigit():
        return seconds
    import time
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(told).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return round(wait * 1000) if wait > 0 else None
