"""The Responses wire: OpenAI, Azure, xAI, DeepSeek, OpenRouter.

Stateless: nothing is stored at the vendor, so reasoning comes encrypted and is
sent back as the item that it was. Every event says where it belongs by
`output_index`; item ids are not relied upon, since some proxies change them
from one event to the next.

Quirks of an endpoint: `temperature` and `reasoning_effort` (False where the
field is an error), `reasoning_summary` (what to ask for besides: OpenAI shows
summaries to verified organisations only), `encrypted_reasoning` (False where
asking for it is an error), and those of `codec` and `ways`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..messages import Message, Reasoning, Text, ToolCall, ToolResult, Usage
from ..model import (
    CallChunk,
    Chunk,
    Endpoint,
    HttpRequest,
    ReasoningChunk,
    ReasoningData,
    Request,
    Shape,
    StopChunk,
    StopReason,
    UsageChunk,
    Way,
)
from .codec import (
    EventDecoder,
    argument_text,
    details,
    dumps,
    figure,
    http_headers,
    identity_of,
    is_marker,
    loads,
    object_text,
    text_of,
    url,
)
from .object_modes import OPENAI, available

NAME = "openai-responses"
#: The models that do not reason and say so with an error when asked for encrypted reasoning.
PLAIN_MODELS = r"gpt-3|gpt-4|chatgpt-4|-chat\b|grok-2|grok-3(?!-mini)"
WAYS = (
    Way("strict", object_root=True, keywords=OPENAI),
    Way("tool", object_root=True, keywords=OPENAI),
    Way("json", object_root=True),
    Way("prompt"),
)

INCOMPLETE: dict[str, StopReason] = {
    "max_output_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "length": "max_tokens",
    "content_filter": "refusal",
}


class OpenAIResponses:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        quirks = endpoint.quirks
        body: dict[str, Any] = {"model": request.model, "stream": True, "store": False}
        if quirks.get("encrypted_reasoning", not re.search(PLAIN_MODELS, request.model)):
            body["include"] = ["reasoning.encrypted_content"]
        if request.max_tokens is not None:
            body["max_output_tokens"] = request.max_tokens
        if request.temperature is not None and quirks.get("temperature", True):
            body["temperature"] = request.temperature
        if request.reasoning is not None and quirks.get("reasoning_effort", True):
            body["reasoning"] = {"effort": request.reasoning}
            if request.reasoning != "none" and quirks.get("reasoning_summary"):
                body["reasoning"]["summary"] = quirks["reasoning_summary"]
        if request.system:
            body["instructions"] = request.system
        tools = [
            # The default, true, refuses schemas with optional properties.
            _function(tool.name, tool.description, tool.parameters, strict=False)
            for tool in request.tools
        ]
        if request.shape:
            body.update(_shaped(request.shape, tools))
        if tools:
            body["tools"] = tools
        body["input"] = [item for message in request.messages for item in _items(message)]
        headers = http_headers(endpoint, "authorization", "Bearer ")
        return HttpRequest(url(endpoint, "/responses"), headers, dumps(body))

    def decoder(self, endpoint: Endpoint) -> ResponseDecoder:
        """Return a new decoder for one response."""
        return ResponseDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        return available(WAYS, endpoint)


def _function(name: str, description: str, parameters: Any, *, strict: bool) -> dict[str, Any]:
    described = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", **described, "strict": strict}


def _shaped(shape: Shape, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields that ask for an answer of this shape; may append to `tools`."""
    asked: dict[str, Any] = {"tool_choice": "none"} if tools else {}
    if shape.mode == "strict":
        named = {"name": shape.name, "schema": shape.schema, "strict": shape.exact}
        if shape.description:
            named["description"] = shape.description
        asked["text"] = {"format": {"type": "json_schema", **named}}
    elif shape.mode == "json":
        asked["text"] = {"format": {"type": "json_object"}}
    elif shape.mode == "tool":
        tools.append(_function(shape.name, shape.description, shape.schema, strict=shape.exact))
        asked["tool_choice"] = {"type": "function", "name": shape.name}
    return asked


def _items(message: Message) -> list[dict[str, Any]]:
    if message.role == "user":
        return [{"type": "message", "role": "user", "content": message.text}]
    items: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Text) and part.text:
            content = [{"type": "output_text", "text": part.text}]
            items.append({"type": "message", "role": "assistant", "content": content})
        elif isinstance(part, Reasoning) and part.wire == NAME and part.data:
            items.append(part.data)
        elif isinstance(part, ToolCall):
            items.append(
                {
                    "type": "function_call",
                    "call_id": part.provider_id or part.id,
                    "name": part.name,
                    "arguments": object_text(part.arguments),
                }
            )
        elif isinstance(part, ToolResult):
            call_id = part.provider_id or part.call_id
            items.append(
                {"type": "function_call_output", "call_id": call_id, "output": part.output}
            )
    # Reasoning without the item that it led to is refused.
    while items and items[-1]["type"] == "reasoning":
        items.pop()
    return items


