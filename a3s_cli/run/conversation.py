"""What a session has said so far: whatever happens to a run, valid for the next prompt.

It grows by whole steps: a prompt; an answer; an answer that calls, together with
all its results. A step that did not come to its end was never said, and a prompt
that nothing answered is forgotten when its run is over. Where the session is
kept on disk, each step is kept as it is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..messages import Message, Text
from ..values import State, field
from .response import CallIds

if TYPE_CHECKING:
    from .execution import Spill


class Keeper(Protocol):
    """Keeps the steps of a conversation on disk; it never fails a run."""

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep one step."""

    def replace(self, messages: Sequence[Message]) -> None:
        """Keep these instead of all that was kept."""

    def spill(self) -> Spill | None:
        """Begin to keep what is too long for a line."""


class Conversation(State):
    """The messages of a session, and the ids that its calls have used."""

    messages: list[Message] = field(default_factory=list)
    call_ids: CallIds = field(default_factory=CallIds)
    keeper: Keeper | None = None

    def prompt(self, text: str) -> None:
        """Begin with a prompt, after whatever was answered before."""
        self.settle()
        self.add(Message("user", (Text(text),)))

    def spill(self) -> Spill | None:
        """Begin to keep an output that is too long for an event, where anything is kept."""
        return self.keeper.spill() if self.keeper else None

    def add(self, *step: Message) -> None:
        """Take a step; an answer of nothing is none."""
        if not all(message.parts for message in step):
            return
        self.messages += step
        if self.keeper:
            self.keeper.keep(step)

    def replace(self, messages: Sequence[Message]) -> None:
        """Put these in place of all that was said: they tell it more briefly."""
        self.messages = list(messages)
        if self.keeper:
            self.keeper.replace(self.messages)

    def settle(self) -> None:
        """Forget a prompt that was not answered."""
        while self.messages and self.messages[-1].role == "user":
            self.messages.pop()
