"""Questions that wait for an answer from elsewhere: stdin, a web page, a program's own thread.

The stream tells of a question (`permission_request`); an answer names its call.
"""

from __future__ import annotations

import asyncio
import threading

from .approval import Question, Reply, Unanswered


class WaitingApprover:
    """Asks the reader of a run's stream. `answer` may be called from any thread."""

    def __init__(self, by: str, patience: float | None = None) -> None:
        self.by = by
        #: Seconds that a question waits; None for as long as it takes.
        self._patience = patience
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._answered: set[str] = set()
        self._left: str | None = None
        self._lock = threading.Lock()

    async def __call__(self, question: Question) -> Reply:
        """Return the answer that comes."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._left is not None:
                raise Unanswered(self._left)
            self._waiting[question.tool_id] = reply
        try:
            async with asyncio.timeout(self._patience):
                return await reply
        except TimeoutError:
            raise Unanswered(f"no answer came within {self._patience:g} s") from None
        finally:
            with self._lock:
                self._waiting.pop(question.tool_id, None)
                self._answered.discard(question.tool_id)

    def answer(self, tool_id: str, reply: Reply) -> bool:
        """Answer a question; False where none waits for it."""
        with self._lock:
            waiting = self._waiting.get(tool_id)
            if waiting is None or tool_id in self._answered:
                return False
            self._answered.add(tool_id)
        waiting.get_loop().call_soon_threadsafe(_settle, waiting, reply)
        return True

    def leave(self, why: str) -> None:
        """Answer no question any more, neither those that are open nor later ones."""
        with self._lock:
            self._left = why
            waiting = list(self._waiting.values())
        for one in waiting:
            one.get_loop().call_soon_threadsafe(_settle, one, Unanswered(why))


def _settle(waiting: asyncio.Future[Reply], reply: Reply | Unanswered) -> None:
    if waiting.done():
        return
    if isinstance(reply, Unanswered):
        waiting.set_exception(reply)
    else:
        waiting.set_result(reply)
