"""The conversation of a session, valid for the next prompt whatever happens to a run.

It grows by whole steps: a prompt; an answer; an answer with calls, together with all
their results. An incomplete step is never added, and a prompt without an answer is
removed when its run is over. If the session is saved on disk, each step is saved as
it is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..messages import Message, Text
from ..values import State, field
from .response import CallIds

if TYPE_CHECKING:
    from pathlib import Path

    from .execution import Spill


class Keeper(Protocol):
    """Saves the steps of a conversation on disk. Never fails a run."""

    def keep(self, messages: Sequence[Message]) -> None:
        """Save one step."""

    def replace(self, messages: Sequence[Message]) -> None:
        """Save these in place of everything saved so far."""

    def spill(self) -> Spill | None:
        """Return a file for an output that is too long for a line; None if there is none."""

    @property
    def spilled(self) -> Path:
        """The directory of what is kept beside the session."""


class Conversation(State):
    """The messages of a session, and the ids of its calls."""

    messages: list[Message] = field(default_factory=list)
    call_ids: CallIds = field(default_factory=CallIds)
    keeper: Keeper | None = None

    def prompt(self, text: str) -> None:
        """Add a prompt. An earlier one without an answer is removed."""
        self.settle()
        self.add(Message("user", (Text(text),)))

    def spill(self) -> Spill | None:
        """Return a file for an output that is too long for an event; None if none is saved."""
        return self.keeper.spill() if self.keeper else None

    @property
    def copies(self) -> str:
        """Where what is put back is kept beside the session; empty where nothing is kept."""
        return str(self.keeper.spilled / "put-back") if self.keeper else ""

    def add(self, *step: Message) -> None:
        """Add a step, unless one of its messages is empty."""
        if not all(message.parts for message in step):
            return
        self.messages += step
        if self.keeper:
            self.keeper.keep(step)

    def replace(self, messages: Sequence[Message]) -> None:
        """Replace the whole conversation by a shorter one."""
        self.messages = list(messages)
        if self.keeper:
            self.keeper.replace(self.messages)

    def settle(self) -> None:
        """Remove a prompt without an answer."""
        while self.messages and self.messages[-1].role == "user":
            self.messages.pop()
