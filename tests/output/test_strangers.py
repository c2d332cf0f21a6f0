"""What strangers write has no power over a terminal or a CI runner, wherever a person reads it.

Hostile bytes are put into every place that is not the user's own (names of
files and directories, keys and values of a project's configuration, a model's
name, a server's body and headers, ids, recordings, policies, schemas), and both
streams of every command are looked at. `-o raw` on stdout is the exception: it
is the model's text, byte for byte.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, error, text
from ..support.run import Result

#: Orders to a terminal (ESC, CSI as one byte, a right-to-left override) and to CI runners.
ORDERS = "\x1b]0;x\x07\x1b[2J\u009b31m\u202ex ##vso[task.x]y ##[error]z"
LINE = f"\n::error::{ORDERS}\n##teamcity[x]\n"
#: As a component of a path.
NAME = ("n" + LINE + "m").replace("/", "_")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: What reorders a line a person reads; in JSON it is data.
_ORDER = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OBEYED = re.compile(r"^\s*::|^##|##\[|##vso\[|##teamcity\[", re.MULTILINE)


def powerless(data: bytes) -> None:
    shown = data.decode()
    assert not (found := _CONTROL.search(shown)), (found, shown)
    assert shown.startswith(("{", "[")) or not _ORDER.search(shown), shown
    assert not (found := _OBEYED.search(shown)), (found, shown)


Case = Callable[[Bench], Result]


def of_project_configuration(a3s: Bench, *command: str) -> Result:
    (a3s.work / ".a3s").mkdir()
    quoted = json.dumps(LINE)
    (a3s.work / ".a3s/config.acl").write_text(
        f"nonsense = {quoted}\nallow = [{quoted}]\nproviders {quoted} {{ base_url = {quoted} }}\n"
    )
    return a3s(*command)


def of_a_broken_configuration(a3s: Bench, *command: str) -> Result:
    path = a3s.root / NAME
    path.write_text(f"max_turns = {json.dumps(LINE)}\n")
    return a3s(*command, "--config", str(path))


def in_a_hostile_directory(a3s: Bench, *command: str) -> Result:
    place = a3s.work / NAME
    place.mkdir()
    (place / NAME).write_text("x\n")
    return a3s(*command, cwd=place)


def of_a_recording(a3s: Bench, *command: str) -> Result:
    path = a3s.root / NAME
    start = {
        "type": "start", "seq": 0, "ts": 0, "schemaVersion": 1, "version": LINE, "runId": LINE,
        "model": LINE, "cwd": LINE, "prompt": LINE, "sessionId": LINE,
    }  # fmt: skip
    call = {"toolName": LINE, "toolId": LINE}
    events = [
        start,
        {"type": "turn_start", "turn": 1},
        {"type": "text_delta", "text": LINE},
        {"type": "turn_end", "turn": 1, "totalTokens": 0, "stopReason": "tool_use"},
        {"type": "tool_start", **call, "toolInput": {"command": LINE}, "turn": 1, "rule": LINE},
        {"type": "tool_output_delta", **call, "text": LINE},
        {"type": "notice", "code": LINE, "text": LINE},
        {"type": LINE, "x": LINE},
        {"type": "tool_end", **call, "toolOutput": LINE, "exitCode": 0, "durationMs": 1},
        {
            "type": "error", "error": LINE, "code": LINE, "retryable": False, "exitCode": 1,
            "turns": 1, "toolCalls": 1, "totalTokens": 0, "durationMs": 1, "hint": LINE,
        },
    ]  # fmt: skip
    lines = [json.dumps({**event, "seq": n, "ts": 0}, ensure_ascii=False)
             for n, event in enumerate(events)]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return a3s(*command, str(path))


def of_a_policy(a3s: Bench, *command: str) -> Result:
    path = a3s.root / NAME
    path.write_text(f"[[rule]]\nid = {json.dumps(LINE)}\n{json.dumps(LINE)} = 1\n")
    return of_a_recording(a3s, *command, "--policy", str(path))


def of_a_schema(a3s: Bench, *command: str) -> Result:
    schema = {"type": LINE, "properties": {LINE: {"minimum": LINE}}}
    return a3s(*command, "--schema", json.dumps(schema), laws="none")


def of_a_server(a3s: Bench, *command: str) -> Result:
    hostile = {"error": {"message": LINE, "type": LINE, "code": LINE, "param": LINE}}
    reply = error(400, hostile, headers={"x-request-id": "a\x1b[31m##vso[x]"})
    return a3s(*command, script=[reply])


def of_a_model(a3s: Bench, *command: str) -> Result:
    return a3s(*command, script=[bash(LINE), text(LINE)])


def of_arguments(a3s: Bench, *command: str) -> Result:
    return a3s(*(LINE if word == "HOSTILE" else word for word in command), laws="none")


CASES = {
    "config": (of_project_configuration, "config"),
    "config of a broken file": (of_a_broken_configuration, "config"),
    "config in a directory": (in_a_hostile_directory, "config"),
    "models": (of_project_configuration, "models"),
    "models of a broken file": (of_a_broken_configuration, "models"),
    "models pull": (of_arguments, "models", "pull", "HOSTILE"),
    "trust": (in_a_hostile_directory, "trust"),
    "trust elsewhere": (of_arguments, "trust", "HOSTILE"),
    "policy": (of_arguments, "policy", "test", "HOSTILE", "--input", "HOSTILE"),
    "policy with a project": (
        of_project_configuration, "policy", "test", "bash", "--input", '{"command":"ls"}',
    ),
    "a rule": (of_arguments, "run", "hi", "--allow", "HOSTILE"),
    "a model's name": (of_arguments, "run", "hi", "-m", "HOSTILE"),
    "a session's name": (of_arguments, "run", "hi", "--session", "HOSTILE"),
    "sessions show": (of_arguments, "sessions", "show", "HOSTILE"),
    "a command": (of_arguments, "HOSTILE"),
    "an option": (of_arguments, "run", "--HOSTILE", "HOSTILE"),
    "man": (of_arguments, "man", "HOSTILE"),
    "replay": (of_a_recording, "replay"),
    "replay, pretty": (of_a_recording, "replay", "-o", "pretty"),
    "replay, json": (of_a_recording, "replay", "-o", "json"),
    "trace": (of_a_recording, "trace"),
    "audit": (of_a_recording, "audit"),
    "audit for GitHub's log": (of_a_recording, "audit", "-o", "json"),
    "audit by a policy": (of_a_policy, "audit"),
    "a schema": (of_a_schema, "run", "hi"),
    "a server, json": (of_a_server, "run", "hi"),
    "a server, raw": (of_a_server, "run", "hi", "-o", "raw"),
    "a server, pretty": (of_a_server, "run", "hi", "-o", "pretty"),
    "a model, json": (of_a_model, "run", "hi", "--allow", "bash"),
    "a model, pretty": (of_a_model, "run", "hi", "--allow", "bash", "-o", "pretty"),
    "a directory, pretty": (in_a_hostile_directory, "run", "hi", "-o", "pretty"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_both_streams_are_powerless(a3s: Bench, name: str) -> None:
    place, *command = CASES[name]
    result = place(a3s, *command)  # type: ignore[operator]
    assert result.stdout or result.stderr
    powerless(result.stdout)
    powerless(result.stderr)


def test_a_log_is_powerless(a3s: Bench) -> None:
    result = a3s("run", "hi", "--debug", script=[error(500, {"error": {"message": LINE}})] * 9)
    powerless(result.stderr)


def test_raw_is_exact(a3s: Bench) -> None:
    """What a script takes as the answer is what the model said, byte for byte."""
    result = a3s("run", "hi", "-o", "raw", script=[text(LINE)])
    assert result.stdout.rstrip(b"\n") == LINE.encode().rstrip(b"\n")


def test_names_that_are_no_text(a3s: Bench, tmp_path: Path) -> None:
    place = os.fsencode(a3s.work) + b"/\xff\x9b\x1b[31m"
    Path(os.fsdecode(place)).mkdir()
    for command in (["config"], ["trust"], ["run", "hi", "-o", "pretty"]):
        result = a3s(*command, cwd=place)
        powerless(result.stdout)
        powerless(result.stderr)
