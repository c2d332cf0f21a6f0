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
from typing import Any, Literal, Protocol

from .messages import Message, ToolSpec, Usage
from .values import Value, field

StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "other"]
ReasoningEffort = Literal["none", "low", "medium", "high"]
#: How a model is held to a schema: the vendor samples by it (`strict`), JSON is all that the
#: vendor promises (`json`), the answer is a forced call's arguments (`tool`), or it is only told.
ObjectMode = Literal["strict", "json", "tool", "prompt"]


class Way(Value):
    """One way in which a model can be asked for a JSON value of a schema."""

    mode: ObjectMode
    #: Whether the value must be an object: any other has to be wrapped in one.
    object_root: bool = False
    #: The keywords that sampling by the schema understands; None where it takes any schema.
    keywords: frozenset[str] | None = None
    #: Whether a schema beyond those may be sent all the same, as a wish.
    lenient: bool = True


class Shape(Value):
    """What the whole answer must look like, as it is sent."""

    mode: ObjectMode
    name: str
    description: str
    schema: dict[str, Any] | bool
    #: Whether the vendor can be told to sample by exactly this schema.
    exact: bool = False


class Request(Value):
    """One model request, in no vendor's words."""

    model: str
    system: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning: ReasoningEffort | None = None
    #: Set where the answer must be a JSON value; the tools are then there to be read about, not
    #: to be called: they are part of what a vendor's cache knows, and of the conversation so far.
    shape: Shape | None = None


class ReasoningChunk(Value):
    """A piece of visible reasoning."""

    text: str


class ReasoningData(Value):
    """What the vendor needs back verbatim with the reasoning since the last one."""

    data: Any


class CallChunk(Value):
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


class UsageChunk(Value):
    """The usage known so far; a later one replaces an earlier one."""

    usage: Usage


class StopChunk(Value):
    """The protocol's own statement of why the response ended."""

    reason: StopReason
    #: The vendor's own word, for a message to a person.
    raw: str = ""


Chunk = str | ReasoningChunk | ReasoningData | CallChunk | UsageChunk | StopChunk


class HttpRequest(Value):
    """One POST, ready to be sent."""

    url: str
    #: The key is among them.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Endpoint(Value):
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
        """Return a new decoder for one response."""

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""


class Provider(Protocol):
    """One model, ready to answer."""

    @property
    def ways(self) -> Sequence[Way]:
        """The ways to ask for a value of a schema, the best first."""

    def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once and yield what comes back, a list per network read.

        Raises an `A3SError` when the response fails, `TruncatedStream` when it
        ends before its protocol's end. Retrying is the caller's business.
        """

    async def close(self) -> None:
        """Release connections and processes."""
