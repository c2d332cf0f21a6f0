"""Whatever ended a run, the next request of its session holds what has happened.

A table: every end, in the first turn, in a later one and among parallel calls; in all
wires; continued by the command line, the library and the page. Neighbours of the table
are run by default, all of it with the mark `heavy`.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import Agent, SessionOptions

from ..serve.serving import Host
from ..support import replies, wires
from ..support.a3s import Bench
from ..support.replies import Pause, Reply
from ..support.server import Server

#: What is shown of an answer before it is cut.
PARTIAL = "half of it"
FRONTS = ("continue", "library", "page")
PHASES = ("first", "later", "parallel")


@dataclass(frozen=True)
class End:
    """One way in which a run ends."""

    #: The response that brings it about, by its wire.
    reply: Callable[[str], Reply]
    code: str
    flags: tuple[str, ...] = ()
    #: The signal that the process gets once the last response is shown, or a call has begun.
    number: int = 0
    partial: bool = False


def stalled(wire: str) -> Reply:
    said = wires.beginning(wires.text(wire, PARTIAL), PARTIAL)
    return Reply((said, Pause(600)), ending="end")


def cut(wire: str) -> Reply:
    return replies.raw(wires.beginning(wires.text(wire, PARTIAL), PARTIAL))


def ended(how: str) -> Callable[[str], Reply]:
    return lambda wire: replies.raw(wires.ended(wire, wires.text(wire, PARTIAL), how))


def refused(status: int) -> Callable[[str], Reply]:
    return lambda _: replies.error(status)


def calling(wire: str) -> Reply:
    return replies.raw(wires.calls(wire, ["rm -r x"]))


ENDS = {
    "SIGINT": End(stalled, "cancelled", number=signal.SIGINT, partial=True),
    "SIGTERM": End(stalled, "cancelled", number=signal.SIGTERM, partial=True),
    "SIGHUP": End(stalled, "cancelled", number=signal.SIGHUP, partial=True),
    "SIGKILL": End(stalled, "", number=signal.SIGKILL, partial=True),
    "timeout": End(stalled, "timeout", ("--timeout", "2"), partial=True),
    "truncated": End(cut, "truncated_stream", partial=True),
    "max_tokens": End(ended("max_tokens"), "max_tokens", partial=True),
    "refusal": End(ended("refusal"), "refusal", partial=True),
    "auth": End(refused(401), "auth"),
    "bad request": End(refused(400), "provider_error"),
    "overloaded": End(refused(503), "overloaded", ("--max-retries", "0")),
    "max_turns": End(lambda wire: replies.raw(wires.calls(wire, ["echo last"])), "max_turns"),
    "max_tool_calls": End(calling, "max_tool_calls"),
    "approval": End(calling, "approval_required", ("--on-ask", "fail")),
}
SIGNALS = [name for name, end in ENDS.items() if end.number]
TABLE = list(itertools.product(ENDS, PHASES, wires.NAMES, FRONTS))


def by_default(place: int) -> bool:
    """Whether a row is run by default: each end in each phase, wires and fronts in turn."""
    end, rest = divmod(place, len(PHASES) * len(wires.NAMES) * len(FRONTS))
    phase, rest = divmod(rest, len(wires.NAMES) * len(FRONTS))
    wire, front = divmod(rest, len(FRONTS))
    return wire == (end + phase) % len(wires.NAMES) and front == (end + 2 * phase) % len(FRONTS)


ROWS = [
    pytest.param(*row, marks=() if by_default(place) else pytest.mark.heavy, id="-".join(row))
    for place, row in enumerate(TABLE)
]


@pytest.fixture
def host(a3s: Bench) -> Iterator[Host]:
    one = Host(a3s)
    yield one
    one.close()


@pytest.mark.parametrize(("name", "phase", "wire", "front"), ROWS)
def test_what_has_happened_is_remembered(
    a3s: Bench, host: Host, monkeypatch: Any, name: str, phase: str, wire: str, front: str
) -> None:
    end = ENDS[name]
    before = {
        "first": [],
        "later": [replies.raw(wires.calls(wire, ["echo done"]))],
        "parallel": [replies.raw(wires.calls(wire, ["echo done", "echo too"]))],
    }[phase]
    script = [*before, end.reply(wire)]
    flags = [*end.flags]
    if name == "max_turns":
        flags += ["--max-turns", str(len(script))]
    if name == "max_tool_calls":
        flags += ["--max-tool-calls", str({"first": 0, "later": 1, "parallel": 2}[phase])]
        flags += ["--allow", "bash"]
    server = a3s.serve(script, "openai-chat")
    config = a3s.root / "wire.acl"
    config.write_text(wires.config(wire, server.url))
    args = ["--config", str(config), "-m", "test/m-1"]
    code = interrupt(a3s, [*args, "--allow", "bash(echo *)", *flags], end)
    assert code == end.code
    server.script.append(wires.reply(wires.text(wire, "still here")))
    body = GO_ON[front](a3s, host, monkeypatch, args, server)
    told = wires.said(wire, body)
    spoken = wires.roles(wire, body)
    assert spoken == [("user", "model")[n % 2] for n in range(len(spoken))], told
    check(told, end, phase, name)


def check(told: list[tuple[str, str]], end: End, phase: str, name: str) -> None:
    """What the next request says of the run before."""
    assert told[0] == ("text", "first prompt") and told[-1] == ("text", "and now?")
    last = told[-2]
    mark = f"{PARTIAL}\n\n[This answer was cut: " if end.partial else "[There was no answer: "
    assert last[0] == "text" and last[1].startswith(mark), last
    done = {"first": [], "later": ["echo done"], "parallel": ["echo done", "echo too"]}[phase]
    more = {"max_turns": ["echo last"], "max_tool_calls": ["rm -r x"], "approval": ["rm -r x"]}
    called = [what for kind, what in told if kind == "call"]
    assert called == [*done, *more.get(name, [])]
    results = [what for kind, what in told if kind == "result"]
    assert len(results) == len(called)
    outputs = {"echo done": "done\n", "echo too": "too\n", "echo last": "last\n"}
    for command, output in zip(called, results, strict=True):
        if command in outputs:
            assert output == outputs[command]
        else:
            assert "not executed" in output or "Permission denied" in output


@pytest.mark.parametrize("wire", wires.NAMES)
@pytest.mark.parametrize("name", SIGNALS)
def test_a_call_that_was_interrupted(a3s: Bench, name: str, wire: str) -> None:
    """Beside one that has finished, whose output is told."""
    commands = ["echo deployed", "echo begun; sleep 600"]
    server = a3s.serve([replies.raw(wires.calls(wire, commands))], "openai-chat")
    config = a3s.root / "wire.acl"
    config.write_text(wires.config(wire, server.url))
    args = ["--config", str(config), "-m", "test/m-1"]
    run = a3s.spawn("run", "first prompt", *args, "--allow-all", laws="prefix")
    run.wait_for("tool_end")
    run.wait_for(lambda event: event["type"] == "tool_output_delta" and "begun" in event["text"])
    run.signal(ENDS[name].number)
    run.finish()
    server.script.append(wires.reply(wires.text(wire, "still here")))
    after = a3s("run", "-c", "and now?", *args)
    told = wires.said(wire, server.requests[-1].body)
    assert [what for kind, what in told if kind == "call"] == commands
    finished, interrupted = [what for kind, what in told if kind == "result"]
    assert finished == "deployed\n" and "may have had effects" in interrupted
    notice = next(one for one in after.of("notice") if one["code"] == "session_interrupted")
    assert "bash" in notice["text"]


def interrupt(a3s: Bench, args: list[str], end: End) -> str:
    """Run until it ends, and return its code."""
    run = a3s.spawn("run", "first prompt", *args, laws="prefix")
    if end.number:
        run.wait_for("text_delta")
        run.signal(end.number)
    events = run.finish().events
    return "" if end.number == signal.SIGKILL else events[-1]["code"]


def by_continue(a3s: Bench, _host: Host, _patch: Any, args: list[str], server: Server) -> Any:
    after = a3s("run", "-c", "and now?", *args)
    assert after.text == "still here"
    assert "session_interrupted" in [one["code"] for one in after.of("notice")]
    return server.requests[-1].body


def session(a3s: Bench) -> str:
    (file,) = (a3s.home / ".local/state/a3s/sessions").glob("*.ndjson")
    return file.stem


def by_library(a3s: Bench, _host: Host, patch: Any, args: list[str], server: Server) -> Any:
    for name, value in a3s.environment(server).items():
        if name not in ("PATH", "TMPDIR"):
            patch.setenv(name, value)
    options = SessionOptions(model="test/m-1", session_id=session(a3s), sandbox="off")
    with Agent.create(Path(args[1])).session(a3s.work, options) as one:
        assert one.send("and now?").text == "still here"
    return server.requests[-1].body


def by_page(a3s: Bench, host: Host, _patch: Any, args: list[str], server: Server) -> Any:
    serving = host.serve([], *args)
    assert serving.ask("and now?", sessionId=session(a3s))[-1]["text"] == "still here"
    return server.requests[-1].body


GO_ON = {"continue": by_continue, "library": by_library, "page": by_page}