class _Call:
    """One function call while it streams."""

    __slots__ = ("key", "length")

    def __init__(self, key: int) -> None:
        self.key = key
        #: Characters of arguments that have been given away.
        self.length = 0


class ResponseDecoder(EventDecoder):
    """One response."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._calls: dict[Any, _Call] = {}
        self._count = 0
        self._refusal = ""

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._endpoint.provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                continue
            frame = loads(data, provider)
            kind = frame.get("type", name)
            if kind == "response.output_text.delta":
                if frame["delta"]:
                    chunks.append(text_of(frame["delta"], provider))
            elif kind in REASONING_DELTAS:
                if frame["delta"]:
                    chunks.append(ReasoningChunk(text_of(frame["delta"], provider)))
            elif kind in ENDS:
                self._end(kind, details(frame, "response"), chunks)
            elif kind == "error" or (kind == "message" and "error" in frame):
                raise self._refused(frame)
            else:
                self._piece(kind, frame, chunks)

    def _piece(self, kind: str, frame: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read an event about an item; those of kinds that we do not know are ignored."""
        if kind == "response.function_call_arguments.delta":
            self._arguments(frame, text_of(frame["delta"], self._endpoint.provider), chunks)
        elif kind == "response.function_call_arguments.done":
            self._rest(frame, frame.get("arguments"), chunks)
        elif kind == "response.output_item.added":
            self._added(frame, frame["item"], chunks)
        elif kind == "response.output_item.done":
            self._done(frame, frame["item"], chunks)
        elif kind == "response.refusal.delta":
            self._refusal += text_of(frame["delta"], self._endpoint.provider)

    def _added(self, frame: dict[str, Any], item: dict[str, Any], chunks: list[Chunk]) -> None:
        # `custom_tool_call` is not ours: xAI runs those itself, and we offer none.
        if item.get("type") == "function_call":
            # A new item at an old place is the next of several responses in one body.
            self._calls[_place(frame)] = call = _Call(self._count)
            self._count += 1
            identity = identity_of(item.get("call_id"), self._endpoint.provider)
            name = text_of(item.get("name") or "", self._endpoint.provider)
            chunks.append(CallChunk(call.key, identity, name))

    def _arguments(self, frame: dict[str, Any], piece: str, chunks: list[Chunk]) -> None:
        call = self._calls.get(_place(frame))
        if call is not None and piece:
            call.length += len(piece)
            chunks.append(CallChunk(call.key, arguments=piece))

    def _rest(self, frame: dict[str, Any], arguments: Any, chunks: list[Chunk]) -> None:
        """Append what the deltas left out of the arguments: for some servers, all of it."""
        call = self._calls.get(_place(frame))
        if call is not None:
            self._arguments(frame, argument_text(arguments)[call.length :], chunks)

    def _done(self, frame: dict[str, Any], item: dict[str, Any], chunks: list[Chunk]) -> None:
        kind = item.get("type")
        if kind == "function_call":
            if _place(frame) not in self._calls:
                self._added(frame, item, chunks)
            self._rest(frame, item.get("arguments"), chunks)
        elif kind == "reasoning" and item.get("encrypted_content"):
            # The API gives `status: null` and refuses it.
            kept = {key: value for key, value in item.items() if value is not None}
            kept.pop("status", None)
            chunks.append(ReasoningData(kept))

    def _end(self, kind: str, response: dict[str, Any], chunks: list[Chunk]) -> None:
        usage = response.get("usage")
        if usage:
            chunks.append(UsageChunk(_usage(usage)))
        status = kind.removeprefix("response.")
        if status in ("failed", "cancelled"):
            raise self._refused(response.get("error") or {"message": f"the response was {status}"})
        self._complete = True
        if status == "incomplete":
            reason = details(response, "incomplete_details").get("reason") or status
            reason = text_of(reason, self._endpoint.provider)
            chunks.append(StopChunk(INCOMPLETE.get(reason, "other"), reason))
        elif self._refusal:
            chunks.append(StopChunk("refusal", self._refusal))
        else:
            chunks.append(StopChunk("tool_use" if self._calls else "end_turn", status))


def _place(frame: dict[str, Any]) -> Any:
    place = frame.get("output_index")
    return place if place is not None else frame.get("item_id")


def _usage(usage: dict[str, Any]) -> Usage:
    read = figure(usage.get("input_tokens"))
    written = figure(usage.get("output_tokens"))
    sent = details(usage, "input_tokens_details")
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=figure(sent.get("cached_tokens")),
        cache_write_tokens=figure(sent.get("cache_write_tokens")),
        reasoning_tokens=figure(details(usage, "output_tokens_details").get("reasoning_tokens")),
        total_tokens=figure(usage.get("total_tokens")) or read + written,
    )


REASONING_DELTAS = frozenset(
    ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
)
ENDS = frozenset(
    ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
)

WIRE = OpenAIResponses()
