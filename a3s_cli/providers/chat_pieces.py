"""What a Chat Completions response delivers in pieces: calls, reasoning, usage.

Which call a piece belongs to is where the vendors of this wire differ most, so
all of it is in one place, and the order of the rules is the order of trust: the
index, the id, the name, the position.
"""

from __future__ import annotations

from typing import Any

from ..messages import Usage
from ..model import CallChunk, Chunk, UsageChunk
from .codec import (
    PLACEHOLDERS,
    ArgumentText,
    argument_text,
    details,
    figure,
    identity_of,
    joined_name,
    text_of,
)

#: Fields of a call, or of its function, that must come back as they were: signatures of thought.
SIGNED = ("extra_content", "provider_specific_fields", "thought_signature")


class Call:
    """One call of a response, while its pieces arrive.

    Its first chunk carries id and name, so it is given away when the name cannot
    grow any more: with the first of the arguments, or when another call begins.
    """

    __slots__ = ("arguments", "bare", "data", "given", "id", "key", "name", "waiting")

    def __init__(self, key: int) -> None:
        self.key = key
        self.id = ""
        self.name = ""
        self.arguments = ArgumentText()
        #: What must be sent back with the call.
        self.data: dict[str, Any] | None = None
        #: Whether `null` came for the arguments, as it does in calls that come whole.
        self.bare = False
        #: What of the arguments has not been given away, and whether the call itself was.
        self.waiting = ""
        self.given = False

    def take(self, name: str, arguments: str) -> None:
        """Take the next pieces of the name and of the arguments."""
        if name and not (self.name and self.arguments.begun):
            self.name = joined_name(self.name, name)
        if arguments:
            self.waiting += self.arguments.feed(arguments)

    def give(self, chunks: list[Chunk]) -> None:
        """Return away what has not been given."""
        waiting, self.waiting = self.waiting, ""
        if not self.given:
            self.given = True
            chunks.append(CallChunk(self.key, self.id, self.name, waiting, self.data))
        elif waiting:
            chunks.append(CallChunk(self.key, arguments=waiting))

    def finish(self, chunks: list[Chunk]) -> None:
        """Return away all that is left, once no more can come."""
        self.waiting += self.arguments.finish()
        self.give(chunks)

    def is_over(self, identity: str, name: str, arguments: str) -> bool:
        """Whether a named piece at this call's place must belong to another call.

        It must where it has another name, or arguments after this call's are whole.
        But a name may come in pieces, the real arguments after empty ones, and a
        whole call twice; only an id tells these from a call of the same name.
        """
        if not self.arguments.begun:
            return self.bare and name != self.name and not identity and not self.id
        if name != self.name:
            return bool(self.name)
        if not arguments.strip() or not self.arguments.whole:
            return False
        text = self.arguments.text
        same = bool(identity) and identity == self.id
        return not (same and (text.strip() in PLACEHOLDERS or text == arguments))


