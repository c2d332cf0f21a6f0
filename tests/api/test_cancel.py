"""Ending a run from outside, wherever it is: one terminal event, nothing left, and on to the next.

Each way of ending meets each phase of a run. The next prompt proves that the
conversation was left as a provider takes it, on both wires.
"""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from a3s_cli import A3SError, EventStream, Session
from a3s_cli.errors import Cancelled, SessionBusy

from ..support import processes
from ..support.replies import Reply, Wire, bash, calls, error, silence, stall, text
from .conftest import Library, collected, lawful, no_tasks_left

WIRES: tuple[Wire, ...] = ("openai-chat", "anthropic")
#: Far beyond anything but a hang.
GROSS = 10.0


class Phase:
    """A run that comes to a point and stays there."""

    def __init__(self, script: list[Reply], seen: str, process: str = "") -> None:
        self.script = script
        #: The last event that comes by itself.
        self.seen = seen
        self.process = process
        self._reached = False

    def reached(self, library: Library, event: Any) -> bool:
        if event.type != self.seen or self._reached:
            return False
        self._reached = True
        if self.seen == "turn_start":
            library.server.wait_for_request()
        if self.process:
            library.wait_for_process(self.process)
        return True


def phase(name: str) -> Phase:
    sleeper = processes.sleeper()
    return {
        "connect": lambda: Phase([silence()], "turn_start"),
        "stream": lambda: Phase([stall("half")], "text_delta"),
        "tool": lambda: Phase([bash(sleeper)], "tool_start", sleeper),
        "retry": lambda: Phase([error(503, headers={"retry-after": "30"})], "retry"),
        # It ignores TERM, and so does what it has started in a session of its own.
        "deaf": lambda: Phase(
            [bash(f"trap '' TERM; setsid {sleeper} & echo; {sleeper} & wait; wait")],
            "tool_output_delta",
            sleeper,
        ),
        "several": lambda: Phase(
            [calls(*(bash(sleeper).calls[0] for _ in range(3)))], "tool_start", sleeper
        ),
    }[name]()


PHASES = ("connect", "stream", "tool", "retry", "deaf", "several")


def end_of(events: list[Any]) -> Any:
    """The one terminal event of a cancelled run."""
    lawful(events)
    last = events[-1]
    assert (last.type, last.code, last.exit_code) == ("error", "cancelled", 130)
    assert last.signal is None
    return last


def goes_on(library: Library, session: Session, asked: int) -> None:
    """The next prompt is answered, and the cancelled one has left nothing invalid behind."""
    library.server.script[asked:] = [text("still here")]
    assert session.send("and now?").text == "still here"
    remembers(library, asked + 1)


def remembers(library: Library, request: int) -> None:
    """The model is told of the cancelled run: its prompt, what was done, and that it was cut."""
    told = library.asked(request)
    assert (told[0], told[-1]) == (("user", "go"), ("user", "and now?"))
    role, words = told[-2]
    assert role == "assistant"
    assert re.search(r"\[(There was no answer|This answer was cut): ", words)
    outputs = [told[n + 1][1] for n, (_, words) in enumerate(told) if "<bash>" in words]
    assert all("interrupted" in words or "not executed" in words for words in outputs)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", PHASES)
def test_cancel_in_the_body(library: Library, name: str, wire: Wire) -> None:
    at = phase(name)
    session = library.session(at.script, wire=wire)
    events, stream = [], session.stream("go")
    for event in stream:
        events.append(event)
        if at.reached(library, event):
            stream.cancel()
            stream.cancel()
    end_of(events)
    if at.process:
        assert processes.survivors(at.process) == []
        ends = [event for event in events if event.type == "tool_end"]
        assert {(end.exit_code, end.reason) for end in ends} == {(130, "cancelled")}
    with pytest.raises(Cancelled) as caught:
        stream.result()
    assert caught.value.events == tuple(events)
    goes_on(library, session, 1)


@pytest.mark.parametrize("name", PHASES)
def test_cancel_from_a_task(library: Library, name: str) -> None:
    at = phase(name)
    session = library.session(at.script)

    async def main() -> None:
        reached = asyncio.Event()
        stream = session.stream("go")

        async def canceller() -> None:
            await reached.wait()
            stream.cancel()

        task = asyncio.create_task(canceller())
        events = []
        async for event in stream:
            events.append(event)
            if await asyncio.to_thread(at.reached, library, event):
                reached.set()
        await task
        end_of(events)
        assert no_tasks_left()
        if at.process:
            assert processes.survivors(at.process) == []
        library.server.script[1:] = [text("still here")]
        assert (await session.asend("and now?")).text == "still here"

    asyncio.run(main())


def from_a_thread(stream: EventStream) -> None:
    thread = threading.Thread(target=stream.cancel, daemon=True)
    thread.start()
    thread.join(GROSS)
    assert not thread.is_alive()


