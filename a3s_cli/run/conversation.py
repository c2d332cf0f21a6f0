"""The conversation of a session, valid for the next prompt whatever happens to a run.

It grows as things happen: by a prompt, a complete response, the result of each of its
calls. When a run is over, `settle` completes what is unfinished (see `sessions.interruption`),
so nothing that has happened is lost. If the session is saved on disk, each step is
saved as it is added, before the event that shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..messages import File, Message, Text, ToolResult, prompt_message
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

    def keep_file(self, file: File) -> None:
        """Save a file beside the steps."""

    def flush(self) -> None:
        """Sync what was saved to disk."""

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
    #: The digests of the files that the last prompt came with, and of those accepted so far.
    asked_with: frozenset[str] = frozenset()
    accepted: set[str] = field(default_factory=set)
    #: Whether the last prompt has its answer.
    answered: bool = True
    #: The text of an answer that was cut.
    partial: str = ""
    #: A sentence on what was interrupted in the last run; empty if nothing was.
    unfinished: str = ""
    #: The calls of the last message and their results so far; empty once all are known.
    _calls: frozenset[str] = frozenset()
    _results: dict[str, ToolResult] = field(default_factory=dict)
    _interrupted: list[str] = field(default_factory=list)

    def prompt(self, text: str, files: Sequence[File] = ()) -> None:
        """Add a prompt, and the files that come with it."""
        self.settle()
        self.unfinished, self.answered = "", False
        self.asked_with = frozenset(file.sha256 for file in files)
        self.add(prompt_message(text, files) if files else Message("user", (Text(text),)))
        if self.keeper:
            for file in files:
                self.keeper.keep_file(file)

    def spill(self) -> Spill | None:
        """Return a file for an output that is too long for an event; None if none is saved."""
        return self.keeper.spill() if self.keeper else None

    @property
    def copies(self) -> str:
        """The directory for copies of reverted content; empty if nothing is saved."""
        return str(self.keeper.spilled / "put-back") if self.keeper else ""

    def add(self, message: Message) -> None:
        """Add a message. The continuation of an answer becomes one message with it."""
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == message.role == "assistant":
            self.messages[-1] = Message("assistant", (*last.parts, *message.parts))
        else:
            self.messages.append(message)
        self._calls = frozenset([call.id for call in message.calls])
        if self.keeper:
            self.keeper.keep((message,))

    def take_result(self, result: ToolResult, *, interrupted: bool = False) -> None:
        """Add the result of a call of the last response; the order does not matter."""
        if result.call_id not in self._calls:
            return  # a call that no response has made
        if interrupted:
            self._interrupted.append(result.name)
        self._results[result.call_id] = result
        if self.keeper:
            self.keeper.keep((Message("tool", (result,)),))
        if len(self._results) == len(self._calls):
            self._close_calls()

    def replace(self, messages: Sequence[Message]) -> None:
        """Replace the whole conversation by a shorter one."""
        self.messages = list(messages)
        if self.keeper:
            self.keeper.replace(self.messages)

    def settle(self, why: str | None = None) -> None:
        """Complete what the end of a run has left open, so that a prompt may follow.

        `why` says why the run has no answer; None for a run that succeeded.
        """
        last = self.messages[-1] if self.messages else None
        partial, self.partial = self.partial, ""
        interrupted, self._interrupted = self._interrupted, []
        if last is None:
            return
        if last.role == "assistant" and not self._calls and (self.answered or why is None):
            return
        self.answered = True
        from ..sessions.interruption import account, closing, results

        if self._calls:
            for result in results(last, self._results, ()):
                if result.call_id not in self._results:
                    self.take_result(result)
        if why is not None:
            self.unfinished = account(why, partial, interrupted)
        self.add(closing(partial, why))

    def _close_calls(self) -> None:
        results = tuple(self._results[call.id] for call in self.messages[-1].calls)
        self._calls, self._results = frozenset(), {}
        self.messages.append(Message("tool", results))
        if self.keeper:
            self.keeper.flush()
