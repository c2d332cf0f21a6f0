"""What models a vendor's server offers: one GET, outside of any run."""

from __future__ import annotations

from typing import Any

from ..errors import A3SError, ProviderError
from ..jsontext import loads
from ..model import Endpoint
from ..transport.fetch import fetch
from .codec import http_headers, secrets, url
from .failures import classify

#: The header of the key, its scheme, and what else a wire wants; the OpenAI ones are alike.
_HEADERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "anthropic": ("x-api-key", "", {"anthropic-version": "2023-06-01"}),
    "gemini": ("x-goog-api-key", "", {}),
}
#: Fields of a page of a list that ask for more entries than the default.
_MORE = {"anthropic": "limit=1000", "gemini": "pageSize=1000"}


async def offered(endpoint: Endpoint) -> list[str]:
    """Return the names of the models, sorted. Raises A3SError, which says what failed."""
    header, scheme, more = _HEADERS.get(endpoint.wire, ("authorization", "Bearer ", {}))
    headers = {**more, **http_headers(endpoint, header, scheme), "accept": "application/json"}
    del headers["content-type"]
    place = url(endpoint, "/models")
    if extra := _MORE.get(endpoint.wire):
        place += ("&" if "?" in place else "?") + extra
    try:
        status, fields, body = await fetch(place, headers)
    except A3SError as error:
        error.provider = error.provider or endpoint.provider
        raise
    if status != 200:
        raise classify(status, fields, body, endpoint.provider, secrets(endpoint))
    try:
        return sorted(set(_names(loads(body))))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ProviderError(f"{endpoint.provider} did not answer with a list of models") from None


def _names(answer: Any) -> list[str]:
    if isinstance(answer, dict) and isinstance(answer.get("models"), list):
        return [str(one["name"]).removeprefix("models/") for one in answer["models"]]
    entries = answer["data"] if isinstance(answer, dict) else answer
    return [str(one["id"]) for one in entries]
