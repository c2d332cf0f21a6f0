"""Measure `a3s serve` under load: latency of each event, a client that stalls, drops that leak.

    python -m benchmarks.serve_load [CLIENTS [SECONDS [RATE]]]

A provider in a process of its own says a word with the time on it RATE times a
second to each run; what is measured is how old a word is when the client has it:
the provider's socket, the run, the log and the server-sent event. Once with a run
for each client, once with one run for all. Every client must get every event in
order. What is printed are facts of this machine and of what else it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path

#: Clients, seconds, and words a second of each run.
CLIENTS, SECONDS, RATE = (
    int(one) for one in [*sys.argv[1:], *["200", "12", "10"][len(sys.argv) - 1 :]]
)
#: Seconds in which all runs begin.
BEGIN = 3
DROPS = 1000
#: Megabytes that a run says while a client of it does not read.
FLOOD = 32
STALLED = 50
FRAME = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n'
)
LAST = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request as its prompt says: so many timed words, or so many megabytes at once."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    body = json.loads(await reader.readexactly(length))
    kind, _, number = body["messages"][-1]["content"].partition(" ")
    writer.write(HEAD)
    if kind == "words":
        for _ in range(int(number)):
            writer.write(FRAME % b"%d " % time.monotonic_ns())
            await asyncio.sleep(1 / RATE)
    else:
        for _ in range(int(number) * 64):
            writer.write(FRAME % (b"x" * (1 << 14)))
            await writer.drain()
    writer.write(LAST)
    await writer.drain()
    writer.close()


@contextlib.contextmanager
def provider() -> Iterator[str]:
    """Run the provider; give its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    pid = os.fork()
    if not pid:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.start_server(answer, sock=listener, limit=1 << 24))
        loop.run_forever()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


class Serving:
    """The server that is measured."""

    def __init__(self, home: Path, url: str) -> None:
        environment = {
            **{name: os.environ[name] for name in ("PATH",)},
            "HOME": str(home),
            "OPENAI_API_KEY": "sk-bench-0123456789",
            "OPENAI_BASE_URL": url,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "a3s_cli", "serve", "--port", "0", "-m", "openai/m"],
            stdout=subprocess.PIPE,
            env=environment,
            cwd=home,
        )
        assert self.process.stdout
        address, _, self.token = self.process.stdout.readline().decode().strip().rpartition("=")
        self.port = int(address.rpartition(":")[2].partition("/")[0])

    async def connect(self, path: str, body: object = None) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1"]
        lines += [f"host: 127.0.0.1:{self.port}", f"authorization: Bearer {self.token}"]
        lines += ["content-type: application/json", f"content-length: {len(data)}", "", ""]
        writer.write("\r\n".join(lines).encode() + data)
        return Client(reader, writer)

    def cpu(self) -> float:
        """Return the seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cost(self) -> tuple[float, int, int]:
        """Return megabytes, descriptors and threads."""
        about = Path(f"/proc/{self.process.pid}")
        fields = dict(line.split(":", 1) for line in (about / "status").read_text().splitlines())
        memory = int(fields["VmRSS"].split()[0]) / 1024
        return memory, len(os.listdir(about / "fd")), int(fields["Threads"])


class Client:
    """One connection, and how old each word was on its arrival, in milliseconds."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ages: list[float] = []

    async def follow(self) -> None:
        """Read a run to its end; nothing may be missing."""
        for due in itertools.count():
            frame = await self.frame()
            now = time.monotonic_ns()
            event = json.loads(frame.partition(b"data: ")[2])
            assert event["seq"] == due, f"{event['seq']} where {due} was due"
            if event["type"] == "text_delta":
                self.ages.append((now - int(event["text"])) / 1e6)
            if event["type"] in ("end", "error"):
                assert event["type"] == "end", event
                return

    async def frame(self) -> bytes:
        while True:
            block = await self._reader.readuntil(b"\n\n")
            if b"data: " in block:
                return block

    def drop(self) -> None:
        self._writer.close()


