"""A run that is longer than its model's window goes on, and stays within it."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ..support import inside, wires
from ..support.a3s import Bench, proofs
from ..support.replies import Reply, a_call, bash, call, calls, error, text
from ..support.run import Result, check_calls
from ..support.window import SUMMARY, Window, contents

COMMAND = (sys.executable, "-m", "a3s_cli")
KIB = 1024
LINES = 48
PROMPT = "Look at everything; the word is SESAME."


def config(server: Window, window: int | None, more: str = "") -> str:
    limit = f"limit = {{ context = {window} }}" if window else ""
    return wires.config("openai-chat", server.url, limit, more)


def write_files(work: Path) -> None:
    """A file of about 47 KiB, and one of 2 KiB."""
    (work / "large.txt").write_text(("word " * 199 + "end\n") * LINES)
    (work / "small.txt").write_text("word " * 199 + "end\n" + "word " * 199 + "end\n")


def play(work: Path, server: Window, window: int | None, more: str = "") -> list[dict[str, Any]]:
    write_files(work)
    try:
        return inside.run(work, "test/m-1", config(server, window, more), prompt=PROMPT)
    finally:
        server.close()


def large(turn: int) -> Reply:
    return call("read", {"file_path": "large.txt"}, f"c{turn}")


def wordy(turn: int, words: int = 600) -> Reply:
    """A call that is long itself, so that only a summary helps."""
    return call("write", {"file_path": "notes.txt", "content": f"{turn} " + "word " * words})


def until(number: int) -> Any:
    """Call until that turn, which gives the answer."""
    return lambda turn: text("done") if turn >= number else large(turn)


def compacted(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event.get("code") == "compacted"]


def check_pairs(server: Window) -> None:
    """Every request is one that a vendor takes: each call has its result right behind it."""
    for seen in server.accepted:
        open_calls: list[str] = []
        last = "system"
        for message in seen.body["messages"][1:]:
            role = message["role"]
            if role == "tool":
                assert message["tool_call_id"] == open_calls.pop(0)
            else:
                assert not open_calls, f"no result of {open_calls}"
                assert role != last, f"two messages of the {role}"
                open_calls = [call["id"] for call in message.get("tool_calls", ())]
            last = role
        assert not open_calls
        assert contents(seen)[0] == ("user", PROMPT)


@pytest.mark.parametrize("counts", [True, False], ids=["counted", "uncounted"])
def test_a_long_run_with_large_outputs(a3s: Bench, counts: bool) -> None:
    turns = proofs(200 if counts else 40)
    server = Window(32 * KIB, until(turns), counts=counts)
    write_files(a3s.work)
    (a3s.work / "c.acl").write_text(config(server, 32 * KIB, f"max_turns = {turns}"))
    args = ("run", "--allow-all", "--config", "c.acl", "-m", "test/m-1", PROMPT)
    a3s._servers.append(server)
    result = a3s.start([*COMMAND, *args], None, "whole", True).finish(600)
    assert result.text == "done" and result.last["turns"] == turns
    check_calls(Result(result.stdout, b"", 0, server.requests, ""))
    check_pairs(server)
    assert not server.refused, "a request went beyond the window"
    # Flat: what a turn costs does not depend on how many there have been.
    sizes = [seen.size for seen in server.requests]
    assert max(sizes) <= 32 * KIB * 4
    third = len(sizes) // 3
    assert max(sizes[-third:]) <= 1.2 * max(sizes[: 2 * third])
    if counts:
        told = sum(seen.size // 4 + 20 for seen in server.requests)
        assert result.last["totalTokens"] == told, "a summary's tokens are part of the run's"
        assert len(server.summaries) <= turns // 20
    if turns > 100:
        assert server.summaries and SUMMARY in str(server.accepted[-1].body)


def test_the_beginning_changes_in_steps(tmp_path: Path) -> None:
    """What a vendor has cached of a prompt is lost with every change of its beginning."""
    small = call("read", {"file_path": "small.txt"})
    server = Window(32 * KIB, lambda turn: text("done") if turn == 80 else small)
    events = play(tmp_path, server, 32 * KIB, "max_turns = 100")
    check_pairs(server)
    bodies = [seen.body["messages"] for seen in server.accepted]
    changes = sum(after[: len(one)] != one for one, after in pairwise(bodies))
    assert changes == len(compacted(events)) and 1 <= changes <= 8
    # What is counted is believed: a limit that is kept by estimates alone wastes a part of it.
    assert max(seen.size for seen in server.accepted) / 4 > 0.65 * 32 * KIB
    for notice in compacted(events):
        assert notice["tokensAfter"] < notice["tokensBefore"] <= 32 * KIB
        assert notice["tokensAfter"] <= 0.65 * 32 * KIB


def test_old_outputs_are_left_out_first(tmp_path: Path) -> None:
    server = Window(32 * KIB, until(4))
    events = play(tmp_path, server, 32 * KIB)
    told = [content for role, content in contents(server.accepted[-1]) if role == "tool"]
    size = len(told[2])
    kept = f"[{size} bytes left out to save room; call the tool again if they are needed]"
    assert size > 45 * KIB and told[:2] == [kept, kept]
    assert "old tool outputs were left out" in compacted(events)[0]["text"]
    assert not server.summaries


def many_calls(number: int) -> Reply:
    return calls(*(a_call("read", {"file_path": "large.txt"}) for _ in range(number)))


def test_what_one_turn_gave_is_cut_to_the_window(tmp_path: Path) -> None:
    server = Window(32 * KIB, lambda turn: text("done") if turn > 1 else many_calls(6))
    events = play(tmp_path, server, 32 * KIB)
    assert events[-1]["type"] == "end" and not server.refused
    told = [content for role, content in contents(server.accepted[-1]) if role == "tool"]
    assert len(told) == 6
    assert all("bytes left out" in one for one in told), told


def test_an_unknown_window_is_learnt_from_a_refusal(tmp_path: Path) -> None:
    server = Window(32 * KIB, until(30))
    events = play(tmp_path, server, None)
    assert events[-1]["type"] == "end"
    check_pairs(server)
    assert len(server.refused) == 1, "what a refusal taught was forgotten"
    retry = next(event for event in events if event["type"] == "retry")
    assert (retry["code"], retry["status"], retry["attempt"]) == ("context_overflow", 400, 2)
    done = sum(event["type"] == "turn_end" for event in events[: retry["seq"]])
    assert retry["turn"] == done + 1


def test_a_window_that_is_smaller_than_configured(tmp_path: Path) -> None:
    server = Window(16 * KIB, until(12))
    events = play(tmp_path, server, 128 * KIB)
    assert events[-1]["type"] == "end" and len(server.refused) == 1


@pytest.mark.parametrize("window", [None, 32 * KIB])
def test_a_refusal_is_answered_once(tmp_path: Path, window: int | None) -> None:
    """A server that refuses whatever it gets is not asked for ever."""
    too_long = error(400, {"error": {"code": "context_length_exceeded", "message": "too long"}})
    server = Window(32 * KIB, lambda turn: large(turn) if turn < 4 else too_long, summary=too_long)
    events = play(tmp_path, server, window)
    assert events[-1]["code"] == "context_overflow"
    assert sum(event["type"] == "retry" for event in events) == 1
    assert len(server.requests) <= 6


def test_nothing_to_shorten_is_an_error_at_once(tmp_path: Path) -> None:
    server = Window(100, until(2))
    events = play(tmp_path, server, None)
    assert events[-1]["code"] == "context_overflow" and len(server.requests) == 1


def test_a_session_goes_on_with_what_was_left(a3s: Bench) -> None:
    """What was shortened is shortened on disk as well; nothing is left out twice."""
    server = Window(32 * KIB, lambda turn: text("done") if turn in (12, 13) else wordy(turn, 1500))
    a3s._servers.append(server)
    write_files(a3s.work)
    (a3s.work / "c.acl").write_text(config(server, 32 * KIB))
    args = (*COMMAND, "run", "--allow-all", "--config", "c.acl", "-m", "test/m-1")
    first = a3s.start([*args, PROMPT], None, "whole", True).finish()
    assert compacted(first.events) and first.text == "done"
    second = a3s.start([*args, "-c", "and now?"], None, "whole", True).finish()
    assert second.text == "done" and not compacted(second.events)
    before, after = contents(server.accepted[-2]), contents(server.accepted[-1])
    assert after == [*before, ("assistant", "done"), ("user", "and now?")]
    check_pairs(server)


BAD_SUMMARIES = {
    "empty": text(""),
    "refused": text("no", finish="refusal"),
    "an error": error(400),
    "a call": bash("touch made-by-the-summary", "c1"),
}


@pytest.mark.parametrize("name", BAD_SUMMARIES)
def test_without_a_summary_turns_are_left_out(tmp_path: Path, name: str) -> None:
    server = Window(
        16 * KIB,
        lambda turn: text("done") if turn == 20 else wordy(turn),
        summary=BAD_SUMMARIES[name],
    )
    events = play(tmp_path, server, 16 * KIB)
    assert events[-1]["type"] == "end" and not server.refused
    check_pairs(server)
    assert server.summaries and len(server.summaries) == len(compacted(events))
    assert "There is no summary" in str(contents(server.accepted[-1])[1])
    assert not (tmp_path / "made-by-the-summary").exists()


def test_a_summary_is_limited_by_the_cost(tmp_path: Path) -> None:
    """It is a request like any other: not sent once the money is spent."""
    server = Window(16 * KIB, wordy)
    price = "cost = { input = 1000000 output = 0 }\n  limit = { context = 16384 }"
    file = wires.config("openai-chat", server.url, price, "max_cost = 100000")
    try:
        events = inside.run(tmp_path, "test/m-1", file, prompt=PROMPT)
    finally:
        server.close()
    assert events[-1]["code"] == "max_cost"
    spent = sum(seen.size // 4 for seen in server.requests)
    assert spent - server.requests[-1].size // 4 < 100_000


def test_an_overflow_after_words_is_final(tmp_path: Path) -> None:
    """What was shown cannot be taken back."""
    value = {"error": {"code": "context_length_exceeded", "message": "too long"}}
    late = text("so far", b"data: " + json.dumps(value).encode() + b"\n\n", ending="end")
    server = Window(32 * KIB, lambda turn: large(turn) if turn < 3 else late)
    events = play(tmp_path, server, None)
    assert events[-1]["code"] == "context_overflow"
    assert "retry" not in [event["type"] for event in events]
