"""The bash tool in a sandbox: the same deltas, results and statuses as without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.files.workspace import Workspace
from a3s_cli.sandbox.bwrap import Bubblewrap
from a3s_cli.sandbox.probe import Probe
from a3s_cli.tool_protocol import ToolContext, ToolReturn
from a3s_cli.tools.bash import Bash

from .cage import PATH


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Bubblewrap]:
    environ = {"PATH": PATH, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    probe = Probe(environ, tmp_path / "work")
    if not probe.answer(10):
        pytest.skip(f"no sandbox here: {probe.reason}")
    assert probe.program
    (tmp_path / "work").mkdir()
    sandbox = Bubblewrap([str(tmp_path / "work")], program=probe.program, environment=environ)
    yield sandbox
    sandbox.close()


def call(
    sandbox: Bubblewrap | None, root: Path, *commands: str, timeout: float = 30.0
) -> tuple[list[ToolReturn], str]:
    shown: list[str] = []

    async def drain() -> None:
        pass

    context = ToolContext(
        Workspace(root),
        shown.append,
        drain,
        timeout=timeout,
        environment={"PATH": PATH, "HOME": os.environ.get("HOME", "/")},
        sandbox=sandbox,
    )

    async def all_() -> list[ToolReturn]:
        return await asyncio.gather(*(Bash().run({"command": one}, context) for one in commands))

    return asyncio.run(all_()), "".join(shown)


@pytest.mark.parametrize(
    "command",
    [
        "echo out; echo err >&2; exit 3",
        "printf 'no newline'",
        "printf '\\xff\\xc3\\xa9\\n'",
        "nosuch",
        "kill -9 $$",
        "kill -9 $PPID; sleep 9",
        "seq 20000",
    ],
)
def test_it_is_the_same_with_and_without(sandbox: Bubblewrap, tmp_path: Path, command: str) -> None:
    confined = call(sandbox, tmp_path / "work", command)
    assert confined == call(None, tmp_path / "work", command)


def test_a_deadline(sandbox: Bubblewrap, tmp_path: Path) -> None:
    results, shown = call(sandbox, tmp_path / "work", "echo up; sleep 99", timeout=0.5)
    remark = "[0.5 s is the most that a call may take here]"
    assert (results, shown) == ([ToolReturn(None, 124, "timeout", remark=remark)], "up\n")


def test_calls_of_one_turn(sandbox: Bubblewrap, tmp_path: Path) -> None:
    commands = [f"echo {n} > {n}; echo x > .envrc; echo x > ../outside" for n in range(4)]
    results, _ = call(sandbox, tmp_path / "work", *commands)
    assert [result.exit_code for result in results] == [1] * 4
    assert sorted(os.listdir(tmp_path / "work")) == ["0", "1", "2", "3"]
    assert not (tmp_path / "outside").exists()


def test_a_cancelled_call(sandbox: Bubblewrap, tmp_path: Path) -> None:
    async def receive(_: bytes) -> None:
        task.cancel()

    async def scene() -> None:
        nonlocal task
        task = asyncio.ensure_future(
            sandbox.run(
                ["bash", "-c", "echo up; setsid sleep 99 & sleep 99; echo x > late"],
                cwd=tmp_path / "work",
                environment={"PATH": PATH},
                timeout=None,
                receive=receive,
            )
        )
        with pytest.raises(asyncio.CancelledError):
            await task

    task: asyncio.Future[object]
    before = set(os.listdir("/proc/self/fd"))
    asyncio.run(scene())
    assert os.listdir(tmp_path / "work") == []
    sandbox.close()
    assert set(os.listdir("/proc/self/fd")) == before
