"""The judges judged: a law that nothing can break proves nothing.

A correct stream passes; each broken copy of it must be caught. The scripted
provider is held against an HTTP client that is not ours.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess  # noqa: TID251 - a stranger to be refused
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx  # noqa: TID251 - the scripted provider's other side
import pytest

from .support import laws, processes
from .support.a3s import Bench
from .support.replies import Wire, cut, error, silence, stall, text
from .support.server import Server

Stream = list[dict[str, Any]]
CALL = {"toolName": "bash", "toolId": "c1"}
USAGE = {"inputTokens": 1, "outputTokens": 2}
TOTALS = {"totalTokens": 3, "turns": 2, "toolCalls": 1, "durationMs": 5, "exitCode": 0}


def _good() -> Stream:
    events: Stream = [
        {"type": "start", "schemaVersion": 1, "version": "1", "runId": "r"},
        {"type": "turn_start", "turn": 1},
        {"type": "turn_end", "turn": 1, "totalTokens": 0, "stopReason": "tool_use"},
        {"type": "tool_start", **CALL, "toolInput": {}, "turn": 1, "rule": "bash"},
        {"type": "tool_output_delta", **CALL, "text": "a\n"},
        {"type": "tool_end", **CALL, "toolOutput": "a\n", "exitCode": 0, "durationMs": 1},
        {"type": "turn_start", "turn": 2},
        {"type": "text_delta", "text": "yo"},
        {"type": "turn_end", "turn": 2, "totalTokens": 3, "stopReason": "end_turn", "usage": USAGE},
        {"type": "end", "text": "yo", **TOTALS},
    ]
    stamped = enumerate(events)
    return [{"type": e["type"], "seq": n, "ts": 100 + n, **e} for n, e in stamped]


def _lines(events: Stream) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def _judge(data: bytes, status: int = 0) -> None:
    laws.check_stream(laws.parse(data), status)


def test_a_good_stream_passes() -> None:
    _judge(_lines(_good()))


def _at(number: int, **fields: Any) -> Callable[[Stream], Stream]:
    def change(events: Stream) -> Stream:
        events[number].update(fields)
        return events

    return change


def _without(number: int, *, renumber: bool = True) -> Callable[[Stream], Stream]:
    def change(events: Stream) -> Stream:
        del events[number]
        return [{**e, "seq": n} for n, e in enumerate(events)] if renumber else events

    return change


def _again(number: int) -> Callable[[Stream], Stream]:
    def change(events: Stream) -> Stream:
        events.insert(number, copy.deepcopy(events[number]))
        return [{**e, "seq": n} for n, e in enumerate(events)]

    return change


BROKEN: dict[str, Callable[[Stream], Stream]] = {
    "no start": _without(0),
    "no end": _without(9),
    "two ends": _again(9),
    "a gap": _without(4, renumber=False),
    "time goes back": _at(3, ts=1),
    "unpaired": _without(5),
    "a pair twice": _again(3),
    "a delta outside": _without(3),
    "text outside": _without(6),
    "text lost": _without(7),
    "another text": _at(9, text="y"),
    "another output": _at(5, toolOutput="a"),
    "a null": _at(9, costUsd=None),
    "an unknown field": _at(1, x=1),
    "an unknown type": _at(1, type="turn"),
    "a field lacks": _at(0, runId=None),
    "a wrong type": _at(9, turns="2"),
    "a wrong status": _at(9, exitCode=1),
    "a turn skipped": _at(6, turn=3),
    "wrong totals": _at(9, totalTokens=4),
    "calls miscounted": _at(9, toolCalls=0),
    "a denial forgotten": _at(9, permissionDenials=[CALL]),
    "a lone surrogate": _at(7, text="\ud800"),
    "a long line": _at(7, text="x" * 70_000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_is_caught(name: str) -> None:
    with pytest.raises((AssertionError, UnicodeError)):
        _judge(_lines(BROKEN[name](_good())))


@pytest.mark.parametrize(
    "data",
    [
        _lines(_good())[:-1],
        b"\n" + _lines(_good()),
        b"\xef\xbb\xbf" + _lines(_good()),
        _lines(_good()) + b"bye\n",
        _lines(_good()).replace(b'"yo"', b'"y\xff"'),
        _lines(_good()).replace(b'"yo"', '"y\u2028"'.encode()),
        _lines(_good()).replace(b'"yo"', b'"y\x7f"'),
        _lines(_good()).replace(b'"durationMs": 5', b'"durationMs": NaN'),
        _lines(_good()).replace(b'"turns": 2', b'"turns": 2, "turns": 2'),
    ],
)
def test_broken_bytes_are_caught(data: bytes) -> None:
    with pytest.raises((AssertionError, UnicodeError, ValueError)):
        _judge(data)


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Callable[..., Server]:
    def start(*script: Any, wire: Wire = "openai-chat") -> Server:
        server = Server(script, wire)
        request.addfinalizer(server.close)
        return server

    return start


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_the_provider_plays_its_script(serve: Callable[..., Server], wire: Wire) -> None:
    server = serve(text("a", "b"), error(429, headers={"retry-after": "1"}), wire=wire)
    with httpx.Client() as client:
        first = client.post(server.url + "/v1/x", json={"n": 1})
        assert first.status_code == 200 and first.text.count("data: ") >= 4
        second = client.post(server.url + "/v1/x", json={"n": 2})
        assert (second.status_code, second.headers["retry-after"]) == (429, "1")
        assert client.post(server.url, json={}).status_code == 500
    assert [seen.body for seen in server.requests] == [{"n": 1}, {"n": 2}, {}]
    assert server.unexpected == 1


@pytest.mark.parametrize(
    ("how", "failure"),
    [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)],
)
def test_the_provider_cuts(
    serve: Callable[..., Server], how: Any, failure: type[Exception]
) -> None:
    server = serve(cut("so", how=how))
    with pytest.raises(failure):
        httpx.post(server.url, json={})


@pytest.mark.parametrize("reply", [stall("so"), silence()], ids=["stalled", "silent"])
def test_the_provider_sees_who_leaves(serve: Callable[..., Server], reply: Any) -> None:
    server = serve(reply)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url, json={}, timeout=0.5)
    server.wait_for_departure()


def test_a_survivor_is_found_and_a_stranger_is_refused(a3s: Bench) -> None:
    sleep = processes.sleeper()
    stranger = subprocess.Popen(["sleep", "60"])
    mine = subprocess.Popen(["bash", "-c", f"setsid {sleep} & wait"])
    try:
        # Not the shell that starts it: killed before its child, it would leave that one behind.
        found = processes.wait_until_alive(sleep, command=sleep)
        with pytest.raises(AssertionError):
            processes.send(stranger.pid, 15, sleep)
        assert found.pid != stranger.pid
        processes.clean_up(sleep)
        assert processes.wait_until_gone(sleep, 10) == []
    finally:
        for one in (stranger, mine):
            one.kill()
            one.wait(10)


STUCK = """
import subprocess, threading
import pytest