class CallPieces:
    """The calls of one response."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._calls: list[Call] = []
        self._by_index: dict[Any, Call] = {}
        #: Named calls that are not given away yet, by their keys.
        self._named: dict[int, Call] = {}

    def take(self, piece: dict[str, Any], place: int, chunks: list[Chunk]) -> None:
        """Take one element of `tool_calls`, which is at this place in its list."""
        function = details(piece, "function") or details(piece, "custom") or piece
        name = text_of(function.get("name") or "", self._provider)
        identity = identity_of(piece.get("id"), self._provider)
        arguments = argument_text(function.get("arguments", function.get("input")))
        call = self._find(piece.get("index"), place, identity, name, arguments)
        self._give_before(call, chunks)
        if identity and call.id and name and arguments == call.arguments.text and call.given:
            return  # a call that is told again as a whole
        call.bare = call.bare or function.get("arguments", "") is None
        call.id = call.id or identity
        call.data = _signed(piece, function) or call.data
        call.take(name, arguments)
        if call.waiting and call.name:
            call.give(chunks)
        elif call.name and not call.given:
            self._named[call.key] = call

    def finish(self, chunks: list[Chunk]) -> bool:
        """Return away what is left of each call; True if there was any at all."""
        for call in self._calls:
            if call.given or call.id or call.name or call.arguments.begun:
                call.finish(chunks)
        return any(call.given for call in self._calls)

    def _give_before(self, call: Call, chunks: list[Chunk]) -> None:
        """Return away the calls before this one, so that they keep their order."""
        for key in sorted(key for key in self._named if key < call.key):
            earlier = self._named.pop(key)
            if not earlier.given:
                earlier.give(chunks)

    def _find(self, index: Any, place: int, identity: str, name: str, arguments: str) -> Call:
        """Find the call that a piece belongs to, or begin one.

        By its index; but some send 0 for all parallel calls (Ollama) or none at all
        (mistral-chat/095), so a new id that comes with a name is a new call. A new
        id without a name is not: vLLM has sent a fresh one with every piece. Some
        give no ids either, or the same one to all: then the pieces themselves tell.
        """
        where = ("place", place) if index is None else index
        call = self._by_index.get(where)
        if call is None and index is None and not name and self._calls:
            call = self._calls[-1]
        if call is not None:
            other = bool(identity and call.id and identity != call.id)
            if not name or not (other or call.is_over(identity, name, arguments)):
                return call
        call = Call(len(self._calls))
        self._calls.append(call)
        self._by_index[where] = call
        return call


def _signed(piece: dict[str, Any], function: dict[str, Any]) -> dict[str, Any] | None:
    found = {key: piece[key] for key in SIGNED if piece.get(key)}
    inner = {} if function is piece else {key: function[key] for key in SIGNED if function.get(key)}
    return {**found, **({"function": inner} if inner else {})} or None


class ReasoningBlocks:
    """OpenRouter's `reasoning_details`, put together again: they must be sent back whole."""

    #: The fields that arrive in pieces.
    STREAMED = ("text", "summary", "data")

    def __init__(self) -> None:
        self._blocks: list[dict[str, Any]] = []
        self._pieces: list[dict[str, list[str]]] = []

    def take(self, piece: dict[str, Any]) -> None:
        """Take one element; it continues the last one if type, index and id are the same."""
        if not self._blocks or any(
            self._blocks[-1].get(key) != piece.get(key) for key in ("type", "index", "id")
        ):
            self._blocks.append({})
            self._pieces.append({})
        for key, value in piece.items():
            if key in self.STREAMED and isinstance(value, str):
                self._pieces[-1].setdefault(key, []).append(value)
            elif value is not None:
                self._blocks[-1][key] = value

    def take_all(self) -> list[dict[str, Any]]:
        """Return the blocks, and forget them."""
        whole = [
            block | {key: "".join(texts) for key, texts in pieces.items()}
            for block, pieces in zip(self._blocks, self._pieces, strict=True)
        ]
        self._blocks, self._pieces = [], []
        return whole


def usage_of(usage: dict[str, Any]) -> UsageChunk:
    """Return the tokens of a usage record, wherever this vendor puts the details."""
    read = figure(usage.get("prompt_tokens"))
    written = figure(usage.get("completion_tokens"))
    sent = details(usage, "prompt_tokens_details")
    made = details(usage, "completion_tokens_details")
    hit = (
        sent.get("cached_tokens")
        or usage.get("prompt_cache_hit_tokens")
        or usage.get("cached_tokens")
    )
    stored = sent.get("cache_write_tokens") or usage.get("cache_creation_input_tokens")
    thought = made.get("reasoning_tokens") or usage.get("reasoning_tokens")
    return UsageChunk(
        Usage(
            input_tokens=read,
            output_tokens=written,
            cache_read_tokens=figure(hit),
            cache_write_tokens=figure(stored),
            reasoning_tokens=figure(thought),
            total_tokens=figure(usage.get("total_tokens")) or read + written,
        )
    )
