"""All four wires for black-box tests: whole bodies of answers, and the file that selects a wire.

`replies` scripts two wires piece by piece, for tests of timing. Here a body is
bytes, so a test can say the same thing in every protocol that a3s speaks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import replies
from .replies import Reply

NAMES = ("openai-chat", "openai-responses", "anthropic", "gemini")
KEY = "sk-wires-0123456789abcdef"
#: What every body here claims: input and output tokens.
GIVEN, MADE = 10, 5
_SPEAKERS = {"user": "user", "assistant": "model", "model": "model"}
#: The suffix of a request's path, behind the base URL.
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m-1:streamGenerateContent?alt=sse",
}


def config(wire: str, url: str, model: str = "", more: str = "") -> str:
    """Return a configuration file whose provider `test` speaks this wire."""
    return (
        f'{more}\nproviders "test" {{\n  api = "{wire}"\n  baseUrl = "{url}"\n'
        f'  apiKey = "{KEY}"\n  models "m-1" {{ {model} }}\n}}\n'
    )


def text(wire: str, words: str) -> bytes:
    """Return the body of an answer that is text."""
    if wire == "openai-responses":
        return _responses(_message(words), [_event("output_text.delta", delta=words)])
    if wire == "gemini":
        return _gemini([{"text": words}])
    return _scripted(wire, replies.text(words))


def call(wire: str, name: str, arguments: Mapping[str, Any], id: str = "call_1") -> bytes:
    """Return the body of an answer that is one tool call, with reasoning to be sent back."""
    if wire == "openai-responses":
        return _responses_call(name, json.dumps(arguments), id)
    if wire == "gemini":
        signed = {"functionCall": {"name": name, "args": arguments}, "thoughtSignature": "c2ln"}
        return _gemini([{"text": "hm", "thought": True}, signed])
    return _scripted(wire, replies.reasoning("hm", replies.a_call(name, arguments, id)))


def calls(wire: str, commands: Sequence[str]) -> bytes:
    """Return the body of a response that calls `bash` for each of these, as c1, c2 …"""
    named = [(f"c{n}", command) for n, command in enumerate(commands, 1)]
    if wire == "openai-responses":
        items = [
            {"id": f"f{id}", "type": "function_call", "call_id": id, "name": "bash"}
            | {"arguments": json.dumps({"command": command}), "status": "completed"}
            for id, command in named
        ]
        done = [
            _event(kind, output_index=n, item=item)
            for n, item in enumerate(items)
            for kind in ("output_item.added", "output_item.done")
        ]
        return _responses(items, done)
    if wire == "gemini":
        parts = [{"functionCall": {"name": "bash", "args": {"command": c}}} for _, c in named]
        return _gemini([{**part, "thoughtSignature": "c2ln"} for part in parts])
    asked = [replies.a_call("bash", {"command": command}, id) for id, command in named]
    return _scripted(wire, replies.calls(*asked))


def ended(wire: str, body: bytes, how: str) -> bytes:
    """Return the body of an answer with another end: `max_tokens` or `refusal`."""
    filtered = how == "refusal"
    if wire == "openai-responses":
        reason = "content_filter" if filtered else "max_output_tokens"
        told = b'"status": "incomplete", "incomplete_details": {"reason": "%b"}' % reason.encode()
        body = body.replace(b"response.completed", b"response.incomplete")
        return body.replace(b'"status": "completed", "output"', told + b', "output"')
    old, new = {
        "openai-chat": (b'"stop"', b'"content_filter"' if filtered else b'"length"'),
        "anthropic": (b'"end_turn"', b'"refusal"' if filtered else b'"max_tokens"'),
        "gemini": (b'"STOP"', b'"SAFETY"' if filtered else b'"MAX_TOKENS"'),
    }[wire]
    assert old in body
    return body.replace(old, new)


def beginning(body: bytes, words: str) -> bytes:
    """Return a body up to the event that holds these words."""
    place = body.index(words.encode())
    ends = [at for gap in (b"\n\n", b"\r\n\r\n") if (at := body.find(gap, place)) >= 0]
    return body[: min(ends)] + b"\r\n\r\n"


def said(wire: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a request tells the model, as (`text`, `call` or `result`, what)."""
    if wire == "gemini":
        return [one for turn in body["contents"] for one in map(_gemini_part, turn["parts"])]
    if wire == "openai-responses":
        return [one for item in body["input"] for one in _responses_item(item)]
    return [one for turn in body["messages"] for one in _turn(turn)]