async def own_runs(serving: Serving, clients: int, words: int) -> list[float]:
    """A run for each client."""
    body = {"message": f"words {words}"}

    async def one(number: int) -> list[float]:
        await asyncio.sleep(
            BEGIN * number / clients
        )  # 200 people do not press a key at the same instant.
        client = await serving.connect("/api/chat", body)
        await client.follow()
        client.drop()
        # While all of them are there: neither those that begin nor those that are alone.
        wait = BEGIN * (1 - number / clients) + 1
        return client.ages[int(wait * RATE) : words - int(BEGIN * number / clients * RATE)]

    return list(itertools.chain(*await asyncio.gather(*map(one, range(clients)))))


async def one_run(serving: Serving, clients: int, words: int) -> list[float]:
    """One run, which everybody follows from its begin."""
    session = f"bench-{time.monotonic_ns()}"
    first = await serving.connect("/api/chat", {"message": f"words {words}", "sessionId": session})
    await first.frame()
    path = f"/api/sessions/{session}/events"
    others = [await serving.connect(path) for _ in range(clients - 1)]
    await asyncio.gather(*(client.follow() for client in others))
    for client in [first, *others]:
        client.drop()
    # What was said before a client came was old by then.
    return [age for client in others for age in client.ages[RATE:]]


async def flood(serving: Serving, clients: int) -> float:
    """A run says megabytes, and so many clients do not read; give the peak in megabytes."""
    session = f"flood-{clients}"
    body = {"message": f"flood {FLOOD}", "sessionId": session}
    run = await serving.connect("/api/chat", body)
    await run.frame()
    stalled = [await serving.connect(f"/api/sessions/{session}/events") for _ in range(clients)]
    run.drop()
    peak = 0.0
    while b'"live":true' in await listed(serving):
        peak = max(peak, serving.cost()[0])
        await asyncio.sleep(0.02)
    for client in stalled:
        client.drop()
    return peak


async def listed(serving: Serving) -> bytes:
    client = await serving.connect("/api/sessions")
    head = await client._reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    body = await client._reader.readexactly(length)
    client.drop()
    return body


async def drops(serving: Serving) -> None:
    """Connect to a run that goes on, read a little, and leave."""
    body = {"message": f"words {RATE * 60}", "sessionId": "drops"}
    run = await serving.connect("/api/chat", body)
    await run.frame()
    for turn in range(2):
        for _ in range(DROPS // (4 if turn == 0 else 1)):
            client = await serving.connect("/api/sessions/drops/events")
            await client.frame()
            client.drop()
        await asyncio.sleep(0.5)
        print(f"  {'before' if turn == 0 else 'after '}  {told(serving)}")
    await serving.connect("/api/sessions/drops/cancel", {})
    while b'"end"' not in (frame := await run.frame()) and b'"error"' not in frame:
        pass
    run.drop()


def told(serving: Serving) -> str:
    memory, descriptors, threads = serving.cost()
    return f"{memory:6.1f} MB  {descriptors} descriptors  {threads} threads"


async def ages(title: str, serving: Serving, asked: Awaitable[list[float]]) -> None:
    before = serving.cpu()
    found = await asked
    parts = statistics.quantiles(found, n=100)
    used = (serving.cpu() - before) * 1e6 / len(found)
    print(f"{title}: {len(found)} events, ", end="")
    print(f"p50 {parts[49]:.1f} ms, p99 {parts[98]:.1f} ms, {used:.0f} µs of CPU for each")


async def measure(serving: Serving, clients: int, words: int) -> None:
    await own_runs(serving, 1, 5)
    print(f"idle: {told(serving)}")
    await ages("1 run, 1 client", serving, own_runs(serving, 1, words))
    many = f"{clients} clients"
    await ages(f"{clients} runs, {many}", serving, own_runs(serving, clients, words))
    await ages(f"1 run, {many}", serving, one_run(serving, clients, words))
    print(f"then: {told(serving)}")
    alone, crowded = await flood(serving, 0), await flood(serving, STALLED)
    each = (crowded - alone) * 1024 / STALLED
    print(f"a run of {FLOOD} MB: {alone:.1f} MB; with {STALLED} clients that do not read: ", end="")
    print(f"{crowded:.1f} MB, {each:.0f} KB for each")
    print(f"{DROPS} connects and drops:")
    await drops(serving)


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with tempfile.TemporaryDirectory() as home, provider() as url:
        serving = Serving(Path(home), url)
        try:
            asyncio.run(measure(serving, CLIENTS, SECONDS * RATE))
        finally:
            serving.process.terminate()
            serving.process.wait(30)


if __name__ == "__main__":
    main()
