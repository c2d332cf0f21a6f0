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
    """A call that waits for an answer, with everything that the answer depends on.

    tool_name: the tool.
    tool_id: the call, unique within the session.
    tool_input: the arguments, exactly as they will be executed.
    cwd: the workspace.
    path: the file that the call is about, symlinks resolved; None if there is none.
    rule: the rule that asks, or `default`.
    reason: why it asks, in one sentence.
    always: what the answer "always" would allow.
    """

    tool_name: str
    tool_id: str
    tool_input: Mapping[str, Any]
    cwd: Path
    path: Path | None
    rule: str
    reason: str
    always: str


class Approver(Protocol):
    """Answers one question at a time. It may be cancelled at any moment."""

    @property
    def by(self) -> str:
        """Who answers, for the stream."""

    async def __call__(self, question: Question) -> Answer:
        """Return the answer; raises `Unanswered`."""
