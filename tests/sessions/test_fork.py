"""`a3s run --fork`: goes on in a copy, and the old session stays as it was."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, stall, text
from ..support.run import Result


def sessions(a3s: Bench) -> Path:
    return a3s.home / ".local/state/a3s/sessions"


def told(result: Result) -> list[str]:
    """The texts and outputs of the last request, without the system prompt."""
    said = json.loads(json.dumps(result.requests[-1].body))["messages"]
    return [one["content"] for one in said if one["role"] != "system" and one.get("content")]


def state(directory: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(directory)): one.read_bytes()
        for one in directory.rglob("*")
        if one.is_file() and ".recent" not in one.parts
    }


@pytest.mark.parametrize("how", [["-c"], ["--session"]], ids=["newest", "named"])
def test_a_copy(a3s: Bench, how: list[str]) -> None:
    """With large values, which lie beside the file."""
    long = "echo deployed; seq 1 20000"
    first = a3s("run", "--allow-all", "deploy", script=[bash(long), text("done")])
    source = first.events[0]["sessionId"]
    before = state(sessions(a3s))
    assert any(".d/" in name for name in before)
    if how == ["--session"]:
        how = ["--session", source[:10]]
    second = a3s("run", *how, "--fork", "and now?", script=[text("well")])
    start = second.events[0]
    assert start["forkedFrom"] == source != start["sessionId"]
    said = told(second)
    assert (said[0], said[-2:]) == ("deploy", ["done", "and now?"])
    assert said[1].startswith("deployed\n1\n")
    after = state(sessions(a3s))
    assert {name: after[name] for name in before} == before
    # The copy goes on like any session, and without the old one.
    assert a3s("sessions", "rm", source).status == 0
    third = a3s("run", "-c", "go on", script=[text("yes")])
    assert third.events[0]["sessionId"] == start["sessionId"]
    assert "forkedFrom" not in third.events[0]
    assert told(third)[-3:] == ["and now?", "well", "go on"]
    (row,) = json.loads(a3s("sessions", "list", "--json").stdout)
    assert (row["forkedFrom"], row["runs"]) == (source, 3)
    shown = a3s("sessions", "show", start["sessionId"]).stdout.decode()
    assert [shown.index(part) for part in ("> deploy", "> and now?", "> go on")]


def test_a_session_in_use(a3s: Bench) -> None:
    """The copy has what has happened so far."""
    running = a3s.spawn("run", "first", script=[stall("half of it")])
    running.wait_for("text_delta")
    source = running.events[0]["sessionId"]
    fork = a3s("run", "-c", "--fork", "and now?", script=[text("well")])
    first, cut, asked = told(fork)
    assert (first, asked) == ("first", "and now?") and cut.startswith("half of it")
    assert "session_interrupted" in [one["code"] for one in fork.of("notice")]
    running.signal(signal.SIGTERM)
    assert running.finish().last["code"] == "cancelled"
    assert fork.events[0]["forkedFrom"] == source


def test_a_dialogue(a3s: Bench) -> None:
    """Its first run names the session that it was copied from."""
    a3s("run", "first", script=[text("one")])
    lines = b'{"type":"prompt","text":"a"}\n{"type":"prompt","text":"b"}\n'
    said = [text("two"), text("three")]
    result = a3s("run", "-c", "--fork", "--input", "json", stdin=lines, script=said, laws="none")
    starts = [
        event for event in map(json.loads, result.stdout.splitlines()) if event["type"] == "start"
    ]
    assert ["forkedFrom" in one for one in starts] == [True, False]
    assert len({one["sessionId"] for one in starts}) == 1
    assert told(result) == ["first", "one", "a", "two", "b"]


def test_a_copy_that_cannot_be_saved(a3s: Bench) -> None:
    """The run goes on all the same, and nothing half-copied is left."""
    a3s("run", "first", script=[text("one")])
    before = state(sessions(a3s))
    line = 'ulimit -f 1; a3s run -m "$MODEL" -c --fork "and now?" | cat'
    result = a3s.shell(line, script=[text("two")]).finish()
    assert "sessionId" not in result.events[0] and state(sessions(a3s)) == before
    assert [one["code"] for one in result.of("notice")] == ["session_not_kept"]
    assert told(result) == ["first", "one", "and now?"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--fork"], b"--fork copies a session: name it with --session ID, or use -c"),
        (["--fork", "--no-session"], b"--fork copies a session"),
        (["--fork", "-c"], b"this directory has no session to continue"),
        (["--fork", "--session", "nosuch"], b"there is no session 'nosuch'"),
    ],
)
def test_what_cannot_be_copied(a3s: Bench, args: list[str], sentence: bytes) -> None:
    result = a3s("run", *args, "go", script=[], laws="none")
    assert result.status == 2 and sentence in result.stderr
    assert not list(sessions(a3s).glob("*.ndjson"))


def test_a_copy_is_read_by_audit_and_replay(a3s: Bench) -> None:
    """Its file has the runs of two sessions; so has one whose source was killed."""
    first = a3s.spawn(
        "run", "--allow", "bash", "go", script=[bash("echo hi"), stall("half")], laws="prefix"
    )
    first.wait_for("text_delta")
    fork = a3s("run", "-c", "--fork", "and now?", script=[text("well")])
    first.signal(signal.SIGKILL)
    first.finish()
    whole = a3s("run", "-c", "--fork", "again", script=[text("yes")])
    assert whole.events[0]["forkedFrom"] == fork.events[0]["sessionId"]
    name = whole.events[0]["sessionId"]
    line = (
        f"a3s sessions export {name} > s.ndjson; a3s replay - -o raw < s.ndjson;"
        " a3s audit s.ndjson > report; echo $?; a3s replay s.ndjson -o json | cmp - s.ndjson"
    )
    result = a3s.shell(line, script=[]).finish()
    # A run without an end is no whole stream, as in any session with one.
    assert result.stdout == b"halfwell\nyes\n65\n"
    assert result.stderr.startswith(b"a3s: the last run of this session did not finish")
    foreign = a3s.work / "foreign"
    foreign.write_bytes((a3s.work / "s.ndjson").read_bytes().replace(b"forkedFrom", b"forkedFrmo"))
    assert a3s("replay", str(foreign)).status == 65
