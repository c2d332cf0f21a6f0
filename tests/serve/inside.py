"""The server inside the test's process: its tasks can be counted, its patience shortened."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from a3s_cli.errors import Cancelled
from a3s_cli.serve.app import app
from a3s_cli.serve.guard import Guard, Tokens
from a3s_cli.serve.runs import Runs

from ..support.a3s import MODELS, Bench
from ..support.replies import Reply


def request(port: int, token: str, path: str, body: object = None) -> bytes:
    """Return the bytes of a request."""
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"host: 127.0.0.1:{port}"]
    lines += [f"authorization: Bearer {token}"]
    if data:
        lines += ["content-type: application/json", f"content-length: {len(data)}"]
    return "\r\n".join([*lines, "", ""]).encode() + data


@dataclass(frozen=True)
class Inside:
    """A server in the running loop."""

    port: int
    token: str
    runs: Runs

    async def ask(
        self, path: str, body: object = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request(self.port, self.token, path, body))
        return reader, writer


@contextmanager
def scripted(
    bench: Bench, patch: pytest.MonkeyPatch, gate: threading.Event, script: Sequence[Reply]
) -> Iterator[None]:
    """Have the runs of this process answered by a script, whose gate opens at the end."""
    for name, value in bench.environment(bench.serve(script)).items():
        patch.setenv(name, value)
    yield
    gate.set()


@asynccontextmanager
async def inside(work: Path) -> AsyncIterator[Inside]:
    """Serve a workspace; what still runs at the end is cancelled."""
    settings = {"model": MODELS["openai-chat"]}
    runs = Runs({"settings": settings, "workspace": work, "answers": True})
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    tokens = Tokens(port)
    config = uvicorn.Config(
        Guard(app(runs, list), tokens, []),
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextmanager(lambda: iter([None]))  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve([listener]))
    yield Inside(port, tokens.token, runs)
    for run in runs.going_on():
        run.cancel(Cancelled("the test is over"))
        await run.gone.wait()
    server.should_exit = True
    await serving
