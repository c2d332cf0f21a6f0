"""The Chat Completions wire: OpenAI, OpenRouter, Groq, Mistral, DeepSeek, xAI, llama.cpp, vLLM …

One protocol in name, a dozen in fact. A deviation that can be recognised in the
data is handled where it occurs, with the recording that shows it; one that must
be known beforehand is a quirk of the endpoint:

- `max_tokens_field`: the name of the output limit, `max_tokens` unless told
- `stream_options`, `temperature`, `reasoning_effort`: False where the field is an error
- `reasoning_replay`: the field in which a turn with calls must carry its reasoning
- `done_ends`: True where `[DONE]` is the only end that the vendor ever sends
- `strict`: False where a function or a schema must not have that field
- `tool_choice`: see `codec.tool_choice`; `auth_header`, `query`: see `codec`; `object_modes`:
  see there; `extra_body`, `schema_without`: see `fitting`

The path of a text delta is kept short: it is walked a quarter of a million times
a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InvalidResponse
from ..messages import Message, Reasoning, Text, ToolCall, ToolResult
from ..model import (
    Chunk,
    Endpoint,
    HttpRequest,
    ReasoningChunk,
    ReasoningData,
    Request,
    Shape,
    StopChunk,
    StopReason,
    Way,
)
from .chat_pieces import CallPieces, ReasoningBlocks, usage_of
from .codec import (
    EventDecoder,
    details,
    http_headers,
    is_marker,
    loads,
    object_text,
    payload,
    second_message,
    text_of,
    tool_choice,
    url,
)
from .failures import is_error
from .object_modes import OPENAI, available

NAME = "openai-chat"

#: Every reason that is known; any other is "other", which is no success.
STOPS: dict[str, StopReason] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence"), "end_turn"),
    # Cohere's.
    "complete": "end_turn",
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call"), "tool_use"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), "max_tokens"),
    "model_context_window_exceeded": "max_tokens",
    **dict.fromkeys(("content_filter", "content_filtered", "refusal", "sensitive"), "refusal"),
    # Gemini's and Bedrock's, behind gateways.
    **dict.fromkeys(("safety", "recitation", "blocklist", "prohibited_content"), "refusal"),
    **dict.fromkeys(("spii", "image_safety", "model_armor", "guardrail_intervened"), "refusal"),
}
WAYS = (
    Way("strict", object_root=True, keywords=OPENAI),
    Way("tool", object_root=True, keywords=OPENAI),
    Way("json", object_root=True),
    Way("prompt"),
)
#: The key under which reasoning says in which field it must go back.
REPLAYED = "replay"
#: Reasons that say that the response failed: DeepSeek, z.ai, OpenRouter and Mistral.
FAILED_STOPS = {
    "insufficient_system_resource": "overloaded",
    "network_error": "network_error",
    "error": "server_error",
}


class OpenAIChat:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        quirks = endpoint.quirks
        body: dict[str, Any] = {"model": request.model, "stream": True}
        if quirks.get("stream_options", True):
            body["stream_options"] = {"include_usage": True}
        if request.max_tokens is not None:
            body[quirks.get("max_tokens_field", "max_tokens")] = request.max_tokens
        if request.temperature is not None and quirks.get("temperature", True):
            body["temperature"] = request.temperature
        if request.reasoning is not None and quirks.get("reasoning_effort", True):
            body["reasoning_effort"] = request.reasoning
        tools = [_function(tool.name, tool.description, tool.parameters) for tool in request.tools]
        if request.shape:
            body.update(_shaped(request.shape, tools, quirks))
        if tools:
            body["tools"] = tools
        body["messages"] = _messages(request, endpoint)
        headers = http_headers(endpoint, "authorization", "Bearer ")
        return HttpRequest(url(endpoint, "/chat/completions"), headers, payload(body, endpoint))

    def decoder(self, endpoint: Endpoint) -> ChatDecoder:
        """Return a new decoder for one response."""
        return ChatDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        return available(WAYS, endpoint)


def _function(name: str, description: str, parameters: Any) -> dict[str, Any]:
    described = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": described}


def _shaped(shape: Shape, tools: list[dict[str, Any]], quirks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that ask for an answer of this shape; may append to `tools`."""
    choice: Any = "none" if tools else None
    asked: dict[str, Any] = {}
    if shape.mode == "strict":
        named: dict[str, Any] = {"name": shape.name, "schema": shape.schema}
        if quirks.get("strict", True):
            named["strict"] = shape.exact
        if shape.description:
            named["description"] = shape.description
        asked["response_format"] = {"type": "json_schema", "json_schema": named}
    elif shape.mode == "json":
        asked["response_format"] = {"type": "json_object"}
    elif shape.mode == "tool":
        tool = _function(shape.name, shape.description, shape.schema)
        if shape.exact and quirks.get("strict", True):
            tool["function"]["strict"] = True
        tools.append(tool)
        choice = {"type": "function", "function": {"name": shape.name}}
    if choice is not None:
        asked.update(tool_choice(choice, quirks))
    return asked


