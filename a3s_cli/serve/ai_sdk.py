"""Our events as the AI SDK's UI message stream (v1), which `useChat` reads with no code.

It uses only what versions 5, 6 and 7 of the client have in common, because a
chunk of an unknown type ends the whole stream there. Without a `finish`, `error`
or `abort`, a client waits for the answer forever, so a terminal event first
closes everything that is open. The mapping:

- an answer and its reasoning: text and reasoning parts, one step per turn;
- a call: a dynamic tool part, `providerExecuted`, because the server runs it; its
  output is the object of our `tool_end`. While it runs, the tail of its output is
  sent as preliminary output: the protocol can only replace, not append, so
  sending all of it each time would cost quadratic time;
- a growing object: a `data-object` part with the call's id, replaced in place;
- a denied, rejected or failed call: a tool error. A command with a non-zero exit
  status has not failed: the status is part of its output;
- a permission request: a `data-permission` part with the call's id;
- notices and retries: transient `data-notice` and `data-retry`, for `onData`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UsageError
from ..events import Event
from ..jsontext import dumps, loads
from .prompt_request import (
    ClientMessage,
    PromptRequest,
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
    "x-vercel-ai-ui-message-stream": "v1",
}
DONE = b"data: [DONE]\n\n"
#: Characters shown of the end of a running command's output.
TAIL = 2048

Chunk = dict[str, Any]


def asked(body: dict[str, Any]) -> PromptRequest:
    """Read the body that `useChat` sends; raise `UsageError` if it is not valid.

    The chat's id names the session, the last message is the prompt. The `body`
    option may add `sessionId`, `model` and `schema`, and `asks` if the UI shows
    `data-permission` and sends the answer. Without `asks`, a call that needs
    approval is denied, because the chat would wait forever.
    """
    messages = field(body, "messages", list)
    if messages is None:
        raise UsageError("`messages` of the body is missing: expected a list of UI messages")
    named = session(body, "sessionId", "id")
    said = [_said(messages, number) for number in range(len(messages))]
    message = prompt(said, kept=named is not None)
    asks = field(body, "asks", bool) is True
    attached = files(said, kept=named is not None)
    branch = _branch(body, said)
    return PromptRequest(
        message, named, model(body), body.get("schema"), asks, attached, branch=branch
    )


def _branch(body: Mapping[str, Any], said: list[ClientMessage]) -> tuple[str, ...] | None:
    """Return the earlier messages of the user if an answer or a message is made anew.

    The client then names what it replaces: `regenerate` sets `trigger`, an edited message
    `messageId`, and `messages` ends with the message to answer.
    """
    anew = field(body, "trigger", str) == "regenerate-message"
    if not anew and not field(body, "messageId", str):
        return None
    return tuple(one.text for one in said[:-1] if one.role == "user")


def _said(messages: list[Any], number: int) -> ClientMessage:
    message, place = element(messages, number, "messages"), f"messages[{number}]"
    role = field(message, "role", str, f"{place}.")
    if role not in ("system", "user", "assistant"):
        raise wrong(f"{place}.role", role, "system, user or assistant")
    parts = field(message, "parts", list, f"{place}.") or []
    texts, found = [], []
    for index in range(len(parts)):
        part = element(parts, index, f"{place}.parts")
        if part.get("type") == "text":
            texts.append(field(part, "text", str, f"{place}.parts[{index}].") or "")
        elif part.get("type") == "file" and role == "user":
            at = f"{place}.parts[{index}]."
            name, kind = field(part, "filename", str, at), field(part, "mediaType", str, at)
            found.append(file_at(part.get("url"), f"{at}url", name or "", kind or ""))
    return ClientMessage(role, "\n".join(texts), tuple(found))


class UIMessageStream:
    """One run's stream. `feed` returns the bytes that an event adds to it, often none."""

    def __init__(self) -> None:
        #: Whether a step is open; the kind of the open part; open calls (id -> name).
        self._in_step = False
        self._part: str | None = None
        self._calls: dict[str, str] = {}
        #: Calls whose arguments are streaming.
        self._inputs: dict[str, str] = {}
        self._parts = 0
        self._tails: dict[str, str] = {}
        #: Open permission requests, by call.
        self._asking: dict[str, Chunk] = {}
        #: Calls whose complete object was shown.
        self._shown: set[str] = set()

    def feed(self, event: Event) -> bytes:
        """Return the bytes to send for an event."""
        make = getattr(self, f"_{event.type}", None)
        chunks = make(event) if make else ()
        data = b"".join(b"data: %b\n\n" % dumps(chunk) for chunk in chunks)
        return data + DONE if event.type in ("end", "error") else data

    # -- the run ---------------------------------------------------------------

    def _start(self, event: Event) -> Iterator[Chunk]:
        told = {"runId": event.run_id, "sessionId": event.session_id, "model": event.model}
        metadata = {name: value for name, value in told.items() if value is not None}
        yield {"type": "start", "messageId": event.run_id, "messageMetadata": metadata}

    def _turn_start(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_step()
        yield from self._open_step()

    def _turn_end(self, event: Event) -> Iterator[Chunk]:
        # The step goes on: its calls run now.
        yield from self._close_part()

    def _end(self, event: Event) -> Iterator[Chunk]:
        yield from self._close("the run has ended")
        left_out = ("type", "seq", "ts", "text", "truncated", "textBytes", "object", "exitCode")
        metadata = {key: value for key, value in event.to_dict().items() if key not in left_out}
        yield {"type": "finish", "finishReason": "stop", "messageMetadata": metadata}

    def _error(self, event: Event) -> Iterator[Chunk]:
        yield from self._close(f"the run has ended: {event.code}")
        if event.code == "cancelled":
            yield {"type": "abort", "reason": event.error}
            return
        hint = f" ({event.hint})" if event.hint else ""
        yield {"type": "error", "errorText": event.error + hint}

    def _close(self, why: str) -> Iterator[Chunk]:
        yield from self._close_part()
        yield from self._void_inputs(why)
        for tool_id in list(self._calls):
            yield self._failed(tool_id, why)
        yield from self._close_step()

    # -- parts -----------------------------------------------------------------

    def _text_delta(self, event: Event) -> Iterator[Chunk]:
        yield from self._delta("text", event.text)

    def _reasoning_delta(self, event: Event) -> Iterator[Chunk]:
        yield from self._delta("reasoning", event.text)

    def _delta(self, kind: str, text: str) -> Iterator[Chunk]:
        if self._part != kind:
            yield from self._close_part()
            yield from self._open_step()
            self._part = kind
            self._parts += 1
            yield {"type": f"{kind}-start", "id": self._part_id()}
        yield {"type": f"{kind}-delta", "id": self._part_id(), "delta": text}

    def _close_part(self) -> Iterator[Chunk]:
        if self._part is not None:
            yield {"type": f"{self._part}-end", "id": self._part_id()}
            self._part = None

    def _part_id(self) -> str:
        return f"{self._part}-{self._parts}"

    def _open_step(self) -> Iterator[Chunk]:
        if not self._in_step:
            self._in_step = True
            yield {"type": "start-step"}

    def _close_step(self) -> Iterator[Chunk]:
        yield from self._close_part()
        if self._in_step:
            self._in_step = False
            yield {"type": "finish-step"}

    # -- calls -----------------------------------------------------------------

    def _tool_input_delta(self, event: Event) -> Iterator[Chunk]:
        if event.tool_id not in self._inputs:
            yield from self._close_part()
            yield from self._open_step()
            self._inputs[event.tool_id] = event.tool_name
            yield {"type": "tool-input-start", **_call(event.tool_id, event.tool_name)}
        yield {
            "type": "tool-input-delta",
            "toolCallId": event.tool_id,
            "inputTextDelta": event.text,
        }

    def _tool_start(self, event: Event) -> Iterator[Chunk]:
        yield from self._asked_for(event)
        self._calls[event.tool_id] = event.tool_name

    def _asked_for(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_part()
        yield from self._open_step()
        self._inputs.pop(event.tool_id, None)
        call = _call(event.tool_id, event.tool_name)
        yield {"type": "tool-input-available", **call, "input": event.tool_input}

    def _tool_output_delta(self, event: Event) -> Iterator[Chunk]:
        if event.tool_id not in self._calls:
            return
        if event.tool_name == "generate_object":
            yield from self._growing(event.tool_id, loads(event.text))
            return
        whole = self._tails.get(event.tool_id, "") + event.text
        self._tails[event.tool_id] = whole[-TAIL:]
        yield {**_output(event.tool_id, {"toolOutput": whole[-TAIL:]}), "preliminary": True}

    def _tool_end(self, event: Event) -> Iterator[Chunk]:
        tool_id = event.tool_id
        if event.reason:
            ended = {"timeout": "the call timed out", "cancelled": "the call was cancelled"}
            why = ended[event.reason]
            text = _error_text(event)
            yield self._failed(tool_id, f"{why}\n{text}" if text else why)
        elif event.exit_code and event.tool_name != "bash":
            yield self._failed(tool_id, _error_text(event) or f"{event.tool_name} failed")
        elif event.tool_name == "generate_object":
            made = loads(event.tool_output)
            if tool_id not in self._shown:
                told = {"object_partial": made["object"], "round": made["repairRounds"]}
                yield from self._growing(tool_id, {**told, "final": True})
            yield self._succeeded(tool_id, made)
        else:
            left_out = ("type", "seq", "ts", "toolName", "toolId")
            result = {key: one for key, one in event.to_dict().items() if key not in left_out}
            yield self._succeeded(tool_id, result)

    def _growing(self, tool_id: str, state: Mapping[str, Any]) -> Iterator[Chunk]:
        if "object_partial" not in state:
            return  # too large to be shown before it is whole
        if state["final"]:
            self._shown.add(tool_id)
        names = {"object": "object_partial", "round": "round", "final": "final"}
        data = {name: state[key] for name, key in names.items()}
        yield {"type": "data-object", "id": tool_id, "data": data}

    def _succeeded(self, tool_id: str, output: Any) -> Chunk:
        self._calls.pop(tool_id, None)
        self._tails.pop(tool_id, None)
        return _output(tool_id, output)

    def _failed(self, tool_id: str, why: str) -> Chunk:
        self._calls.pop(tool_id, None)
        self._tails.pop(tool_id, None)
        executed = {"providerExecuted": True, "dynamic": True}
        return {"type": "tool-output-error", "toolCallId": tool_id, **executed, "errorText": why}

    def _permission_denied(self, event: Event) -> Iterator[Chunk]:
        yield from self._asked_for(event)
        hint = f"\nallow it with: {event.hint}" if event.hint else ""
        yield self._failed(event.tool_id, f"denied: {event.reason}{hint}")

    def _tool_rejected(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_part()
        yield from self._open_step()
        self._inputs.pop(event.tool_id, None)
        call = _call(event.tool_id, event.tool_name)
        wrote = {"input": event.raw_input, "errorText": event.error}
        yield {"type": "tool-input-error", **call, **wrote}

    def _permission_request(self, event: Event) -> Iterator[Chunk]:
        yield from self._asked_for(event)
        self._calls[event.tool_id] = event.tool_name
        asking = {"toolName": event.tool_name, "toolInput": event.tool_input, "rule": event.rule}
        self._asking[event.tool_id] = asking
        yield {"type": "data-permission", "id": event.tool_id, "data": asking}

    def _permission_answer(self, event: Event) -> Iterator[Chunk]:
        asking = self._asking.pop(event.tool_id, {})
        answered = {**asking, "answer": event.answer, "by": event.by}
        yield {"type": "data-permission", "id": event.tool_id, "data": answered}

    # -- beside the answer -----------------------------------------------------

    def _retry(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_part()
        if event.tool_id is None:
            # Reasoning and arguments of a response that was cut off are void.
            yield from self._void_inputs("the response was cut off and is requested again")
        yield _aside(event)

    def _notice(self, event: Event) -> Iterator[Chunk]:
        yield _aside(event)

    def _void_inputs(self, why: str) -> Iterator[Chunk]:
        for tool_id, name in self._inputs.items():
            told = {"input": None, "errorText": why}
            yield {"type": "tool-input-error", **_call(tool_id, name), **told}
        self._inputs.clear()


def _call(tool_id: str, name: str) -> Chunk:
    return {"toolCallId": tool_id, "toolName": name, "providerExecuted": True, "dynamic": True}


def _output(tool_id: str, output: Any) -> Chunk:
    executed = {"providerExecuted": True, "dynamic": True}
    return {"type": "tool-output-available", "toolCallId": tool_id, **executed, "output": output}


def _error_text(event: Event) -> str:
    if event.tool_name != "generate_object":
        return str(event.tool_output)
    told = loads(event.tool_output)
    if "error" not in told:
        return ""
    wrong = [f"{one['path']}: {one['message']}" for one in told["violations"]]
    return "\n".join((told["error"], *wrong))


def _aside(event: Event) -> Chunk:
    left_out = ("type", "seq", "ts")
    data = {key: value for key, value in event.to_dict().items() if key not in left_out}
    return {"type": f"data-{event.type}", "data": data, "transient": True}
