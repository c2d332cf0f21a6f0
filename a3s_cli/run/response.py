"""One model response: requested, shown while it arrives, retried where that is safe.

A failed request is sent again only if none of its text has been shown: what a consumer
has printed cannot be taken back. A `retry` event voids the reasoning and argument
deltas of the failed attempt. A tool's own request has another audience, which shows
states that the next attempt replaces. The calls of a cut response do not exist: a
`Response` is always complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing
from typing import Protocol

from .. import jsontext
from ..errors import A3SError, InvalidResponse, MaxTokens, Refusal, TruncatedStream
from ..events import Notice, ReasoningDelta, Retry, ToolInputDelta
from ..messages import Message, Part, Reasoning, Text, ToolCall, Usage
from ..model import (
    AdviceChunk,
    CallChunk,
    Chunk,
    Provider,
    ReasoningChunk,
    ReasoningData,
    Request,
    StopChunk,
    StopReason,
    UsageChunk,
)
from ..secrets.redacted_request import redacted_request
from ..secrets.redaction import NOTHING, Redactor
from ..stream.emitter import Emitter
from ..values import State, Value, field
from .cost import Account
from .retry import delay_before, pause

#: Characters of a vendor's own reason that are shown.
REASON_LIMIT = 100


class CallIds:
    """Assigns every call an id that is unique within the session.

    It is the provider's own id, with a suffix if that is taken: some providers number
    the calls of each response from 0, and some send no ids.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        # The last suffix of each id that occurred more than once.
        self._suffixes: dict[str, int] = {}

    def new(self, provider_id: str, also_taken: Collection[str] = ()) -> str:
        """Propose an id. Only `take` claims it, once its response is complete."""
        base = named(provider_id) or f"call_{len(self._used) + len(also_taken) + 1}"
        name = base
        while name in self._used or name in also_taken:
            self._suffixes[base] = self._suffixes.get(base, 1) + 1
            name = f"{base}~{self._suffixes[base]}"
        return name

    def take(self, ids: Iterable[str]) -> None:
        """Mark ids as used."""
        self._used.update(ids)


def named(text: str) -> str:
    """Return a name or id that is safe to show and short enough for any event."""
    return jsontext.clean(text)[:128]


class Response(Value):
    """A complete response of a model."""

    message: Message
    usage: Usage | None
    stop: StopReason
    raw_stop: str
    #: "provider/model" of who answered, if it is not the run's model.
    model: str | None = None


class Audience(Protocol):
    """Follows a response while it arrives."""

    def texts(self, texts: list[str]) -> None:
        """Take the next pieces of the text."""

    def reasoning(self, text: str) -> None:
        """Take the next piece of the reasoning."""

    def arguments(self, call_id: str, name: str, text: str) -> None:
        """Take the next piece of a call's arguments."""

    def failed(self) -> bool:
        """Take note that the attempt failed; return whether another one may be made."""

    def cut(self, said: str) -> None:
        """Take the text so far of an answer that ended early."""


class ResponseStream:
    """Shows a response of the main loop."""

    def __init__(self, emitter: Emitter, *, show_input: bool) -> None:
        self._emitter = emitter
        self._show_input = show_input
        self._shown = False
        #: The text of an answer that ended early.
        self.partial = ""

    def texts(self, texts: list[str]) -> None:
        """Show text, which cannot be taken back."""
        self._shown = True
        self._emitter.emit_texts(texts)

    def reasoning(self, text: str) -> None:
        """Show reasoning."""
        self._emitter.emit(ReasoningDelta(text=text))

    def arguments(self, call_id: str, name: str, text: str) -> None:
        """Show arguments, if requested."""
        if self._show_input:
            self._emitter.emit(ToolInputDelta(tool_id=call_id, tool_name=name, text=text))

    def failed(self) -> bool:
        """Allow another attempt if no text was shown."""
        return not self._shown

    def cut(self, said: str) -> None:
        """Save the text, which has been shown."""
        self.partial = said


class _Call(State):
    id: str
    provider_id: str
    name: str
    arguments: list[str]
    data: object = None
    joiner: jsontext.Joiner = field(default_factory=jsontext.Joiner)


