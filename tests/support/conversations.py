"""Requests to encode, and what a wire makes of them."""

from __future__ import annotations

import json
from typing import Any

from a3s_cli.messages import Message, Text, ToolCall, ToolResult, ToolSpec
from a3s_cli.model import Endpoint, HttpRequest, Request

from .decoding import endpoint, wire

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
TOOLS = (ToolSpec("add", "Add one.", SCHEMA), ToolSpec("now", "Tell the time.", {"type": "object"}))
CALL = ToolCall("call_1", "add", '{"x": 1}', "vendor_1")
RESULT = ToolResult("call_1", "add", "2", provider_id="vendor_1")
CONVERSATION = (
    Message("user", (Text("hi"),)),
    Message("assistant", (Text("let me see"), CALL)),
    Message("tool", (RESULT,)),
)


def encode(name: str, request: Request, place: Endpoint | None = None) -> HttpRequest:
    """Encode with the wire of this module's name."""
    return wire(name).encode(request, place or endpoint(name, api_key="sk-key"))


def sent(name: str, request: Request, place: Endpoint | None = None) -> dict[str, Any]:
    """Return the body that would be sent."""
    body: dict[str, Any] = json.loads(encode(name, request, place).body)
    return body


def conversation(*messages: Message, **changes: Any) -> Request:
    """Return a request with these messages."""
    values: dict[str, Any] = {"model": "m-1", "system": "Be brief.", "messages": messages}
    return Request(**values | changes)
