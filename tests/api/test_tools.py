"""Tools of the caller's own, calls made directly, and questions that a function answers."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from a3s_cli import PermissionPolicy, Question, SessionBusy, tool
from a3s_cli.errors import Cancelled, UsageError

from ..support import processes
from ..support.replies import bash, call, text
from .conftest import Library, lawful


class Place(BaseModel):
    city: str
    country: str = "FR"


@tool
def weather(city: Annotated[str, "where"], days: int = 1) -> str:
    """Tell the weather of a city."""
    return f"{city}: {days} sunny {type(days).__name__}"


def outcome(library: Library, own: Any, arguments: Any, **options: Any) -> Any:
    """The tool_end of a call that a model makes, and what the model was told."""
    script = [call(own.name, arguments, "call_1"), text("done")]
    events = lawful(library.session(script, tools=[own], **options).stream("go"))
    told = [words for role, words in library.asked(2) if role == "tool"]
    ends = [event for event in events if event.type == "tool_end"]
    return ends[0] if ends else next(e for e in events if e.tool_name == own.name), told[0], events


def test_what_the_model_is_told_of_it(library: Library) -> None:
    session = library.session([text("hi")], tools=[weather, "read"])
    start: Any = session.send("go").events[0]
    assert start.tools == ["read", "weather"]
    offered = {one["function"]["name"]: one["function"] for one in body(library)["tools"]}
    assert offered["weather"]["description"] == "Tell the weather of a city."
    assert offered["weather"]["parameters"] == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where"},
            "days": {"type": "integer", "default": 1},
        },
        "required": ["city"],
        "additionalProperties": False,
    }
    assert weather("Paris") == "Paris: 1 sunny int"


def body(library: Library) -> Any:
    return library.server.requests[0].body


def test_a_call_of_it(library: Library) -> None:
    end, told, _ = outcome(library, weather, {"city": "Paris", "days": "3"})
    assert (end.tool_output, end.exit_code, told) == ("Paris: 3 sunny int",) * 1 + (
        0,
        "Paris: 3 sunny int",
    )


@pytest.mark.parametrize(
    ("arguments", "said"), [({"days": 1}, "city: Field required"), ({"city": "x", "q": 1}, "q: ")]
)
def test_arguments_that_do_not_fit(library: Library, arguments: Any, said: str) -> None:
    rejected, told, _ = outcome(library, weather, arguments)
    assert (rejected.type, rejected.reason) == ("tool_rejected", "invalid_arguments")
    assert said in rejected.error and said in told


def test_what_pydantic_makes_of_arguments(library: Library) -> None:
    seen: list[Any] = []

    @tool
    def visit(
        place: Place,
        when: datetime.date,
        how: Literal["train", "foot"],
        json: list[int],
        _x: float = 0.5,
    ) -> dict[str, Any]:
        seen.append((place, when, how, json, _x))
        return {"when": when, "n": json}

    arguments = {"place": {"city": "Nice"}, "when": "2026-01-02", "how": "foot", "json": [1, "2"]}
    end, told, _ = outcome(library, visit, arguments)
    assert seen == [(Place(city="Nice"), datetime.date(2026, 1, 2), "foot", [1, 2], 0.5)]
    assert end.tool_output == told == '{"when":"2026-01-02","n":[1,2]}'


def test_one_that_raises(library: Library) -> None:
    @tool
    def broken() -> None:
        raise LookupError("no such thing")

    end, told, events = outcome(library, broken, {})
    assert (end.exit_code, end.tool_output) == (1, "LookupError: no such thing")
    assert told == "LookupError: no such thing" and events[-1].type == "end"


def test_one_that_wants_to_end_the_program(library: Library) -> None:
    @tool
    def plain() -> None:
        sys.exit(3)

    @tool
    async def awaited() -> None:
        sys.exit(3)

    @tool
    def pieces() -> Iterator[str]:
        yield "so far"
        sys.exit(3)

    for own in (plain, awaited, pieces):
        end, told, events = outcome(library, own, {})
        assert end.exit_code == 1 and "SystemExit" in told and events[-1].type == "end"


def test_one_that_gives_nothing(library: Library) -> None:
    @tool
    def quiet() -> None:
        pass

    end, told, _ = outcome(library, quiet, {})
    assert (end.exit_code, end.tool_output, told) == (0, "", "[no output]")


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_where_each_kind_runs(library: Library) -> None:
    places: dict[str, Any] = {}

    @tool
    def plain() -> str:
        places["plain"] = threading.current_thread()
        return variable.get()

    @tool
    async def there() -> str:
        await asyncio.sleep(0)
        places["there"] = threading.current_thread()
        return variable.get()

    async def main() -> list[str]:
        variable.set("mine")
        session = library.session([], tools=[plain, there])
        return [(await session.atool(name)).output for name in ("plain", "there")]

    assert asyncio.run(main()) == ["mine", "mine"]
    assert places["there"] is threading.current_thread() is not places["plain"]


def test_deltas(library: Library) -> None:
    threads = set()

    @tool
    def count(to: int) -> Iterator[str]:
        for number in range(to):
            threads.add(threading.current_thread())
            yield f"{number}\n"

    @tool
    async def acount(to: int) -> AsyncIterator[str]:
        for number in range(to):
            yield f"{number}\n"

    for own in (count, acount):
        end, told, events = outcome(library, own, {"to": 3})
        deltas = [event.text for event in events if event.type == "tool_output_delta"]
        assert deltas == ["0\n", "1\n", "2\n"] and end.tool_output == told == "0\n1\n2\n"
    assert len(threads) == 1


def test_deltas_before_a_failure(library: Library) -> None:
    closed = []

    @tool
    def half() -> Iterator[str]:
        try:
            yield "half\n"
            raise ValueError("and no more")
        finally:
            closed.append(True)

    end, told, events = outcome(library, half, {})
    assert end.exit_code == 1 and "ValueError: and no more" in told and closed == [True]
    assert [event.text for event in events if event.type == "tool_output_delta"][:1] == ["half\n"]


def test_cancelling_one(library: Library) -> None:
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()
    cancelled: list[str] = []

    @tool
    def stuck() -> str:
        begun.set()
        gate.wait()
        return "late"

    @tool
    async def waiting() -> str:
        begun.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.append("waiting")
            raise
        return "never"

    @tool
    def flood() -> Iterator[str]:
        try:
            while True:
                begun.set()
                yield "x"
        finally:
            ended.set()

    try:
        for own in (stuck, waiting, flood):
            begun.clear()
            session = library.session([call(own.name, {})], tools=[own])
            stream = session.stream("go")
            for event in stream:
                if event.type == "tool_start":
                    assert begun.wait(10)
                    stream.cancel()
            with pytest.raises(Cancelled) as caught:
                stream.result()
            end = [event for event in caught.value.events if event.type == "tool_end"]
            assert [(one.exit_code, one.reason) for one in end] == [(130, "cancelled")]
    finally:
        gate.set()
    assert cancelled == ["waiting"] and ended.wait(10)


def test_a_timeout_of_one(library: Library) -> None:
    @tool
    async def slow() -> None:
        await asyncio.sleep(600)

    end, told, events = outcome(library, slow, {}, tool_timeout=0.1)
    assert (end.exit_code, end.reason) == (124, "timeout") and "timed out" in told
    assert events[-1].type == "end"


def test_the_rules_hold_for_it(library: Library) -> None:
    for rules, ran in (
        (PermissionPolicy(deny=["weather"], default_decision="allow"), False),
        (PermissionPolicy(default_decision="deny"), False),
        (PermissionPolicy(allow=["weather"], default_decision="deny"), True),
        (None, True),
    ):
        event, told, _ = outcome(library, weather, {"city": "x"}, permission_policy=rules)
        assert event.type == ("tool_end" if ran else "permission_denied"), rules
        assert told.startswith("Permission denied: ") is not ran


def test_names(library: Library) -> None:
    @tool
    def read() -> None:
        pass

    with pytest.raises(UsageError, match="the tool read is built in"):
        library.session([], tools=[read])
    with pytest.raises(UsageError, match="there is no tool 'raed'") as caught:
        library.session([], tools=["raed"])
    assert caught.value.correction == ("raed", "read")
    with pytest.raises(UsageError, match="two tools named weather"):
        library.session([], tools=[weather, weather])
    with pytest.raises(TypeError, match="decorate the function with `tool`"):
        library.session([], tools=[len])


def test_functions_that_are_no_tools() -> None:
    def args(*words: str) -> None: ...

    def unannotated(word) -> None: ...  # type: ignore[no-untyped-def]  # the point

    def positional(word: str, /) -> None: ...

    for function, said in ((args, "words"), (unannotated, "annotation"), (positional, "word")):
        with pytest.raises(TypeError, match=said):
            tool(function)


# -- calls made directly -------------------------------------------------------------------


def test_a_direct_call(library: Library) -> None:
    (library.work / "file").write_text("content\n")
    session = library.session([], tools=["read", "bash", weather])
    read = session.tool("read", {"file_path": "file"})
    assert (read.failed, [event.type for event in read.events]) == (
        False,
        ["tool_start", "tool_end"],
    )
    assert "content" in read.output
    assert session.tool("weather", {"city": "x"}).output == "x: 1 sunny int"
    failed = session.tool("bash", {"command": "echo out; exit 3"})
    assert failed.failed and failed.events[-1].exit_code == 3
    assert len({event.tool_id for event in (*read.events, *failed.events)}) == 2

    async def main() -> str:
        return (await session.atool("bash", {"command": "echo there"})).output

    assert asyncio.run(main()) == "there\n" and library.server.requests == []


def test_the_rules_hold_for_a_direct_call(library: Library) -> None:
    session = library.session(
        [], permission_policy=PermissionPolicy(deny=["bash(rm:*)"], default_decision="allow")
    )
    (library.work / "file").touch()
    refused = session.tool("bash", {"command": "rm file"})
    assert refused.failed and [event.type for event in refused.events] == ["permission_denied"]
    assert (library.work / "file").exists()
    unknown = session.tool("bsah", {})
    assert unknown.failed and "Did you mean bash?" in unknown.output
    assert unknown.events[0].type == "tool_rejected"
    with pytest.raises(TypeError):
        session.tool("bash", {"command": object()})
    assert session.tool("bash", {"command": "echo on"}).output == "on\n"


def test_cancelling_a_direct_call(library: Library) -> None:
    sleeper = processes.sleeper()
    session = library.session([])

    def cancel() -> None:
        try:
            library.wait_for_process(sleeper)
            with pytest.raises(SessionBusy):
                session.stream("meanwhile")
        finally:
            session.cancel()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    with pytest.raises(Cancelled):
        session.tool("bash", {"command": sleeper})
    thread.join(10)
    assert processes.survivors(sleeper) == []


# -- questions -----------------------------------------------------------------------------

ASKING = PermissionPolicy(default_decision="ask")


def asked(
    library: Library, on_ask: Any, times: int = 1, **options: Any
) -> tuple[list[Any], list[Any]]:
    """The answers in the stream, and the types of what became of the calls."""
    script = [bash("touch made", f"c{n}") for n in range(times)] + [text("done")]
    session = library.session(script, on_ask=on_ask, permission_policy=ASKING, **options)
    events = lawful(session.stream("go"))
    answers = [(e.answer, e.by) for e in events if e.type == "permission_answer"]
    fates = [e for e in events if e.type in ("tool_start", "permission_denied")]
    return answers, fates


def test_yes_once(library: Library) -> None:
    questions: list[Question] = []

    def on_ask(question: Question) -> Literal["once"]:
        questions.append(question)
        return "once"

    answers, fates = asked(library, on_ask, times=2)
    assert answers == [("once", "callback")] * 2
    assert [(fate.type, fate.rule) for fate in fates] == [("tool_start", "user")] * 2
    one = questions[0]
    assert (one.tool_name, one.tool_id, one.tool_input) == ("bash", "c0", {"command": "touch made"})
    assert one.cwd == library.work and one.reason and one.always


def test_always_holds_for_the_session(library: Library) -> None:
    asked: list[str] = []

    def answer(question: Question) -> str:
        asked.append(question.tool_id)
        return "always"

    script = [bash("touch a", "c1"), text("one"), bash("touch a", "c2"), text("two")]
    session = library.session(script, permission_policy=PermissionPolicy(), on_ask=answer)
    session.send("first")
    session.send("second")
    assert asked == ["c1"]
    assert session.tool("bash", {"command": "touch a"}).failed is False
    assert asked == ["c1"]


def test_always(library: Library) -> None:
    async def on_ask(question: Question) -> str:
        await asyncio.sleep(0)
        return "always"

    answers, fates = asked(library, on_ask, times=2)
    assert answers == [("always", "callback")]
    assert [fate.type for fate in fates] == ["tool_start"] * 2


@pytest.mark.parametrize("answer", ["no", "yes", None, LookupError("nobody here")])
def test_no_and_no_answer(library: Library, answer: Any) -> None:
    def on_ask(question: Question) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    answers, fates = asked(library, on_ask)
    assert answers == [("no", "callback" if answer == "no" else "nobody")]
    assert [fate.type for fate in fates] == ["permission_denied"]
    said = {"no": "said no", "yes": "on_ask returned 'yes'", None: "on_ask returned None"}
    assert said.get(str(answer) if answer else None, "LookupError: nobody here") in fates[0].reason
    assert not (library.work / "made").exists()


def test_an_answer_that_wants_to_end_the_program(library: Library) -> None:
    def plain(question: Question) -> Any:
        sys.exit(3)

    async def awaited(question: Question) -> Any:
        sys.exit(3)

    for on_ask in (plain, awaited):
        answers, fates = asked(library, on_ask)
        assert answers == [("no", "nobody")]
        assert [fate.type for fate in fates] == ["permission_denied"]


def test_a_question_of_a_direct_call(library: Library) -> None:
    session = library.session([], permission_policy=ASKING, on_ask=lambda question: "no")
    refused = session.tool("bash", {"command": "touch made"})
    assert refused.failed and [event.type for event in refused.events] == [
        "permission_request", "permission_answer", "permission_denied",
    ]  # fmt: skip
    assert not (library.work / "made").exists()


def test_cancelling_while_somebody_thinks(library: Library) -> None:
    asked, gate = threading.Event(), threading.Event()

    def on_ask(question: Question) -> Literal["once"]:
        asked.set()
        gate.wait()
        return "once"

    session = library.session([bash("touch made")], permission_policy=ASKING, on_ask=on_ask)
    stream = session.stream("go")
    try:
        for event in stream:
            if event.type == "permission_request":
                assert asked.wait(10)
                stream.cancel()
    finally:
        gate.set()
    with pytest.raises(Cancelled):
        stream.result()
    assert not (library.work / "made").exists()


# -- objects -------------------------------------------------------------------------------


def test_an_object(library: Library) -> None:
    script = [text("It is Nice."), text('{"city":"Nice","country":"FR"}')]
    result = library.session(script, tools=["read"]).send("where?", schema=Place)
    assert result.object == Place(city="Nice") and isinstance(result.object, Place)
    schema = Place.model_json_schema()
    result = library.session(script, tools=["read"]).send("where?", schema=schema)
    assert result.object == {"city": "Nice", "country": "FR"}
