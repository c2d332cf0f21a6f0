"""Calls a function of the caller's that may block, without holding up the run.

Each call has a thread of its own. asyncio's pool would do, but a pool has an
end, and the interpreter waits for its threads when it leaves: a function that
never returns would keep a process that has long been cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any


async def blocking(function: Callable[[], Any]) -> Any:
    """Give what the function returns, or raise what it raises.

    What is no Exception, `sys.exit` in a command's own code say, is raised as one.
    A call that is cancelled is left to itself: no thread can be ended from outside.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: Exception | None) -> None:
        if not done.done() and error is None:
            done.set_result(value)
        elif not done.done():
            assert error is not None
            done.set_exception(error)

    def call() -> None:
        value: Any = None
        error: Exception | None = None
        try:
            value = function()
        except StopIteration:
            error = RuntimeError("the function raised StopIteration")  # A future takes none.
        except Exception as raised:  # noqa: BLE001  # it is raised where the call is awaited
            error = raised
        except BaseException as raised:  # noqa: BLE001  # sys.exit, say: it would end the loop
            error = RuntimeError(f"the function raised {type(raised).__name__}")
        with contextlib.suppress(RuntimeError):  # The loop has gone, and so has whoever waited.
            loop.call_soon_threadsafe(settle, value, error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(call,), name="a3s-function", daemon=True).start()
    return await done


class _Left(Exception):
    """Nobody takes the pieces any more."""


async def pieces_of(
    pieces: Generator[Any, Any, Any], take: Callable[[Any], Awaitable[None]]
) -> None:
    """Take each piece of a plain generator, which runs in one thread from its begin to its end.

    It is held up while a piece is being taken, and closed where this is cancelled.
    """
    loop = asyncio.get_running_loop()
    left = threading.Event()

    async def hand_over(piece: Any) -> None:
        if left.is_set():
            raise _Left
        await take(piece)

    def go_through() -> None:
        with contextlib.closing(pieces):
            for piece in pieces:
                coroutine = hand_over(piece)
                try:
                    taken = asyncio.run_coroutine_threadsafe(coroutine, loop)
                except RuntimeError:  # The loop has gone, and so has whoever took the pieces.
                    coroutine.close()
                    return
                taken.result()

    try:
        await blocking(go_through)
    finally:
        left.set()
