"""The Messages wire: Anthropic, and all who speak it (Vertex, gateways).

Three things are particular. Thinking blocks carry signatures and must come back
verbatim, so `ReasoningData` is the whole block. The prompt cache is asked for:
the stable prefix (tools and system) and the last two user turns are marked, so
that each request of a tool loop reads what the one before it wrote. And a limit
of output is mandatory, with the thinking inside of it.

Quirks of an endpoint: `thinking` (`adaptive` or `budget`: how effort is asked
for, where the model's name does not tell) and `version` (of the API).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..messages import Message, Part, Reasoning, Text, ToolCall, ToolResult, Usage
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
    details,
    dumps,
    figure,
    http_headers,
    identity_of,
    is_marker,
    loads,
    object_json,
    repaired,
    text_of,
    url,
)
from .object_modes import COMMON, available

NAME = "anthropic"
VERSION = "2023-06-01"
#: Tokens of output to request where no limit is configured.
DEFAULT_MAX_TOKENS = 8192
#: Tokens of thinking by effort, for the models that take a budget.
BUDGETS = {"low": 2048, "medium": 8192, "high": 24576}
#: The least budget that the API accepts, and the least answer that is worth asking for.
MIN_BUDGET = 1024
#: The models that know budgets only; those after them choose their own.
BUDGET_MODELS = r"claude-3|-4-[015](?!\d)|-4-20\d{6}|-4(@|$)"
#: The models that cannot be held to a schema but by a forced call.
UNSHAPED_MODELS = r"claude-3|-4-[01](?!\d)|-4-20\d{6}|-4(@|$)"
WAYS = (
    # Such an answer streams by the token, the arguments of a call by the value.
    Way("strict", object_root=True, keywords=COMMON, lenient=False),
    Way("tool", object_root=True),
    Way("prompt"),
)
CACHED = {"type": "ephemeral"}

STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
    # The vendor's own tools want another request; we never offer any.
    "pause_turn": "other",
}
#: The usage figures; each message may bring any of them, cumulative.
FIGURES = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens_details",
)


class Anthropic:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        messages = _messages(request)
        limit, thinking = _thinking(request, endpoint)
        body: dict[str, Any] = {"model": request.model, "max_tokens": limit, "stream": True}
        body.update(thinking)
        allowed = endpoint.quirks.get("temperature", True) and "thinking" not in thinking
        if request.temperature is not None and allowed:
            body["temperature"] = request.temperature
        tools: list[dict[str, Any]] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        if request.system:
            body["system"] = [{"type": "text", "text": request.system, "cache_control": CACHED}]
        elif tools:
            tools[-1]["cache_control"] = CACHED
        if request.shape:
            _shape(request.shape, body, tools)
        if tools:
            body["tools"] = tools
        body["messages"] = messages
        # The vendor's own documentation gives the base URL without the version.
        versioned = endpoint.base_url.rstrip("/").endswith("/v1")
        headers = {"anthropic-version": endpoint.quirks.get("version", VERSION)}
        headers.update(http_headers(endpoint, "x-api-key"))
        return HttpRequest(
            url(endpoint, "/messages" if versioned else "/v1/messages"), headers, dumps(body)
        )

    def decoder(self, endpoint: Endpoint) -> MessageDecoder:
        """Return a new decoder for one response."""
        return MessageDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        old = re.search(UNSHAPED_MODELS, endpoint.model)
        return available(WAYS[1:] if old else WAYS, endpoint)


def _shape(shape: Shape, body: dict[str, Any], tools: list[dict[str, Any]]) -> None:
    """Ask for an answer of this shape; may append to `tools`."""
    if shape.mode == "tool":
        described = {"name": shape.name, "description": shape.description}
        tools.append({**described, "input_schema": shape.schema})
        # A forced call and thinking exclude each other.
        body.pop("thinking", None)
        body.pop("output_config", None)
        body["tool_choice"] = {
            "type": "tool",
            "name": shape.name,
            "disable_parallel_tool_use": True,
        }
        return
    if tools:
        body["tool_choice"] = {"type": "none"}
    if shape.mode == "strict":
        wanted = {"format": {"type": "json_schema", "schema": shape.schema}}
        body["output_config"] = {**body.get("output_config", {}), **wanted}


def _messages(request: Request) -> list[dict[str, Any]]:
    """Lay the conversation out as alternating turns, the user's last two marked for the cache."""
    turns: list[dict[str, Any]] = []
    for message in request.messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [block for part in message.parts if (block := _block(part)) is not None]
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in [turn for turn in turns if turn["role"] == "user"][-2:]:
        turn["content"][-1]["cache_control"] = CACHED
    return turns


