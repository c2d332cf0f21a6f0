"""The Messages wire: Anthropic, and all who speak it (Vertex, gateways).

Three things are particular. Thinking blocks carry signatures and must come back
verbatim, so `ReasoningData` is the whole block. The prompt cache is asked for:
the stable prefix (tools and system) and the last two user turns are marked, so
that each request of a tool loop reads what the one before it wrote. And a limit
of output is mandatory, with the thinking inside of it.

Quirks of an endpoint: `thinking` (`adaptive` or `budget`: how effort is asked
for, where the model's name does not tell), `version` (of the API), `cache_control` (False
where the marks are an error), and those of `codec`, `object_modes` and `fitting`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..messages import File, Message, Part, Reasoning, Text, ToolCall, ToolResult
from ..model import (
    Endpoint,
    HttpRequest,
    Request,
    Shape,
    Way,
    request_bytes,
)
from .codec import (
    http_headers,
    object_json,
    payload,
    repaired,
    url,
)
from .message_decoder import MessageDecoder
from .object_modes import COMMON, available

NAME = "anthropic"
VERSION = "2023-06-01"
#: Tokens of output to request where no limit is configured.
DEFAULT_MAX_TOKENS = 8192
#: Few texts have more tokens for their bytes.
BYTES_PER_TOKEN = 3
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


class Anthropic:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        messages = _messages(request, cached=endpoint.quirks.get("cache_control", True))
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
        cached = {"cache_control": CACHED} if endpoint.quirks.get("cache_control", True) else {}
        if request.system:
            body["system"] = [{"type": "text", "text": request.system, **cached}]
        elif tools:
            tools[-1].update(cached)
        if request.shape:
            _shape(request.shape, body, tools, endpoint.quirks)
        if tools:
            body["tools"] = tools
        body["messages"] = messages
        # The vendor's own documentation gives the base URL without the version.
        versioned = endpoint.base_url.rstrip("/").endswith("/v1")
        headers = {"anthropic-version": endpoint.quirks.get("version", VERSION)}
        headers.update(http_headers(endpoint, "x-api-key"))
        return HttpRequest(
            url(endpoint, "/messages" if versioned else "/v1/messages"),
            headers,
            payload(body, endpoint),
        )

    def decoder(self, endpoint: Endpoint) -> MessageDecoder:
        """Return a new decoder for one response."""
        return MessageDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        old = re.search(UNSHAPED_MODELS, endpoint.model)
        return available(WAYS[1:] if old else WAYS, endpoint)


def _shape(
    shape: Shape, body: dict[str, Any], tools: list[dict[str, Any]], quirks: Mapping[str, Any]
) -> None:
    """Ask for an answer of this shape; may append to `tools`."""
    if shape.mode == "tool":
        described = {"name": shape.name, "description": shape.description}
        tools.append({**described, "input_schema": shape.schema})
        # A forced call and thinking exclude each other.
        body.pop("thinking", None)
        body.pop("output_config", None)
        known = quirks.get("tool_choice", True)
        named = {"type": "any"} if known == "required" else {"type": "tool", "name": shape.name}
        if known:
            body["tool_choice"] = {**named, "disable_parallel_tool_use": True}
        return
    if tools and quirks.get("tool_choice", True):
        body["tool_choice"] = {"type": "none"}
    if shape.mode == "strict":
        wanted = {"format": {"type": "json_schema", "schema": shape.schema}}
        body["output_config"] = {**body.get("output_config", {}), **wanted}


def _messages(request: Request, *, cached: bool) -> list[dict[str, Any]]:
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
    for turn in [turn for turn in turns if cached and turn["role"] == "user"][-2:]:
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
    if isinstance(part, File):
        from .attached import message_block

        return message_block(part)
    return _result(part)


def _result(result: ToolResult) -> dict[str, Any]:
    block: dict[str, Any] = {
        "type": "tool_result",
        "tool_use_id": _call_id(result.provider_id or result.call_id),
        "content": result.output,
    }
    if result.files:
        from .attached import message_result

        block["content"] = message_result(result)
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
        return told or _most(request, endpoint), {}
    if effort is None or not _may_think(request.messages):
        return told or _most(request, endpoint), {}
    style = endpoint.quirks.get("thinking")
    if style is None:
        style = "budget" if re.search(BUDGET_MODELS, request.model) else "adaptive"
    budget = BUDGETS[effort]
    limit = told or _most(request, endpoint, budget)
    if style == "adaptive":
        return limit, {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    budget = min(budget, limit - MIN_BUDGET)
    if budget < MIN_BUDGET:
        return limit, {}
    return limit, {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _most(request: Request, endpoint: Endpoint, budget: int = 0) -> int:
    """Return the limit where none is configured: all that the model can write, if it is listed.

    Input and output share the window, and a limit that cannot fit into it is refused.
    """
    listed, window = endpoint.listed_output_tokens, endpoint.context_tokens
    if listed is None:
        return DEFAULT_MAX_TOKENS + budget
    if window is None:
        return listed
    room = window - window // 20 - request_bytes(request) // BYTES_PER_TOKEN
    return min(listed, max(room, DEFAULT_MAX_TOKENS + budget))


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


WIRE = Anthropic()
