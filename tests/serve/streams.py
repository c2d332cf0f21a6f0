"""Whole event streams, recorded from the binary: one of everything, and one for each ending."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from a3s_cli.events import Event
from a3s_cli.stream.reader import event_of

from ..support.a3s import Bench
from ..support.replies import (
    Pause,
    Reasoning,
    Reply,
    a_call,
    bash,
    calls,
    cut,
    error,
    reasoning,
    text,
)

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
    "required": ["name", "size"],
}
ALLOW = ("--allow", "bash(echo *)", "--allow", "bash(sleep *)", "--tool-input")

Streams = Mapping[str, list[Event]]


def _everything() -> list[Reply]:
    """Reasoning, parallel calls, every fate that a call can have, a growing object, a retry."""
    asking = {"schema": SCHEMA, "prompt": "Describe the file."}
    return [
        reasoning(
            "Look first.",
            "I'll look.",
            a_call("bash", {"command": "echo one; echo two"}, "c1"),
            a_call("read", {"file_path": "missing"}, "c2"),
            a_call("ls", {}, "c3"),
        ),
        cut(Reasoning("This is "), a_call("bash", {"command": "echo lost"}, "lost")),
        calls(
            a_call("bash", {"command": "rm x"}, "c4"),
            a_call("nothing", {}, "c5"),
            a_call("bash", {"command": 1}, "c6"),
            a_call("bash", {"command": "echo begun; sleep 60", "timeout": 400}, "c7"),
        ),
        calls(a_call("generate_object", asking, "c8")),
        text('{"name": "a', '", "size": "big"}'),
        text('{"name": "a', '", "size": 1', "2}"),
        text("Done", ": *12*\n", "\u2028 end"),
    ]


@cache
def recorded() -> Streams:
    """Run them all, once for each process of the suite; side by side, because some have to wait."""
    with tempfile.TemporaryDirectory() as root:
        a3s = Bench(Path(root))
        try:
            return {name: _events(lines) for name, lines in _record(a3s).items()}
        finally:
            a3s.close()


def _record(a3s: Bench) -> dict[str, list[bytes]]:
    (a3s.work / "schema.json").write_text(json.dumps(SCHEMA))
    shape = ("--schema", "schema.json")
    shaped = text('{"name":"b",', Pause(0.6), '"size":3}')
    scripts = {
        "plain": ((), [text("Hello", " there!")]),
        "everything": (ALLOW, _everything()),
        "object": ((*ALLOW, *shape), [bash("echo hi"), text("It is b."), shaped]),
        "only an object": (("--tools", "none", *shape), [shaped]),
        "no object": (("--tools", "none", *shape), [text("{}")] * 3),
        "max_tokens": ((), [text("and so", finish="max_tokens")]),
        "refusal": ((), [text("no", finish="refusal")]),
        "auth": ((), [error(401)]),
        "truncated_stream": ((), [cut("so")]),
        "cancelled": (ALLOW, [bash("echo begun; sleep 600")]),
    }
    runs = {
        name: a3s.spawn("run", *options, "go", script=script)
        for name, (options, script) in scripts.items()
    }
    runs["cancelled"].wait_for("tool_output_delta")
    runs["cancelled"].signal(signal.SIGTERM)
    return {name: run.finish().stdout.splitlines() for name, run in runs.items()}


def _events(lines: list[bytes]) -> list[Event]:
    found = [event_of(json.loads(line)) for line in lines]
    return [event for event in found if event is not None]