def _gemini_part(part: dict[str, Any]) -> tuple[str, str]:
    if "functionCall" in part:
        return "call", part["functionCall"]["args"]["command"]
    if "functionResponse" in part:
        return "result", next(iter(part["functionResponse"]["response"].values()))
    return "text", part["text"]


def _responses_item(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if item["type"] == "function_call":
        yield "call", json.loads(item["arguments"])["command"]
    elif item["type"] == "function_call_output":
        yield "result", item["output"]
    elif item["type"] == "message":
        content = item["content"]
        yield "text", content if isinstance(content, str) else content[0]["text"]


def _turn(turn: dict[str, Any]) -> Iterator[tuple[str, str]]:
    content = turn.get("content") or ""
    if turn["role"] == "tool":
        yield "result", content
    elif isinstance(content, str) and content and turn["role"] != "system":
        yield "text", content
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text":
            yield "text", part["text"]
        elif part["type"] == "tool_use":
            yield "call", part["input"]["command"]
        elif part["type"] == "tool_result":
            yield "result", part["content"]
    for call in turn.get("tool_calls", ()):
        yield "call", json.loads(call["function"]["arguments"])["command"]


def roles(wire: str, body: dict[str, Any]) -> list[str]:
    """Return who speaks, turn by turn; neighbouring items of one speaker are one turn."""
    if wire == "openai-responses":
        kinds = {"function_call": "model", "reasoning": "model", "function_call_output": "user"}
        spoken = [kinds.get(item["type"]) or _SPEAKERS[item["role"]] for item in body["input"]]
    else:
        turns = body["contents"] if wire == "gemini" else body["messages"]
        names = [turn["role"] for turn in turns if turn["role"] != "system"]
        spoken = ["user" if name == "tool" else _SPEAKERS[name] for name in names]
    if wire in ("gemini", "anthropic"):
        return spoken
    return [one for n, one in enumerate(spoken) if n == 0 or spoken[n - 1] != one]


def reply(body: bytes) -> Reply:
    """Return a body as a reply of a script."""
    return replies.raw(body)


def _scripted(wire: Any, scripted: Reply) -> bytes:
    return b"".join(step for step in scripted.steps(wire) if isinstance(step, bytes))


def _event(kind: str, **fields: Any) -> bytes:
    value = {"type": f"response.{kind}", "output_index": 0, **fields}
    return f"event: response.{kind}\ndata: {json.dumps(value)}\n\n".encode()


def _message(words: str) -> list[dict[str, Any]]:
    part = {"type": "output_text", "text": words, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return [{**message, "content": [part]}]


def _responses(output: list[dict[str, Any]], events: list[bytes]) -> bytes:
    usage = {"input_tokens": GIVEN, "output_tokens": MADE, "total_tokens": GIVEN + MADE}
    response = {"id": "resp_1", "object": "response", "model": "m-1"}
    created = _event("created", response={**response, "status": "in_progress", "output": []})
    done = {**response, "status": "completed", "output": output, "usage": usage}
    return b"".join([created, *events, _event("completed", response=done)])


def _responses_call(name: str, arguments: str, id: str) -> bytes:
    thought = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "c2VjcmV0"}
    item = {"id": "fc_1", "type": "function_call", "call_id": id, "name": name}
    whole = {**item, "arguments": arguments, "status": "completed"}
    return _responses(
        [thought, whole],
        [
            _event("output_item.added", item=thought),
            _event("output_item.done", item=thought),
            _event("output_item.added", output_index=1, item={**item, "arguments": ""}),
            _event("function_call_arguments.delta", output_index=1, delta=arguments),
            _event("output_item.done", output_index=1, item=whole),
        ],
    )


def _gemini(parts: list[dict[str, Any]]) -> bytes:
    def chunk(candidate: dict[str, Any], **more: Any) -> bytes:
        value = {"candidates": [candidate], "modelVersion": "m-1", **more}
        return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"

    usage = {"promptTokenCount": GIVEN, "candidatesTokenCount": MADE}
    end = chunk(
        {"finishReason": "STOP", "content": {"role": "model", "parts": [{"text": ""}]}},
        usageMetadata={**usage, "totalTokenCount": GIVEN + MADE},
    )
    return b"".join([*(chunk({"content": {"role": "model", "parts": [p]}}) for p in parts), end])
