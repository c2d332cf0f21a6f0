"""Our events as an OpenAI chat completion, whole or in chunks, for SDKs and chat UIs.

The protocol has answers but no agents, so this adapter loses information:

- `content` is the model's text, with a blank line between turns; with a
  `response_format` it is the finished object and nothing else;
- `reasoning_content`, which chat UIs fold away, is everything else: the model's
  reasoning and each call with its output (at most `SHOWN` characters of it).
  `tool_calls` is never used: it asks the client to run something that the server
  has already run;
- an answer that was cut off ends with `length`, a refused one with
  `content_filter`; any other failure is an `error`, in the stream or as the body
  of an HTTP error.

Clients read this stream with parsers that fail on anything but `data:` lines and
comments: it has no `id:`, no `event:`, no `retry:`. The SDKs resend a request
after an error unless `x-should-retry` forbids it; a run may have changed files,
so it is always forbidden.

Messages of the roles `system` and `developer` are the system prompt, and replace ours.
Sampling parameters in a request are ignored, because the configuration sets
them. Tools in a request are refused, because they would never be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import A3SError, UsageError
from ..events import Event
from ..input.attachments import Given
from ..jsontext import dumps
from ..messages import Usage
from ..output.wording import argument
from .prompt_request import (
    DEFAULT_MODEL,
    ClientMessage,
    PromptRequest,
    blamed,
    element,
    field,
    file_at,
    files,
    model,
    prompt,
    session,
    wrong,
)

HEADERS: dict[str, str] = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-should-retry": "false",
}
DONE = b"data: [DONE]\n\n"
#: Characters shown of one call's output.
SHOWN = 4096
#: Characters of one chunk: readers that fail on a line of 64 KiB are common here as well.
PIECE = 8192

#: Messages of these roles are the system prompt of the request.
_SYSTEM = ("system", "developer")
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
#: HTTP statuses of a run that failed; any other is a 500.
_STATUSES = {
    "usage": 400,
    "context_overflow": 400,
    "approval_required": 403,
    "busy": 409,
    "rate_limited": 429,
    "cancelled": 499,
    "auth": 502,
    "provider_error": 502,
    "invalid_response": 502,
    "network": 502,
    "truncated_stream": 502,
    "overloaded": 503,
    "provider_timeout": 504,
    "timeout": 504,
}
_FINISHED = {"max_tokens": "length", "refusal": "content_filter"}

Json = dict[str, Any]


def asked(body: Json) -> PromptRequest:
    """Read a request; raise `UsageError` if it is not valid.

    A request without `sessionId` brings its whole conversation along; with it,
    only the last message counts.
    """
    messages = field(body, "messages", list)
    if messages is None:
        raise UsageError("`messages` of the body is missing: expected a list of messages")
    for name in ("tools", "functions"):
        if body.get(name):
            raise UsageError(
                f"`{name}` of the body is not supported: the server runs its own tools only"
            )
    if field(body, "n", int) not in (None, 1):
        raise wrong("n", body["n"], "1")
    field(body, "stream", bool)
    try:
        named = session(body, "sessionId")
    except UsageError as error:
        raise blamed("sessionId", error) from None
    said = [_said(messages, number) for number in range(len(messages))]
    kept = named is not None
    system = "\n\n".join(one.text for one in said if one.role in _SYSTEM and one.text.strip())
    rest = [one for one in said if one.role not in _SYSTEM]
    return PromptRequest(
        prompt(rest, kept=kept),
        named,
        model(body),
        _schema(body),
        attachments=files(rest, kept=kept),
        system=system or None,
        schema_field="response_format.json_schema.schema",
    )


def _said(messages: Sequence[Any], number: int) -> ClientMessage:
    message, place = element(messages, number, "messages"), f"messages[{number}]"
    role = field(message, "role", str, f"{place}.")
    if role not in _ROLES:
        raise wrong(f"{place}.role", role, f"one of {', '.join(_ROLES)}")
    content = message.get("content")
    if content is None or isinstance(content, str):
        return ClientMessage(role, content or "")
    if not isinstance(content, list):
        raise wrong(f"{place}.content", content, "a string or a list of parts")
    texts, found = [], []
    for index in range(len(content)):
        part, at = element(content, index, f"{place}.content"), f"{place}.content[{index}]"
        if part.get("type") in ("image_url", "file") and role == "user":
            found.append(_file(part, at))
        elif part.get("type") in ("text", "refusal"):
            texts.append(field(part, part["type"], str, f"{at}.") or "")
        else:
            raise wrong(f"{at}.type", part.get("type"), "text, image_url or file")
    return ClientMessage(role, "\n".join(texts), tuple(found))


def _file(part: Mapping[str, Any], at: str) -> Given:
    """Return an image or a file that a part of a message brings along."""
    kind = part["type"]
    if kind == "image_url" and isinstance(part.get("image_url"), str):
        return file_at(part["image_url"], f"{at}.image_url")
    told = field(part, kind, dict, f"{at}.") or {}
    if kind == "image_url":
        return file_at(told.get("url"), f"{at}.image_url.url")
    name = field(told, "filename", str, f"{at}.file.") or ""
    return file_at(told.get("file_data"), f"{at}.file.file_data", name)


def _schema(body: Json) -> Any:
    shape = field(body, "response_format", dict) or {"type": "text"}
    if shape.get("type") == "text":
        return None
    if shape.get("type") == "json_object":
        return {"type": "object"}
    if shape.get("type") != "json_schema":
        raise wrong("response_format.type", shape.get("type"), "text, json_object or json_schema")
    named = field(shape, "json_schema", dict, "response_format.") or {}
    if not isinstance(named.get("schema"), (dict, bool)):
        raise wrong("response_format.json_schema.schema", named.get("schema"), "a JSON Schema")
    return named["schema"]


class CompletionStream:
    """One run's chunks, in the format that the request asked for."""

    def __init__(self, body: Json) -> None:
        options = field(body, "stream_options", dict) or {}
        self._wants_usage = field(options, "include_usage", bool, "stream_options.") is True
        self._answer = Completion(body)

    def feed(self, event: Event) -> bytes:
        """Return the bytes to send for an event."""
        data = b"".join(b"data: %b\n\n" % dumps(chunk) for chunk in self._chunks(event))
        return data + DONE if event.type in ("end", "error") else data

    def _chunks(self, event: Event) -> Iterator[Json]:
        answer = self._answer
        for delta in answer.deltas(event):
            for piece in _pieces(delta):
                yield self._chunk([{"index": 0, "delta": piece, "finish_reason": None}])
        if answer.failure is not None:
            yield answer.failure
        elif answer.finish_reason is not None:
            last = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
            yield self._chunk([last])
            if self._wants_usage:
                yield {**self._chunk([]), "usage": answer.usage}

    def _chunk(self, choices: list[Json]) -> Json:
        head = self._answer.head("chat.completion.chunk")
        return {**head, "choices": choices, **({"usage": None} if self._wants_usage else {})}


