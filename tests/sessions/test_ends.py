"""Whatever ended a run, the next request of its session holds what has happened.

A table: every end, in the first turn, in a later one and among parallel calls; in all
wires; continued by the command line, the library and the page. And what a failed `send`
of the library leaves for the next one. Neighbours of the table are run by default, all of
it with the mark `heavy`.
"""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import A3SError, Agent, PermissionPolicy, SessionOptions

from ..serve.serving import Host
from ..support import replies, wires
from ..support.a3s import Bench
from ..support.replies import Pause, Reply
from ..support.server import Server

SCHEMA = '{"type": "object", "required": ["x"]}'
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
    #: How often that response comes.
    times: int = 1
    #: The text of a complete response before it.
    answer: str = ""
    #: Whether the reader of stdout goes away once text is shown.
    leaves: bool = False


def stalled(wire: str) -> Reply:
    said = wires.beginning(wires.text(wire, PARTIAL), PARTIAL)
    return Reply((said, Pause(600)), ending="end")


def cut(wire: str) -> Reply:
    return replies.raw(wires.beginning(wires.text(wire, PARTIAL), PARTIAL))


def ended(how: str) -> Callable[[str], Reply]:
    return lambda wire: replies.raw(wires.ended(wire, wires.text(wire, PARTIAL), how))


def refused(status: int) -> Callable[[str], Reply]:
    return lambda _: replies.error(status)


def failing(wire: str) -> Reply:
    return replies.raw(wires.calls(wire, ["false"]))


def shapeless(wire: str) -> Reply:
    return replies.raw(wires.text(wire, "no object"))


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
    "tool_loop": End(failing, "tool_loop", ("--allow", "bash(false)"), times=3),
    "invalid_object": End(
        shapeless, "invalid_object", ("--schema", SCHEMA), times=3, answer="looked"
    ),
    "head": End(stalled, "", partial=True, leaves=True),
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
    script = scripted(end, phase, wire)
    flags = [*end.flags]
    if name == "max_turns":
        flags += ["--max-turns", str(len(script))]
    if name == "max_tool_calls":
        flags += ["--max-tool-calls", str({"first": 0, "later": 1, "parallel": 2}[phase])]
        flags += ["--allow", "bash"]
    server, args = served(a3s, script, wire)
    code = interrupt(a3s, [*args, "--allow", "bash(echo *)", *flags], end)
    assert code == end.code
    server.script.append(wires.reply(wires.text(wire, "still here")))
    body = GO_ON[front](a3s, host, monkeypatch, args, server)
    told = wires.said(wire, body)
    spoken = wires.roles(wire, body)
    assert spoken == [("user", "model")[n % 2] for n in range(len(spoken))], told
    check(told, end, phase, name)


def scripted(end: End, phase: str, wire: str) -> list[Reply]:
    """What the provider says, up to the end."""
    before = {"first": [], "later": ["echo done"], "parallel": ["echo done", "echo too"]}[phase]
    script = [replies.raw(wires.calls(wire, before))] if before else []
    if end.answer:
        script.append(replies.raw(wires.text(wire, end.answer)))
    return [*script, *[end.reply(wire)] * end.times]


def served(a3s: Bench, script: list[Reply], wire: str) -> tuple[Server, list[str]]:
    """Return a server that plays a script, and the arguments that choose it."""
    server = a3s.serve(script, "openai-chat")
    config = a3s.root / "wire.acl"
    config.write_text(wires.config(wire, server.url))
    return server, ["--config", str(config), "-m", "test/m-1"]


def check(told: list[tuple[str, str]], end: End, phase: str, name: str) -> None:
    """What the next request says of the run before."""
    assert told[0] == ("text", "first prompt") and told[-1] == ("text", "and now?")
    last = told[-2]
    mark = f"{PARTIAL}\n\n[This answer was cut: " if end.partial else "[There was no answer: "
    assert last[0] == "text" and last[1].startswith(mark), last
    between = [what for kind, what in told if kind == "text"][1:-2]
    assert between == ([end.answer, "Give the answer as JSON."] if end.answer else [])
    done = {"first": [], "later": ["echo done"], "parallel": ["echo done", "echo too"]}[phase]
    more = {"max_turns": ["echo last"], "max_tool_calls": ["rm -r x"], "approval": ["rm -r x"]}
    more["tool_loop"] = ["false"] * 3
    called = [what for kind, what in told if kind == "call"]
    assert called == [*done, *more.get(name, [])]
    results = [what for kind, what in told if kind == "result"]
    assert len(results) == len(called)
    outputs = {"echo done": "done\n", "echo too": "too\n", "echo last": "last\n"}
    outputs["false"] = "[exit status 1]"
    for command, output in zip(called, results, strict=True):
        if command in outputs:
            assert output == outputs[command]
        else:
            assert "not executed" in output or "Permission denied" in output


