"""Questions of a run that wait for an answer over HTTP.

The stream tells of a question (`permission_request`), a POST answers it. Nobody
may be looking, so a question does not wait for ever: then it is a "no" that
says why, as everywhere else where nobody can be asked.
"""

from __future__ import annotations

import asyncio
from typing import cast, get_args

from ..errors import UsageError
from ..permissions.approval import Answer, Question, Unanswered

#: Seconds that a question waits.
PATIENCE = 3600.0


class WebApprover:
    """Asks whoever follows the stream of one run."""

    by = "web"

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def __call__(self, question: Question) -> Answer:
        """Give the answer that comes."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[question.tool_id] = answer
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            raise Unanswered("nobody has answered for an hour") from None
        finally:
            del self._waiting[question.tool_id]

    def answer(self, tool_id: str, answer: Answer) -> bool:
        """Answer a question; False where none waits for it."""
        waiting = self._waiting.get(tool_id)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True


def checked_answer(found: object) -> Answer:
    """Give an answer that is one, or refuse it."""
    if found not in get_args(Answer):
        expected = ", ".join(f'"{one}"' for one in get_args(Answer))
        raise UsageError(f"`answer` of the body: expected one of {expected}")
    return cast("Answer", found)