class Fold:
    """Assembles the chunks of one attempt into a message, and shows them as they come."""

    def __init__(
        self,
        audience: Audience,
        call_ids: CallIds,
        wire_name: str,
        room: int,
        hide: Callable[[str], str],
    ) -> None:
        self._audience = audience
        self._call_ids = call_ids
        self._wire_name = wire_name
        self._hide = hide
        #: Finished parts and the one in progress, in the model's order.
        self._parts: list[Part | _Call] = []
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._ids: set[str] = set()
        # Bytes that may still come, of which none takes less than a character.
        self._room = self._limit = room
        self._joiner = jsontext.Joiner()
        self._thoughts = jsontext.Joiner()
        self.usage: Usage | None = None
        self.stop: StopChunk | None = None
        #: What the user is still to be told of how this answer was obtained.
        self.advice: list[AdviceChunk] = []

    def take(self, chunks: list[Chunk]) -> None:
        """Show and keep the chunks of one network read."""
        texts: list[str] = []
        for chunk in chunks:
            if type(chunk) is str:
                if chunk:
                    texts.append(chunk)
                continue
            if texts:
                self._say(texts)
                texts = []
            self._take_one(chunk)
        if texts:
            self._say(texts)

    def finish(self) -> Message:
        """Return the message, once the response is known to be complete."""
        if rest := self._joiner.finish():
            self._say([rest])
        self._close_text()
        self._close_reasoning(None)
        return Message(
            "assistant",
            tuple(self._call(part) if isinstance(part, _Call) else part for part in self._parts),
        )

    def said(self) -> str:
        """Return the text so far."""
        before = [part.text for part in self._parts if isinstance(part, Text)]
        return "".join([*before, *self._text])

    def _say(self, texts: list[str]) -> None:
        if self._reasoning:
            self._close_reasoning(None)
        if self._joiner.waiting or not all(map(str.isascii, texts)):
            texts = [text for text in map(self._joiner.feed, texts) if text]
        if texts:
            text = "".join(texts)
            self._account_for(text)
            self._text.append(text)
            self._audience.texts(texts)

    def _take_one(self, chunk: Chunk) -> None:
        if isinstance(chunk, ReasoningChunk):
            if text := self._thoughts.feed(chunk.text):
                self._close_text()
                self._account_for(text)
                self._reasoning.append(text)
                self._audience.reasoning(text)
        elif isinstance(chunk, ReasoningData):
            self._close_text()
            self._close_reasoning(chunk.data)
        elif isinstance(chunk, CallChunk):
            self._take_call(chunk)
        elif isinstance(chunk, UsageChunk):
            self.usage = chunk.usage
        elif isinstance(chunk, StopChunk):
            self.stop = chunk
        elif isinstance(chunk, AdviceChunk):
            self.advice.append(chunk)

    def _take_call(self, chunk: CallChunk) -> None:
        call = self._calls.get(chunk.key)
        if call is None:
            self._close_text()
            self._close_reasoning(None)
            # An id is in every event of its call, so a secret in it is hidden once and for all.
            hidden = self._hide(chunk.id)
            id = self._call_ids.new(hidden, self._ids)
            call = _Call(id, chunk.id if hidden == chunk.id else "", named(chunk.name), [])
            self._ids.add(call.id)
            self._calls[chunk.key] = call
            self._parts.append(call)
        call.name = call.name or named(chunk.name)
        call.data = chunk.data if chunk.data is not None else call.data
        if chunk.arguments:
            self._account_for(chunk.arguments)
            call.arguments.append(chunk.arguments)
            if text := call.joiner.feed(chunk.arguments):
                self._audience.arguments(call.id, call.name, text)

    def _account_for(self, text: str) -> None:
        """Raise InvalidResponse if a response exceeds the limit on its size."""
        self._room -= jsontext.size(text)
        if self._room < 0:
            raise InvalidResponse(
                f"the response is longer than {self._limit} bytes",
                hint="max_response_bytes of the configuration sets the limit",
            )

    def _call(self, call: _Call) -> ToolCall:
        signed = self._wire_name if call.data is not None else ""
        arguments = jsontext.joined("".join(call.arguments))
        return ToolCall(call.id, call.name, arguments, call.provider_id, call.data, signed)

    def _close_text(self) -> None:
        if self._text:
            self._parts.append(Text("".join(self._text)))
            self._text = []

    def _close_reasoning(self, data: object) -> None:
        if rest := self._thoughts.finish():
            self._reasoning.append(rest)
            self._audience.reasoning(rest)
        if self._reasoning or data is not None:
            text = jsontext.clean("".join(self._reasoning))
            self._parts.append(Reasoning(text, data, self._wire_name))
            self._reasoning = []


