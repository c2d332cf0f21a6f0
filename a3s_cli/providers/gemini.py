"""The Gemini wire: Google's `streamGenerateContent`.

Each event is a piece of the same answer: parts of text, thoughts and whole
calls. Calls have no id of their own as a rule and are matched by name and
order. Thought signatures must come back with the part that bore them: a call's
travels in its `data`, a text's as a part of its own, which the vendor allows.

Calls are not asked for in pieces (`streamFunctionCallArguments`), but where a
gateway asks for them so, the pieces are one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..messages import File, Message, Part, Reasoning, Text, ToolCall, ToolResult, Usage
from ..model import (
    CallChunk,
    Chunk,
    Endpoint,
    HttpRequest,
    ReasoningChunk,
    ReasoningData,
    Request,
    StopChunk,
    StopReason,
    UsageChunk,
    Way,
)
from .codec import (
    EventDecoder,
    argument_text,
    details,
    figure,
    http_headers,
    identity_of,
    is_marker,
    loads,
    object_json,
    payload,
    text_of,
    url,
)
from .failures import is_error
from .object_modes import available

NAME = "gemini"
#: The kinds of values that arguments in pieces have, and a step of the path to one.
VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")
STEP = r"\.([^.\[\]]+)|\[['\"](.*?)['\"]\]|\[(\d+)\]"
#: Tokens of thinking by effort, for the models that take a budget.
BUDGETS = {"none": 0, "low": 2048, "medium": 8192, "high": 24576}
BUDGET_MODELS = r"gemini-2\."
#: The least that `pro` can be held to; it cannot be told not to think.
LEAST_PRO_BUDGET = 128
#: What the vendor documents for a call that another model has made.
FOREIGN_SIGNATURE = "skip_thought_signature_validator"
WAYS = (
    Way("strict"),
    Way("json"),
    # A call comes whole here, so nothing of it can be shown while it grows.
    Way("tool", object_root=True),
    Way("prompt"),
)

#: Every reason that is known; any other is "other", which is no success: MALFORMED_FUNCTION_CALL,
#: UNEXPECTED_TOOL_CALL, LANGUAGE, OTHER …
STOPS: dict[str, StopReason] = {
    "STOP": "end_turn",
    "MAX_TOKENS": "max_tokens",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
    "BLOCKLIST": "refusal",
    "PROHIBITED_CONTENT": "refusal",
    "SPII": "refusal",
    "IMAGE_SAFETY": "refusal",
    "IMAGE_PROHIBITED_CONTENT": "refusal",
    "IMAGE_RECITATION": "refusal",
    "MODEL_ARMOR": "refusal",
}


class Gemini:
    """The codec."""

    name = NAME

    def encode(self, request: Request, endpoint: Endpoint) -> HttpRequest:
        """Build the POST; equal requests give equal bytes."""
        body: dict[str, Any] = {}
        if request.system:
            body["systemInstruction"] = {"parts": [{"text": request.system}]}
        # Calls that may not be made are not declared: no JSON is promised beside them.
        tools = [
            _function(tool.name, tool.description, tool.parameters)
            for tool in (() if request.shape else request.tools)
        ]
        settings = _settings(request, endpoint)
        shape = request.shape
        if shape and shape.mode == "tool":
            tools = [_function(shape.name, shape.description, shape.schema)]
            forced = {"mode": "ANY", "allowedFunctionNames": [shape.name]}
            body["toolConfig"] = {"functionCallingConfig": forced}
        elif shape and shape.mode != "prompt":
            settings["responseMimeType"] = "application/json"
            if shape.mode == "strict":
                settings["responseJsonSchema"] = shape.schema
        if tools:
            body["tools"] = [{"functionDeclarations": tools}]
        if settings:
            body["generationConfig"] = settings
        body["contents"] = _contents(request)
        model = request.model if "/" in request.model else f"models/{request.model}"
        address = url(endpoint, f"/{model}:streamGenerateContent?alt=sse")
        return HttpRequest(
            address, http_headers(endpoint, "x-goog-api-key"), payload(body, endpoint)
        )

    def decoder(self, endpoint: Endpoint) -> GeminiDecoder:
        """Return a new decoder for one response."""
        return GeminiDecoder(endpoint)

    def ways(self, endpoint: Endpoint) -> Sequence[Way]:
        """Return the ways to ask this vendor for a value of a schema, the best first."""
        return available(WAYS, endpoint)


def _function(name: str, description: str, parameters: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "parametersJsonSchema": parameters}


def _settings(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if request.max_tokens is not None:
        settings["maxOutputTokens"] = request.max_tokens
    if request.temperature is not None and endpoint.quirks.get("temperature", True):
        settings["temperature"] = request.temperature
    effort = request.reasoning
    if effort is not None:
        thinking: dict[str, Any] = {"includeThoughts": effort != "none"}
        pro = "pro" in request.model
        if re.search(BUDGET_MODELS, request.model):
            thinking["thinkingBudget"] = max(BUDGETS[effort], LEAST_PRO_BUDGET if pro else 0)
        elif effort == "none":
            thinking["thinkingLevel"] = "low" if pro else "minimal"
        else:
            thinking["thinkingLevel"] = effort
        settings["thinkingConfig"] = thinking
    return settings


def _contents(request: Request) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    signs = not re.search(r"gemini-[12]\b", request.model)
    for message in request.messages:
        role = "model" if message.role == "assistant" else "user"
        if message.role == "tool" and message.files:
            parts = _results_with_files(message, request.model)
        else:
            parts = [sent for part in message.parts if (sent := _part(part)) is not None]
        if signs:
            _sign(message, parts)
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    return contents


def _sign(message: Message, parts: list[dict[str, Any]]) -> None:
    """Mark the first call of another model's turn: newer models insist on a signature."""
    calls = [part for part in parts if "functionCall" in part]
    if message.calls and not any("thoughtSignature" in call for call in calls):
        calls[0]["thoughtSignature"] = FOREIGN_SIGNATURE


