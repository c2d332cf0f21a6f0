"""What every wire's codec needs: JSON both ways, decoding in batches, ends.

Here live the decisions that must not differ between wires: what malformed data
is, how text that is not valid Unicode is sent, when an error inside a stream is
raised, and when a response counts as whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ..errors import A3SError, InvalidResponse, TruncatedStream
from ..jsontext import DEEPEST, TOO_DEEP, is_too_deep
from ..model import Chunk, Decoder, Endpoint
from ..sse import Parser
from .failures import in_stream, mask, no_stream

#: What reading a field of the wrong type raises. All of the vendor's data is read
#: with plain subscripts and methods, and these are the vendor's mistake, not ours.
MISSHAPEN = (AttributeError, TypeError, KeyError, IndexError, ValueError)

#: How often the arguments may have been encoded as a string.
_ENCODED = 3
#: How often it is asked of one call whether its arguments are whole.
_LOOKS = 100
_WAITING = ("", "{", "{}", "n", "nu", "nul", "null")
#: What stands for arguments that are still to come, or that there are none.
PLACEHOLDERS = ("{}", "null")


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
    does not make the response whole. So does a body of JSON, from a server that
    does not stream. What is raised is, in order: the error that the vendor sent,
    the error that it sent outside of the framing, and the cut.
    """
    parser.close()
    chunks: list[Chunk] = []
    events = parser.unfinished
    if not parser.any_events and not events:
        events = _unframed(parser.stray)
    if not decoder.complete and all(is_object(data) for _, data in events):
        chunks = decoder.feed(events)
    whole = decoder.complete
    if parser.stray.strip() and not (whole and not parser.any_events):
        error = no_stream(parser.stray, endpoint.provider, secrets(endpoint))
        # A server may chat between its events, as long as it says that it is done.
        if not whole or not isinstance(error, InvalidResponse):
            raise error
    if not whole:
        raise TruncatedStream(
            f"{endpoint.provider} ended the response before its end", provider=endpoint.provider
        )
    return chunks


def _unframed(text: str) -> list[tuple[str, str]]:
    """Return the events of a body that is JSON: one value, a list of them, or one on each line."""
    if text.lstrip("\ufeff \n")[:1] not in ("{", "["):
        return []
    from .error_report import parse

    value = parse(text.encode("utf-8", "replace"))
    if isinstance(value, list):
        return [("message", dumps(one).decode()) for one in value]
    lines = [text] if value is not None else text.splitlines()
    return [("message", line) for line in lines if line.strip()]


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
    # A short text has no room for so many levels.
    if len(data) > 2 * DEEPEST and is_too_deep(value, data):
        raise InvalidResponse(f"{provider} sent an event: {TOO_DEEP}", provider=provider)
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


def payload(body: dict[str, Any], endpoint: Endpoint) -> bytes:
    """Serialise a request's body, as the endpoint's settings want it."""
    if "extra_body" in endpoint.quirks or "schema_without" in endpoint.quirks:
        from .fitting import fitted

        body = fitted(body, endpoint)
    return dumps(body)


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
    if is_object(text):
        return text
    return orjson.dumps({"invalid_arguments": text}).decode()


def object_json(arguments: str) -> orjson.Fragment:
    """Return the same as a JSON object inside the request, without parsing it again."""
    return orjson.Fragment(object_text(arguments))


class ArgumentText:
    """The JSON text of one call's arguments, which come in pieces, and not always as JSON once.

    Servers send `{}` or `null` before the real arguments, and encode the arguments as
    a JSON string inside the JSON string. Consumers join the pieces, so text that could
    be one of these is held back; all other text passes at once.

    `feed` and `finish` return what a consumer may have of it; all that they return,
    joined, is `text`.
    """

    __slots__ = ("_flows", "_held", "_looks", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._looks = 0
        self._held = ""
        self._flows = False

    @property
    def begun(self) -> bool:
        """Whether anything but white space has arrived."""
        return self._flows or bool(self._held.strip())

    @property
    def text(self) -> str:
        """All that has arrived."""
        return "".join(self._pieces) + self._held

    @property
    def whole(self) -> bool:
        """Whether what has arrived is a JSON object, or says that there are no arguments."""
        if self._flows and not self._pieces[-1].rstrip().endswith("}"):
            return False
        # Each look reads all of it, so a server gets only so many.
        self._looks += 1
        return self._looks <= _LOOKS and is_object(_decoded(self.text) or "{}")

    def feed(self, piece: str) -> str:
        """Take the next piece."""
        if self._flows:
            self._pieces.append(piece)
            return piece
        if self._held.strip() in PLACEHOLDERS and piece.lstrip()[:1] == "{":
            self._held = ""
        self._held += piece
        start = self._held.strip()
        if start in _WAITING or start[0] == '"':
            return ""
        self._flows = True
        piece, self._held = self._held, ""
        self._pieces.append(piece)
        return piece

    def finish(self) -> str:
        """Take the end; returns what waited."""
        piece, self._held = _decoded(self._held), ""
        self._pieces.append(piece)
        return piece


def _decoded(text: str) -> str:
    """Return the text inside of a JSON string that holds a JSON object, or else the text."""
    if text.strip() == "null":
        return ""
    inner: Any = text
    for _ in range(_ENCODED):
        if not inner.lstrip().startswith('"'):
            break
        try:
            inner = orjson.loads(inner)
        except orjson.JSONDecodeError:
            return text
    return inner if inner is text or is_object(inner or "{}") else text


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def joined_name(name: str, piece: str) -> str:
    """Return a call's name after another piece: its next part, or a repetition of it."""
    return piece if piece.startswith(name) else name + piece


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


def tool_choice(choice: Any, quirks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field that says which tool must be called, or that none may be.

    The quirk `tool_choice` is False where a request must not have that field, and
    "required" where it may not name a tool.
    """
    known = quirks.get("tool_choice", True)
    if known is False:
        return {}
    return {"tool_choice": "required" if known == "required" and choice != "none" else choice}


def text_of(value: Any, provider: str) -> str:
    """Return a value that must be a string; raises InvalidResponse."""
    if type(value) is str:
        return value
    raise InvalidResponse(f"{provider} sent text that is not a string", provider=provider)


def second_message(provider: str) -> InvalidResponse:
    """Return the error for a response that began anew before it had ended: neither is whole."""
    return InvalidResponse(
        f"{provider} began a second message before the first had ended",
        provider=provider,
        resend=True,
    )


def identity_of(value: Any, provider: str) -> str:
    """Return a call's id: "" where there is none; a number is accepted."""
    if not value:
        return ""
    return text_of(str(value) if type(value) is int else value, provider)
