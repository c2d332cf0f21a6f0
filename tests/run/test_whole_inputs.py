"""A call's input is in the stream whole before it is asked about, and before it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, call, text

#: More than a line holds, with an end that matters.
LONG = "echo " + "a" * 70_000 + "; echo hidden tail > tail.txt"


def pieces(events: list[dict[str, object]], kind: str) -> tuple[str, list[str]]:
    """The text of the input deltas right before the first event of a kind, and what they are of."""
    at = next(number for number, event in enumerate(events) if event["type"] == kind)
    begin = at
    while events[begin - 1]["type"] == "tool_input_delta":
        begin -= 1
    deltas = events[begin:at]
    return "".join(str(one["text"]) for one in deltas), [str(one["toolId"]) for one in deltas]


@pytest.mark.parametrize("options", [[], ["--tool-input"]], ids=["plain", "with --tool-input"])
def test_a_long_command_is_shown_whole_before_it_runs(a3s: Bench, options: list[str]) -> None:
    result = a3s("run", "go", "--allow", "bash", *options, script=[bash(LONG), text("done")])
    shown, ids = pieces(result.events, "tool_start")
    start = next(event for event in result.events if event["type"] == "tool_start")
    assert json.loads(shown) == {"command": LONG}
    assert set(ids) == {start["toolId"]}
    assert start["inputTruncated"] is True
    assert (a3s.work / "tail.txt").read_text() == "hidden tail\n"


def test_a_recording_and_a_session_hold_it(a3s: Bench, tmp_path: Path) -> None:
    record = tmp_path / "run.ndjson"
    content = "line\n" * 20_000
    write = call("write", {"file_path": "a.txt", "content": content})
    script = [write, text("done")]
    result = a3s("run", "go", "--allow", "write", "--record", str(record), script=script)
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    for events in (result.events, lines):
        shown, _ = pieces(events, "tool_start")
        assert json.loads(shown) == {"file_path": "a.txt", "content": content}


def test_what_fits_is_not_said_twice(a3s: Bench) -> None:
    result = a3s("run", "go", "--allow", "bash", script=[bash("echo short"), text("done")])
    assert "tool_input_delta" not in {event["type"] for event in result.events}


def test_secrets_in_it_are_hidden(a3s: Bench) -> None:
    key = "sk-live-1234567890abcdefghij"
    command = f"echo {'b' * 70_000} {key}"
    result = a3s(
        "run", "go", "--allow", "bash", script=[bash(command), text("done")],
        env={"DEPLOY_TOKEN": key},
    )  # fmt: skip
    shown, _ = pieces(result.events, "tool_start")
    assert key not in shown
    assert json.loads(shown)["command"].startswith("echo bbb")