def _part(part: Part) -> dict[str, Any] | None:
    if isinstance(part, Text):
        return {"text": part.text} if part.text else None
    if isinstance(part, Reasoning):
        return dict(part.data) if part.wire == NAME and part.data else None
    if isinstance(part, ToolCall):
        call = {"name": part.name, "args": object_json(part.arguments)}
        sent: dict[str, Any] = {"functionCall": _identified(call, part.provider_id)}
        if part.wire == NAME and part.data:
            sent.update(part.data)
        return sent
    if isinstance(part, File):
        from .attached import gemini_part

        return gemini_part(part)
    return _result(part)


def _results_with_files(message: Message, model: str) -> list[dict[str, Any]]:
    from .attached import gemini_beside, gemini_within

    told = []
    for result in message.results:
        sent = _result(result)
        if within := gemini_within(result, model):
            sent["functionResponse"]["parts"] = within
        told.append(sent)
    return [*told, *gemini_beside(message.results, model)]


def _result(result: ToolResult) -> dict[str, Any]:
    told = {"error" if result.failed else "output": result.output}
    response = {"name": result.name, "response": told}
    return {"functionResponse": _identified(response, result.provider_id)}


def _identified(value: dict[str, Any], provider_id: str) -> dict[str, Any]:
    return {"id": provider_id, **value} if provider_id else value


class _OpenCall:
    """A call while it streams; most come as a whole."""

    __slots__ = ("_pieces", "arguments", "begun", "id", "name", "signature")

    def __init__(self, identity: str, name: str) -> None:
        self.id = identity
        self.name = name
        self.signature: Any = None
        self.begun = False
        self.arguments: Any = {}
        #: The parts of the string at a path, for as long as more of it follows.
        self._pieces: dict[str, list[str]] = {}

    def take(self, call: dict[str, Any]) -> None:
        """Take in what an event says of it: arguments as a whole, or values with their places."""
        self.begun = True
        if call.get("args"):
            self.arguments = call["args"]
        for piece in call.get("partialArgs") or ():
            path = piece["jsonPath"]
            value: Any = next((piece[kind] for kind in VALUES if kind in piece), None)
            if "stringValue" in piece:
                parts = self._pieces.setdefault(path, [])
                parts.append(value)
                value = "".join(parts)
                if not piece.get("willContinue"):
                    del self._pieces[path]
            elif value is not None and value == int(value) and not isinstance(value, bool):
                value = int(value)
            _put(self.arguments, path, value)


