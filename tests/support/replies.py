"""What a scripted model answers: wire-neutral replies, rendered as bytes for one protocol.

A script is a list of replies, one for each request. A reply is a list of
pieces: text, reasoning, tool calls, pauses, gates (a `threading.Event` that the
test sets). Each piece of text or of arguments travels as one server-sent event
in one write, so a test decides what arrives when. How a reply ends is part of
it: whole, or cut in one of the three ways in which a connection can end.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Wire = Literal["openai-chat", "anthropic"]
#: whole: to the protocol's own end. The others lack it: the body ends as HTTP
#: wants it, the connection closes inside the body, or it is reset.
Ending = Literal["whole", "end", "close", "reset"]
Finish = Literal["end_turn", "tool_use", "max_tokens", "refusal"]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Reasoning:
    text: str


@dataclass(frozen=True)
class Call:
    """A tool call; its argument text is sent in two fragments."""

    name: str
    arguments: str
    id: str


@dataclass(frozen=True)
class Pause:
    seconds: float


Piece = str | bytes | Reasoning | Call | Pause | threading.Event
#: What the server does next: send bytes of the body, sleep, or wait.
Step = bytes | Pause | threading.Event


@dataclass(frozen=True)
class Reply:
    pieces: tuple[Piece, ...] = ()
    finish: Finish | None = None
    usage: tuple[int, int] | None = (10, 5)
    ending: Ending = "whole"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent instead of the pieces, with a content-length.
    body: bytes | None = None
    #: Seconds, or a gate, before even the status line is sent.
    delay: float | threading.Event = 0.0

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Call))

    @property
    def reason(self) -> Finish:
        return self.finish or ("tool_use" if self.calls else "end_turn")

    def steps(self, wire: Wire) -> Iterator[Step]:
        return (_openai if wire == "openai-chat" else _anthropic)(self)


def text(*pieces: Piece, **options: Any) -> Reply:
    """An answer; several strings are several deltas."""
    return Reply(pieces, **options)


def reasoning(thought: str, *pieces: Piece, **options: Any) -> Reply:
    return Reply((Reasoning(thought), *pieces), **options)


def a_call(name: str, arguments: Mapping[str, Any] | str, id: str | None = None) -> Call:
    """One call as a piece; `arguments` as a string is sent as it is, valid or not."""
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return Call(name, raw, id or f"call_{next(_numbers):04d}")


def call(
    name: str, arguments: Mapping[str, Any] | str, id: str | None = None, **options: Any
) -> Reply:
    """A reply that is one tool call."""
    return Reply((a_call(name, arguments, id),), **options)


def bash(command: str, id: str | None = None, **arguments: Any) -> Reply:
    return call("bash", {"command": command, **arguments}, id)


def calls(*several: Call, **options: Any) -> Reply:
    """Parallel calls of one response."""
    return Reply(several, **options)


def cut(*pieces: Piece, how: Ending = "end", **options: Any) -> Reply:
    """A response that ends before the protocol's own end.

    The pause lets a reader see what was sent: a reset may throw away what is
    still under way.
    """
    return Reply((*pieces, Pause(0.2)), ending=how, **options)


def stall(*pieces: Piece) -> Reply:
    """A response that begins and then falls silent until the client goes away."""
    return Reply((*pieces, Pause(600)))


def silence(seconds: float = 600) -> Reply:
    """Not even a status line for that long; then an answer."""
    return Reply(("late",), delay=seconds)


def error(status: int, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Reply:
    """An HTTP error, as vendors phrase it unless a body is given."""
    told = (
        {"error": {"message": f"scripted {status}", "type": "scripted"}} if body is None else body
    )
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Reply(
        status=status, headers={"content-type": "application/json", **(headers or {})}, body=raw
    )


#: A failure that asks to be sent again at once, so that a test need not wait.
def soon(status: int) -> Reply:
    return error(status, headers={"retry-after-ms": "1"})


def raw(data: bytes, **options: Any) -> Reply:
    """Recorded bytes of a body, in one write."""
    return Reply((data,), ending="end", **options)


def after(reply: Reply, delay: float | threading.Event) -> Reply:
    return replace(reply, delay=delay)


def _halves(value: str) -> Sequence[str]:
    middle = len(value) // 2
    return [half for half in (value[:middle], value[middle:]) if half]


def _is_recorded(reply: Reply) -> bool:
    """Whether a reply is recorded bytes, which begin by themselves."""
    waits = (bytes, Pause, threading.Event)
    return all(isinstance(piece, waits) for piece in reply.pieces) and any(
        isinstance(piece, bytes) for piece in reply.pieces
    )


def _openai(reply: Reply) -> Iterator[Step]:
    def chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
        shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        value = {**shared, "model": "test-model", "choices": choices, **more}
        return b"data: " + json.dumps(value).encode() + b"\n\n"

    def delta(value: dict[str, Any], finish: str | None = None) -> bytes:
        return chunk([{"index": 0, "delta": value, "finish_reason": finish}])

    if not _is_recorded(reply):
        yield delta({"role": "assistant", "content": ""})
    index = 0
    for piece in reply.pieces:
        if isinstance(piece, str):
            yield delta({"content": piece})
        elif isinstance(piece, Reasoning):
            yield delta({"reasoning_content": piece.text})
        elif isinstance(piece, Call):
            function = {"name": piece.name, "arguments": ""}
            head = {"index": index, "id": piece.id, "type": "function", "function": function}
            yield delta({"tool_calls": [head]})
            for half in _halves(piece.arguments):
                yield delta({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
            index += 1
        else:
            yield piece
    if reply.ending != "whole":
        return
    words = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}
    yield delta({}, words.get(reply.reason, "content_filter"))
    if reply.usage is not None:
        given, made = reply.usage
        told = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
        yield chunk([], usage=told)
    yield b"data: [DONE]\n\n"


def _anthropic(reply: Reply) -> Iterator[Step]:
    def event(kind: str, **fields: Any) -> bytes:
        data = json.dumps({"type": kind, **fields})
        return f"event: {kind}\ndata: {data}\n\n".encode()

    given, made = reply.usage or (0, 0)
    if not _is_recorded(reply):
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "test-model"}
        usage = {"input_tokens": given, "output_tokens": 1} if reply.usage else {}
        more: dict[str, Any] = {
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        yield event("message_start", message={**message, **more})
        yield event("ping")
    index = -1
    open_kind = ""
    for piece in reply.pieces:
        if isinstance(piece, (bytes, Pause, threading.Event)):
            yield piece
            continue
        kind, block, deltas = _block(piece)
        if kind != open_kind or kind == "tool_use":
            if open_kind:
                yield event("content_block_stop", index=index)
            index, open_kind = index + 1, kind
            yield event("content_block_start", index=index, content_block=block)
        for value in deltas:
            yield event("content_block_delta", index=index, delta=value)
    if reply.ending != "whole":
        return
    if open_kind:
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": reply.reason, "stop_sequence": None}
    yield event("message_delta", delta=stop, usage={"output_tokens": made} if reply.usage else {})
    yield event("message_stop")


def _block(piece: str | Reasoning | Call) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """The kind of content block that a piece lives in, its opening, and its deltas."""
    if isinstance(piece, str):
        return "text", {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece}]
    if isinstance(piece, Reasoning):
        thought = {"type": "thinking", "thinking": "", "signature": ""}
        return "thinking", thought, [{"type": "thinking_delta", "thinking": piece.text}]
    opening: dict[str, Any] = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
    halves = _halves(piece.arguments)
    return "tool_use", opening, [{"type": "input_json_delta", "partial_json": h} for h in halves]
