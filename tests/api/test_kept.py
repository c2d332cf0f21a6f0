"""Sessions of the library on disk: opened by the first run, kept line by line, gone on with."""

from __future__ import annotations

import asyncio
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import PermissionPolicy, SessionBusy
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


def test_a_direct_call(library: Library) -> None:
    """A run of its own in the session's file, without a prompt; the model is told nothing."""
    policy = PermissionPolicy(allow=["bash(echo *)"])
    script = [text("one."), text("two.")]
    session = library.session(script, session_id="mine", permission_policy=policy)
    session.send("first")
    done = session.tool("bash", {"command": "echo hi"})
    assert [event.type for event in done.events] == ["tool_start", "tool_output_delta", "tool_end"]
    assert session.tool("bash", {"command": "rm x"}).failed
    session.send("second")
    said = [("user", "first"), ("assistant", "one."), ("user", "second")]
    assert library.asked(2) == said
    session.close()
    path = store(library).path("mine")
    kept = [one for one in lines(path) if not one["type"].startswith("session_")]
    starts = [n for n, one in enumerate(kept) if one["type"] == "start"]
    first, ok, denied, _ = (kept[a:b] for a, b in pairwise([*starts, len(kept)]))
    assert [one["type"] for one in ok] == ["start", *[e.type for e in done.events], "end"]
    assert [one["type"] for one in denied] == ["start", "permission_denied", "end"]
    assert "prompt" not in ok[0] and ok[1]["toolInput"] == {"command": "echo hi"}
    assert ok[0].keys() >= {"policySha256", "sessionId", "model", "cwd"} and len(first) > 3
    audit = library.bench("audit", str(path), "--policy", policy_file(library))
    assert audit.status == 5 and b"bash (direct)" in audit.stdout
    shown = library.bench("sessions", "show", "mine").stdout.decode()
    assert shown.count("> ") == 2 and "echo hi" in shown, shown
    past = store(library).past("mine")
    assert [one.text for one in past.messages] == ["first", "one.", "second", "two."]
    assert past.notices == []


def policy_file(library: Library) -> str:
    """A policy for `audit` that no call of echo complies with."""
    file = library.bench.root / "ci.toml"
    file.write_text('[[rule]]\nid = "quiet"\nmust_not = ["bash(echo *)"]\n')
    return str(file)


def test_a_direct_call_that_was_killed(library: Library) -> None:
    """The next prompt is told of it."""
    session = library.session([], session_id="mine")
    session.tool("bash", {"command": "echo hi"})
    session.close()
    path = store(library).path("mine")
    whole = path.read_bytes().splitlines(keepends=True)
    place = next(n for n, one in enumerate(whole) if one.startswith(b'{"type":"tool_start"'))
    path.write_bytes(b"".join(whole[: place + 1]))
    past = store(library).past("mine")
    assert past.unfinished == "a direct call was interrupted: bash; it may have had effects"
    assert past.messages == []
    again = library.session([text("ok")], session_id="mine")
    notice = next(e for e in again.send("go").events if e.type == "notice")
    assert (notice.code, notice.text) == ("session_interrupted", past.unfinished)
    assert library.asked(1) == [("user", "go")]
    again.close()
