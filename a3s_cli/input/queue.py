"""Prompts that wait for their turn: few enough to be held, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque

from .messages import Prompt

#: What may wait at a time: prompts, and bytes of them.
MOST = 1000
MOST_BYTES = 64 * 1024 * 1024


class PromptQueue:
    """The prompts of one process. In one asyncio loop."""

    def __init__(self) -> None:
        self._waiting: deque[Prompt] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = asyncio.Event()

    def has_room(self, prompt: Prompt, others: tuple[int, int] = (0, 0)) -> bool:
        """Whether one more may wait, beside `others`: how many, and how many bytes of them."""
        number, size = others
        fits = self._bytes + size + prompt.bytes <= MOST_BYTES
        return len(self._waiting) + number < MOST and fits

    def put(self, prompt: Prompt, *, first: bool = False) -> None:
        """Have a prompt wait, as the last or as the first one."""
        if first:
            self._waiting.appendleft(prompt)
        else:
            self._waiting.append(prompt)
        self._bytes += prompt.bytes
        self._changed.set()

    def drop(self) -> list[Prompt]:
        """Forget all that wait, and return them."""
        dropped, self._bytes = list(self._waiting), 0
        self._waiting.clear()
        return dropped

    def close(self) -> None:
        """Let no further one come: after those that wait it is over."""
        self._closed = True
        self._changed.set()

    async def next(self) -> Prompt | None:
        """Return the next prompt once there is one; None when it is over."""
        while not self._waiting and not self._closed:
            self._changed.clear()
            await self._changed.wait()
        if not self._waiting:
            return None
        prompt = self._waiting.popleft()
        self._bytes -= prompt.bytes
        return prompt
