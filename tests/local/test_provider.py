"""The restraints on the embedded model, and what a run says that cannot have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a3s_cli.local.restraint import repeats
from a3s_cli.messages import Message, Text, ToolCall, ToolResult
from a3s_cli.model import CallChunk
from a3s_cli.registry import TOOLS, load

from ..support.a3s import Bench


def history(*calls: tuple[str, dict[str, Any], bool]) -> list[Message]:
    """A question, and calls that each succeeded or not."""
    messages = [Message("user", (Text("do it"),))]
    for number, (name, arguments, done) in enumerate(calls):
        call = ToolCall(str(number), name, json.dumps(arguments, indent=1))
        result = ToolResult(str(number), name, "", failed=not done)
        messages += [Message("assistant", (call,)), Message("tool", (result,))]
    return messages


SPECS = [load(target)().spec() for target in TOOLS.values()]
READ = ("read", {"file_path": "a"}, True)
LIST = ("ls", {}, True)
RUN = ("bash", {"command": "make"}, True)
EDIT = ("edit", {"file_path": "a"}, True)
FAILED_EDIT = ("edit", {"file_path": "a"}, False)


@pytest.mark.parametrize(
    ("calls", "again", "expected"),
    [
        ([], READ, False),
        ([READ], READ, True),
        ([READ], LIST, False),
        ([READ, LIST], READ, True),
        ([READ, EDIT], READ, False),
        ([READ, FAILED_EDIT], READ, True),
        ([RUN], RUN, True),
        ([RUN, EDIT], RUN, False),
        ([RUN, READ], RUN, True),
    ],
)
def test_a_call_is_repeated_if_nothing_was_changed_since(
    calls: list[Any], again: Any, expected: bool
) -> None:
    chunk = CallChunk(0, "", again[0], json.dumps(again[1]))
    assert repeats(chunk, history(*calls), SPECS) == expected


def test_an_earlier_question_does_not_count() -> None:
    messages = [*history(READ), Message("user", (Text("again"),))]
    assert not repeats(CallChunk(0, "", READ[0], json.dumps(READ[1])), messages, SPECS)


@pytest.mark.parametrize(
    ("flags", "expected", "hint"),
    [
        (
            (),
            "the model qwen2.5-coder-1.5b (1.12 GB) is not downloaded",
            "a3s models pull qwen2.5-coder-1.5b, or a3s run --pull",
        ),
        (
            ("--pull", "--offline"),
            "the model qwen2.5-coder-1.5b is not downloaded, and --offline forbids downloading it",
            "a3s models pull qwen2.5-coder-1.5b",
        ),
    ],
)
def test_weights_that_are_not_here(
    a3s: Bench, flags: tuple[str, ...], expected: str, hint: str
) -> None:
    result = a3s("run", "-m", "local", *flags, "Say hello.")
    assert (result.status, result.last["error"], result.last["hint"]) == (78, expected, hint)
