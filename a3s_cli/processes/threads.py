"""Calls a function that may block or take long, without blocking the run.

Each call has its own thread. asyncio's thread pool is bounded, and the interpreter
waits for its threads at exit: a function that never returns would keep a cancelled
process alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any


async def blocking(function: Callable[[], Any]) -> Any:
    """Return what the function returns, or raise what it raises.

    SystemExit and other exceptions outside Exception are raised as RuntimeError. A
    cancelled call is abandoned: a thread cannot be ended from outside.
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
            error = RuntimeError("the function raised StopIteration")  # A future cannot hold it.
        except Exception as raised:  # noqa: BLE001  # raised again where the call is awaited
            error = raised
        except BaseException as raised:  # noqa: BLE001  # such as sys.exit: it would end the loop
            error = RuntimeError(f"the function raised {type(raised).__name__}")
        with contextlib.suppress(RuntimeError):  # The loop is gone, and the waiting task with it.
            loop.call_soon_threadsafe(settle, value, error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(call,), name="a3s-function", daemon=True).start()
    return await done


class _Left(Exception):
    """The pieces are no longer read."""


async def pieces_of(
    pieces: Generator[Any, Any, Any], take: Callable[[Any], Awaitable[None]]
) -> None:
    """Pass each piece of a plain generator to `take`. The generator runs in one thread.

    It waits while a piece is being taken, and is closed when this is cancelled.
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
                except RuntimeError:  # The loop is gone, and the reader with it.
                    coroutine.close()
                    return
                taken.result()

    try:
        await blocking(go_through)
    finally:
        left.set()