def by_a_signal(stream: EventStream) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: stream.cancel())
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("cancel", [from_a_thread, by_a_signal])
def test_cancel_from_elsewhere(library: Library, cancel: Callable[[EventStream], None]) -> None:
    session = library.session([stall("half"), stall("half")])
    events, stream = [], session.stream("go")
    for event in stream:
        events.append(event)
        if event.type == "text_delta":
            cancel(stream)
    end_of(events)

    async def main() -> None:
        events, stream = [], session.stream("go")
        async for event in stream:
            events.append(event)
            if event.type == "text_delta":
                cancel(stream)
        end_of(events)

    asyncio.run(main())
    goes_on(library, session, 2)


def test_cancel_while_the_reader_waits(library: Library) -> None:
    """Nothing comes, so only the cancel itself can wake the reader."""
    session = library.session([silence(), silence()])
    for number in (1, 2):
        stream = session.stream("go")

        def later(number: int = number, stream: EventStream = stream) -> None:
            try:
                library.server.wait_for_request(number)
            finally:
                stream.cancel()

        thread = threading.Thread(target=later, daemon=True)
        thread.start()
        events = list(stream) if number == 1 else asyncio.run(collected(stream))
        thread.join(GROSS)
        end_of(events)
    goes_on(library, session, 2)


def test_cancel_before_the_first_read(library: Library) -> None:
    session = library.session([])
    stream = session.stream("go")
    stream.cancel()
    assert [event.type for event in lawful(stream)] == ["start", "error"]
    stream = session.stream("go")
    stream.cancel()
    events = asyncio.run(collected(stream))
    assert [event.type for event in events] == ["start", "notice", "error"]
    assert events[1].code == "session_interrupted" and "not answered" in events[1].text
    assert library.server.requests == []


def test_cancel_after_the_end_changes_nothing(library: Library) -> None:
    session = library.session([text("a"), text("b")])
    stream = session.stream("go")
    events = list(stream)
    stream.cancel()
    assert stream.result().text == "a" and events[-1].type == "end"
    assert session.send("next").text == "b"


def test_cancel_through_the_session(library: Library) -> None:
    session = library.session([stall("half")])
    session.cancel()
    events = []
    for event in session.stream("go"):
        events.append(event)
        if event.type == "text_delta":
            session.cancel()
    end_of(events)


# -- to stop reading is to stop the run ----------------------------------------------------


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", ["connect", "stream", "tool", "deaf"])
def test_breaking_out_while_the_stream_is_bound(library: Library, name: str, wire: Wire) -> None:
    at = phase(name)
    session = library.session(at.script, wire=wire)
    stream = session.stream("go")
    for event in stream:
        if at.reached(library, event):
            break
    # By now, not soon.
    assert not at.process or processes.survivors(at.process) == []
    assert not any(thread.name == "a3s-run" for thread in threading.enumerate())
    if not at.process:
        library.server.wait_for_departure()
    with pytest.raises(A3SError) as caught:
        stream.result()
    end_of(list(caught.value.events))
    goes_on(library, session, 1)


@pytest.mark.parametrize("name", ["stream", "tool", "deaf"])
def test_breaking_out_of_async_for(library: Library, name: str) -> None:
    at = phase(name)
    session = library.session(at.script)

    async def main() -> None:
        stream = session.stream("go")
        async for event in stream:
            if await asyncio.to_thread(at.reached, library, event):
                break
        # Not busy: the next run waits until the one before it is gone.
        library.server.script[1:] = [text("still here")]
        assert (await session.asend("and now?")).text == "still here"
        assert not at.process or processes.survivors(at.process) == []
        with pytest.raises(Cancelled):
            await stream
        assert no_tasks_left()

    asyncio.run(main())
    remembers(library, 2)


def test_an_exception_in_the_body(library: Library) -> None:
    sleeper = processes.sleeper()
    session = library.session([bash(sleeper), bash(sleeper)])

    with pytest.raises(ZeroDivisionError):
        for event in session.stream("go"):
            if event.type == "tool_start":
                library.wait_for_process(sleeper)
                _ = 1 / 0
    assert processes.survivors(sleeper) == []

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with session.stream("go") as stream:
                async for event in stream:
                    if event.type == "tool_start":
                        await asyncio.to_thread(library.wait_for_process, sleeper)
                        _ = 1 / 0
        assert processes.survivors(sleeper) == []
        assert no_tasks_left()

    asyncio.run(main())
    goes_on(library, session, 2)


