"""The protocol of models: a request goes in, lists of chunks come out.

Two kinds of code implement it and never mix. A *wire* is a pure codec for one
vendor's protocol: it builds the request's JSON and turns server-sent events into
chunks, so recorded bytes are all that its tests need. A *provider* sends one
request. The loop sees only `Provider`.

A chunk that is a plain `str` is text of the answer: the common case costs no
object. The chunks of one network read travel in one list.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .jsontext import dumps, size
from .messages import File, Message, Part, Reasoning, Text, ToolResult, ToolSpec, Usage
from .values import Value, field

if TYPE_CHECKING:
    from .errors import A3SError

StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "paused", "other"]
#: Roughly what JSON and a vendor's template add to each part, in bytes.
FRAME = 16
#: What an image, and a PDF, counts as at least: vendors count by pixels and pages.
IMAGE, DOCUMENT = 5_000, 20_000
ReasoningEffort = Literal["none", "low", "medium", "high"]
#: How a model is held to a schema: constrained sampling (`strict`), any JSON (`json`), the
#: arguments of a forced call (`tool`), or instructions alone (`prompt`).
ObjectMode = Literal["strict", "json", "tool", "prompt"]


class Way(Value):
    """One way to ask a model for a JSON value that satisfies a schema."""

    mode: ObjectMode
    #: Whether the value must be an object; any other is wrapped in one.
    object_root: bool = False
    #: The schema keywords that constrained sampling supports; None if it takes any schema.
    keywords: frozenset[str] | None = None
    #: Whether a schema with other keywords may be sent too, without a guarantee.
    lenient: bool = True


class Shape(Value):
    """What the whole answer must look like, as sent to the vendor."""

    mode: ObjectMode
    name: str
    description: str
    schema: dict[str, Any] | bool
    #: Whether the vendor can constrain sampling by exactly this schema.
    exact: bool = False


class Request(Value):
    """One request to a model, independent of the vendor."""

    model: str
    system: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning: ReasoningEffort | None = None
    #: Set if the answer must be a JSON value. The tools are then described but cannot be called:
    #: the vendor's prompt cache and the conversation so far include them.
    shape: Shape | None = None


def request_bytes(request: Request) -> int:
    """Return the size of a whole request, in bytes of what is counted in tokens."""
    tools = sum(
        FRAME + len(tool.name) + size(tool.description) + len(dumps(tool.parameters))
        for tool in request.tools
    )
    return size(request.system) + tools + conversation_bytes(request.messages)


def conversation_bytes(messages: Iterable[Message]) -> int:
    """Return the size of messages."""
    return sum(part_bytes(part) for message in messages for part in message.parts)


def part_bytes(part: Part) -> int:
    """Return the size of a part of a message."""
    if isinstance(part, Text):
        return FRAME + size(part.text)
    if isinstance(part, ToolResult):
        return FRAME + size(part.output) + sum(map(part_bytes, part.files))
    if isinstance(part, File):
        return FRAME + (IMAGE if part.is_image else max(DOCUMENT, len(part.content) // 20))
    data = len(dumps(part.data)) if part.data is not None else 0
    if isinstance(part, Reasoning):
        # The vendor's own block is sent back, which contains the text.
        return FRAME + (data or size(part.text))
    return FRAME + size(part.name) + size(part.arguments) + data


class ReasoningChunk(Value):
    """A piece of visible reasoning."""

    text: str


class ReasoningData(Value):
    """What the vendor needs back verbatim, for the reasoning since the last of these."""

    data: Any


class CallChunk(Value):
    """A piece of a tool call.

    `key` identifies the call within its response (its position in the stream).
    The first chunk of a key carries the name and, if the vendor has one, the id.
    `arguments` is the next fragment of the JSON text.
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
    """Why the response ended, as the protocol states it."""

    reason: StopReason
    #: The vendor's own word, for messages.
    raw: str = ""


class AdviceChunk(Value):
    """What the user should know of how this answer was obtained."""

    text: str
    #: The key of the configuration that would settle it.
    key: str


Chunk = str | ReasoningChunk | ReasoningData | CallChunk | UsageChunk | StopChunk | AdviceChunk


class HttpRequest(Value):
    """One POST, ready to send."""

    url: str
    #: They include the API key.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Quirks(dict[str, Any]):
    """Deviations of a server from its wire, by name."""

    #: The names of those that the user has configured: a server's refusal changes only others.
    settled: frozenset[str] = frozenset()


class Endpoint(Value):
    """Where a model is reached and how, credentials included.

    Never put one into a message, an event or a log.
    """

    provider: str
    model: str
    wire: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: This vendor's deviations from its wire, as data (`config.vendors`).
    quirks: Mapping[str, Any] = field(default_factory=dict)
    #: Output tokens to request where the protocol demands a figure.
    max_output_tokens: int | None = None
    #: The most that it can write, as far as the table of models tells, where that is asked for.
    listed_output_tokens: int | None = None
    context_tokens: int | None = None
    #: The variable that was to hold the key and has no value, if the configuration names one.
    unset_key: str | None = None


class Decoder(Protocol):
    """Turns one response into chunks. Pure: no I/O, no clock.

    Raises an `A3SError` for an error that the vendor sends within the stream,
    and for data that violates the protocol.
    """

    @property
    def complete(self) -> bool:
        """Whether the protocol's end marker has arrived; without it the response was cut."""

    def feed(self, events: Iterable[tuple[str, str]]) -> list[Chunk]:
        """Decode the (event name, data) pairs of one network read."""


class Wire(Protocol):
    """One vendor protocol, as a pure codec."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST. Equal requests yield equal bytes, so that prompt caches hit."""

    def decoder(self, endpoint: Endpoint) -> Decoder:
        """Return a new decoder for one response."""

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value that satisfies a schema, best first."""


class Gate(Protocol):
    """Paces the requests of many runs, each of which asks it before it sends one."""

    async def permit(self, tokens: int) -> None:
        """Wait until a request of about so many tokens may be sent.

        Raises RateLimited where that is more than two minutes away, MaxCost where the
        budget that the runs share is spent.
        """

    def answered(self, headers: Mapping[str, str]) -> None:
        """Learn what a successful answer says of the server's limits."""

    def refused(self, error: A3SError) -> None:
        """Learn that a request has failed."""

    def spent(self, tokens: int, usd: float | None) -> None:
        """Learn what a request has used; None if its cost is unknown."""


class Provider(Protocol):
    """One model, ready for requests."""

    @property
    def ways(self) -> Sequence[Way]:
        """The ways to ask for a value that satisfies a schema, best first."""

    def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Send the request once and yield the chunks, one list per network read.

        Raises an `A3SError` if the response fails, `TruncatedStream` if it ends
        before its protocol's end marker. The caller retries.
        """

    async def close(self) -> None:
        """Release connections and processes."""