#: The ends that a program can bring about with `send`, and by which options.
SENT: dict[str, dict[str, Any]] = {
    "timeout": {"timeout": 2},
    "truncated": {},
    "max_tokens": {},
    "refusal": {},
    "auth": {},
    "bad request": {},
    "overloaded": {"max_retries": 0},
    "max_turns": {},
    "max_tool_calls": {},
    "tool_loop": {},
    "invalid_object": {},
}
SENDS = [
    pytest.param(
        name,
        phase,
        wire,
        marks=() if (n + m + w) % (2 * len(wires.NAMES)) == 0 else pytest.mark.heavy,
        id=f"{name}-{phase}-{wire}",
    )
    for (n, name), (m, phase), (w, wire) in itertools.product(
        enumerate(SENT), enumerate(PHASES), enumerate(wires.NAMES)
    )
]


@pytest.mark.parametrize(("name", "phase", "wire"), SENDS)
def test_a_failed_send(a3s: Bench, monkeypatch: Any, name: str, phase: str, wire: str) -> None:
    """The next `send` of the same session holds it, in memory as on disk."""
    end = ENDS[name]
    script = scripted(end, phase, wire)
    server, args = served(a3s, script, wire)
    options = SessionOptions(model="test/m-1", sandbox="off", **SENT[name])
    options.permission_policy = PermissionPolicy(allow=["bash(echo *)", "bash(false)"])
    if name == "max_turns":
        options.max_turns = len(script)
    if name == "max_tool_calls":
        options.permission_policy = PermissionPolicy(allow=["bash"])
        options.max_tool_calls = {"first": 0, "later": 1, "parallel": 2}[phase]
    enter(a3s, server, monkeypatch)
    with Agent.create(Path(args[1])).session(a3s.work, options) as one:
        with pytest.raises(A3SError) as failure:
            one.send("first prompt", schema=json.loads(SCHEMA) if end.answer else None)
        assert failure.value.code == end.code
        server.script.append(wires.reply(wires.text(wire, "still here")))
        if name == "max_turns":
            options.max_turns = None
        assert one.send("and now?").text == "still here"
    body = server.requests[-1].body
    spoken = wires.roles(wire, body)
    assert spoken == [("user", "model")[n % 2] for n in range(len(spoken))]
    check(wires.said(wire, body), end, phase, name)


@pytest.mark.parametrize("wire", wires.NAMES)
@pytest.mark.parametrize("name", SIGNALS)
def test_a_call_that_was_interrupted(a3s: Bench, name: str, wire: str) -> None:
    """Beside one that has finished, whose output is told."""
    commands = ["echo deployed", "echo begun; sleep 600"]
    server, args = served(a3s, [replies.raw(wires.calls(wire, commands))], wire)
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
    if end.leaves:
        line = 'a3s run "first prompt" "$@" | grep -m 1 -q text_delta; exit ${PIPESTATUS[0]}'
        command = ["bash", "-c", line, "bash", *args]
        assert a3s.start(command, None, "none", quiet=False).finish().status == 141
        return ""
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


def enter(a3s: Bench, server: Server, patch: Any) -> None:
    """Give this process the environment of the bench."""
    for name, value in a3s.environment(server).items():
        if name not in ("PATH", "TMPDIR"):
            patch.setenv(name, value)


def by_library(a3s: Bench, _host: Host, patch: Any, args: list[str], server: Server) -> Any:
    enter(a3s, server, patch)
    options = SessionOptions(model="test/m-1", session_id=session(a3s), sandbox="off")
    with Agent.create(Path(args[1])).session(a3s.work, options) as one:
        assert one.send("and now?").text == "still here"
    return server.requests[-1].body


def by_page(a3s: Bench, host: Host, _patch: Any, args: list[str], server: Server) -> Any:
    serving = host.serve([], *args)
    assert serving.ask("and now?", sessionId=session(a3s))[-1]["text"] == "still here"
    return server.requests[-1].body


GO_ON = {"continue": by_continue, "library": by_library, "page": by_page}
