"""Permission requests of a run that are answered over HTTP.

The stream carries the request (`permission_request`), and a POST answers it. The
page may be unattended, so a request expires: the call is then denied with a
reason, as wherever no one can be asked.
"""

from __future__ import annotations

import asyncio
from typing import cast, get_args

from ..errors import UsageError
from ..permissions.approval import Answer, Question, Unanswered

#: Seconds until a permission request expires.
PATIENCE = 3600.0


class WebApprover:
    """Asks the followers of one run's stream."""

    by = "web"

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def __call__(self, question: Question) -> Answer:
        """Wait for the answer; raise `Unanswered` after `PATIENCE`."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[question.tool_id] = answer
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            raise Unanswered("there was no answer for an hour") from None
        finally:
            del self._waiting[question.tool_id]

    def answer(self, tool_id: str, answer: Answer) -> bool:
        """Answer an open request; return False if there is none for this call."""
        waiting = self._waiting.get(tool_id)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True


def checked_answer(found: object) -> Answer:
    """Return the answer if it is valid; raise `UsageError` if not."""
    if found not in get_args(Answer):
        expected = ", ".join(f'"{one}"' for one in get_args(Answer))
        raise UsageError(f"`answer` of the body: expected one of {expected}")
    return cast("Answer", found)