def _pieces(delta: Json) -> Iterator[Json]:
    """Split a delta so that no piece makes a long line."""
    ((name, text),) = [*delta.items()][-1:]
    for start in range(0, max(1, len(text)), PIECE):
        yield {**(delta if start == 0 else {}), name: text[start : start + PIECE]}


def completion(events: Iterable[Event], body: Json) -> tuple[int, Json]:
    """Return the HTTP status and the body of a response without streaming."""
    answer = Completion(body)
    said = {"content": "", "reasoning_content": ""}
    last = None
    for last in events:
        for delta in answer.deltas(last):
            for name in said:
                said[name] += delta.get(name, "")
    if answer.failure is not None and last is not None:
        return status(last.code), answer.failure
    message: Json = {"role": "assistant", "content": said["content"], "refusal": None}
    if said["reasoning_content"]:
        message["reasoning_content"] = said["reasoning_content"]
    finished = {"finish_reason": answer.finish_reason, "logprobs": None}
    choices = [{"index": 0, "message": message, **finished}]
    return 200, {**answer.head("chat.completion"), "choices": choices, "usage": answer.usage}


class Completion:
    """A run in this protocol: the pieces of a message, then its end."""

    def __init__(self, body: Json) -> None:
        self._is_object = _schema(body) is not None
        self._run = ""
        self._created = 0
        self._model = field(body, "model", str) or DEFAULT_MODEL
        self.finish_reason: str | None = None
        self.failure: Json | None = None
        self.usage: Json | None = None
        self._turns = Usage()
        #: Whether a new turn's text follows that of an earlier turn; whether there was any text.
        self._between = self._spoken = False
        #: Each call's number; the room left for its output (-1: cut); the call shown last.
        self._numbers: dict[str, int] = {}
        self._room: dict[str, int] = {}
        self._printing: str | None = None
        self._fresh_line = True
        self._own: str | None = None

    def head(self, kind: str) -> Json:
        """Return the fields of every chunk and every completion."""
        named = {"id": f"chatcmpl-{self._run}", "object": kind}
        return {**named, "created": self._created, "model": self._model}

    def deltas(self, event: Event) -> Iterator[Json]:
        """Yield the pieces that an event adds to the message."""
        if event.type == "start":
            self._run, self._created = event.run_id, event.ts // 1000
            self._model = event.model or self._model
            yield {"role": "assistant", "content": ""}
        elif event.type == "turn_start":
            self._between = self._spoken
        elif event.type == "text_delta" and not self._is_object:
            yield {"content": "\n\n" + event.text if self._between else event.text}
            self._spoken, self._between = True, False
        elif event.type == "turn_end" and event.usage is not None:
            self._turns += event.usage
        elif event.type == "end":
            yield from self._end(event)
        elif event.type == "error":
            self._error(event)
        elif aside := self._aside(event):
            self._fresh_line = aside.endswith("\n")
            yield {"reasoning_content": aside}

    def _end(self, event: Event) -> Iterator[Json]:
        if self._is_object:
            yield {"content": dumps(event.object).decode()}
        self.finish_reason = "stop"
        if event.usage is not None:
            self.usage = _usage(event.usage, event.total_tokens)

    def _error(self, event: Event) -> None:
        self.finish_reason = _FINISHED.get(event.code)
        if self.finish_reason is None:
            self.failure = failure(event.error, event.code, event.hint)
        elif self._turns != Usage():
            self.usage = _usage(self._turns, event.total_tokens)

    # -- what is folded away ---------------------------------------------------

    def _aside(self, event: Event) -> str:
        """Return what an event adds to the reasoning part."""
        if event.type in ("reasoning_delta", "text_delta"):
            return str(event.text)
        if event.type == "tool_start" and event.turn == 0:
            self._own = event.tool_id  # the object that the request itself asked for
        if event.tool_id is not None and event.tool_id == self._own:
            return ""
        if event.type == "tool_start":
            return self._line(event.tool_id, f"{event.tool_name}  {argument(event.tool_input)}")
        if event.type == "tool_output_delta":
            return self._printed(event)
        if event.type == "tool_end":
            return self._ended(event)
        if event.type == "permission_denied":
            called = f"{event.tool_name}  {argument(event.tool_input)}"
            first = self._line(event.tool_id, called)
            return first + self._line(event.tool_id, f"denied: {event.reason}")
        if event.type == "tool_rejected":
            return self._line(event.tool_id, f"{event.tool_name}: {event.error}")
        return ""

    def _line(self, tool_id: str, text: str) -> str:
        number = self._numbers.setdefault(tool_id, len(self._numbers) + 1)
        start = "" if self._fresh_line else "\n"
        self._fresh_line, self._printing = True, tool_id
        return f"{start}[{number}] {text}\n"

    def _printed(self, event: Event) -> str:
        room = self._room.get(event.tool_id, SHOWN)
        if event.tool_name == "generate_object" or room < 0:
            return ""
        is_cut = len(event.text) > room
        self._room[event.tool_id] = -1 if is_cut else room - len(event.text)
        # Parallel calls print at the same time: label whose lines follow.
        whose = "" if self._printing == event.tool_id else self._line(event.tool_id, "…")
        return f"{whose}{event.text[:room]}" + ("\n[…]\n" if is_cut else "")

    def _ended(self, event: Event) -> str:
        said = f"exit {event.exit_code}"
        if event.reason:
            said = f"{said} ({event.reason})"
        elif event.exit_code and event.tool_name not in ("bash", "generate_object"):
            said = f"{said}: {event.tool_output[:SHOWN]}"
        return self._line(event.tool_id, said)