@pytest.fixture
def stuck():
    yield
    threading.Event().wait()

def test_that_fails(stuck):
    assert False
"""
LEAVING = """
import subprocess

def test_that_leaves_something():
    subprocess.Popen(["sleep", "{seconds}"])
"""
WATCHED = """
from tests.support import watchdog
watchdog.AFTERWARDS = watchdog.LEAVING = 0.5
def pytest_configure(config):
    config.pluginmanager.register(watchdog.Watchdog(config))
"""


def watched(place: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run a test of its own under the watchdog."""
    (place / "test_it.py").write_text(test)
    (place / "conftest.py").write_text(WATCHED)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, str(place)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_hang_behind_a_failure_ends_with_its_stack(tmp_path: Path) -> None:
    """There every other watch is off: pytest ends them all at the first failure."""
    done = watched(tmp_path, STUCK)
    assert done.returncode == 1, done.stdout
    assert 'test_it.py", line 8 in stuck' in done.stderr


def test_what_the_suite_leaves_running_fails_it(tmp_path: Path) -> None:
    sleeper = processes.sleeper()
    done = watched(tmp_path, LEAVING.format(seconds=sleeper.split()[1]))
    assert done.returncode == 1 and "1 passed" in done.stdout
    assert f": {sleeper}\n" in done.stderr
    assert processes.survivors(sleeper) == []
