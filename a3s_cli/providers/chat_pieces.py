"""What a Chat Completions response delivers in pieces: calls, and blocks of reasoning.

Which call a piece belongs to is where the vendors of this wire differ most, so
all of it is in one place, and the order of the rules is the order of trust: the
index, the id, the name, the position.
"""

from __future__ import annotations

from typing import Any

from ..model import CallChunk, Chunk
from .codec import argument_text, details, identity_of, object_text, text_of


class _Call:
    """One call of the response, while its pieces arrive."""

    __slots__ = ("given", "id", "key", "name", "pieces")

    def __init__(self, key: int) -> None:
        self.key = key
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        #: How many of the pieces have been given away; -1 before the call itself was.
        self.given = -1

    def give(self, chunks: list[Chunk]) -> None:
        """Append what is new as chunks; the first chunk carries id and name."""
        arguments = "".join(self.pieces[max(self.given, 0) :])
        if self.given < 0:
            chunks.append(CallChunk(self.key, self.id, self.name, arguments))
        elif arguments:
            chunks.append(CallChunk(self.key, arguments=arguments))
        self.given = len(self.pieces)

    def is_over(self, name: str) -> bool:
        """True if a piece with this name, but no id and no index, must be another call."""
        arguments = "".join(self.pieces)
        return bool(arguments) and (name != self.name or object_text(arguments) == arguments)


class CallPieces:
    """The calls of one response."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}

    def take(self, piece: dict[str, Any], place: int, chunks: list[Chunk]) -> None:
        """Take one element of `tool_calls`, which is at this place in its list."""
        function = details(piece, "function")
        name = text_of(function.get("name") or "", self._provider)
        identity = identity_of(piece.get("id"), self._provider)
        call = self._find(piece.get("index"), place, identity, name)
        arguments = argument_text(function.get("arguments"))
        if arguments:
            call.pieces.append(arguments)
        call.id = call.id or identity
        # Some repeat the name in every delta: the first one counts.
        call.name = call.name or name
        if call.name or call.given >= 0:
            call.give(chunks)

    def finish(self, chunks: list[Chunk]) -> bool:
        """Append what waited for a name in vain; return whether there was any call."""
        for call in self._calls:
            if call.given < 0 and (call.id or call.pieces):
                call.give(chunks)
        return any(call.given >= 0 for call in self._calls)

    def _find(self, index: Any, place: int, identity: str, name: str) -> _Call:
        """Find the call that a piece belongs to, or begin one.

        By its index; but Ollama has sent 0 for all parallel calls and Mistral none
        at all (mistral-chat/095), so a new id that comes with a name is a new call.
        A new id without a name is not: vLLM has sent a fresh one with every piece.
        """
        where = ("place", place) if index is None else index
        call = self._by_index.get(where)
        if call is None and index is None and not name and self._calls:
            call = self._calls[-1]
        if call is not None:
            other = bool(identity and call.id and identity != call.id)
            again = index is None and not identity and bool(name) and call.is_over(name)
            if not (name and (other or again)):
                return call
        call = _Call(len(self._calls))
        self._calls.append(call)
        self._by_index[where] = call
        return call


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
