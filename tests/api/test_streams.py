"""What a stream gives: events in order, a result, or the typed error of a failed run."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from a3s_cli import A3SError, SessionBusy, SessionOptions
from a3s_cli.errors import AuthError, MaxTurns, ProviderError, UsageError

from ..support.replies import bash, error, reasoning, soon, text
from .conftest import Library, collected, lawful, no_tasks_left


def test_async_iteration_gives_the_same_events(library: Library) -> None:
    session = library.session([bash("echo hi"), text("done")] * 2)
    plain = lawful(session.stream("go"))

    async def main() -> list[Any]:
        events = await collected(session.stream("go"))
        assert no_tasks_left()
        return events

    there = asyncio.run(main())
    changing = {"tool_id": "", "duration_ms": 0, "run_id": ""}

    def same(events: list[Any]) -> list[Any]:
        return [e.replace(**{n: v for n, v in changing.items() if n in vars(e)}) for e in events]

    assert same(plain) == same(there)
    assert library.server.unexpected == 0


def test_the_result_without_iterating(library: Library) -> None:
    session = library.session([reasoning("hm", "first", a_call()), text("sec", "ond")])
    result = session.send("go")
    assert (result.text, result.object, result.turns, result.tool_calls) == ("second", None, 2, 1)
    assert result.usage is not None and result.usage.input_tokens == 20
    assert result.total_tokens == 30
    assert [event.type for event in result.events][:2] == ["start", "turn_start"]
    lawful(result.events)


def a_call() -> Any:
    return bash("true").calls[0]


def test_the_result_after_iterating(library: Library) -> None:
    session = library.session([text("a"), text("b"), text("c"), text("d")])
    stream = session.stream("go")
    events = list(stream)
    assert stream.result().events == tuple(events) and list(stream) == []

    async def main() -> None:
        stream = session.stream("go")
        events = [event async for event in stream]
        assert (await stream).events == tuple(events)
        assert stream.result().text == "b"
        assert (await session.asend("go")).text == "c"
        # What one thread has read another task may ask about.
        plain = session.stream("go")
        events = list(plain)
        assert (await plain).events == tuple(events)

    asyncio.run(main())


def test_a_very_long_answer_is_whole(library: Library) -> None:
    piece = "0123456789" * 1000
    result = library.session([text(*[piece] * 20)]).send("go")
    assert result.text == piece * 20
    assert result.events[-1].truncated is True


FAILURES: dict[str, tuple[Any, dict[str, Any], type[A3SError], str, int]] = {
    "auth": ([error(401)], {}, AuthError, "auth", 77),
    "bad request": ([error(400)], {}, ProviderError, "provider_error", 1),
    "a limit": ([bash("true")], {"max_turns": 1}, MaxTurns, "max_turns", 3),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_run(library: Library, name: str) -> None:
    script, options, kind, code, status = FAILURES[name]
    session = library.session(script, after="repeat", **options)
    events = lawful(session.stream("go"))
    last: Any = events[-1]
    assert (last.type, last.code, last.exit_code) == ("error", code, status)

    stream = session.stream("go")
    for attempt in (stream.result, stream.result, lambda: session.send("go")):
        with pytest.raises(kind) as caught:
            attempt()
        failure = caught.value
        assert type(failure) is kind
        assert (failure.code, failure.exit_status, str(failure)) == (code, status, last.error)
        assert failure.hint == last.hint and failure.events[-1].type == "error"

    async def main() -> None:
        with pytest.raises(kind):
            await session.asend("go")
        with pytest.raises(kind):
            await session.stream("go")
        assert (await collected(session.stream("go")))[-1].code == code

    asyncio.run(main())


def test_an_odd_status_is_an_event_in_both(library: Library) -> None:
    session = library.session([soon(503), text("at last")])
    result = session.send("go")
    assert [event.type for event in result.events].count("retry") == 1


def test_a_blank_prompt_and_a_bad_schema_are_said_at_once(library: Library) -> None:
    session = library.session([])
    with pytest.raises(UsageError, match="prompt"):
        session.stream("  ")
    with pytest.raises(UsageError, match="the schema"):
        session.stream("go", schema={"type": "nothing"})
    assert library.server.requests == []


def test_a_stream_that_is_never_read_asks_nobody(library: Library) -> None:
    session = library.session([text("a")])
    stream = session.stream("never")
    del stream
    session.stream("neither").close()
    with session.stream("nor this"):
        pass
    assert library.server.requests == []
    assert session.send("this").text == "a"
    assert library.asked(1) == [("user", "this")]


def test_a_stream_that_was_closed_stays_closed(library: Library) -> None:
    session = library.session([])
    stream = session.stream("go")
    stream.close()
    assert list(stream) == []
    with pytest.raises(A3SError) as caught:
        stream.result()
    assert caught.value.code == "cancelled"


def test_two_streams_at_once(library: Library) -> None:
    gate = threading.Event()
    session = library.session([text("a", gate, "b"), text("c"), text("d")])
    first = iter(session.stream("one"))
    assert next(first).type == "start"
    with pytest.raises(SessionBusy, match="still being read") as caught:
        session.stream("two")
    assert (caught.value.code, caught.value.exit_status) == ("busy", 75)
    gate.set()
    *_, last = first
    assert last.type == "end" and session.send("two").text == "c"


def test_two_that_were_made_before_either_was_read(library: Library) -> None:
    gate = threading.Event()
    session = library.session([text("a", gate), text("b")])
    one, two = session.stream("one"), session.stream("two")
    reading = iter(one)
    next(reading)
    with pytest.raises(SessionBusy):
        list(two)
    gate.set()
    assert [*reading][-1].type == "end"
    assert two.result().text == "b"
    assert library.asked(2) == [("user", "one"), ("assistant", "a"), ("user", "two")]


def test_the_next_prompt_in_the_body_of_the_last_event(library: Library) -> None:
    session = library.session([text("a"), text("b"), text("c"), text("d")])
    for event in session.stream("one"):
        if event.type == "end":
            assert session.send("two").text == "b"

    async def main() -> None:
        async for event in session.stream("three"):
            if event.type == "end":
                assert (await session.asend("four")).text == "d"

    asyncio.run(main())


def test_a_conversation(library: Library) -> None:
    session = library.session([text("one."), bash("echo out", "call_1"), text("two."), text("3")])
    for prompt in ("first", "second", "third"):
        session.send(prompt)
    assert library.asked(4) == [
        ("user", "first"),
        ("assistant", "one."),
        ("user", "second"),
        ("assistant", "<bash>"),
        ("tool", "out\n"),
        ("assistant", "two."),
        ("user", "third"),
    ]


def test_the_readers_do_not_mix(library: Library) -> None:
    gate = threading.Event()
    session = library.session([text("a", gate), text("b", gate)])

    async def main() -> None:
        stream = session.stream("go")
        reader = aiter(stream)
        await anext(reader)
        with pytest.raises(RuntimeError, match="async for"):
            list(stream)
        with pytest.raises(RuntimeError, match="async for"):
            stream.result()
        gate.set()
        assert [event async for event in reader][-1].type == "end"
        gate.clear()
        stream = session.stream("go")
        plain = iter(stream)
        next(plain)
        with pytest.raises(RuntimeError, match="use `for`"):
            aiter(stream)
        gate.set()
        assert [*plain][-1].type == "end"

    asyncio.run(main())


def test_plain_iteration_inside_a_running_loop(library: Library) -> None:
    """As a cell of a notebook does it."""
    session = library.session([bash("echo hi"), text("done")])

    async def cell() -> list[Any]:
        return lawful(session.stream("go"))

    assert asyncio.run(cell())[-1].text == "done"


def test_options_are_a_copy(library: Library) -> None:
    library.serve([text("a")])
    from a3s_cli import Agent

    options = SessionOptions(model="openai/one", tools=[])
    session = Agent.create().session(library.work, options)
    options.model = "openai/two"
    session.send("hi")
    assert library.server.requests[0].body["model"] == "one"
