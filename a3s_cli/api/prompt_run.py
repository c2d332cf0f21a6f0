"""The run of one prompt, as its stream starts and cancels it."""

from __future__ import annotations

from typing import Any

from ..errors import A3SError
from ..permissions.approval import Approver, Reply
from ..permissions.waiting import WaitingApprover
from ..run.opening import Opening
from .answer_type import AnswerType
from .event_stream import EventStream, Running


class After(Running):
    """A run that first waits until the previous one, which is ending, is over."""

    def __init__(self, previous: EventStream | None, running: Running) -> None:
        self._previous = previous
        self._running = running

    async def execute(self) -> None:
        if self._previous is not None:
            await self._previous.wait()
            self._previous = None
        await self._running.execute()

    def cancel(self, why: A3SError) -> None:
        self._running.cancel(why)

    def instance(self, value: Any) -> Any:
        return self._running.instance(value)

    def steer(self, text: str) -> bool:
        return self._running.steer(text)

    def answer(self, tool_id: str, reply: Reply) -> bool:
        return self._running.answer(tool_id, reply)


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
