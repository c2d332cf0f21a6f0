"""What a response of the Messages wire says: its events as chunks.

A message has one beginning and one end. A second beginning before the end means
that a gateway has tried twice, and what of it belongs together cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..messages import Usage
from ..model import (
    Chunk,
    Endpoint,
    ReasoningChunk,
    ReasoningData,
    StopChunk,
    StopReason,
    UsageChunk,
)
from .chat_pieces import Call
from .codec import (
    EventDecoder,
    argument_text,
    details,
    figure,
    identity_of,
    is_marker,
    loads,
    second_message,
    text_of,
)
from .failures import is_error

#: Every reason that is known; any other is "other", which is no success.
STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
    # Gateways in front of other models say so.
    "content_filtered": "refusal",
    "guardrail_intervened": "refusal",
    # The vendor's own tools want another request with what they have come to.
    "pause_turn": "paused",
}
#: The usage figures; each message may bring any of them, cumulative.
FIGURES = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens_details",
)


class _Thinking:
    """A block of thinking while it streams."""

    __slots__ = ("pieces", "signature")

    def __init__(self, signature: Any) -> None:
        self.pieces: list[str] = []
        self.signature = signature or ""


class _Use:
    """A block that is a call, while it streams."""

    __slots__ = ("call", "input")

    def __init__(self, call: Call, given: Any) -> None:
        self.call = call
        #: The arguments that came with the start of the block, as some gateways send them.
        self.input = given


class MessageDecoder(EventDecoder):
    """One response."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._blocks: dict[Any, _Thinking | _Use] = {}
        self._calls = 0
        self._usage: dict[str, Any] = {}
        self._begun = False
        self._stopped = False

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._endpoint.provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                continue
            frame = loads(data, provider)
            kind = frame.get("type", name)
            if kind == "error":
                raise self._refused(frame)
            if self._complete:
                # What follows belongs to no message that was asked for, but for its usage.
                if kind == "message_delta":
                    self._count(frame.get("usage"), chunks)
            elif kind == "content_block_delta":
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
            else:
                self._message(kind, frame, chunks)

    def _message(self, kind: str, frame: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read an event about the whole message; `ping` and what is yet to be invented pass."""
        if kind == "message_start":
            if self._begun:
                raise second_message(self._endpoint.provider)
            self._begun = True
            self._count(details(frame, "message").get("usage"), chunks)
        elif kind == "message_delta":
            self._count(frame.get("usage"), chunks)
            self._stop(details(frame, "delta").get("stop_reason"), chunks)
        elif kind == "message_stop":
            self._end(chunks)
        elif kind == "message" and isinstance(frame.get("content"), list):
            self._undivided(frame, chunks)
        elif kind != "ping" and is_error(frame):
            raise self._refused(frame)

    def _undivided(self, message: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read a whole message, of a server that does not stream."""
        for index, block in enumerate(message["content"]):
            self._start(index, block, chunks)
            if block.get("type") == "thinking":
                self._close(index, chunks)
        self._count(message.get("usage"), chunks)
        self._stop(message.get("stop_reason"), chunks)
        if self._stopped:
            self._end(chunks)

    def _end(self, chunks: list[Chunk]) -> None:
        for index in list(self._blocks):
            self._close(index, chunks)
        if not self._stopped:
            self._stop("tool_use" if self._calls else "end_turn", chunks)
        self._complete = True

    def _start(self, index: Any, block: dict[str, Any], chunks: list[Chunk]) -> None:
        kind = block.get("type")
        if kind == "tool_use":
            self._start_use(index, block, chunks)
            return
        # Where a server gives every block the same place, the one before is over.
        self._close(index, chunks)
        if kind == "text":
            if block.get("text"):
                chunks.append(text_of(block["text"], self._endpoint.provider))
        elif kind == "thinking":
            self._blocks[index] = opened = _Thinking(block.get("signature"))
            self._think(opened, block.get("thinking"), chunks)
        elif kind == "redacted_thinking":
            chunks.append(ReasoningData(dict(block)))

    def _start_use(self, index: Any, block: dict[str, Any], chunks: list[Chunk]) -> None:
        identity = identity_of(block.get("id"), self._endpoint.provider)
        name = text_of(block.get("name") or "", self._endpoint.provider)
        open_use = self._blocks.get(index)
        if isinstance(open_use, _Use) and identity and identity == open_use.call.id:
            # The same call again: its name comes in pieces, or the start twice.
            open_use.call.take(name, "")
            open_use.input = block.get("input") or open_use.input
            return
        self._close(index, chunks)
        call = Call(self._calls)
        call.id, call.name = identity, name
        self._blocks[index] = _Use(call, block.get("input"))
        self._calls += 1

    def _delta(self, index: Any, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        # Blocks of the vendor's own tools, and of kinds yet to be invented, are not kept.
        block = self._blocks.get(index)
        kind = delta.get("type")
        if isinstance(block, _Use):
            if kind == "input_json_delta":
                block.call.take("", argument_text(delta.get("partial_json")))
                if block.call.waiting:
                    block.call.give(chunks)
        elif block is not None:
            if kind == "thinking_delta":
                self._think(block, delta.get("thinking"), chunks)
            elif kind == "signature_delta":
                block.signature += text_of(delta["signature"], self._endpoint.provider)

    def _think(self, block: _Thinking, thinking: Any, chunks: list[Chunk]) -> None:
        if thinking:
            block.pieces.append(text_of(thinking, self._endpoint.provider))
            chunks.append(ReasoningChunk(thinking))

    def _close(self, index: Any, chunks: list[Chunk]) -> None:
        block = self._blocks.pop(index, None)
        if isinstance(block, _Use):
            if block.input and not block.call.arguments.begun:
                block.call.take("", argument_text(block.input))
            block.call.finish(chunks)
        elif block is not None and block.signature:
            thinking = "".join(block.pieces)
            data = {"type": "thinking", "thinking": thinking, "signature": block.signature}
            chunks.append(ReasoningData(data))

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
            stop = STOPS.get(reason, "other")
            if stop == "tool_use" and not self._calls:
                # A call was announced that nothing could be made of.
                stop = "other"
            chunks.append(StopChunk(stop, reason))