def _usage(usage: Usage, total: int) -> Json:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


# -- errors and models ----------------------------------------------------------


def failure(message: str, code: str, hint: str | None = None) -> Json:
    """Return the body of an error response."""
    kinds = {400: "invalid_request_error", 429: "rate_limit_error"}
    kind = kinds.get(status(code), "server_error")
    said = f"{message} ({hint})" if hint else message
    return {"error": {"message": said, "type": kind, "param": None, "code": code}}


def refusal(error: A3SError) -> Json:
    """Return the body for a request that was refused before a run started."""
    told = failure(str(error), error.code, error.hint)
    found = re.match(r"`([^`]+)` of the body", str(error))
    told["error"]["param"] = found[1] if found else None
    return told


def status(code: str) -> int:
    """Return the HTTP status of a failure."""
    return _STATUSES.get(code, 500)


def models(names: Iterable[str], created: int = 0) -> Json:
    """Return the list of models: the configured one as `a3s`, then those with a name."""
    # `PROVIDER/MODEL` means that a provider accepts any name; it cannot be chosen.
    chosen = (name for name in names if name != DEFAULT_MODEL and not name.endswith("/MODEL"))
    listed = [_listed(name, created) for name in (DEFAULT_MODEL, *chosen)]
    return {"object": "list", "data": listed}


def one_model(name: str, names: Iterable[str]) -> Json | None:
    """Return the model of a name, as in the list; None if it is not in there."""
    return next((row for row in models(names)["data"] if row["id"] == name), None)


def no_model(name: str) -> Json:
    """Return the body of the response for a model that is not in the list."""
    missing = failure(f"there is no model {name[:100]!r}: GET /v1/models lists them", "usage")
    missing["error"] |= {"param": "model", "code": "model_not_found"}
    return missing


def _listed(name: str, created: int) -> Json:
    owner = name.partition("/")[0]
    return {"id": name, "object": "model", "created": created, "owned_by": owner}
