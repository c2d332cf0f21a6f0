"""Talking to one process of `a3s run --input json`."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 - only for the name of a pipe
from typing import Any

from ..support import laws
from ..support.a3s import Bench
from ..support.laws import Event
from ..support.replies import Reply
from ..support.run import Result, Run

#: Far beyond anything but a hang.
SOON = 60.0


class Dialogue:
    """A process that takes messages."""

    def __init__(self, bench: Bench, *args: str, script: list[Reply], **options: Any) -> None:
        self.run: Run = bench.spawn(
            "run", "--input", "json", *args,
            script=script, laws=options.pop("laws", "several"), stdin=subprocess.PIPE, **options,
        )  # fmt: skip

    def write(self, data: bytes) -> None:
        assert self.run.process.stdin is not None
        self.run.process.stdin.write(data)
        self.run.process.stdin.flush()

    def say(self, *said: dict[str, Any]) -> None:
        self.write(b"".join(json.dumps(one).encode() + b"\n" for one in said))

    def prompt(self, text: str, **more: Any) -> None:
        self.say({"type": "prompt", "text": text, **more})

    def steer(self, text: str) -> None:
        self.say({"type": "steer", "text": text})

    def cancel(self) -> None:
        self.say({"type": "cancel"})

    def answer(self, tool_id: str, answer: str, **more: Any) -> None:
        self.say({"type": "answer", "toolId": tool_id, "answer": answer, **more})

    def wait_for(self, wanted: Any, number: int = 1) -> Event:
        return self.run.wait_for(wanted, SOON, number)

    def ended(self, number: int) -> Event:
        """Wait for the end of the n-th run."""
        return self.wait_for(lambda event: event["type"] in ("end", "error"), number)

    def finish(self) -> Result:
        """End the input, and hold all that came out against the laws."""
        assert self.run.process.stdin is not None
        self.run.process.stdin.close()
        return self.run.finish(SOON)


def types(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def runs(result: Result) -> list[list[Event]]:
    return laws.runs_of(result.events)


def prompts(result: Result) -> list[str]:
    return [run[0]["prompt"] for run in runs(result)]


def told(result: Result, number: int = -1) -> list[tuple[str, str]]:
    """The roles and words of a request's messages, as the server got them."""
    body = result.requests[number].body
    assert body is not None
    return [
        (one["role"], one["content"] or "") for one in body["messages"] if one["role"] != "system"
    ]