class Asker(Value):
    """Sends requests to one provider and shows the responses."""

    provider: Provider
    wire_name: str
    emitter: Emitter
    call_ids: CallIds
    account: Account
    max_retries: int = 4
    #: Of the text, the reasoning and the arguments of one response.
    max_bytes: int = 64 * 1024 * 1024
    show_input: bool = False
    redactor: Redactor = NOTHING
    #: Returns whether the model can see files of a media type; None if that is unknown.
    sees: Callable[[str], bool | None] = lambda _: None

    async def ask(
        self,
        request: Request,
        *,
        turn: int | None = None,
        tool_id: str | None = None,
        audience: Audience | None = None,
    ) -> Response:
        """Return the complete response to `request`, after retries where they are safe."""
        audience = audience or ResponseStream(self.emitter, show_input=self.show_input)
        attempt = 1
        while True:
            fold = Fold(
                audience, self.call_ids, self.wire_name, self.max_bytes, self.redactor.whole
            )
            self.account.check()
            try:
                response = await self._attempt(request, fold)
                failure = unknown_end(response)
                if failure is None or attempt > self.max_retries or not audience.failed():
                    self.call_ids.take(call.id for call in response.message.calls)
                    self.account.add(response.usage)
                    return response
                raise failure
            except A3SError as error:
                if fold.usage:
                    self.account.add(fold.usage)
                attempt += 1
                delay = delay_before(attempt, error) if audience.failed() else None
                if delay is None or attempt > self.max_retries + 1:
                    audience.cut(fold.said())
                    raise
                self.emitter.emit(
                    Retry(
                        attempt=attempt,
                        max_attempts=self.max_retries + 1,
                        delay_ms=round(delay * 1000),
                        code=error.code,
                        reason=str(error),
                        status=error.status,
                        turn=turn,
                        tool_id=tool_id,
                    )
                )
                await pause(delay)
            except BaseException:
                audience.cut(fold.said())
                raise

    async def _attempt(self, request: Request, fold: Fold) -> Response:
        request = redacted_request(request, self.redactor)
        if any(message.files for message in request.messages):
            from .sight import visible

            request = visible(request, self.sees)
        async with aclosing(self.provider.stream(request)) as stream:
            async for chunks in stream:
                fold.take(chunks)
                if fold.advice:
                    self._advise(fold)
                await self.emitter.drain()
        if fold.stop is None:
            raise TruncatedStream("the response ended before its protocol's end marker")
        message = fold.finish()
        return Response(message, fold.usage, fold.stop.reason, fold.stop.raw)

    def _advise(self, fold: Fold) -> None:
        for advice in fold.advice:
            notice = Notice(code="field_refused", text=advice.text, key=advice.key)
            self.emitter.emit(notice)
        fold.advice.clear()


def unknown_end(response: Response, *, may_pause: bool = True) -> InvalidResponse | None:
    """Return the error for a response whose end no protocol calls one: it may be sent again.

    An unknown reason says that something went wrong, but not what: the text may be cut, or
    a call malformed. After a pause without content there is nothing to continue.
    """
    paused = response.stop == "paused" and not (may_pause and response.message.parts)
    if response.stop != "other" and not paused:
        return None
    reason = jsontext.clean(response.raw_stop)[:REASON_LIMIT]
    return InvalidResponse(
        f"the model stopped for a reason that is not a complete answer ({reason})", resend=True
    )


def stopped_short(response: Response, *, may_pause: bool = True) -> A3SError | None:
    """Return why a complete response cannot be acted on; None if it can."""
    if response.stop == "max_tokens":
        return MaxTokens(
            "the answer was cut by a token limit",
            hint="raise the model's output limit, or ask for less at a time",
        )
    if response.stop == "refusal":
        said = response.raw_stop
        return Refusal(f"the model refused to answer{f' ({said})' if said else ''}")
    return unknown_end(response, may_pause=may_pause)
