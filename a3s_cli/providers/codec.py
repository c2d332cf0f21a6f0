"""What every wire's codec needs: JSON both ways, decoding in batches, ends.

Here live the decisions that must not differ between wires: what malformed data
is, how text that is not valid Unicode is sent, when an error inside a stream is
raised, and when a response counts as whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from ..errors import A3SError, InvalidResponse, TruncatedStream
from ..model import Chunk, Decoder, Endpoint
from ..sse import Parser
from .failures import in_stream, mask, no_stream

#: What reading a field of the wrong type raises. All of the vendor's data is read
#: with plain subscripts and methods, and these are the vendor's mistake, not ours.
MISSHAPEN = (AttributeError, TypeError, KeyError, IndexError, ValueError)


class EventDecoder:
    """The frame of every wire's decoder; a wire writes `_decode`.

    `feed` never loses what came before a failure: if a batch holds text and then
    an error, the text is returned, and the error is raised by the next `feed` or by
    looking at `complete`, whichever comes first.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._complete = False
        self._failure: A3SError | None = None

    @property
    def complete(self) -> bool:
        """True once the protocol's own end was seen; raises the error that ended the response."""
        if self._failure is not None:
            raise self._failure
        return self._complete

    @complete.setter
    def complete(self, value: bool) -> None:
        self._complete = value

    def feed(self, events: Iterable[tuple[str, str]]) -> list[Chunk]:
        """Decode the (event name, data) pairs of one network read."""
        if self._failure is not None:
            raise self._failure
        chunks: list[Chunk] = []
        try:
            self._decode(events, chunks)
        except A3SError as error:
            self._failure = error
        except MISSHAPEN as error:
            self._failure = InvalidResponse(
                f"{self._endpoint.provider} sent data that its protocol does not allow"
                f" ({type(error).__name__}: {error})"[:300],
                provider=self._endpoint.provider,
            )
        if self._failure is not None and not chunks:
            raise self._failure
        return chunks

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        raise NotImplementedError

    def _refused(self, error: object) -> A3SError:
        """Classify an error that the vendor sent inside the stream."""
        return in_stream(error, self._endpoint.provider, secrets(self._endpoint))


def finish(parser: Parser, decoder: Decoder, endpoint: Endpoint) -> list[Chunk]:
    """Return what the end of the body still completes; raise unless the response was whole.

    A last event without its blank line counts if its JSON is complete, since such
    a thing cannot be a cut (anthropic-messages/089); nothing of it is given if it
    does not make the response whole. What is raised is, in order: the error that
    the vendor sent, the error that it sent outside of the framing, and the cut.
    """
    parser.close()
    chunks: list[Chunk] = []
    if not decoder.complete and all(_is_object(data) for _, data in parser.unfinished):
        chunks = decoder.feed(parser.unfinished)
    whole = decoder.complete
    if parser.stray.strip():
        error = no_stream(parser.stray, endpoint.provider, secrets(endpoint))
        # A server may chat between its events, as long as it says that it is done.
        if not whole or not isinstance(error, InvalidResponse):
            raise error
    if not whole:
        raise TruncatedStream(
            f"{endpoint.provider} ended the response before its end", provider=endpoint.provider
        )
    return chunks


def _is_object(data: str) -> bool:
    try:
        return isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        return False


def secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """Everything of an endpoint that must not appear in a message."""
    found = list(endpoint.headers.values())
    if endpoint.api_key:
        found.append(endpoint.api_key)
    return tuple(value.removeprefix("Bearer ") for value in found)


def is_marker(data: str) -> bool:
    """Return whether an event is a harmless marker: `[DONE]`, or an empty keep-alive."""
    return data.strip() in ("", "[DONE]")


def loads(data: str, provider: str) -> dict[str, Any]:
    """Parse one event's JSON object."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _loads_leniently(data, provider)
    if type(value) is not dict:
        raise InvalidResponse(
            f"{provider} sent an event that is not a JSON object: {mask(data[:200])!r}",
            provider=provider,
        )
    return value


def _loads_leniently(data: str, provider: str) -> Any:
    """Parse what orjson refuses and vendors send: half of a surrogate pair in a delta."""
    import json

    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidResponse(
            f"{provider} sent an event that is not JSON: {mask(data[:200])!r}", provider=provider
        ) from None


def dumps(value: Any) -> bytes:
    """Serialise a request; equal values give equal bytes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_sendable(value))


def _sendable(value: Any) -> Any:
    """Copy a value without what orjson refuses: lone surrogates and huge integers."""
    if isinstance(value, str):
        return repaired(value)
    if isinstance(value, dict):
        return {repaired(str(key)): _sendable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return orjson.Fragment(str(value))
    return value


def repaired(text: str) -> str:
    """Join surrogate pairs, and replace a lone surrogate by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def object_text(arguments: str) -> str:
    """Return the arguments of a call as the text of a JSON object, whatever the model wrote.

    Vendors refuse a conversation in which an earlier call has broken arguments;
    the model learns of its mistake from the result. Valid text is kept to the
    letter, so that the prompt cache holds.
    """
    if not arguments.strip():
        return "{}"
    text = repaired(arguments)
    if _is_object(text):
        return text
    return orjson.dumps({"invalid_arguments": text}).decode()


def object_json(arguments: str) -> orjson.Fragment:
    """Return the same as a JSON object inside the request, without parsing it again."""
    return orjson.Fragment(object_text(arguments))


def argument_text(arguments: Any) -> str:
    """Return arguments that a vendor sent as an object (or left out) as JSON text."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return dumps(arguments).decode()


def figure(value: Any) -> int:
    """Read a count of tokens; absent and null are 0."""
    # A count that no integer of a wire can be is as good as none.
    return int(value) if value and 0 < value < 2**53 else 0


def details(usage: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a nested object; one that is absent or null is empty."""
    return usage.get(key) or {}


def url(endpoint: Endpoint, path: str) -> str:
    """Return the URL of a request; the quirk `query` follows its `?` (Azure's version)."""
    address = endpoint.base_url.rstrip("/") + path
    query = endpoint.quirks.get("query")
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


def http_headers(endpoint: Endpoint, key_header: str, scheme: str = "") -> dict[str, str]:
    """Return the headers that every wire sends; those of the configuration override them.

    The quirk `auth_header` names another header, which then carries the bare key.
    """
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if endpoint.api_key:
        other = endpoint.quirks.get("auth_header")
        headers[other or key_header] = endpoint.api_key if other else scheme + endpoint.api_key
    headers.update({name.lower(): value for name, value in endpoint.headers.items()})
    return headers


def text_of(value: Any, provider: str) -> str:
    """Return a value that must be a string; raises InvalidResponse."""
    if type(value) is str:
        return value
    raise InvalidResponse(f"{provider} sent text that is not a string", provider=provider)


def identity_of(value: Any, provider: str) -> str:
    """Return a call's id: "" where there is none; a number is accepted."""
    if not value:
        return ""
    return text_of(str(value) if type(value) is int else value, provider)
