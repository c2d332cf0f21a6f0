"""A whole run inside the test's own process: real sockets, real tools, only no process of its own.

For proofs that repeat an experiment a thousand times. The stream is held
against the same laws as the binary's.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from a3s_cli.config.layers import load
from a3s_cli.emitter import Emitter
from a3s_cli.plan import Plan, chosen_model, chosen_policy, chosen_tools, start_event
from a3s_cli.runner import Run

from . import laws


def run(
    work: Path, model: str, config: str = "", *, prompt: str = "go", tools: str | None = None
) -> list[dict[str, Any]]:
    """Do one run in which everything is allowed; give its events."""
    file = work / "inside.acl"
    file.write_text(config)
    settings = load({"model": model}, {}, work, config_file=str(file), project=False)
    plan = Plan(
        prompt=prompt,
        workspace=work,
        environment={},
        config=settings,
        model=chosen_model(settings, {}),
        tools=chosen_tools(tools),
        policy=chosen_policy(settings, {"allow": (), "deny": (), "ask": ()}, allow_all=True),
        project=False,
    )
    emitter, lines = Emitter(), list[bytes]()
    emitter.add_line_sink(lines.append)
    emitter.emit(start_event(prompt, work, plan))
    asyncio.run(Run(plan, emitter).execute())
    events = laws.parse(b"".join(lines))
    laws.check_stream(events, events[-1]["exitCode"])
    return events


def said(events: list[dict[str, Any]], kind: str = "text_delta") -> str:
    """Give all text of one kind of delta."""
    return "".join(event["text"] for event in events if event["type"] == kind)
