"""Many at once: threads, tasks, idle sessions, and a reader that is slow."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import tracemalloc
from typing import Any

from a3s_cli import Agent
from a3s_cli.api.event_buffer import ROOM

from ..support.a3s import proofs
from ..support.replies import bash, text
from .conftest import Library, collected, lawful


def test_several_sessions_in_several_threads(library: Library) -> None:
    library.session([text("a ", "b ", "c")], after="repeat")
    sessions = [library.session([text("a ", "b ", "c")], after="repeat") for _ in range(4)]
    told: list[str] = []

    def work(session: Any) -> None:
        for _ in range(3):
            told.append(lawful(session.stream("go"))[-1].text)

    threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told == ["a b c"] * 12


def test_concurrent_streams_keep_their_order(library: Library) -> None:
    number = proofs(50)
    words = [f"{n} " for n in range(20)]
    session = library.session([text(*words)], after="repeat", tools=["read"])
    agent, work = Agent.create(), library.work
    sessions = [agent.session(work, session._options) for _ in range(number)]

    async def main() -> None:
        runs = await asyncio.gather(*(collected(one.stream("go")) for one in sessions))
        for events in runs:
            assert [e.text for e in events if e.type == "text_delta"] == words
            assert events[-1].text == "".join(words)
        assert len({events[0].run_id for events in runs}) == number

    asyncio.run(main())


def test_concurrent_commands(library: Library) -> None:
    """Each in its own session of one loop; every status is its own command's."""
    library.serve([text("unused")])
    options: dict[str, Any] = {"tools": ["bash"]}
    sessions = [library.session([bash(f"exit {n}"), text("done")], **options) for n in range(6)]

    async def main() -> list[list[Any]]:
        return await asyncio.gather(*(collected(one.stream("go")) for one in sessions))

    ends = [[e.exit_code for e in run if e.type == "tool_end"] for run in asyncio.run(main())]
    assert ends == [[n] for n in range(6)]


def test_an_idle_session_is_small(library: Library) -> None:
    first = library.session([text("hi")], after="repeat")
    first.send("go")
    agent, options = Agent.create(), first._options
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        sessions = [agent.session(library.work, options) for _ in range(50)]
        fresh = tracemalloc.get_traced_memory()[0] - before
        for session in sessions[:10]:
            session.send("go")
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] - before - fresh
    finally:
        tracemalloc.stop()
    assert fresh / 50 < 1_000_000 and used / 10 < 1_000_000


def test_descriptors_and_threads_do_not_add_up(library: Library) -> None:
    session = library.session([bash("true"), text("done")] * 20)
    session.send("go")
    gc.collect()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        session.send("go")
        asyncio.run(collected(session.stream("go")))
    gc.collect()
    # The scripted server has a thread and a socket for each connection until it sees its end.
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 10
    assert threading.active_count() <= threads + 10


def test_a_slow_reader_holds_the_run_up(library: Library) -> None:
    """What the run may be ahead is bounded, so that the rest waits at the provider."""
    words = ["0123456789" * 200] * 8_000
    session = library.session([text(*words)])
    stream, seen = session.stream("go"), library.server
    reading = iter(stream)
    while next(reading).type != "text_delta":
        pass
    for _ in range(20):
        ahead = len(stream._events)
        threading.Event().wait(0.05)
    # One network read may bring many events, and each is passed on whole.
    assert ahead == len(stream._events) < 4 * ROOM
    assert not seen.requests[0].answered
    assert sum(event.type == "text_delta" for event in reading) == len(words) - 1
    assert stream.result().text == "".join(words)
