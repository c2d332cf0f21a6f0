"""A place to use the library in: a home, a workspace, a scripted provider, in this very process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from a3s_cli import Agent, EventStream, PermissionPolicy, Session, SessionOptions

from ..support import laws, processes
from ..support.a3s import MODELS, Bench
from ..support.replies import Reply, Wire
from ..support.server import Server

ALLOWED = PermissionPolicy(default_decision="allow")


class Library:
    """Makes sessions whose provider plays a script."""

    def __init__(self, bench: Bench, patch: pytest.MonkeyPatch) -> None:
        self.bench = bench
        self.work = bench.work
        self._patch = patch
        self.server: Server

    def serve(
        self, script: Sequence[Reply], wire: Wire = "openai-chat", after: Any = "fail"
    ) -> None:
        """Have every session that is made from now on answered by this script."""
        self.server = self.bench.serve(script, wire, after)
        for name, value in self.bench.environment(self.server).items():
            if name not in ("PATH", "TMPDIR"):
                self._patch.setenv(name, value)

    def session(
        self,
        script: Sequence[Reply],
        *,
        wire: Wire = "openai-chat",
        after: Any = "fail",
        **options: Any,
    ) -> Session:
        """Return a session that may do anything, unless its options say otherwise."""
        self.serve(script, wire, after)
        given = {"model": MODELS[wire], "permission_policy": ALLOWED, "sandbox": "off", **options}
        return Agent.create().session(self.work, SessionOptions(**given))

    def asked(self, request: int) -> list[tuple[str, str]]:
        """What the n-th request told the model: who said what, the system prompt left out."""
        body = self.server.requests[request - 1].body
        said = [(one["role"], _words(one)) for one in body["messages"]]
        return [(role, words) for role, words in said if role != "system"]

    def wait_for_process(self, mark: str) -> None:
        processes.wait_until_alive(mark)


def _words(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        calls = [call["function"]["name"] for call in message.get("tool_calls", ())]
        return content + "".join(f"<{name}>" for name in calls)
    return "".join(
        part.get("text") or f"<{part.get('name') or part.get('content')}>" for part in content
    )


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """The library; a thread, a task or a process that a test leaves running fails it."""
    bench = Bench(tmp_path)
    before = set(threading.enumerate())
    monkeypatch.delenv("A3S_MODEL", raising=False)
    yield Library(bench, monkeypatch)
    bench.close()
    left = _own_threads(before)
    assert not left, f"threads left: {left}"


def _own_threads(before: set[threading.Thread]) -> list[str]:
    deadline = time.monotonic() + 10
    while True:
        left = [one.name for one in set(threading.enumerate()) - before if one.name[:4] != "asyn"]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def lawful(stream: EventStream | Sequence[Any]) -> list[Any]:
    """Read a stream to its end and hold it against the contract's laws; give its events."""
    events = list(stream)
    wire = laws.parse(b"".join(event.to_bytes() for event in events))
    laws.check_stream(wire, wire[-1]["exitCode"])
    return events


async def collected(stream: EventStream) -> list[Any]:
    """As `lawful`, in the running loop."""
    return lawful([event async for event in stream])


def no_tasks_left() -> bool:
    """Whether the running loop has nothing to do but the test."""
    return asyncio.all_tasks() == {asyncio.current_task()}
