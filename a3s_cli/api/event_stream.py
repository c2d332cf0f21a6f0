"""The events of one run, for `for` and `async for`.

A run is always a task of an asyncio loop. `async for` uses the loop that is already
running; plain iteration starts a loop in a thread of its own, so that it works in a
script, in a notebook, beside a running loop and in many threads at once. Closing the
stream cancels the run: breaking out of the loop, an exception in its body, Ctrl-C,
`with` and garbage collection all take that path, and return only after the run's
child processes are gone.

Iteration never raises for a failed run: its last event is the failure. `result()`
raises it as a typed error.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Self, cast

from ..errors import A3SError, Cancelled, UsageError
from ..events import TERMINAL, AnyEvent, Event
from ..jsontext import clean
from ..permissions.approval import Answer, Reply, given_reply
from ..run.prompt_source import checked_prompt
from .closable import Closing
from .event_buffer import Buffer
from .result import Result, result_of

if TYPE_CHECKING:
    from ..stream.emitter import Drain, EventSink

    #: Starts the run. Returns what to await and to cancel.
    Start = Callable[[EventSink, Drain], "Running"]

#: Seconds that tasks left behind by the user's coroutines may take to end.
LEFT = 1.0


class Running:
    """A started run, as its stream sees it."""

    async def execute(self) -> None:
        """Do the work. The terminal event comes last."""
        raise NotImplementedError

    def cancel(self, why: A3SError) -> None:
        """End it. May be called from any thread or signal handler."""
        raise NotImplementedError

    def instance(self, value: Any) -> Any:
        """Return the run's object as an instance of its schema's type."""
        return value

    def steer(self, text: str) -> bool:
        """Pass a message to the model before its next turn; False if there will be none."""
        return False

    def answer(self, tool_id: str, reply: Reply) -> bool:
        """Answer the question about a call; False if none is open."""
        return False


class EventStream(Closing):
    """The events of one run, made by `Session.stream`.

    The run starts with the first read. Read it with `for`, `async for`, `result()` or
    `await`; leaving the loop early, or closing the stream, cancels the run.
    """

    def __init__(self, start: Start) -> None:
        self._start: Start | None = start
        self._running: Running | None = None
        self._events: list[Event] = []
        self._why: A3SError | None = None
        # Wakes the reader: the first for `for`, the second for `async for`.
        self._ready: threading.Event | None = None
        self._ready_in_loop: asyncio.Event | None = None
        self._buffer = Buffer(self._wake)
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._gone: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._broken: BaseException | None = None
        self._forsaken = False

    @property
    def over(self) -> bool:
        """Whether the run has ended and nothing of it is left."""
        # A loop that was closed too early has taken the run with it.
        dead = self._task is not None and self._task.get_loop().is_closed()
        return dead or self._gone.done()

    @property
    def ending(self) -> bool:
        """Whether the run is over or about to be, without being cancelled again."""
        told = bool(self._events) and self._events[-1].type in TERMINAL
        return told or self._forsaken or self.over

    @property
    def in_thread(self) -> bool:
        """Whether the run has a thread of its own."""
        return self._ready is not None

    @property
    def in_this_loop(self) -> bool:
        """Whether the run is a task of the event loop that is running here."""
        return self._task is not None and _runs_here(self._task.get_loop())

    # -- reading -----------------------------------------------------------------------

    def __iter__(self) -> Generator[AnyEvent, None, None]:
        """Yield the events as they happen, from a thread of the run's own.

        Raises RuntimeError if a task is reading this stream.
        """
        self._begin_in_thread()
        try:
            while batch := self._next_batch():
                yield from cast("list[AnyEvent]", batch)
        finally:
            self.close()

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        """Iterate over the events as they happen; the run is a task of the running loop.

        Raises RuntimeError if a thread is reading this stream.
        """
        self._begin_in_loop()
        return _Reader(self)

    def result(self) -> Result:
        """Read the remaining events and return the run's result.

        Raises the A3SError of a failed run, Cancelled for a cancelled one, and
        pydantic's ValidationError if the object does not fit the given model.
        Awaiting the stream does the same in a running loop.
        """
        if not self.over:
            for _ in self:
                pass
        return self._outcome()

    def __await__(self) -> Generator[Any, None, Result]:
        return self._result_async().__await__()

    async def _result_async(self) -> Result:
        if not self.over:
            async for _ in self:
                pass
        return self._outcome()

    # -- ending ------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel the run: from any thread, task or signal handler, or from the loop's body.

        Returns at once; the stream still ends with its `error` event.
        """
        self._cancel(Cancelled("the run was cancelled"))

    def steer(self, text: str) -> bool:
        """Pass a message to the model before its next turn. May be called from any thread.

        If the current turn would have been the last, one more follows. The event
        `user_message` reports that the model got the message. Returns False if the run
        takes no more messages: send the text as the next prompt then. Raises UsageError
        if the text is blank.
        """
        text = checked_prompt(clean(text), "the text")
        return self._running is not None and not self.over and self._running.steer(text)

    def answer(self, tool_id: str, answer: Answer, text: str = "") -> bool:
        """Answer the `permission_request` of a call. May be called from any thread.

        For a session with `on_ask="stream"`. `answer` is "once", "always" or "no", and
        `text` tells the model what to do instead. Returns False if no request of this
        call is open. Raises UsageError for any other answer.
        """
        try:
            reply = given_reply({"answer": answer, "text": text})
        except ValueError as error:
            raise UsageError(str(error)) from None
        return self._running is not None and self._running.answer(tool_id, reply)

    def close(self) -> None:
        """Cancel the run if it is still going, and wait until nothing of it is left.

        In the event loop that executes the run it cannot wait; use `aclose` there.
        """
        self.forsake()
        if self._thread is not None:
            if self._thread is not threading.current_thread():
                self._thread.join()
        elif self._task is not None and not self.over and not _runs_here(self._task.get_loop()):
            concurrent.futures.wait([self._gone])

    async def aclose(self) -> None:
        """Like `close`, without blocking the running event loop."""
        self.forsake()
        await self.wait()

    async def wait(self) -> None:
        """Wait until nothing of the run is left."""
        if self._running is not None and not self.over:
            # Not the task itself, whose loop may not be ours.
            await asyncio.shield(asyncio.wrap_future(self._gone))

    # -- the run -----------------------------------------------------------------------

    def _begin_in_thread(self) -> None:
        if self._running is not None:
            if self._thread is None and not self.over:
                raise RuntimeError("a task is reading this stream: use `async for` or `await`")
            return
        if self._forsaken:
            return
        self._ready = threading.Event()
        running = self._begin()
        self._thread = threading.Thread(
            target=self._in_thread, args=(running,), name="a3s-run", daemon=True
        )
        self._thread.start()

    def _begin_in_loop(self) -> None:
        if self._running is not None:
            if self._task is None and not self.over:
                raise RuntimeError("a thread is reading this stream: use `for` or `result()`")
            return
        if self._forsaken:
            return
        self._ready_in_loop = asyncio.Event()
        running = self._begin()
        self._task = asyncio.create_task(self._execute(running), name="a3s-run")
        self._task.add_done_callback(self._ended)

    def _begin(self) -> Running:
        assert self._start
        running = self._start(self._take, self._buffer.drain)
        self._running = running
        if self._why is not None:
            running.cancel(self._why)
        return running

    def _in_thread(self, running: Running) -> None:
        # Not asyncio.run, which would wait for a thread that is blocked by a slow name server.
        # Not the host's kind of loop, which may need signals, and thus the main thread.
        try:
            with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
                loop.run_until_complete(self._execute(running))
                loop.run_until_complete(_end_the_rest())
        except OSError as error:  # no file descriptors are left for a loop
            self._broken = self._broken or error
        finally:
            self._ended()

    async def _execute(self, running: Running) -> None:
        try:
            await running.execute()
        except Exception as error:  # noqa: BLE001  # raised where the stream is read
            self._broken = error

    def _ended(self, _: object = None) -> None:
        # In this order: the reader of the last event may send the next prompt at once.
        self._gone.set_result(None)
        self._buffer.close()
        # Frees a session without other references now, not when cycles are collected.
        self._start = None

    def _cancel(self, why: A3SError) -> None:
        self._why = self._why or why
        if self._running is not None:
            self._running.cancel(why)

    def forsake(self) -> None:
        """Stop reading: cancel the run unless it has ended."""
        if self._buffer.closed:
            return
        self._forsaken = True
        self._cancel(Cancelled("the reader of the stream went away"))
        self._buffer.close()

    # -- between the two ---------------------------------------------------------------

    def _take(self, events: list[Event]) -> None:
        self._events += events
        if not self._buffer.closed:
            self._buffer.put(events)

    def _wake(self) -> None:
        if self._ready is not None:
            self._ready.set()
        elif self._ready_in_loop is not None:
            loop = self._task.get_loop() if self._task else None
            if loop is None or _runs_here(loop):
                self._ready_in_loop.set()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(self._ready_in_loop.set)

    def _next_batch(self) -> list[Event]:
        while True:
            if self._ready is not None:
                self._ready.clear()
            closed = self._buffer.closed
            if (batch := self._buffer.take()) or closed or self._ready is None:
                return batch
            self._ready.wait()

    async def next_batch(self) -> list[Event]:
        """Wait for events and return them; empty at the end of the stream."""
        while True:
            if self._ready_in_loop is not None:
                self._ready_in_loop.clear()
            closed = self._buffer.closed
            if (batch := self._buffer.take()) or closed or self._ready_in_loop is None:
                return batch
            await self._ready_in_loop.wait()

    def require_whole(self) -> None:
        """Raise what ended the run without a terminal event: a bug, or a direct call's failure."""
        if self._broken is not None:
            raise self._broken

    def _outcome(self) -> Result:
        self.require_whole()
        if self._running is None or not self._events or self._events[-1].type not in TERMINAL:
            raise self._why or Cancelled("the run was cancelled")
        return result_of(tuple(self._events), self._running.instance)


class _Reader:
    """Reads a stream in an `async for`.

    Not a generator: one that is left half read is finalized only some time later,
    and until then the session would be busy for the next prompt.
    """

    __slots__ = ("_batch", "_stream")

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        # Reversed, so that `pop` takes the next one.
        self._batch: list[Event] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        if not self._batch:
            try:
                self._batch = (await self._stream.next_batch())[::-1]
            except BaseException:
                # A traceback may keep this object alive, but the reader is gone now.
                self._stream.forsake()
                raise
            if not self._batch:
                await self._stream.aclose()
                raise StopAsyncIteration
        return cast("AnyEvent", self._batch.pop())

    def __del__(self) -> None:
        self._stream.forsake()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether this thread is running the loop."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


async def _end_the_rest() -> None:
    """Cancel the tasks that the user's coroutines left in a loop about to be closed."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=LEFT)
    await asyncio.get_running_loop().shutdown_asyncgens()