def _block(part: Part) -> dict[str, Any] | None:
    if isinstance(part, Text):
        # The API refuses a block of white space.
        return {"type": "text", "text": part.text} if part.text.strip() else None
    if isinstance(part, Reasoning):
        return dict(part.data) if part.wire == NAME and part.data else None
    if isinstance(part, ToolCall):
        return {
            "type": "tool_use",
            "id": _call_id(part.provider_id or part.id),
            "name": part.name,
            "input": object_json(part.arguments),
        }
    return _result(part)


def _result(result: ToolResult) -> dict[str, Any]:
    block: dict[str, Any] = {
        "type": "tool_result",
        "tool_use_id": _call_id(result.provider_id or result.call_id),
        "content": result.output,
    }
    if result.failed:
        block["is_error"] = True
    return block


def _call_id(identity: str) -> str:
    """Make an id that another vendor gave (`functions.weather:0`) one that this API accepts."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", repaired(identity)) or "_"


def _thinking(request: Request, endpoint: Endpoint) -> tuple[int, dict[str, Any]]:
    """Return the limit of output, and the fields of the request that ask for thinking."""
    told = request.max_tokens or endpoint.max_output_tokens
    effort = request.reasoning
    if effort == "none":
        return told or DEFAULT_MAX_TOKENS, {}
    if effort is None or not _may_think(request.messages):
        return told or DEFAULT_MAX_TOKENS, {}
    style = endpoint.quirks.get("thinking")
    if style is None:
        style = "budget" if re.search(BUDGET_MODELS, request.model) else "adaptive"
    budget = BUDGETS[effort]
    limit = told or DEFAULT_MAX_TOKENS + budget
    if style == "adaptive":
        return limit, {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    budget = min(budget, limit - MIN_BUDGET)
    if budget < MIN_BUDGET:
        return limit, {}
    return limit, {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _may_think(messages: Iterable[Message]) -> bool:
    """False in the middle of a tool loop whose calls came without thinking: the API insists on it.

    That is so after a change of the model, or of `--reasoning`, within a session.
    """
    last: Message | None = None
    for message in messages:
        if message.role == "assistant":
            last = message
        elif message.role == "user":
            last = None
    return (
        last is None
        or not last.calls
        or any(
            isinstance(part, Reasoning) and part.wire == NAME and part.data for part in last.parts
        )
    )


class _Block:
    """A content block while it streams: a thinking block, or a call."""

    __slots__ = ("data", "input", "key", "pieces", "signature")

    def __init__(self, data: dict[str, Any], key: int = -1) -> None:
        self.data = data
        #: The position of a call among the calls; -1 for thinking.
        self.key = key
        self.pieces: list[str] = []
        self.signature = ""


class MessageDecoder(EventDecoder):
    """One response."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._blocks: dict[Any, _Block] = {}
        self._calls = 0
        self._usage: dict[str, Any] = {}
        self._stopped = False

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._endpoint.provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                continue
            frame = loads(data, provider)
            kind = frame.get("type", name)
            if kind == "content_block_delta":
                delta = frame["delta"]
                if delta.get("type") == "text_delta":
                    if delta["text"]:
                        chunks.append(text_of(delta["text"], provider))
                else:
                    self._delta(frame.get("index"), delta, chunks)
            elif kind == "content_block_start":
                self._start(frame.get("index"), frame["content_block"], chunks)
            elif kind == "content_block_stop":
                self._close(frame.get("index"), chunks)
            elif kind == "error":
                raise self._refused(frame)
            else:
                self._message(kind, frame, chunks)

    def _message(self, kind: str, frame: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read an event about the whole message; `ping` and what is yet to be invented pass."""
        if kind == "message_start":
            self._count(details(frame, "message").get("usage"), chunks)
        elif kind == "message_delta":
            self._count(frame.get("usage"), chunks)
            self._stop(details(frame, "delta").get("stop_reason"), chunks)
        elif kind == "message_stop":
            for index in list(self._blocks):
                self._close(index, chunks)
            if not self._stopped:
                self._stop("tool_use" if self._calls else "end_turn", chunks)
            self._complete = True

    def _start(self, index: Any, block: dict[str, Any], chunks: list[Chunk]) -> None:
        kind = block.get("type")
        if kind == "text":
            if block.get("text"):
                chunks.append(text_of(block["text"], self._endpoint.provider))
        elif kind == "thinking":
            self._blocks[index] = opened = _Block({"type": "thinking"})
            opened.signature = block.get("signature") or ""
            self._think(opened, block.get("thinking"), chunks)
        elif kind == "redacted_thinking":
            chunks.append(ReasoningData(dict(block)))
        elif kind == "tool_use":
            self._blocks[index] = opened = _Block(block, self._calls)
            self._calls += 1
            identity = identity_of(block.get("id"), self._endpoint.provider)
            name = text_of(block.get("name") or "", self._endpoint.provider)
            chunks.append(CallChunk(opened.key, identity, name))

    def _delta(self, index: Any, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        block = self._blocks.get(index)
        if block is None:
            # The vendor's own tools, and whatever comes to be invented.
            return
        kind = delta.get("type")
        if kind == "input_json_delta" and block.key >= 0:
            piece = text_of(delta.get("partial_json") or "", self._endpoint.provider)
            if piece:
                block.pieces.append("")
                chunks.append(CallChunk(block.key, arguments=piece))
        elif kind == "thinking_delta" and block.key < 0:
            self._think(block, delta.get("thinking"), chunks)
        elif kind == "signature_delta" and block.key < 0:
            block.signature += text_of(delta["signature"], self._endpoint.provider)

    def _think(self, block: _Block, thinking: Any, chunks: list[Chunk]) -> None:
        if thinking:
            block.pieces.append(text_of(thinking, self._endpoint.provider))
            chunks.append(ReasoningChunk(thinking))

    def _close(self, index: Any, chunks: list[Chunk]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.key < 0:
            if block.signature:
                thinking = "".join(block.pieces)
                data = {"type": "thinking", "thinking": thinking, "signature": block.signature}
                chunks.append(ReasoningData(data))
        elif not block.pieces and block.data.get("input"):
            # Some gateways send the arguments whole, with the start of the block.
            arguments = dumps(block.data["input"]).decode()
            chunks.append(CallChunk(block.key, arguments=arguments))

    def _count(self, usage: dict[str, Any] | None, chunks: list[Chunk]) -> None:
        if not usage:
            return
        for key in FIGURES:
            if usage.get(key) is not None:
                self._usage[key] = usage[key]
        read = figure(self._usage.get("input_tokens"))
        written = figure(self._usage.get("output_tokens"))
        hit = figure(self._usage.get("cache_read_input_tokens"))
        stored = figure(self._usage.get("cache_creation_input_tokens"))
        thought = figure(details(self._usage, "output_tokens_details").get("thinking_tokens"))
        total = read + written + hit + stored
        chunks.append(UsageChunk(Usage(read, written, hit, stored, thought, total)))

    def _stop(self, reason: str | None, chunks: list[Chunk]) -> None:
        if reason:
            self._stopped = True
            reason = text_of(reason, self._endpoint.provider)
            chunks.append(StopChunk(STOPS.get(reason, "other"), reason))


WIRE = Anthropic()
