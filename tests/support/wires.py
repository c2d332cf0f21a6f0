"""All four wires for black-box tests: whole bodies of answers, and the file that selects a wire.

`replies` scripts two wires piece by piece, for tests of timing. Here a body is
bytes, so a test can say the same thing in every protocol that a3s speaks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import replies
from .replies import Reply

NAMES = ("openai-chat", "openai-responses", "anthropic", "gemini")
KEY = "sk-wires-0123456789abcdef"
#: What every body here claims: input and output tokens.
GIVEN, MADE = 10, 5
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