def test_garbage_collection(library: Library) -> None:
    session = library.session([stall("half"), stall("half"), text("still here")])
    reading = iter(session.stream("go"))
    assert next(reading).type == "start"
    library.server.wait_for_request(1)
    del reading
    library.server.wait_for_departure(1)
    cycle: list[Any] = [session.stream("go")]
    cycle += [iter(cycle[0]), cycle]
    assert next(cycle[1]).type == "start"
    library.server.wait_for_request(2)
    del cycle
    gc.collect()
    library.server.wait_for_departure(2)
    assert session.send("and now?").text == "still here"


def test_with(library: Library) -> None:
    sleeper = processes.sleeper()
    with library.session([bash(sleeper)]) as session, session.stream("go") as stream:
        reading = iter(stream)
        while next(reading).type != "tool_start":
            pass
        library.wait_for_process(sleeper)
        stream.close()
        assert processes.survivors(sleeper) == []
        with pytest.raises(Cancelled):
            stream.result()


def test_closing_the_session(library: Library) -> None:
    sleeper = processes.sleeper()
    session = library.session([bash(sleeper), bash(sleeper)])
    with session:
        reading = iter(session.stream("go"))
        while next(reading).type != "tool_start":
            pass
        library.wait_for_process(sleeper)
    assert processes.survivors(sleeper) == []

    async def main() -> None:
        async with session:
            async for event in session.stream("go"):
                if event.type == "tool_start":
                    await asyncio.to_thread(library.wait_for_process, sleeper)
                    break
        assert processes.survivors(sleeper) == []
        assert no_tasks_left()

    asyncio.run(main())


def test_closing_from_another_thread(library: Library) -> None:
    """A stream that a task reads is woken and waited for, although it is not our loop."""
    sleeper = processes.sleeper()
    session = library.session([bash(sleeper)])

    async def main() -> list[Any]:
        stream, events = session.stream("go"), []
        async for event in stream:
            events.append(event)
            if event.type == "tool_start":
                await asyncio.to_thread(library.wait_for_process, sleeper)
                thread = threading.Thread(target=stream.close, daemon=True)
                thread.start()
        thread.join(GROSS)
        assert not thread.is_alive()
        return events

    assert asyncio.run(main())[-1].type in ("tool_start", "error")
    assert processes.survivors(sleeper) == []


def test_a_task_that_is_cancelled(library: Library) -> None:
    sleeper = processes.sleeper()
    session = library.session([bash(sleeper), text("still here")])

    async def main() -> None:
        seen = asyncio.Event()

        async def reader() -> None:
            async for event in session.stream("go"):
                if event.type == "tool_start":
                    await asyncio.to_thread(library.wait_for_process, sleeper)
                    seen.set()

        task = asyncio.create_task(reader())
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await session.asend("and now?")).text == "still here"
        assert processes.survivors(sleeper) == []

    asyncio.run(main())


def test_a_loop_that_ends_in_the_middle(library: Library) -> None:
    sleeper = processes.sleeper()
    session = library.session([bash(sleeper), text("still here")])

    async def main() -> None:
        reader = aiter(session.stream("go"))
        while (await anext(reader)).type != "tool_start":
            pass
        await asyncio.to_thread(library.wait_for_process, sleeper)
        kept.append(reader)

    kept: list[Any] = []
    asyncio.run(main())
    assert processes.survivors(sleeper) == []
    assert session.send("and now?").text == "still here"


def test_one_session_in_two_loops(library: Library) -> None:
    """Broken out of in one loop, which goes on, and gone on with in another."""
    session = library.session([stall("half"), text("still here")])
    broken, finish = threading.Event(), threading.Event()

    async def first() -> None:
        async for event in session.stream("go"):
            if event.type == "text_delta":
                break
        broken.set()
        while not finish.is_set():
            await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(first()), daemon=True)
    thread.start()
    assert broken.wait(GROSS)
    try:
        assert asyncio.run(session.asend("and now?")).text == "still here"
    finally:
        finish.set()
        thread.join(GROSS)


def test_a_deadline_is_no_cancel(library: Library) -> None:
    session = library.session([silence()], timeout=0.2)
    begun = time.monotonic()
    last: Any = lawful(session.stream("go"))[-1]
    assert (last.code, last.exit_code) == ("timeout", 124)
    assert time.monotonic() - begun < GROSS


def test_sending_where_the_cancelled_task_was(library: Library) -> None:
    """`send` would wait for a run that only the loop can end, which it blocks: it says so."""
    session = library.session([stall("half"), text("still here")])

    async def reader() -> str:
        try:
            async for _ in session.stream("go"):
                pass
        except asyncio.CancelledError:
            with pytest.raises(SessionBusy, match="ending in this event loop"):
                session.send("and now?")
        return (await session.asend("and now?")).text

    async def main() -> None:
        task = asyncio.create_task(reader())
        await asyncio.to_thread(library.server.wait_for_request, 1)
        task.cancel()
        assert await task == "still here"

    asyncio.run(main())
    remembers(library, 2)
