"""What a list of sessions shows of one; the last line of its file holds it.

So a list reads two lines of each file, however long the file is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..values import State

#: The verdict of a run that succeeded; one that failed has the code of its error.
SUCCESS = "success"
#: The verdict of a run without a terminal event: its process died.
INTERRUPTED = "interrupted"
#: In place of a verdict while a run goes on.
RUNNING = "running"


class Facts(State):
    """The figures of a session, and what its last run came to."""

    runs: int = 0
    turns: int = 0
    model: str | None = None
    #: How the last run ended.
    verdict: str | None = None
    #: The tokens of all runs, and the cost of those whose cost is known, in US dollars.
    total_tokens: int = 0
    cost_usd: float | None = None
    #: The name that the user has given it; empty if it was taken back.
    title: str | None = None
    #: The session that it began as a copy of.
    forked_from: str | None = None

    def begin(self, model: object) -> None:
        """Count a run that has begun."""
        self.runs += 1
        self.verdict = INTERRUPTED
        if isinstance(model, str):
            self.model = model

    def end(self, code: object, tokens: object, cost: object) -> None:
        """Count a run that has ended; `code` is that of its error, None if it succeeded."""
        self.verdict = SUCCESS if code is None else str(code)
        if isinstance(tokens, int):
            self.total_tokens += tokens
        if isinstance(cost, (int, float)):
            self.cost_usd = (self.cost_usd or 0.0) + cost

    def take(self, line: Mapping[str, Any]) -> None:
        """Take what the events of the runs do not tell, from a line that holds it."""
        self.title = _text(line.get("title"), self.title)
        self.forked_from = _text(line.get("forkedFrom"), self.forked_from)

    def to_json(self) -> dict[str, Any]:
        """Return what the last line of a file holds."""
        values = {
            "runs": self.runs,
            "turns": self.turns,
            "model": self.model,
            "verdict": self.verdict,
            "totalTokens": self.total_tokens,
            "costUsd": self.cost_usd,
            "title": self.title,
            "forkedFrom": self.forked_from,
        }
        return {name: value for name, value in values.items() if value is not None}


def _text(value: object, otherwise: str | None) -> str | None:
    return value if isinstance(value, str) else otherwise
