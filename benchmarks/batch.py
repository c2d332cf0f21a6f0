"""Measure `a3s batch` against its bars: rate, processor time, memory, and how it ends.

    python -m benchmarks batch [ITEMS [PYTHON]]

The model is a process of its own on loopback that answers one word at once, or, for the
runs in flight, only when it is told to. What is printed are facts of this machine and of
what else it does: processor time is the same on a busy one, items a second are not.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ITEMS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
PYTHON = sys.argv[2] if len(sys.argv) > 2 else sys.executable
WAITING = 200
FLIGHT = "wait for it"
MODEL = """
import asyncio, json, sys
chunk = lambda delta, end=None: {"id": "c", "object": "chat.completion.chunk", "created": 1,
    "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
said = b"data: %b\\n\\ndata: %b\\n\\ndata: [DONE]\\n\\n" % (
    json.dumps(chunk({"content": "hi"})).encode(), json.dumps(chunk({}, "stop")).encode())
head = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ncontent-length: "
reply = head + b"%d\\r\\n\\r\\n%b" % (len(said), said)
waiting = 0
async def answer(reader, writer):
    global waiting
    with_ = asyncio.IncompleteReadError, ConnectionError
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = int(head.lower().partition(b"content-length:")[2].split()[0])
            if b"wait for it" in await reader.readexactly(size):
                waiting += 1
                print(waiting, flush=True)
                await asyncio.sleep(3600)
            writer.write(reply)
    except with_:
        writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextlib.contextmanager
def model() -> Iterator[subprocess.Popen[str]]:
    """Run the model; the first line that it prints is its port."""
    process = subprocess.Popen([sys.executable, "-c", MODEL], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Watched:
    """A batch, and what its processes cost: the driver's and the workers'."""

    def __init__(self, place: Path, url: str, *args: str, out: int = subprocess.DEVNULL) -> None:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(place.with_name("home")),
            "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-bench-0123456789",
        }  # fmt: skip
        command = [PYTHON, "-m", "a3s_cli", "batch", *args, "-m", "openai/m"]
        self.begun = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, cwd=place, stdout=out)
        #: Seconds of processor time and MiB at most, by process.
        self.cpu: dict[int, float] = {}
        self.peak: dict[int, float] = {}

    def look(self) -> None:
        """Take the figures of every process that lives."""
        for pid in [self.process.pid, *self.workers()]:
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if "VmHWM" in status:
                ticks = os.sysconf("SC_CLK_TCK")
                self.cpu[pid] = (int(fields[11]) + int(fields[12])) / ticks
                self.peak[pid] = int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def workers(self) -> list[int]:
        """Return the pids of the workers."""
        pid = self.process.pid
        try:
            return [
                int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            ]
        except OSError:
            return []

    def resident(self) -> float:
        """Return the MiB of all processes now, what they share counted once."""
        total = 0.0
        for pid in [self.process.pid, *self.workers()]:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(told.partition("\nPss:")[2].split()[0]) / 1024
        return total

    def finish(self) -> float:
        """Wait for the end; return the seconds since the beginning."""
        while self.process.poll() is None:
            self.look()
            time.sleep(0.02)
        return time.monotonic() - self.begun


def lives(pid: int) -> bool:
    """Tell whether a process runs; a dead one may wait long for init to take note of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def items(place: Path, number: int, prompt: str = "say hi") -> None:
    """Write a data set."""
    lines = (json.dumps({"id": f"i{n}", "prompt": f"{prompt} {n}"}) + "\n" for n in range(number))
    (place / "items.ndjson").write_text("".join(lines))


def row(name: str, value: str, wanted: str) -> None:
    """Print a row of the table."""
    print(f"| {name} | {value} | {wanted} |", flush=True)


def throughput(place: Path, url: str) -> None:
    """Measure one-word items: rate, processor time, the driver's part and memory."""
    items(place, ITEMS)
    batch = Watched(place, url, "items.ndjson")
    seconds = batch.finish()
    assert batch.process.returncode == 0
    driver = batch.cpu[batch.process.pid]
    whole = sum(batch.cpu.values())
    row(f"items/s of one word, {ITEMS} items", f"{ITEMS / seconds:.0f}", "≥ 150")
    row("processor time an item", f"{1000 * whole / ITEMS:.1f} ms", "")
    row("driver's part of it", f"{100 * driver / whole:.1f} %", "≤ 10 %")
    row("driver's memory", f"{batch.peak[batch.process.pid]:.0f} MiB", "≤ 40 MiB")


def in_flight(place: Path, url: str, served: subprocess.Popen[str]) -> None:
    """Measure the memory of runs that wait for a slow model, and how Ctrl-C and `-9` end them."""
    for number, wanted in ((signal.SIGINT, "2 s"), (signal.SIGKILL, "1 s")):
        items(place, WAITING, FLIGHT)
        directory = f"{number.name}.batch"
        batch = Watched(place, url, "items.ndjson", "--jobs", str(WAITING), "-d", directory)
        assert served.stdout
        for _ in range(WAITING):
            served.stdout.readline()
        if number == signal.SIGINT:
            row(
                f"{WAITING} runs in flight, all processes", f"{batch.resident():.0f} MB", "≤ 300 MB"
            )
        pids = [batch.process.pid, *batch.workers()]
        begun = time.monotonic()
        batch.process.send_signal(number)
        batch.process.wait()
        while any(map(lives, pids)):
            time.sleep(0.005)
        row(f"{number.name}: nothing left after", f"{time.monotonic() - begun:.2f} s", wanted)


def million(place: Path, url: str) -> None:
    """Measure the driver's memory with a million items, of which none is run for long."""
    with (place / "million.ndjson").open("w") as file:
        for number in range(1_000_000):
            file.write(f'{{"id":"item-{number}","prompt":"wait for it {number}"}}\n')
    batch = Watched(place, url, "million.ndjson", "--jobs", "2", out=subprocess.PIPE)
    assert batch.process.stdout
    batch.process.stdout.readline()
    seconds = time.monotonic() - batch.begun
    batch.look()
    row("driver's memory, 1,000,000 items", f"{batch.peak[batch.process.pid]:.0f} MiB", "≤ 250 MiB")
    row("until batch_start of these", f"{seconds:.1f} s", "")
    batch.process.kill()
    batch.process.wait()


def main() -> None:
    """Print the table."""
    print("| | measured | wanted |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="a3s-bench-") as root, model() as served:
        # The home lies elsewhere: in a workspace it would have to be searched for credentials.
        place = Path(root) / "work"
        for directory in (place, Path(root) / "home"):
            directory.mkdir()
        assert served.stdout
        url = f"http://127.0.0.1:{int(served.stdout.readline())}/v1"
        throughput(place, url)
        in_flight(place, url, served)
        million(place, url)


if __name__ == "__main__":
    main()