def _messages(request: Request, endpoint: Endpoint) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if request.system:
        messages.append({"role": "system", "content": request.system})
    for message in request.messages:
        if message.role == "assistant":
            messages.append(_assistant(message, endpoint))
        elif message.files:
            messages += _with_files(message, endpoint)
        elif message.role == "tool":
            messages += [_result(one, one.output) for one in message.results]
        else:
            messages.append({"role": "user", "content": message.text})
    return messages


def _result(result: ToolResult, content: Any) -> dict[str, Any]:
    identity = result.provider_id or result.call_id
    return {"role": "tool", "tool_call_id": identity, "content": content}


def _with_files(message: Message, endpoint: Endpoint) -> list[dict[str, Any]]:
    from .attached import chat_content, chat_follow, chat_output

    quirks, results = endpoint.quirks, message.results
    if message.role == "user":
        return [{"role": "user", "content": chat_content(message, quirks)}]
    told = [_result(one, chat_output(one, quirks)) for one in results]
    return [*told, *chat_follow(results, quirks)]


def _assistant(message: Message, endpoint: Endpoint) -> dict[str, Any]:
    text = "".join(part.text for part in message.parts if isinstance(part, Text))
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    sent: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        _replay(message, endpoint, sent)
        sent["tool_calls"] = [_call(call) for call in calls]
    return sent


def _call(call: ToolCall) -> dict[str, Any]:
    function: dict[str, Any] = {"name": call.name, "arguments": object_text(call.arguments)}
    sent = {"id": call.provider_id or call.id, "type": "function", "function": function}
    if call.data and call.wire == NAME:
        signed = dict(call.data)
        function.update(signed.pop("function", {}))
        sent.update(signed)
    return sent


def _replay(message: Message, endpoint: Endpoint, sent: dict[str, Any]) -> None:
    """Send back the reasoning of a turn with calls: without it DeepSeek answers 400.

    It goes back in the field of the endpoint, or in the one in which this provider sent it.
    """
    parts = [
        part for part in message.parts if isinstance(part, Reasoning) and part.wire in ("", NAME)
    ]
    marks = [part.data for part in parts if isinstance(part.data, dict) and REPLAYED in part.data]
    own = next((mark[REPLAYED] for mark in marks if mark.get("by") == endpoint.provider), None)
    field = endpoint.quirks.get("reasoning_replay", own)
    if field == "reasoning_details":
        found = [item for part in parts if isinstance(part.data, list) for item in part.data]
        if found:
            sent[field] = found
    elif field:
        name = field if isinstance(field, str) else "reasoning_content"
        sent[name] = "".join(part.text for part in parts)


def _is_bare(delta: dict[str, Any]) -> bool:
    """Return whether a delta tells its role and nothing else."""
    return not any(value for key, value in delta.items() if key != "role")


