"""Asks a user's function whether a call may run."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast, get_args

from ..permissions.approval import Answer, Question, Reply, Unanswered
from ..processes.threads import blocking


class CallbackApprover:
    """An approver that calls a function, plain (in a thread) or async."""

    by = "callback"

    def __init__(self, function: Callable[[Question], Answer | Awaitable[Answer]]) -> None:
        self._function = function

    async def __call__(self, question: Question) -> Reply:
        """Return the function's answer. Raises Unanswered if it raises or answers anything else."""
        try:
            answer = await self._ask(question)
        except (Exception, SystemExit) as error:  # SystemExit would end the loop, and the host
            raise Unanswered(f"on_ask raised {type(error).__name__}: {error}") from error
        if answer not in get_args(Answer):
            expected = ", ".join(map(repr, get_args(Answer)))
            raise Unanswered(f"on_ask returned {answer!r}, expected one of {expected}")
        return Reply(answer)

    async def _ask(self, question: Question) -> Answer:
        if inspect.iscoroutinefunction(self._function):
            return cast("Answer", await self._function(question))
        answer: Any = await blocking(partial(self._function, question))
        return cast("Answer", await answer if inspect.isawaitable(answer) else answer)
