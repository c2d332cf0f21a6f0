"""A wire's codec at work: bytes in, and what a consumer of the chunks would have in its hands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from a3s_cli.errors import A3SError
from a3s_cli.messages import Usage
from a3s_cli.model import (
    CallChunk,
    Chunk,
    Endpoint,
    ReasoningChunk,
    ReasoningData,
    StopChunk,
    UsageChunk,
    Wire,
)
from a3s_cli.providers.codec import finish
from a3s_cli.sse import Parser

#: The recording's name of a wire -> the module that speaks it.
WIRES = {
    "chat": "openai_chat",
    "messages": "anthropic",
    "responses": "openai_responses",
    "gemini": "gemini",
}
NAMES = tuple(WIRES.values())


@dataclass
class Answer:
    """What a consumer of the chunks would have in its hands."""

    text: str = ""
    reasoning: str = ""
    #: (id, name, arguments) in the order of the calls.
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    #: What has to be sent back: of the reasoning, and of each call.
    opaque: list[Any] = field(default_factory=list)
    usage: Usage | None = None
    stop: StopChunk | None = None
    error: A3SError | None = None
    stops: int = 0


def wire(name: str) -> Wire:
    """Return a codec by the name of its module."""
    found: Wire = import_module(f"a3s_cli.providers.{name}").WIRE
    return found


def endpoint(name: str, **changes: Any) -> Endpoint:
    """Return an endpoint that speaks this wire."""
    return Endpoint("vendor", "model-1", wire(name).name, "https://api.example/v1", **changes)


def answer(name: str, pieces: Iterable[bytes], **changes: Any) -> Answer:
    """Decode a body that arrives in these pieces, as the program does."""
    place = endpoint(name, **changes)
    parser, decoder, found = Parser(), wire(name).decoder(place), Answer()
    chunks: list[Chunk] = []
    try:
        for piece in pieces:
            chunks += decoder.feed(parser.feed(piece))
        chunks += finish(parser, decoder, place)  # type: ignore[arg-type]
    except A3SError as error:
        found.error = error
    gather(chunks, found)
    return found


def frames(*values: Any, done: bool = True) -> bytes:
    """Frame values as an event stream: text as it is, anything else as JSON."""
    lines = [value if isinstance(value, str) else json.dumps(value) for value in values]
    if done:
        lines.append("[DONE]")
    return b"".join(b"data: " + line.encode() + b"\n\n" for line in lines)


def gather(chunks: Iterable[Chunk], found: Answer) -> None:
    """Add up chunks as their documentation says."""
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        if isinstance(chunk, str):
            found.text += chunk
        elif isinstance(chunk, ReasoningChunk):
            found.reasoning += chunk.text
        elif isinstance(chunk, ReasoningData):
            found.opaque.append(chunk.data)
        elif isinstance(chunk, UsageChunk):
            found.usage = chunk.usage
        elif isinstance(chunk, StopChunk):
            found.stop = chunk
            found.stops += 1
        elif isinstance(chunk, CallChunk):
            if chunk.key not in calls:
                calls[chunk.key] = [chunk.id, chunk.name, ""]
            else:
                assert chunk.name == chunk.id == "", "only the first chunk of a call names it"
            calls[chunk.key][2] += chunk.arguments
            if chunk.data is not None:
                found.opaque.append(chunk.data)
    found.calls = [(one[0], one[1], one[2]) for one in calls.values()]
