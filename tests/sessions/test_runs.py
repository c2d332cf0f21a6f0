"""Sessions through the binary: gone on with, in use, killed, nowhere to be kept."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from ..support import processes
from ..support.a3s import Bench, proofs
from ..support.replies import Reply, bash, call, stall, text


def prompts(seen: Any) -> list[str]:
    """Everything that the user said in a request."""
    said = []
    for message in seen.body["messages"]:
        if message["role"] == "user":
            content = message["content"]
            words = (
                content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
            )
            said += [words] if words else []
    return said


def session_of(result: Any) -> str:
    name: str = result.events[0]["sessionId"]
    return name


def files(a3s: Bench) -> list[Path]:
    return sorted((a3s.home / ".local/state/a3s/sessions").glob("*.ndjson"))


def test_going_on(a3s: Bench) -> None:
    first = a3s("run", "first", script=[text("one.")])
    other = a3s("run", "other", script=[text("other.")])
    assert session_of(first) != session_of(other)
    newest = a3s("run", "-c", "second", script=[text("two.")])
    assert prompts(newest.requests[0]) == ["other", "second"]
    named = a3s("run", "--session", session_of(first), "third", script=[text("three.")])
    assert prompts(named.requests[0]) == ["first", "third"]
    assert session_of(named) == session_of(first)
    whole = a3s("sessions", "export", session_of(first))
    assert whole.status == 0 and whole.stdout.count(b'"type":"start"') == 2


def test_none_is_kept(a3s: Bench) -> None:
    result = a3s("run", "--no-session", "go", script=[text("hi")])
    assert "sessionId" not in result.events[0] and files(a3s) == []


def test_another_wire(a3s: Bench) -> None:
    a3s("run", "first", "--allow-all", script=[bash("echo hi"), text("one.")])
    there = a3s("run", "-c", "second", script=[text("two.")], wire="anthropic")
    assert prompts(there.requests[0])[0] == "first" and prompts(there.requests[0])[-1] == "second"
    back = a3s("run", "-c", "third", script=[text("three.")])
    assert prompts(back.requests[0]) == ["first", "second", "third"]
    assert back.text == "three."


def test_an_unknown_one(a3s: Bench) -> None:
    name = session_of(a3s("run", "first", script=[text("one.")]))
    wrong = name[:-2] + "zz"
    result = a3s("run", "--session", wrong, "go", script=[], laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert f"there is no session '{wrong}'; the nearest: {name}".encode() in result.stderr
    result = a3s("run", "-c", "go", script=[], laws="none", cwd=a3s.root / "tmp")
    assert result.status == 2 and b"this directory has no session" in result.stderr


def test_one_in_use(a3s: Bench) -> None:
    holder = a3s.spawn("run", "first", script=[stall("half")], laws="prefix")
    name = holder.wait_for("start")["sessionId"]
    holder.wait_for("text_delta")
    busy = a3s("run", "--session", name, "second", script=[])
    assert busy.status == 75 and busy.last["code"] == "busy"
    assert f"process {holder.pid}" in busy.last["error"] and busy.requests == []
    holder.process.kill()
    holder.process.wait(10)
    after = a3s("run", "--session", name, "third", script=[text("three.")])
    assert after.text == "three." and "session_interrupted" in [
        e["code"] for e in after.of("notice")
    ]


@pytest.mark.parametrize("home", [None, "/proc/nowhere"])
def test_nowhere_to_keep_it(a3s: Bench, home: str | None) -> None:
    env = {"HOME": home, "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None}
    result = a3s("run", "go", script=[text("hi")], env=env)
    assert result.text == "hi" and result.status == 0
    assert [one["code"] for one in result.of("notice")] == ["session_not_kept"]


def test_killed_and_gone_on_with(a3s: Bench) -> None:
    """kill -9 of the real thing at moments of chance: what was shown as done is remembered."""
    chance = random.Random(7)
    name = session_of(a3s("run", "first", script=[text("one.")]))
    for number in range(proofs(10)):
        script: list[Reply] = [
            call("bash", {"command": f"echo {turn}"}, f"k{number}-{turn}") for turn in range(50)
        ]
        run = a3s.spawn(
            "run",
            "--session",
            name,
            "--allow-all",
            f"prompt {number}",
            script=script,
            laws="prefix",
        )
        run.wait_for("tool_end", number=1 + number % 3)
        time.sleep(chance.random() * 0.05)
        run.process.kill()
        run.process.wait(10)
        shown = sum(event["type"] == "turn_start" for event in run.finish().events) - 1
        after = a3s("run", "--session", name, f"after {number}", script=[text("still here")])
        assert after.text == "still here"
        # The turns whose successors had begun were kept, whole.
        body = after.requests[0].body["messages"]
        results = [
            m for m in body if m["role"] == "tool" and m["tool_call_id"].startswith(f"k{number}-")
        ]
        assert len(results) >= shown, (len(results), shown)
        _valid(body)
    processes.wait_until_gone(a3s.mark, 5)
    assert a3s("sessions", "export", name).status == 0
    for line in files(a3s)[0].read_bytes().splitlines():
        json.loads(line)


def _valid(messages: list[Any]) -> None:
    """Every call has its result right behind it, and none has two."""
    for number, message in enumerate(messages):
        ids = [call["id"] for call in message.get("tool_calls", ())]
        told = (
            [m["tool_call_id"] for m in messages[number + 1 : number + 1 + len(ids)]] if ids else []
        )
        assert told == ids


@pytest.mark.parametrize("kind", ["FIFO", "link"])
def test_what_is_no_regular_file_is_no_session(a3s: Bench, kind: str) -> None:
    one = a3s("run", "one", script=[text("ok")]).events[0]["sessionId"]
    (file,) = a3s.home.rglob(f"{one}.ndjson")
    place = file.with_name("other.ndjson")
    if kind == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")
    for command in ("sessions show other", "replay other", "run --session other go"):
        refused = a3s(*command.split(), script=[], laws="none")
        assert (refused.status, refused.stdout) == (2, b"")
        assert b"other" in refused.stderr
    listed = a3s("sessions", "list", "--all").stdout.decode()
    assert one in listed and "other" not in listed
