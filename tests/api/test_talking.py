"""Speaking to a run that goes on: words for its next turn, and answers to its questions."""

from __future__ import annotations

import asyncio
import threading

import pytest

from a3s_cli import PermissionPolicy
from a3s_cli.errors import UsageError

from ..support.replies import bash, text
from .conftest import Library

ASKING = PermissionPolicy(default_decision="ask")


def test_a_word_makes_one_more_turn(library: Library) -> None:
    gate = threading.Event()
    session = library.session([text("al", gate, "most"), text("done")])
    stream = session.stream("go")
    assert stream.steer("too early") is False
    said = []
    for event in stream:
        if event.type == "text_delta" and event.text == "al":
            said.append(stream.steer("more"))
            gate.set()
    assert said == [True]
    assert stream.result().text == "done"
    assert [e.text for e in stream.result().events if e.type == "user_message"] == ["more"]
    assert stream.steer("too late") is False
    with pytest.raises(UsageError, match="blank"):
        stream.steer("  ")


def test_questions_are_answered_where_the_stream_is_read(library: Library) -> None:
    script = [bash("echo 1", "c1"), bash("echo 2 > made", "c2"), text("done")]
    session = library.session(script, permission_policy=ASKING, on_ask="stream")
    stream, late = session.stream("go"), []
    for event in stream:
        if event.type == "permission_request":
            assert stream.answer("c9", "once") is False
            answer, words = ("once", "") if event.tool_id == "c1" else ("no", "read it instead")
            assert stream.answer(event.tool_id, answer, words)
            late.append(stream.answer(event.tool_id, "once"))
    assert late == [False, False]
    events = stream.result().events
    answers = [(e.answer, e.by, e.text) for e in events if e.type == "permission_answer"]
    assert answers == [("once", "program", None), ("no", "program", "read it instead")]
    assert not (library.work / "made").exists()
    with pytest.raises(UsageError, match="`answer` must be one of"):
        stream.answer("c1", "perhaps")  # type: ignore[arg-type]


def test_in_a_loop_of_the_caller_s_own(library: Library) -> None:
    session = library.session(
        [bash("echo 1", "c1"), text("done")], permission_policy=ASKING, on_ask="stream"
    )

    async def talk() -> str:
        stream = session.stream("go")
        async for event in stream:
            if event.type == "permission_request":
                assert stream.answer(event.tool_id, "always")
                assert stream.steer("hurry")
        return next(e.text for e in stream.result().events if e.type == "user_message")

    assert asyncio.run(talk()) == "hurry"


def test_an_open_question_does_not_outlive_its_reader(library: Library) -> None:
    session = library.session([bash("true")], permission_policy=ASKING, on_ask="stream")
    for event in session.stream("go"):
        if event.type == "permission_request":
            break
    assert library.server.unexpected == 0


def test_a_direct_call_asks_nobody_by_its_stream(library: Library) -> None:
    session = library.session([], permission_policy=ASKING, on_ask="stream")
    assert session.tool("bash", {"command": "echo 1 > made"}).failed
    assert not (library.work / "made").exists()


def test_another_word_is_no_way_to_ask(library: Library) -> None:
    with pytest.raises(UsageError, match="expected a function"):
        library.session([], on_ask="strem")