def _put(root: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at its place, as `$.trips[0].city` or `$['a.b']` names it."""
    steps = [
        int(index) if index else name or quoted
        for name, quoted, index in re.findall(STEP, path.removeprefix("$"))
    ]
    place: Any = root
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        inner = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if step == len(place):
                place.append(inner)
            elif following is None:
                place[step] = value
        elif following is None or step not in place:
            place[step] = inner
        place = place[step]


class GeminiDecoder(EventDecoder):
    """One response."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._calls = 0
        self._open: _OpenCall | None = None
        self._usage: dict[str, Any] = {}
        self._stop = ""

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._endpoint.provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                continue
            frame = loads(data, provider)
            if frame.get("error") or name == "error":
                raise self._refused(frame)
            if "candidates" not in frame and is_error(frame):
                raise self._refused(frame)
            for candidate in frame.get("candidates") or ():
                if not candidate.get("index"):
                    self._candidate(candidate, chunks)
            usage = frame.get("usageMetadata")
            if usage and usage != self._usage:
                self._usage = usage
                self._count(usage, chunks)
            feedback = frame.get("promptFeedback")
            if feedback and feedback.get("blockReason"):
                # A blocked prompt has no candidates, and no other end.
                self._complete = True
                chunks.append(StopChunk("refusal", text_of(feedback["blockReason"], provider)))

    def _candidate(self, candidate: dict[str, Any], chunks: list[Chunk]) -> None:
        for part in details(candidate, "content").get("parts") or ():
            self._part(part, chunks)
        reason = candidate.get("finishReason")
        # Older models say STOP with every piece (gemini/091): the last word counts.
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            self._complete = True
            stop = STOPS.get(text_of(reason, self._endpoint.provider).upper(), "other")
            if self._open is not None and stop == "end_turn":
                # The rest of a call never came.
                stop = "other"
            elif self._calls and stop == "end_turn":
                stop = "tool_use"
            if stop + reason != self._stop:
                self._stop = stop + reason
                chunks.append(StopChunk(stop, reason))

    def _part(self, part: dict[str, Any], chunks: list[Chunk]) -> None:
        call = part.get("functionCall")
        signature = part.get("thoughtSignature")
        if call is not None:
            self._call(call, signature, chunks)
            return
        text = part.get("text")
        if text:
            text = text_of(text, self._endpoint.provider)
            chunks.append(ReasoningChunk(text) if part.get("thought") else text)
        if signature:
            if part.get("thought"):
                chunks.append(ReasoningData(dict(part)))
            else:
                chunks.append(ReasoningData({"text": "", "thoughtSignature": signature}))

    def _call(self, call: dict[str, Any], signature: Any, chunks: list[Chunk]) -> None:
        """Read a call, or the next piece of the one that is open."""
        identity = identity_of(call.get("id"), self._endpoint.provider)
        name = text_of(call.get("name") or "", self._endpoint.provider)
        piece = self._open
        if piece is None or (name and piece.begun):
            self._open = piece = _OpenCall(identity, name)
        piece.take(call)
        piece.signature = piece.signature or signature
        if call.get("willContinue"):
            return
        self._open = None
        data = {"thoughtSignature": piece.signature} if piece.signature else None
        arguments = argument_text(piece.arguments)
        chunks.append(CallChunk(self._calls, piece.id, piece.name, arguments, data))
        self._calls += 1

    def _count(self, usage: dict[str, Any], chunks: list[Chunk]) -> None:
        read = figure(usage.get("promptTokenCount"))
        written = figure(usage.get("candidatesTokenCount"))
        thought = figure(usage.get("thoughtsTokenCount"))
        total = figure(usage.get("totalTokenCount")) or read + written + thought
        if total:
            hit = figure(usage.get("cachedContentTokenCount"))
            chunks.append(UsageChunk(Usage(read, written, hit, 0, thought, total)))


WIRE = Gemini()
