"""The run of one prompt, as its stream starts and cancels it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import A3SError
from ..permissions.approval import Approver, Reply
from ..permissions.waiting import WaitingApprover
from ..run.opening import Opening
from .answer_type import AnswerType
from .event_stream import EventStream, Running


class After(Running):
    """A run that begins once the previous one, which is ending, is over.

    Before that it has no event: the session's file is one run after another.
    """

    def __init__(self, previous: EventStream, begin: Callable[[], Running]) -> None:
        self._previous: EventStream | None = previous
        self._begin = begin
        self._running: Running | None = None
        # What was asked of it before it has begun.
        self._why: A3SError | None = None
        self._words: list[str] = []

    async def execute(self) -> None:
        assert self._previous
        await self._previous.wait()
        self._previous = None
        self._running = running = self._begin()
        for text in self._words:
            running.steer(text)
        if self._why is not None:
            running.cancel(self._why)
        await running.execute()

    def cancel(self, why: A3SError) -> None:
        self._why = self._why or why
        if self._running is not None:
            self._running.cancel(why)

    def instance(self, value: Any) -> Any:
        assert self._running
        return self._running.instance(value)

    def steer(self, text: str) -> bool:
        if self._running is not None:
            return self._running.steer(text)
        self._words.append(text)
        return True

    def answer(self, tool_id: str, reply: Reply) -> bool:
        return self._running is not None and self._running.answer(tool_id, reply)


class PromptRun(Running):
    """A run that has started: its `start` event is in the stream."""

    def __init__(self, opening: Opening, approver: Approver | None, wanted: AnswerType) -> None:
        self._opening = opening
        self._approver = approver
        self._wanted = wanted

    async def execute(self) -> None:
        try:
            await self._opening.execute(self._approver)
        finally:
            self._opening.voice.steering.close()

    def cancel(self, why: A3SError) -> None:
        self._opening.cancel(why)

    def instance(self, value: Any) -> Any:
        return self._wanted.instance(value)

    def steer(self, text: str) -> bool:
        return self._opening.voice.steering.say(text)

    def answer(self, tool_id: str, reply: Reply) -> bool:
        approver = self._approver
        return isinstance(approver, WaitingApprover) and approver.answer(tool_id, reply)
