"""How the embedded model's server is asked, and how its answers become chunks.

Underneath is the ordinary chat-completions wire. Calls are asked for by a grammar and
read from the tags of an answer (`tags`), values of a schema by the server's own means.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..messages import ToolSpec
from ..model import (
    CallChunk,
    Chunk,
    Decoder,
    Endpoint,
    HttpRequest,
    Request,
    Shape,
    StopChunk,
    Way,
    Wire,
)
from ..values import State, replace
from . import tags
from .shapes import bounded
from .states import ONE_CONNECTION_EACH

#: Characters of an answer in which a circle is looked for, and how often.
TAIL, EVERY = 1600, 100
#: How often something has to be repeated in a row, and the characters of it.
ROUNDS, SHORTEST, LONGEST = 8, 16, 200
WAYS = (Way("strict"), Way("json"), Way("prompt"))


class LocalWire(State):
    """The chat-completions wire with llama.cpp's own fields: sampling by a grammar."""

    wire: Wire
    tools: Sequence[ToolSpec]
    #: Whether the answer must be a call.
    forced: bool = False
    #: Whether there were tools before, and no more calls are possible.
    ended: bool = False
    name: str = "openai-chat"

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST."""
        post = self.wire.encode(request, endpoint)
        body = json.loads(post.body) | {
            "cache_prompt": True,
            "grammar": tags.grammar(self.tools, forced=self.forced, ended=self.ended),
        }
        headers = {**post.headers, **ONE_CONNECTION_EACH}
        return replace(post, headers=headers, body=json.dumps(body).encode())

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""
        return LocalDecoder(self.wire.decoder(endpoint), self.tools)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Calls and words are all that this can be asked for."""
        return ()


class ShapedWire(State):
    """The same for an answer that is a JSON value: the server samples by its schema."""

    wire: Wire
    name: str = "openai-chat"

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST."""
        shape = request.shape
        post = self.wire.encode(replace(request, shape=None), endpoint)
        body = json.loads(post.body) | {"cache_prompt": True}
        if shape:
            body |= shaped(shape)
        return replace(post, body=json.dumps(body).encode())

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""
        return self.wire.decoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask the server for a value of a schema."""
        return WAYS


def goes_round(tail: str) -> bool:
    """Return whether a text ends in the same words, again and again."""
    return any(
        len(tail) >= ROUNDS * period
        and tail[-(ROUNDS - 1) * period :] == tail[-ROUNDS * period : -period]
        and any(map(str.isalnum, tail[-period:]))
        for period in range(SHORTEST, LONGEST + 1)
    )


class ServerWire(State):
    """The same for a model that knows tools: its template and the server's parser do the work."""

    wire: Wire
    name: str = "openai-chat"

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST."""
        shape = request.shape
        post = self.wire.encode(replace(request, shape=None), endpoint)
        body = json.loads(post.body) | {"cache_prompt": True}
        if shape:
            body.pop("tools", None)
            body |= shaped(shape)
        headers = {**post.headers, **ONE_CONNECTION_EACH}
        return replace(post, headers=headers, body=json.dumps(body).encode())

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""
        return self.wire.decoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask the server for a value of a schema."""
        return WAYS


def shaped(shape: Shape) -> dict[str, Any]:
    """Return the server's own field for an answer that is a JSON value."""
    if shape.mode == "strict":
        return {"response_format": {"type": "json_object", "schema": bounded(shape.schema)}}
    if shape.mode == "json":
        return {"response_format": {"type": "json_object"}}
    return {}


class LocalDecoder:
    """Makes a call of the tags at the end of an answer."""

    def __init__(self, decoder: Decoder, tools: Sequence[ToolSpec]) -> None:
        self._decoder = decoder
        self._tools = tools
        self._scanner = tags.Scanner()
        self._tail = ""
        self._unchecked = 0
        self._loops = False

    @property
    def complete(self) -> bool:
        """True once the protocol's own end was seen, or the answer goes round in a circle."""
        return self._loops or self._decoder.complete

    def feed(self, events: Iterable[tuple[str, str]]) -> list[Chunk]:
        """Decode the events of one network read."""
        chunks: list[Chunk] = []
        for chunk in () if self._loops else self._decoder.feed(events):
            if isinstance(chunk, str):
                if self._goes_round(chunk):
                    self._scanner.call = ""
                    chunks.append(StopChunk("end_turn", "repetition"))
                    break
                if text := self._scanner.feed(chunk):
                    chunks.append(text)
            elif isinstance(chunk, StopChunk):
                chunks += self._ended(chunk)
            else:
                chunks.append(chunk)
        return chunks

    def _goes_round(self, piece: str) -> bool:
        """Return whether the answer has begun to repeat itself without end."""
        self._tail = (self._tail + piece)[-TAIL:]
        self._unchecked += len(piece)
        if self._unchecked >= EVERY:
            self._unchecked = 0
            self._loops = goes_round(self._tail)
        return self._loops

    def _ended(self, stop: StopChunk) -> Iterable[Chunk]:
        if text := self._scanner.close():
            yield text
        if self._scanner.call and stop.reason == "end_turn":
            name, arguments = tags.read(self._scanner.call, self._tools)
            yield CallChunk(0, "", name, json.dumps(arguments, ensure_ascii=False))
            stop = StopChunk("tool_use", stop.raw)
        yield stop
