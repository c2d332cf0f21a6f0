"""What a response of the Responses wire says: its events as chunks.

Servers differ in which of the protocol's events they send, and the protocol says
most things several times: in deltas, at the end of a part, at the end of an item,
and at the end of the response. So whatever is new in an event counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..messages import Usage
from ..model import (
    CallChunk,
    Chunk,
    Endpoint,
    ReasoningChunk,
    ReasoningData,
    StopChunk,
    StopReason,
    UsageChunk,
)
from .codec import (
    ArgumentText,
    EventDecoder,
    argument_text,
    details,
    dumps,
    figure,
    identity_of,
    is_marker,
    is_object,
    loads,
    second_message,
    text_of,
)
from .failures import is_error

#: Why a response is incomplete; any other reason is "other", which is no success.
INCOMPLETE: dict[str, StopReason] = {
    "max_output_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "length": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "content_filter": "refusal",
}
REASONING_DELTAS = frozenset(
    ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
)
TEXTS = ("output_text", "text")
ENDS = frozenset(
    ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
)


class _Call:
    """One call while it streams."""

    __slots__ = ("arguments", "id", "key", "length")

    def __init__(self, key: int, identity: str) -> None:
        self.key = key
        self.id = identity
        self.arguments = ArgumentText()
        #: Characters of arguments that have arrived.
        self.length = 0


class ResponseDecoder(EventDecoder):
    """One response.

    What an event leaves out, a later one may bring: the whole text or call at its
    end, and all items again with the response's. Only what is new is given away.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._calls: dict[Any, _Call] = {}
        self._texts: dict[Any, list[str]] = {}
        self._thoughts: set[Any] = set()
        #: Calls of tools that take text, for as long as nothing says that the vendor ran them.
        self._custom: list[dict[str, Any]] = []
        self._count = 0
        self._identity: str | None = None
        self._unfinished = False
        self._refusal = ""

    def _decode(self, events: Iterable[tuple[str, str]], chunks: list[Chunk]) -> None:
        provider = self._endpoint.provider
        for name, data in events:
            if data[:1] != "{" and is_marker(data):
                continue
            frame = loads(data, provider)
            kind = frame.get("type", name)
            if kind == "response.output_text.delta":
                if frame["delta"]:
                    text = text_of(frame["delta"], provider)
                    chunks.append(text)
                    self._texts.setdefault(_part(frame), []).append(text)
            elif kind in REASONING_DELTAS:
                if frame["delta"]:
                    self._thoughts.add(_place(frame))
                    chunks.append(ReasoningChunk(text_of(frame["delta"], provider)))
            elif kind in ENDS:
                self._end(kind.removeprefix("response."), details(frame, "response"), chunks)
            elif kind == "error" or (kind == name and is_error(frame)):
                raise self._refused(frame)
            else:
                self._piece(kind, frame, chunks)

    def _piece(self, kind: str, frame: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read an event about an item; those of kinds that we do not know are ignored."""
        if kind == "response.function_call_arguments.delta":
            self._arguments(_place(frame), argument_text(frame["delta"]), chunks)
        elif kind == "response.function_call_arguments.done":
            self._rest(_place(frame), frame.get("arguments"), chunks)
        elif kind == "response.output_text.done":
            self._said(_part(frame), frame.get("text"), chunks)
        elif kind == "response.content_part.done":
            self._content(_part(frame), details(frame, "part"), chunks)
        elif kind == "response.output_item.added":
            self._added(_place(frame), frame["item"], chunks)
        elif kind == "response.output_item.done":
            self._item(_place(frame), frame["item"], chunks)
        elif kind == "response.refusal.delta":
            self._refusal += text_of(frame["delta"], self._endpoint.provider)
        elif kind == "response.refusal.done":
            self._refusal = self._refusal or str(frame.get("refusal") or "")
        elif kind == "response.created":
            self._created(details(frame, "response").get("id"))
        elif frame.get("object") == "response":
            # The whole response, of a server that does not stream.
            self._end(frame.get("status") or "completed", frame, chunks)

    def _created(self, identity: Any) -> None:
        """Notice where another response begins in the middle of this one."""
        if self._identity is not None and not self._complete and identity != self._identity:
            raise second_message(self._endpoint.provider)
        self._identity = identity if isinstance(identity, str) else ""

    def _added(self, place: Any, item: dict[str, Any], chunks: list[Chunk]) -> None:
        if item.get("type") != "function_call":
            return
        identity = identity_of(item.get("call_id") or item.get("id"), self._endpoint.provider)
        # A new item at an old place is the next of several responses in one body.
        if place in self._calls:
            self._calls[("earlier", self._count)] = self._calls.pop(place)
        self._calls[place] = call = _Call(self._count, identity)
        self._count += 1
        name = text_of(item.get("name") or "", self._endpoint.provider)
        chunks.append(CallChunk(call.key, identity, name))

    def _arguments(self, place: Any, piece: str, chunks: list[Chunk]) -> None:
        call = self._calls.get(place)
        if call is not None and piece:
            call.length += len(piece)
            if text := call.arguments.feed(piece):
                chunks.append(CallChunk(call.key, arguments=text))

    def _rest(self, place: Any, arguments: Any, chunks: list[Chunk]) -> None:
        """Append what the deltas left out of the arguments: for some servers, all of it."""
        call = self._calls.get(place)
        if call is not None:
            self._arguments(place, argument_text(arguments)[call.length :], chunks)

    def _item(self, place: Any, item: dict[str, Any], chunks: list[Chunk]) -> None:
        """Read a finished item, as far as it is new."""
        kind = item.get("type")
        if kind == "function_call":
            if place not in self._calls:
                self._added(place, item, chunks)
            self._rest(place, item.get("arguments"), chunks)
            self._unfinished = self._unfinished or item.get("status") == "incomplete"
        elif kind == "custom_tool_call":
            if all(kept.get("call_id") != item.get("call_id") for kept in self._custom):
                self._custom.append(item)
        elif kind == "reasoning":
            self._reasoning(place, item, chunks)
        elif kind == "message":
            # xAI runs its own such calls, and speaks afterwards.
            self._custom.clear()
            for number, part in enumerate(item.get("content") or ()):
                self._content((place, number), part, chunks)

    def _reasoning(self, place: Any, item: dict[str, Any], chunks: list[Chunk]) -> None:
        if place not in self._thoughts:
            self._thoughts.add(place)
            for part in (*(item.get("summary") or ()), *(item.get("content") or ())):
                if part.get("text"):
                    chunks.append(ReasoningChunk(text_of(part["text"], self._endpoint.provider)))
        if item.get("encrypted_content"):
            # The API gives `status: null` and refuses it.
            kept = {key: value for key, value in item.items() if value is not None}
            kept.pop("status", None)
            chunks.append(ReasoningData(kept))

    def _content(self, place: Any, part: dict[str, Any], chunks: list[Chunk]) -> None:
        if part.get("type") == "refusal":
            self._refusal = self._refusal or str(part.get("refusal") or "")
        elif part.get("type") in TEXTS:
            self._said(place, part.get("text"), chunks)

    def _said(self, place: Any, text: Any, chunks: list[Chunk]) -> None:
        """Append what the deltas left out of a text; where the two differ, the deltas count."""
        if not text:
            return
        text = text_of(text, self._endpoint.provider)
        pieces = self._texts.setdefault(place, [])
        said = "".join(pieces)
        if said != text and text.startswith(said) and (said or not self._is_said(text)):
            pieces.append(text[len(said) :])
            chunks.append(text[len(said) :])

    def _is_said(self, text: str) -> bool:
        """Whether a text was given away under another place: some events have none."""
        return any("".join(pieces) == text for pieces in self._texts.values() if pieces)

    def _end(self, status: str, response: dict[str, Any], chunks: list[Chunk]) -> None:
        usage = response.get("usage")
        if usage:
            chunks.append(UsageChunk(_usage(usage)))
        # A response may be called completed and say of itself that it failed.
        if status == "completed":
            status = text_of(response.get("status") or status, self._endpoint.provider)
        if status in ("failed", "cancelled") and response.get("error"):
            raise self._refused(response["error"])
        self._output(response.get("output") or (), chunks)
        self._finish_calls(chunks)
        self._complete = True
        if status == "incomplete":
            reason = details(response, "incomplete_details").get("reason") or status
            reason = text_of(reason, self._endpoint.provider)
            chunks.append(StopChunk(INCOMPLETE.get(reason, "other"), reason))
        elif status != "completed":
            chunks.append(StopChunk("other", status))
        elif self._refusal:
            chunks.append(StopChunk("refusal", self._refusal))
        elif self._unfinished:
            chunks.append(StopChunk("other", "incomplete call"))
        else:
            chunks.append(StopChunk("tool_use" if self._count else "end_turn", status))

    def _output(self, output: Sequence[dict[str, Any]], chunks: list[Chunk]) -> None:
        """Read all items again, as the end of the response tells them."""
        if not self._count and not any(self._texts.values()) and not self._thoughts:
            for number, item in enumerate(output):
                self._item(("output", number), item, chunks)
            return
        told = ""
        for number, item in enumerate(output):
            kind = item.get("type")
            if kind == "message":
                self._custom.clear()
                told += "".join(
                    text_of(part.get("text") or "", self._endpoint.provider)
                    for part in item.get("content") or ()
                    if part.get("type") in TEXTS
                )
            elif kind == "custom_tool_call":
                self._item(("output", number), item, chunks)
            elif kind == "function_call":
                identity = identity_of(item.get("call_id") or item.get("id"), "")
                known = (place for place, call in self._calls.items() if call.id == identity)
                self._item(next(known, ("output", number)), item, chunks)
        said = "".join(piece for pieces in self._texts.values() for piece in pieces)
        if len(told) > len(said) and told.startswith(said):
            chunks.append(told[len(said) :])

    def _finish_calls(self, chunks: list[Chunk]) -> None:
        for call in self._calls.values():
            if text := call.arguments.finish():
                chunks.append(CallChunk(call.key, arguments=text))
        for item in self._custom:
            identity = identity_of(item.get("call_id"), self._endpoint.provider)
            told = argument_text(item.get("input"))
            arguments = told if is_object(told) else dumps({"input": told}).decode()
            name = text_of(item.get("name") or "", self._endpoint.provider)
            chunks.append(CallChunk(self._count, identity, name, arguments))
            self._count += 1


def _place(frame: dict[str, Any]) -> Any:
    place = frame.get("output_index")
    if place is None:
        place = frame.get("item_id") or details(frame, "item").get("id")
    return place


def _part(frame: dict[str, Any]) -> Any:
    return _place(frame), frame.get("content_index") or 0


def _usage(usage: dict[str, Any]) -> Usage:
    read = figure(usage.get("input_tokens"))
    written = figure(usage.get("output_tokens"))
    sent = details(usage, "input_tokens_details")
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=figure(sent.get("cached_tokens")),
        cache_write_tokens=figure(sent.get("cache_write_tokens")),
        reasoning_tokens=figure(details(usage, "output_tokens_details").get("reasoning_tokens")),
        total_tokens=figure(usage.get("total_tokens")) or read + written,
    )
