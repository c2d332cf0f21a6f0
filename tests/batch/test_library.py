"""`agent.batch`: the same batch from Python."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import Agent, Batch, PermissionPolicy, SessionOptions, tool
from a3s_cli.errors import UsageError
from a3s_cli.events.batch import BatchEnd

from ..support import processes
from ..support.run import PROMISE, SLACK
from .model import Model


@pytest.fixture
def agent(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    for name, value in model.environment().items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return Agent.create('default_model = "openai/m"')


def read(batch: Batch) -> list[tuple[str | None, Any]]:
    async def all_of_it() -> list[tuple[str | None, Any]]:
        return [(item, event) async for item, event in batch]

    return asyncio.run(all_of_it())


def test_events_and_results(agent: Agent, tmp_path: Path) -> None:
    items = [{"id": f"i{n}", "prompt": f"say {n}"} for n in range(5)]
    batch = agent.batch(items, directory=tmp_path / "kept", jobs=3)
    events = read(batch)
    assert events[0][1].type == "batch_start"
    last = events[-1][1]
    assert isinstance(last, BatchEnd) and last.succeeded == 5
    assert batch.exit_code == 0
    ends = {item: event.text for item, event in events if event.type == "item_end"}
    assert ends == {f"i{n}": str(n) for n in range(5)}
    starts = [item for item, event in events if event.type == "start"]
    assert sorted(map(str, starts)) == sorted(ends)
    assert {one.item: one.text for one in Batch.results(tmp_path / "kept")} == ends
    again = read(agent.batch(items, directory=tmp_path / "kept"))
    assert [event.type for _, event in again] == ["batch_start", "batch_end"]


def test_leaving_the_loop_leaves_nothing(agent: Agent, model: Model, tmp_path: Path) -> None:
    sleeper = processes.sleeper()
    options = SessionOptions(
        permission_policy=PermissionPolicy(default_decision="allow"), sandbox="off"
    )
    batch = agent.batch(
        [{"id": "a", "prompt": f"run {sleeper}"}], ".", options, directory=tmp_path / "kept"
    )

    async def leave() -> None:
        async with batch:
            async for _, event in batch:
                if event.type == "tool_start":
                    processes.wait_until_alive(sleeper)
                    break

    asyncio.run(leave())
    assert processes.wait_until_gone(sleeper, PROMISE + SLACK) == []
    del model


def test_what_cannot_go_to_another_process_is_refused(agent: Agent, tmp_path: Path) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    with pytest.raises(UsageError, match="tools that are functions"):
        agent.batch(["x"], ".", SessionOptions(tools=[weather]), directory=tmp_path)
    with pytest.raises(UsageError, match="on_ask"):
        agent.batch(["x"], ".", SessionOptions(on_ask=lambda _: "no"), directory=tmp_path)
    with pytest.raises(UsageError, match="directory"):
        agent.batch(["x"])
    with pytest.raises(TypeError, match="no option 'job'"):
        agent.batch(["x"], directory=tmp_path, job=3)
