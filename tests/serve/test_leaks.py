"""Clients that come and go leave nothing behind: descriptors, threads, tasks, memory."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from a3s_cli.errors import Cancelled
from a3s_cli.prompt import PromptSource
from a3s_cli.run_plan import RunOptions
from a3s_cli.serve.app import app
from a3s_cli.serve.guard import Guard, Tokens
from a3s_cli.serve.runs import Runs

from ..support.a3s import Bench, proofs
from ..support.replies import text
from .serving import HANG, Host, wait_until

DROPS = proofs(1000)
#: Kilobytes that one client may leave, on average: what forgets a task leaves many more.
LEFT = 4


def request(port: int, token: str, path: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"authorization: Bearer {token}"]
    return "\r\n".join([*lines, "", ""]).encode()


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
        wait_until(lambda: cost(alone)["threads"] <= before["threads"])
        grown = cost(alone)["kilobytes"] - before["kilobytes"]
        assert grown < LEFT * DROPS + 1024, f"{grown} KB for {DROPS} clients"
        gate.set()
        frames += list(stream)
    assert frames[-1].data.startswith(b'{"type":"end"')


@contextmanager
def environment(bench: Bench, patch: pytest.MonkeyPatch) -> Iterator[None]:
    gate = threading.Event()
    model = bench.serve([text("a", gate)])
    for name, value in bench.environment(model).items():
        patch.setenv(name, value)
    yield
    gate.set()


def test_no_task_stays_behind(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where tasks can be counted."""
    with environment(a3s, monkeypatch):
        asyncio.run(asyncio.wait_for(come_and_go(a3s.work), HANG))


async def come_and_go(work: Path) -> None:
    options = RunOptions(PromptSource(), settings={"model": "openai/test-model"})
    runs = Runs(options, work, {})
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    tokens = Tokens(port)
    guard = Guard(app(runs, list), tokens, [])
    server = uvicorn.Server(uvicorn.Config(guard, log_config=None, lifespan="off"))
    server.capture_signals = contextmanager(lambda: iter([None]))  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve([listener]))
    body = b'{"message":"go","sessionId":"s"}'
    post = request(port, tokens.token, "/api/chat").replace(b"GET", b"POST")
    more = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    _, first = await asyncio.open_connection("127.0.0.1", port)
    first.write(post[:-2] + more + body)
    asks = request(port, tokens.token, "/api/sessions/s/events")

    async def tasks(most: int) -> set[asyncio.Task[None]]:
        while len(found := asyncio.all_tasks()) > most:
            await asyncio.sleep(0.01)
        return found

    while runs.live("s") is None:
        await asyncio.sleep(0.01)
    run = runs.live("s")
    assert run
    while not run.log.next >= 3:
        await asyncio.sleep(0.01)
    first.close()
    # This one, the server's and the run's own; no reader's.
    before = len(await tasks(6))
    clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
    for reader, writer in clients:
        writer.write(asks)
        assert await reader.readuntil(b'"text_delta"')
    assert len(asyncio.all_tasks()) >= before + 100
    for _, writer in clients:
        writer.close()
    assert len(await tasks(before)) == before
    assert run.log._waiting == set(), "a reader that has left still waits"
    server.should_exit = True
    await serving
    for one in runs.going_on():
        one.cancel(Cancelled("the test is over"))
        await one.gone.wait()