class ChatDecoder(EventDecoder):
    """One response."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._provider = endpoint.provider
        self._calls = CallPieces(endpoint.provider)
        self._blocks = ReasoningBlocks()
        self._refusal = ""
        self._stop = ""
        #: The response's id where its role was told, and what came in messages instead of deltas.
        self._identity = ""
        self._told = ""
        self._thoughtful = False

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                self._done(data, chunks)
                continue
            frame = loads(data, provider)
            if name == "error" or "error" in frame:
                self._error(name, frame)
            choices = frame.get("choices")
            if choices:
                for choice in choices:
                    # Only one answer is ever asked for, and it is number 0.
                    if not choice.get("index"):
                        self._choice(choice, frame, chunks)
            elif is_error(frame):
                raise self._refused(frame)
            usage = frame.get("usage")
            if usage or "x_groq" in frame:
                usage = usage or details(frame, "x_groq").get("usage")
                if usage:
                    chunks.append(usage_of(usage))

    def _choice(self, choice: dict[str, Any], frame: dict[str, Any], chunks: list[Chunk]) -> None:
        delta = choice.get("delta")
        if delta is None:
            delta = self._undivided(choice)
        if delta:
            if "role" in delta:
                self._begun(frame.get("id"), delta)
            content = delta.get("content")
            if content:
                if type(content) is str:
                    chunks.append(content)
                else:
                    self._parts(content, chunks)
            if len(delta) > 1 or not content:
                self._rest(delta, chunks)
        if choice.get("error"):
            # OpenRouter's place for what its upstream said.
            raise self._refused(choice)
        reason = choice.get("finish_reason")
        if reason and reason != "null":
            self._finish(text_of(reason, self._provider), chunks)
            # Moonshot's place for it.
            if choice.get("usage"):
                chunks.append(usage_of(choice["usage"]))

    def _undivided(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Return the delta of a choice that has a message in its place, or a text."""
        message: dict[str, Any] = choice.get("message") or {"content": choice.get("text")}
        content = message.get("content")
        if type(content) is not str:
            return message
        # Some send all that they have said so far, each time or at the end.
        seen = self._told
        again = seen and content.startswith(seen)
        if again and (len(content) > len(seen) or choice.get("finish_reason")):
            self._told = content
            return {**message, "content": content[len(seen) :]}
        self._told += content
        return message

    def _begun(self, identity: Any, delta: dict[str, Any]) -> None:
        """Notice where another response begins in the middle of this one.

        It has another id and tells its role before it says anything. A gateway that
        gives every chunk an id, or a role, of its own does not do both so.
        """
        identity = identity if type(identity) is str else ""
        if not self._identity:
            self._identity = identity
        elif identity and identity != self._identity and not self._complete and _is_bare(delta):
            raise second_message(self._provider)

    def _rest(self, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read everything of a delta but its content."""
        # DeepSeek, xAI, llama.cpp; Groq, Ollama and OpenRouter say `reasoning`.
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        for block in delta.get("reasoning_details") or ():
            self._blocks.take(block)
            if not reasoning:
                shown = block.get("text") or block.get("summary")
                if shown:
                    chunks.append(ReasoningChunk(text_of(shown, self._provider)))
        if reasoning:
            self._thoughtful = self._thoughtful or "reasoning_content" in delta
            chunks.append(ReasoningChunk(text_of(reasoning, self._provider)))
        calls = delta.get("tool_calls")
        if calls:
            for place, call in enumerate(calls if type(calls) is list else [calls]):
                self._calls.take(call, place, chunks)
        legacy = delta.get("function_call")
        if legacy:
            self._calls.take({"index": 0, "function": legacy}, 0, chunks)
        refusal = delta.get("refusal")
        if refusal:
            self._refusal += text_of(refusal, self._provider)

    def _parts(self, content: Any, chunks: list[Chunk]) -> None:
        """Read a list of typed parts, as Mistral's reasoning models send it (mistral-chat/078)."""
        if type(content) is not list:
            raise InvalidResponse(
                f"{self._provider} sent content that is neither text nor parts",
                provider=self._provider,
            )
        for part in content:
            kind = part["type"]
            if kind == "text":
                if part["text"]:
                    chunks.append(text_of(part["text"], self._provider))
            elif kind == "thinking":
                for piece in part["thinking"]:
                    if piece.get("text"):
                        chunks.append(ReasoningChunk(text_of(piece["text"], self._provider)))

    def _finish(self, reason: str, chunks: list[Chunk]) -> None:
        if reason in FAILED_STOPS:
            raise self._refused(
                {"type": FAILED_STOPS[reason], "message": f"finish reason {reason}"}
            )
        called = self._calls.finish(chunks)
        # Some send it twice (openrouter-chat/062): once is enough.
        if self._stop == reason:
            return
        self._stop = reason
        self._complete = True
        blocks = self._blocks.take_all()
        if blocks:
            chunks.append(ReasoningData(blocks))
        elif self._thoughtful and called:
            chunks.append(ReasoningData({REPLAYED: "reasoning_content", "by": self._provider}))
        stop = STOPS.get(reason.lower(), "other")
        if called and stop == "end_turn":
            stop = "tool_use"
        elif not called and stop == "tool_use":
            # A call was announced that nothing could be made of.
            stop = "other"
        if self._refusal and stop in ("end_turn", "other"):
            chunks.append(StopChunk("refusal", self._refusal))
        else:
            chunks.append(StopChunk(stop, reason))

    def _done(self, data: str, chunks: list[Chunk]) -> None:
        """Take `[DONE]` for the end where there is no other (openai-compatible-other/043)."""
        if data and not self._complete and self._endpoint.quirks.get("done_ends"):
            self._finish("stop", chunks)

    def _error(self, name: str, frame: dict[str, Any]) -> None:
        error = frame.get("error")
        if error or name == "error":
            raise self._refused(frame)


WIRE = OpenAIChat()
