"""Between a call that needs approval and its approver: one question, one answer.

A terminal, a callback of the library or a web page answers; each is asked the
same question in the same way, and what follows from the answer is decided
elsewhere, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, cast, get_args

from ..jsontext import clean
from ..values import Value

#: This call; it and what the question says `always` covers, for the rest of the run; or neither.
Answer = Literal["once", "always", "no"]


#: Characters of what is said with an answer: it has to fit into the line of its event.
LONGEST_TEXT = 4000


class Reply(Value):
    """An answer, and what the user has said with it."""

    answer: Answer
    #: With a "no": what to do instead, for the model.
    text: str = ""
    #: Why this is a "no" that was not said, in words that go on after the reason.
    failure: str = ""


def given_reply(said: Mapping[str, Any]) -> Reply:
    """Return the reply in `answer` and `text` of a message; ValueError says what is wrong."""
    answer, text = said.get("answer"), said.get("text", "")
    if answer not in get_args(Answer):
        expected = ", ".join(f'"{one}"' for one in get_args(Answer))
        found = "missing" if answer is None else f"{clean(str(answer))[:100]!r}"
        raise ValueError(f"`answer` must be one of {expected}, not {found}")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ValueError(
            f"the `text` of an answer must be a string of at most {LONGEST_TEXT} characters"
        )
    return Reply(cast("Answer", answer), clean(text))


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
    """Answers one question at a time. It may be cancelled at any moment.

    With a true attribute `exact`, "always" allows exactly the same call again, and
    nothing wider.
    """

    @property
    def by(self) -> str:
        """Who answers, for the stream."""

    async def __call__(self, question: Question) -> Reply:
        """Return the reply; raises `Unanswered`."""
