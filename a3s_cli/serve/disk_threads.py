"""Work that may wait for a disk, beside the loop that serves everybody.

A few threads that stay, unlike those of `blocking`: starting one makes the loop
wait for it, and with two hundred clients that came to more than all the reading.
Nor are they asyncio's own, which a slow name server can occupy. Nobody waits for
them at the end: the process dies of a signal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: Threads that read, each begun when it is first needed.
READERS = 4
_threads = ThreadPoolExecutor(READERS, thread_name_prefix="a3s-disk")
#: What is done in the order in which it was asked for.
_in_order = ThreadPoolExecutor(1, thread_name_prefix="a3s-sync")


async def beside(function: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Give what the function returns, or raise what it raises."""
    called = partial(function, *given, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads, called)


def later(function: Callable[[], None]) -> None:
    """Have something done soon; nobody waits for it, and nothing of it overtakes another."""
    _in_order.submit(function)


async def settled() -> None:
    """Wait until all that was left to `later` is done."""
    await asyncio.get_running_loop().run_in_executor(_in_order, _nothing)


def _nothing() -> None:
    pass
