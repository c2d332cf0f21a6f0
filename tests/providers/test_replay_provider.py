"""`-m replay/FILE`: a recorded run plays the model, turn by turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import inside
from tests.support.a3s import Bench
from tests.support.replies import a_call, bash, calls, cut, reasoning, soon, stall, text

Event = dict[str, Any]
#: What is different in every run.
OWN = ("ts", "runId", "sessionId", "durationMs", "model", "costUsd")


def replayed(work: Path, stream: bytes, config: str = "", **options: Any) -> list[Event]:
    """Play a stream as the model of another run, in which everything is allowed."""
    file = work / "run.ndjson"
    file.write_bytes(stream)
    return inside.run(work, f"replay/{file}", config, **options)


def same(events: list[Event]) -> list[Event]:
    return [{name: one[name] for name in one if name not in OWN} for one in events]


def lines(values: list[Event]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


SCRIPT = [
    reasoning("hm", "Let ", "me see. ", a_call("bash", {"command": "echo one; exit 3"})),
    calls(a_call("bash", {"command": "rm -r x"}), a_call("nonsense", "{bro")),
    text("It is ", "done.\n", "é\u2028"),
]


def test_a_run_is_played_again_to_the_letter(a3s: Bench) -> None:
    """The same rules, the same calls, the same words: only names and times are new."""
    flags = ("--allow", "bash(echo *)", "--allow", "bash(exit *)", "--deny", "bash(rm *)", "go")
    first = a3s("run", *flags, script=SCRIPT)
    (a3s.work / "run.ndjson").write_bytes(first.stdout)
    for _ in range(2):
        run = a3s.spawn("run", "-m", "replay/run.ndjson", *flags)
        again = run.finish()
        assert same(again.events) == same(first.events)
    assert {"permission_denied", "tool_rejected", "tool_end"} <= set(again.types)


def test_a_recording_plays_though_nothing_may_be_reached(a3s: Bench) -> None:
    """No key, no server: what is needed is the file."""
    first = a3s("run", "go", script=[text("yo")])
    (a3s.work / "run.ndjson").write_bytes(first.stdout)
    env = {"OPENAI_API_KEY": None, "OPENAI_BASE_URL": None}
    assert a3s("run", "-m", "replay/run.ndjson", "go", env=env).text == "yo"


def test_a_recording_of_a_file(a3s: Bench) -> None:
    """What --record keeps is the same stream, with a chain that does not matter here."""
    path = a3s.root / "run.ndjson"
    a3s("run", "--record", str(path), "go", script=[text("yo")])
    assert a3s("run", "-m", f"replay/{path}", "go").text == "yo"


def test_another_policy_decides_anew(a3s: Bench, tmp_path: Path) -> None:
    """A call that was denied is a call of the model all the same."""
    first = a3s("run", "go", script=[bash("echo hi"), text("yo")])
    assert first.of("permission_denied")
    events = replayed(tmp_path, first.stdout)
    (end,) = [event for event in events if event["type"] == "tool_end"]
    assert (end["toolOutput"], events[-1]["text"]) == ("hi\n", "yo")


def test_a_retry_is_not_played(a3s: Bench, tmp_path: Path) -> None:
    """What a failed attempt showed was void, and so it stays."""
    script = [soon(503), cut(reasoning("void").pieces[0]), reasoning("hm", "yo")]
    first = a3s("run", "go", script=script)
    assert len(first.of("retry")) == 2
    events = replayed(tmp_path, first.stdout)
    assert inside.said(events, "reasoning_delta") == "hm" and inside.said(events) == "yo"
    assert "retry" not in {event["type"] for event in events}


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_recorded_failure_is_the_same_failure(a3s: Bench, tmp_path: Path, status: int) -> None:
    first = a3s("run", "--max-retries", "0", "go", script=[soon(status)])
    # A run from inside the tests has a place and rules of its own; the rest is the same.
    assert same(replayed(tmp_path, first.stdout))[1:] == same(first.events)[1:]


def test_a_recorded_cut_shows_what_was_shown(a3s: Bench, tmp_path: Path) -> None:
    first = a3s("run", "go", script=[cut("so ", "far")])
    events = replayed(tmp_path, first.stdout)
    assert inside.said(events) == "so far"
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("truncated_stream", 75)
    assert "retry" not in {event["type"] for event in events}


@pytest.mark.parametrize("number", [15, 2])
def test_a_run_that_was_cancelled_in_mid_answer(a3s: Bench, tmp_path: Path, number: int) -> None:
    """The replaying run is not cancelled: for it the answer ends too early."""
    run = a3s.spawn("run", "go", script=[stall("so far")])
    run.wait_for("text_delta")
    run.signal(number)
    first = run.finish()
    assert first.last["code"] == "cancelled"
    events = replayed(tmp_path, first.stdout)
    assert inside.said(events) == "so far"
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("truncated_stream", 75)
    assert "cancelled" in events[-1]["error"]


def test_a_run_that_was_too_slow(a3s: Bench, tmp_path: Path) -> None:
    first = a3s("run", "--timeout", "2s", "go", script=[stall("so far")])
    assert first.last["code"] == "timeout"
    events = replayed(tmp_path, first.stdout)
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("truncated_stream", 75)


def test_more_requests_than_turns(a3s: Bench, tmp_path: Path) -> None:
    first = a3s("run", "--allow-all", "--max-turns", "1", "go", script=[bash("echo hi")])
    assert first.last["code"] == "max_turns"
    events = replayed(tmp_path, first.stdout)
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("invalid_response", 1)
    assert "no further turn" in events[-1]["error"]
    assert [event["type"] for event in events].count("turn_end") == 1


def test_a_token_limit_is_played_too(a3s: Bench, tmp_path: Path) -> None:
    reply = calls(a_call("bash", {"command": "echo hi"}), finish="max_tokens")
    first = a3s.spawn("run", "--allow-all", "go", script=[reply])
    first.check_calls = False
    events = replayed(tmp_path, first.finish().stdout)
    assert (events[-1]["code"], events[-1]["toolCalls"]) == ("max_tokens", 0)


@pytest.mark.parametrize("name", ["bash", "nonsense"])
def test_input_that_was_cut_cannot_be_played(a3s: Bench, tmp_path: Path, name: str) -> None:
    """Neither a call with digests in its arguments nor half of a rejected one."""
    long = "x" * 100_000
    made = a_call(name, {"command": f"echo {long}"})
    first = a3s("run", "go", script=[calls(made), text("yo")])
    events = replayed(tmp_path, first.stdout)
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("invalid_stream", 65)
    assert "line " in events[-1]["error"] and "was cut" in events[-1]["error"]
    assert "tool_start" not in {event["type"] for event in events}


def test_a_file_that_is_not_there(a3s: Bench) -> None:
    result = a3s("run", "-m", "replay/nowhere.ndjson", "go")
    assert (result.last["code"], result.status) == ("invalid_stream", 65)
    assert result.last["error"] == "nowhere.ndjson: No such file or directory"


@pytest.mark.parametrize(
    "tear", [lambda d: b"", lambda d: d[:-9], lambda d: d[40:], lambda d: d.replace(b":1,", b":9,")]
)
def test_a_file_that_is_no_stream(a3s: Bench, tmp_path: Path, tear: Any) -> None:
    first = a3s("run", "go", script=[text("yo")])
    events = replayed(tmp_path, tear(first.stdout))
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("invalid_stream", 65)
    assert "run.ndjson: line " in events[-1]["error"]
    # Nothing is played of a file that is not whole.
    assert inside.said(events) == ""


def test_a_run_that_never_asked_its_model(a3s: Bench, tmp_path: Path) -> None:
    first = a3s("run", "-m", "opnai/x", "go")
    events = replayed(tmp_path, first.stdout)
    assert (events[-1]["code"], events[-1]["exitCode"]) == ("invalid_response", 1)


def test_figures_are_those_of_the_recording(a3s: Bench, tmp_path: Path) -> None:
    first = a3s("run", "--allow-all", "go", script=[bash("true"), text("yo", usage=None)])
    events = replayed(tmp_path, first.stdout)
    assert events[-1]["usage"] == first.last["usage"]
    assert events[-1]["totalTokens"] == first.last["totalTokens"]


def test_a_later_version_may_say_more(a3s: Bench, tmp_path: Path) -> None:
    values = a3s("run", "go", script=[text("yo")]).events
    values.insert(2, {"type": "weather", "seq": 0, "ts": values[1]["ts"]})
    data = lines([{**one, "seq": seq, "later": True} for seq, one in enumerate(values)])
    assert replayed(tmp_path, data)[-1]["text"] == "yo"
