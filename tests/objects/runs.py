"""Whole runs inside the test's process, against a scripted provider, for objects."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from a3s_cli.config.layers import load
from a3s_cli.run.conversation import Conversation
from a3s_cli.run.plan import Plan, chosen_model, chosen_policy, chosen_tools, start_event
from a3s_cli.run.run import Run
from a3s_cli.stream.emitter import Emitter
from tests.support import laws, replies, wires
from tests.support.replies import Reply
from tests.support.server import Seen, Server

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
ADA = {"name": "Ada", "age": 36}
ASK = {"schema": PERSON, "prompt": "Who wrote the first program?"}


@dataclass
class Done:
    """What a run said, and what it asked its provider."""

    events: list[dict[str, Any]]
    requests: list[Seen]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def end(self) -> dict[str, Any]:
        """The only tool_end."""
        (end,) = self.of("tool_end")
        return end

    @property
    def told(self) -> Any:
        """What the only call came to."""
        return json.loads(self.end["toolOutput"])

    @property
    def deltas(self) -> list[dict[str, Any]]:
        """The documents that were shown."""
        return [json.loads(event["text"]) for event in self.of("tool_output_delta")]

    @property
    def partials(self) -> list[Any]:
        return [delta.get("object_partial") for delta in self.deltas]

    def asked(self, number: int) -> Any:
        """The body of the n-th request."""
        return self.requests[number].body


NO_SCHEMA: Any = object()


def run(
    work: Path,
    script: Sequence[Reply | bytes],
    *,
    wire: str = "openai-chat",
    schema: Any = NO_SCHEMA,
    tools: str = "generate_object",
    model: str = "",
    prompt: str = "go",
    cancel_after: float | None = None,
    when: Mapping[str, threading.Event] = MappingProxyType({}),
    **settings: Any,
) -> Done:
    """Do one run in which everything is allowed; bytes of the script are whole bodies.

    An event of `when` is set as soon as its text is shown in a delta.
    """
    whole = [replies.raw(one) if isinstance(one, bytes) else one for one in script]
    server = Server(whole, "anthropic" if wire == "anthropic" else "openai-chat")
    try:
        file = work / "objects.acl"
        file.write_text(wires.config(wire, server.url, model))
        chosen = {"model": "test/m-1", **settings}
        config = load(chosen, {}, work, config_file=str(file), project=False)
        rules = {"allow": (), "deny": (), "ask": ()}
        plan = Plan(
            prompt=prompt,
            workspace=work,
            environment={},
            config=config,
            model=chosen_model(config, {}),
            tools=chosen_tools(tools),
            policy=chosen_policy(config, rules, allow_all=True),
            project=False,
            schema=None if schema is NO_SCHEMA else schema,
        )
        emitter, lines = Emitter(), list[bytes]()
        emitter.add_line_sink(lines.append)
        emitter.add_line_sink(lambda shown: _tell(shown, when))
        emitter.emit(start_event(prompt, work, plan))
        conversation = Conversation()
        conversation.prompt(prompt)
        run = Run(plan, emitter, conversation, None, lambda: None)
        asyncio.run(_executed(run, cancel_after))
        events = laws.parse(b"".join(lines))
        laws.check_stream(events, events[-1]["exitCode"])
        assert server.unexpected == 0, "a request too many"
        return Done(events, server.requests)
    finally:
        server.close()


def _tell(lines: bytes, when: Mapping[str, threading.Event]) -> None:
    for text, event in when.items():
        if json.dumps(text)[1:-1].encode() in lines:
            event.set()


async def _executed(run: Run, cancel_after: float | None) -> None:
    from a3s_cli.errors import Cancelled

    if cancel_after is not None:
        stop = Cancelled("cancelled by SIGINT", signal=2)
        asyncio.get_running_loop().call_later(cancel_after, run.cancel, stop)
    await run.execute()


def call(work: Path, *answers: Reply | bytes, **options: Any) -> Done:
    """Have the model call the tool once; these are the answers to the tool's own requests."""
    wire = options.get("wire", "openai-chat")
    arguments = {**ASK, **options.pop("arguments", {})}
    asked = wires.call(wire, "generate_object", arguments)
    return run(work, [asked, *answers, wires.text(wire, "done")], **options)
