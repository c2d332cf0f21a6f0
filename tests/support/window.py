"""A model with a window: it refuses what is too long, and otherwise goes on calling a tool."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from .replies import Reply, Wire, error, text
from .server import Seen, Server

#: What the summariser is answered, so that it is found again in later requests.
SUMMARY = "SUMMARY: all is well so far"


def is_summary(seen: Seen) -> bool:
    """Tell a request for a summary from one of the main loop, which offers tools."""
    return "tools" not in seen.body


class Window(Server):
    """Counts four bytes as a token. `turn(n)` is the reply to the n-th accepted request."""

    def __init__(
        self,
        tokens: int,
        turn: Callable[[int], Reply],
        wire: Wire = "openai-chat",
        *,
        counts: bool = True,
        summary: Reply | None = None,
    ) -> None:
        super().__init__([text()], wire, "repeat")
        self.tokens = tokens
        self.turn = turn
        self.counts = counts
        self.summary = summary or text(SUMMARY)
        self.turns = 0
        self.refused: list[Seen] = []
        self.summaries: list[Seen] = []
        self.accepted: list[Seen] = []

    def _play(self, connection: socket.socket, reply: Reply) -> bool:
        seen = self.requests[-1]
        seen.reply = self._decide(seen)
        return super()._play(connection, seen.reply)

    def _decide(self, seen: Seen) -> Reply:
        if seen.size / 4 > self.tokens:
            self.refused.append(seen)
            told = f"maximum context length is {self.tokens} tokens, got {seen.size // 4}"
            return error(400, {"error": {"code": "context_length_exceeded", "message": told}})
        if is_summary(seen):
            self.summaries.append(seen)
            reply = self.summary
        else:
            self.accepted.append(seen)
            self.turns += 1
            reply = self.turn(self.turns)
        usage = (seen.size // 4, 20) if self.counts else None
        return Reply(reply.pieces, reply.finish, usage, reply.ending, reply.status, body=reply.body)


def contents(seen: Seen) -> list[tuple[Any, Any]]:
    """Return (role, content) of the messages of a chat request, without the system prompt."""
    return [(one["role"], one.get("content")) for one in seen.body["messages"][1:]]
