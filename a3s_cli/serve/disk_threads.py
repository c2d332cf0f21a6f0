"""Work that may wait for a disk, on threads beside the loop that serves all clients.

The threads are kept, unlike those of `blocking`: the loop waits for each thread
that it starts, and with two hundred clients that took longer than the reading.
They are not asyncio's own threads, which a slow name server can occupy. They are
not joined at the end, because the process dies of a signal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: Threads that read, each started when first needed.
READERS = 4
_threads = ThreadPoolExecutor(READERS, thread_name_prefix="a3s-disk")
#: Runs the functions given to `later`, in order.
_in_order = ThreadPoolExecutor(1, thread_name_prefix="a3s-sync")


async def beside(function: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Call a function on a thread; return its result or raise its exception."""
    called = partial(function, *given, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads, called)


def later(function: Callable[[], None]) -> None:
    """Call a function soon, after those of earlier calls, without waiting for it."""
    _in_order.submit(function)


async def settled() -> None:
    """Wait until every function given to `later` has returned."""
    await asyncio.get_running_loop().run_in_executor(_in_order, _nothing)


def _nothing() -> None:
    pass
