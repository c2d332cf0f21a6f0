"""Sessions of the library on disk: opened by the first run, kept line by line, gone on with."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import SessionBusy
from a3s_cli.sessions.store import Store

from ..support.replies import bash, error, stall, text
from .conftest import Library, collected, lawful


def store(library: Library) -> Store:
    return Store.find({"XDG_STATE_HOME": str(library.bench.home / ".local/state")})


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_is_kept(library: Library) -> None:
    session = library.session([bash("echo hi"), text("done")], session_id="mine")
    assert not store(library).directory.exists() and session.id == "mine"
    events = lawful(session.stream("go"))
    assert events[0].session_id == "mine"
    kept = lines(store(library).path("mine"))
    assert [one for one in kept if not one["type"].startswith("session_")] == [
        event.to_dict() for event in events
    ]
    session.close()


def test_going_on(library: Library) -> None:
    first = library.session([bash("echo hi", "call_1"), text("one.")], session_id="mine")
    first.send("first")
    first.close()
    again = library.session([bash("echo hi", "call_1"), text("two.")], session_id="mine")
    result = again.send("second")
    assert library.asked(1) == [
        ("user", "first"),
        ("assistant", "<bash>"),
        ("tool", "hi\n"),
        ("assistant", "one."),
        ("user", "second"),
    ]
    # An id is unique within a session, also over its processes.
    assert {event.tool_id for event in result.events if event.tool_id} == {"call_1~2"}
    again.close()


@pytest.mark.parametrize(
    ("one", "other"), [("openai-chat", "anthropic"), ("anthropic", "openai-chat")]
)
def test_going_on_with_another_wire(library: Library, one: Any, other: Any) -> None:
    with library.session([bash("echo hi"), text("one.")], wire=one, session_id="mine") as session:
        session.send("first")
    with library.session([text("two.")], wire=other, session_id="mine") as session:
        assert session.send("second").text == "two."
    asked = library.asked(1)
    assert asked[0] == ("user", "first") and asked[-1] == ("user", "second")
    assert ("assistant", "one.") in asked and any("hi\n" in words for _, words in asked)


def test_a_place_of_ones_own(library: Library, tmp_path: Path) -> None:
    place = tmp_path / "kept"
    with library.session([text("one."), text("two.")], store=place) as session:
        assert session.id is None
        start: Any = session.send("first").events[0]
        assert start.session_id == session.id == session.send("second").events[0].session_id
        name = session.id
    assert name is not None
    assert [one["type"] for one in lines(place / f"{name}.ndjson")].count("start") == 2
    with library.session([text("three.")], store=str(place), session_id=name) as session:
        session.send("third")
    assert len(library.asked(1)) == 5


def test_nothing_is_kept_unless_asked_for(library: Library) -> None:
    session = library.session([text("one.")])
    start: Any = session.send("go").events[0]
    assert start.session_id is None and session.id is None
    assert not store(library).directory.exists()


def test_one_writer(library: Library) -> None:
    holder = library.session([text("one."), text("two.")], session_id="mine")
    holder.send("first")
    second = library.session([], session_id="mine")
    last: Any = lawful(second.stream("go"))[-1]
    assert (last.type, last.code, last.exit_code) == ("error", "busy", 75)
    assert f"process {os.getpid()}" in last.error
    with pytest.raises(SessionBusy, match="in use by process"):
        second.send("go")
    assert asyncio.run(collected(second.stream("go")))[-1].code == "busy"
    assert library.server.requests == []
    holder.close()
    library.server.script[:] = [text("mine now")]
    assert second.send("go").text == "mine now"
    second.close()


def test_a_session_that_nobody_holds_any_more_is_let_go(library: Library) -> None:
    library.session([text("one.")], session_id="mine").send("first")
    assert library.session([text("two.")], session_id="mine").send("second").text == "two."
    assert len(library.asked(1)) == 3


def test_a_closed_session_opens_again(library: Library) -> None:
    session = library.session([text("one."), text("two.")], session_id="mine")
    for prompt in ("first", "second"):
        with session:
            session.send(prompt)
    assert len(library.asked(2)) == 3


def test_failed_and_cancelled_runs(library: Library) -> None:
    session = library.session([error(400), stall("half"), text("at last")], session_id="mine")
    assert lawful(session.stream("one"))[-1].code == "provider_error"
    for event in session.stream("two"):
        if event.type == "text_delta":
            break
    assert session.send("three").text == "at last"
    session.close()
    kept = lines(store(library).path("mine"))
    assert [one["type"] for one in kept if one["type"] in ("end", "error")] == ["error"] * 2 + [
        "end"
    ]
    with library.session([text("four")], session_id="mine") as session:
        session.send("four")
    told = library.asked(1)
    assert [role for role, _ in told] == ["user", "assistant"] * 3 + ["user"]
    assert [words for role, words in told if role == "user"] == ["one", "two", "three", "four"]
    assert told[1][1].startswith("[There was no answer: ")
    assert told[3][1].startswith("half\n\n[This answer was cut: ")
    assert told[5][1] == "at last"


def test_where_nothing_can_be_kept(library: Library, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    result = library.session([text("hi")], store=place).send("go")
    notices = [event for event in result.events if event.type == "notice"]
    assert [one.code for one in notices] == ["session_not_kept"] and result.text == "hi"
