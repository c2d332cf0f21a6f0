"""What a model provider is: a request goes in, batches of chunks come out.

Two kinds of code meet here and never mix. A *wire* is a pure codec for one
vendor protocol: it builds the request's JSON and turns server-sent events into
chunks; a file of recorded bytes is its whole test. A *provider* performs one
request. The loop sees only `Provider`.

A chunk that is a plain `str` is text of the answer: the common case costs no
object. Everything of one network read travels in one list.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..messages import Message, ToolSpec, Usage

StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "other"]
ReasoningEffort = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Request:
    """One model request, in no vendor's words."""

    model: str
    system: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning: ReasoningEffort | None = None


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    """A piece of visible reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningData:
    """What the vendor needs back verbatim with the reasoning since the last one."""

    data: Any


@dataclass(frozen=True, slots=True)
class CallChunk:
    """A piece of a tool call.

    `key` tells apart the calls of one response (its position in the stream);
    the first chunk of a key carries the name and, where the vendor has one, the
    id. `arguments` is the next fragment of the JSON text.
    """

    key: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """The usage known so far; a later one replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class StopChunk:
    """The protocol's own statement of why the response ended."""

    reason: StopReason
    #: The vendor's own word, for a message to a person.
    raw: str = ""


Chunk = str | ReasoningChunk | ReasoningData | CallChunk | UsageChunk | StopChunk


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One POST, ready to be sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model lives and how one may talk to it; the credentials are in it.

    Never put one into a message, an event or a log.
    """

    provider: str
    model: str
    wire: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Deviations of this vendor from its wire, as data: see `vendors.toml`.
    quirks: Mapping[str, Any] = field(default_factory=dict)
    #: Tokens of output to ask for where the protocol demands a figure.
    max_output_tokens: int | None = None
    context_tokens: int | None = None


class Decoder(Protocol):
    """Turns one response into chunks. Pure: no I/O, no clock.

    Raises an `A3SError` for an error that the vendor sends inside the stream
    and for data that its protocol does not allow.
    """

    @property
    def complete(self) -> bool:
        """True once the protocol's own end was seen: without it the response was cut."""

    def feed(self, events: Iterable[tuple[str, str]]) -> list[Chunk]:
        """Decode the (event name, data) pairs of one network read."""


class Wire(Protocol):
    """One vendor protocol, as a pure codec."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes, so that prompt caches hit."""

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Give a fresh decoder for one response."""


class Provider(Protocol):
    """One model, ready to answer."""

    def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once and give what comes back, a list per network read.

        Raises an `A3SError` when the response fails, `TruncatedStream` when it
        ends before its protocol's end. Retrying is the caller's business.
        """

    async def close(self) -> None:
        """Give back connections and processes."""
