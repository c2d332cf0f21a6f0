"""Clients that come and go leave nothing behind: descriptors, threads, tasks, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from pathlib import Path

import pytest

from a3s_cli.errors import Cancelled
from a3s_cli.run.conversation import Conversation
from a3s_cli.serve.disk_threads import READERS
from a3s_cli.serve.prompt_request import PromptRequest
from a3s_cli.serve.runs import LiveRun

from ..support.a3s import Bench, proofs
from ..support.replies import text
from .inside import inside, request, scripted
from .serving import HANG, Host, wait_until

DROPS = proofs(1000)
#: Kilobytes that one client may leave, on average: what forgets a task leaves many more.
LEFT = 4


def cost(pid: int) -> dict[str, int]:
    about = Path(f"/proc/{pid}")
    fields = dict(line.split(":", 1) for line in (about / "status").read_text().splitlines())
    return {
        "kilobytes": int(fields["VmRSS"].split()[0]),
        "descriptors": len(os.listdir(about / "fd")),
        "threads": int(fields["Threads"]),
    }


def test_a_thousand_drops_leave_nothing(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("a", gate)])
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("text_delta")
        paths = ["/api/sessions/s/events", "/api/sessions/nothing/events", "/api/sessions"]

        def come_and_go(times: int) -> None:
            for number in range(times):
                asks = request(serving.port, serving.token, paths[number % len(paths)])
                with socket.create_connection(("127.0.0.1", serving.port), HANG) as client:
                    # Some leave before a word, some in the middle of one.
                    client.sendall(asks[: len(asks) // 2] if number % 7 == 0 else asks)
                    if number % 2 and number % 7:
                        assert client.recv(64)

        come_and_go(200)  # What is only loaded or filled once.
        alone = serving.run.process.pid
        before = cost(alone)
        come_and_go(DROPS)
        wait_until(lambda: cost(alone)["descriptors"] <= before["descriptors"])
        # Those that stay are begun one by one, when so many are needed at once.
        wait_until(lambda: cost(alone)["threads"] <= before["threads"] + READERS + 1)
        grown = cost(alone)["kilobytes"] - before["kilobytes"]
        assert grown < LEFT * DROPS + 1024, f"{grown} KB for {DROPS} clients"
        gate.set()
        frames += list(stream)
    assert frames[-1].data.startswith(b'{"type":"end"')


def test_no_task_stays_behind(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    with scripted(a3s, monkeypatch, gate, [text("a", gate)]):
        asyncio.run(asyncio.wait_for(come_and_go(a3s.work), HANG))


async def come_and_go(work: Path) -> None:
    async def tasks(most: int) -> int:
        while (count := len(asyncio.all_tasks())) > most:
            await asyncio.sleep(0.01)
        return count

    async with inside(work) as serving:
        reader, first = await serving.ask("/api/chat", {"message": "go", "sessionId": "s"})
        assert await reader.readuntil(b'"text_delta"')
        run = serving.runs.live("s")
        assert run
        first.close()
        while run.log._waiting:
            await asyncio.sleep(0.01)
        # This one, the server's and the run's own; no reader's.
        before = await tasks(6)
        clients = [await serving.ask("/api/sessions/s/events") for _ in range(50)]
        for reader, _ in clients:
            assert await reader.readuntil(b'"text_delta"')
        assert len(asyncio.all_tasks()) >= before + 100
        for _, writer in clients:
            writer.close()
        assert await tasks(before) == before
        assert run.log._waiting == set(), "a reader that has left still waits"


def test_no_conversation_stays_behind(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is known by its key for long, and a session may be long."""

    async def ask(work: Path) -> int:
        async with inside(work) as serving:
            for number in range(3):
                run = await serving.runs.begin(
                    PromptRequest("go", "s"), asks=False, key=str(number)
                )
                await run.gone.wait()
            await asyncio.sleep(0)
            gc.collect()
            return sum(isinstance(one, Conversation) for one in gc.get_objects())

    before = sum(isinstance(one, Conversation) for one in gc.get_objects())
    with scripted(a3s, monkeypatch, threading.Event(), [text("a")] * 3):
        assert asyncio.run(asyncio.wait_for(ask(a3s.work), HANG)) <= before


def test_the_same_prompt_twice_while_its_session_ends(
    a3s: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(work: Path) -> None:
        async with inside(work) as serving:
            runs = serving.runs
            ending = runs._live["s"] = LiveRun("s")
            ending.cancel(Cancelled("as in a test"))
            asked = PromptRequest("go", "s")
            both = [asyncio.create_task(runs.begin(asked, asks=False, key="k")) for _ in range(2)]
            await asyncio.sleep(0.05)
            runs._over(ending)
            first, second = await asyncio.gather(*both)
            assert first is second
            await first.gone.wait()

    with scripted(a3s, monkeypatch, threading.Event(), [text("a")]):
        asyncio.run(asyncio.wait_for(ask(a3s.work), HANG))


def test_nobody_follows_a_run_that_never_begins(
    a3s: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `useChat` does after a reload, while a prompt is still being looked at."""

    async def ask(work: Path) -> bytes:
        async with inside(work) as serving:
            run = serving.runs._live["s"] = LiveRun("s")
            reader, writer = await serving.ask("/api/ai-sdk/s/stream")
            await asyncio.sleep(0.05)
            serving.runs._over(run)
            told = await reader.readline()
            writer.close()
            return told

    with scripted(a3s, monkeypatch, threading.Event(), []):
        told = asyncio.run(asyncio.wait_for(ask(a3s.work), HANG))
    assert told.startswith(b"HTTP/1.1 204")
