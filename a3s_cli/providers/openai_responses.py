"""The Responses wire: OpenAI, Azure, xAI, DeepSeek, OpenRouter.

Stateless: nothing is stored at the vendor, so reasoning comes encrypted and is
sent back as the item that it was. Every event says where it belongs by
`output_index`; item ids are not relied upon, since some proxies change them
from one event to the next.

Quirks of an endpoint: `temperature` and `reasoning_effort` (False where the
field is an error), `reasoning_summary` (what to ask for besides: OpenAI shows
summaries to verified organisations only), `encrypted_reasoning` (False where
asking for it is an error), `store` and `strict` (False where the request must not
have that field), and those of `codec`, `object_modes` and `fitting`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import Message, Reasoning, Text, ToolCall, ToolResult
from ..model import (
    Endpoint,
    HttpRequest,
    Request,
    Shape,
    Way,
)
from .codec import (
    http_headers,
    object_text,
    payload,
    tool_choice,
    url,
)
from .object_modes import OPENAI, available
from .response_decoder import ResponseDecoder

NAME = "openai-responses"
#: The models that do not reason and say so with an error when asked for encrypted reasoning.
PLAIN_MODELS = r"gpt-3|gpt-4|chatgpt-4|-chat\b|grok-2|grok-3(?!-mini)"
WAYS = (
    Way("strict", object_root=True, keywords=OPENAI),
    Way("tool", object_root=True, keywords=OPENAI),
    Way("json", object_root=True),
    Way("prompt"),
)


class OpenAIResponses:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        quirks = endpoint.quirks
        body: dict[str, Any] = {"model": request.model, "stream": True}
        if quirks.get("store", True):
            body["store"] = False
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
        strict = quirks.get("strict", True)
        tools = [
            # The default, true, refuses schemas with optional properties.
            _function(tool.name, tool.description, tool.parameters, False if strict else None)
            for tool in request.tools
        ]
        if request.shape:
            body.update(_shaped(request.shape, tools, quirks))
        if tools:
            body["tools"] = tools
        body["input"] = [item for message in request.messages for item in _items(message, quirks)]
        headers = http_headers(endpoint, "authorization", "Bearer ")
        return HttpRequest(url(endpoint, "/responses"), headers, payload(body, endpoint))

    def decoder(self, endpoint: Endpoint) -> ResponseDecoder:
        """Return a new decoder for one response."""
        return ResponseDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        return available(WAYS, endpoint)


def _function(name: str, description: str, parameters: Any, strict: bool | None) -> dict[str, Any]:
    described = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", **described, **({} if strict is None else {"strict": strict})}


def _shaped(shape: Shape, tools: list[dict[str, Any]], quirks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that ask for an answer of this shape; may append to `tools`."""
    choice: Any = "none" if tools else None
    asked: dict[str, Any] = {}
    strict = shape.exact if quirks.get("strict", True) else None
    if shape.mode == "strict":
        named: dict[str, Any] = {"name": shape.name, "schema": shape.schema}
        if strict is not None:
            named["strict"] = strict
        if shape.description:
            named["description"] = shape.description
        asked["text"] = {"format": {"type": "json_schema", **named}}
    elif shape.mode == "json":
        asked["text"] = {"format": {"type": "json_object"}}
    elif shape.mode == "tool":
        tools.append(_function(shape.name, shape.description, shape.schema, strict))
        choice = {"type": "function", "name": shape.name}
    if choice is not None:
        asked.update(tool_choice(choice, quirks))
    return asked


def _items(message: Message, quirks: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message.files:
        return _with_files(message, quirks)
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
            items.append(_result(part, part.output))
    # Reasoning without the item that it led to is refused.
    while items and items[-1]["type"] == "reasoning":
        items.pop()
    return items


def _result(result: ToolResult, output: Any) -> dict[str, Any]:
    identity = result.provider_id or result.call_id
    return {"type": "function_call_output", "call_id": identity, "output": output}


def _with_files(message: Message, quirks: Mapping[str, Any]) -> list[dict[str, Any]]:
    from .attached import responses_content, responses_follow, responses_output

    if message.role == "user":
        return [{"type": "message", "role": "user", "content": responses_content(message)}]
    told = [_result(one, responses_output(one, quirks)) for one in message.results]
    return [*told, *responses_follow(message.results, quirks)]


WIRE = OpenAIResponses()
