"""Between a call that needs approval and its approver: one question, one answer.

A terminal, a callback of the library or a web page answers; each is asked the
same question in the same way, and what follows from the answer is decided
elsewhere, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from ..values import Value

#: This call; it and what the question says `always` covers, for the rest of the run; or neither.
Answer = Literal["once", "always", "no"]


class Unanswered(Exception):
    """There was no one to ask; the message says why."""


class Question(Value):
    """A call that waits for an answer, with everything that the answer depends on."""

    tool_name: str
    tool_id: str
    #: The arguments exactly as they will run.
    tool_input: Mapping[str, Any]
    cwd: Path
    #: The file that the call is about, wherever links led to it; None where it is about none.
    path: Path | None
    #: The rule that asks, or `default`; and why, in a sentence.
    rule: str
    reason: str
    #: What `always` would cover.
    always: str


class Approver(Protocol):
    """Answers one question at a time. It may be cancelled at any moment."""

    @property
    def by(self) -> str:
        """Who answers, for the stream."""

    async def __call__(self, question: Question) -> Answer:
        """Return the answer; raises `Unanswered`."""
