"""A whole run inside the test's own process: real sockets, real tools, only no process of its own.

For proofs that repeat an experiment a thousand times, and for tables of answers
whose meaning is in question, not how a process ends. The stream is held against
the same laws as the binary's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from a3s_cli.config.layers import load
from a3s_cli.run.conversation import Conversation
from a3s_cli.run.plan import Plan, chosen_model, chosen_policy, chosen_tools, start_event
from a3s_cli.run.run import Run
from a3s_cli.stream.emitter import Emitter

from . import laws
from .replies import Reply, Wire
from .run import Result, check_calls
from .server import Server


def play(
    work: Path,
    script: Sequence[Reply],
    wire: Wire = "openai-chat",
    config: str = "",
    tools: str | None = None,
) -> Result:
    """Do one run against a scripted provider; give what the binary would have left of it."""
    vendor = wire.partition("-")[0]
    server = Server(script, wire)
    environment = {
        "OPENAI_API_KEY": "sk-inside-0123456789abcdef",
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "ANTHROPIC_API_KEY": "sk-ant-inside-0123456789abcdef",
        "ANTHROPIC_BASE_URL": server.url,
    }
    try:
        lines = _lines(work, f"{vendor}/test-model", config, "go", tools, environment)
    finally:
        server.close()
    events = laws.parse(b"".join(lines))
    laws.check_stream(events, events[-1]["exitCode"])
    assert server.unexpected == 0, f"{server.unexpected} requests too many"
    result = Result(b"".join(lines), b"", events[-1]["exitCode"], server.requests, mark="")
    check_calls(result)
    return result


def run(
    work: Path, model: str, config: str = "", *, prompt: str = "go", tools: str | None = None
) -> list[dict[str, Any]]:
    """Do one run in which everything is allowed; give its events."""
    events = laws.parse(b"".join(_lines(work, model, config, prompt, tools, {})))
    laws.check_stream(events, events[-1]["exitCode"])
    return events


def _lines(
    work: Path,
    model: str,
    config: str,
    prompt: str,
    tools: str | None,
    environment: Mapping[str, str],
) -> list[bytes]:
    file = work / "inside.acl"
    file.write_text(config)
    settings = load({"model": model}, environment, work, config_file=str(file), project=False)
    plan = Plan(
        prompt=prompt,
        workspace=work,
        environment=environment,
        config=settings,
        model=chosen_model(settings, environment),
        tools=chosen_tools(tools),
        policy=chosen_policy(settings, {"allow": (), "deny": (), "ask": ()}, allow_all=True),
        project=False,
    )
    emitter, lines = Emitter(), list[bytes]()
    emitter.add_line_sink(lines.append)
    emitter.emit(start_event(prompt, work, plan))
    conversation = Conversation()
    conversation.prompt(prompt)
    asyncio.run(Run(plan, emitter, conversation).execute())
    return lines


def said(events: list[dict[str, Any]], kind: str = "text_delta") -> str:
    """Return all text of one kind of delta."""
    return "".join(event["text"] for event in events if event["type"] == kind)
