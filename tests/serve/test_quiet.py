"""What is sent while there is nothing to say, and what is not sent to a client that only looks."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from a3s_cli.serve import approvals, disk_threads, follow
from a3s_cli.sessions import file as session_file

from ..support.a3s import Bench
from ..support.replies import bash, call, text
from .inside import inside, scripted
from .serving import HANG, Host

MESSAGES = [{"role": "user", "content": "go"}]
PARTS = [{"role": "user", "parts": [{"type": "text", "text": "go"}]}]
STREAMS = {
    "/api/chat": {"message": "go"},
    "/api/ai-sdk": {"messages": PARTS},
    "/v1/chat/completions": {"messages": MESSAGES, "stream": True},
}


@pytest.mark.parametrize("path", STREAMS)
def test_a_quiet_stream_says_that_it_lives(
    a3s: Bench, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert follow.HEARTBEAT == 15
    monkeypatch.setattr(follow, "HEARTBEAT", 0.05)
    gate = threading.Event()

    async def listen(work: Path) -> None:
        async with inside(work) as serving:
            reader, writer = await serving.ask(path, STREAMS[path])
            await reader.readuntil(b"\r\n\r\n")
            quiet = b""
            # Comments stand between events, each a block of its own, and nowhere else.
            for _ in range(4):
                quiet += await reader.readuntil(b": keep-alive\n\n")
            gate.set()
            whole = quiet + await reader.read()
            writer.close()
        body = b"".join(whole.split(b"\r\n")[1::2])
        blocks = body.split(b"\n\n")
        assert blocks.pop() == b""
        assert blocks.count(b": keep-alive") >= 4
        started = (b"data: ", b"id: ", b": keep-alive")
        assert all(block.startswith(started) for block in blocks), body

    with scripted(a3s, monkeypatch, gate, [text("a", gate, "b")]):
        asyncio.run(asyncio.wait_for(listen(a3s.work), HANG))


def test_no_disk_holds_up_the_loop(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said is forced to the disk as in a run of the command line, and elsewhere."""
    forced: list[tuple[str, bytes]] = []

    def force(descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        lines = os.pread(descriptor, size, 0).splitlines()
        forced.append((threading.current_thread().name, lines[-1][:20]))

    monkeypatch.setattr(session_file, "_sync", force)

    async def listen(work: Path) -> None:
        async with inside(work) as serving:
            reader, writer = await serving.ask("/api/chat", {"message": "go", "sessionId": "s"})
            await reader.readuntil(b'{"type":"end"')
            writer.close()
            while serving.runs.live("s"):
                await asyncio.sleep(0.01)

    reads = call("read", {"file_path": "none"}, "c1")
    with scripted(a3s, monkeypatch, threading.Event(), [reads, text("ok")]):
        asyncio.run(asyncio.wait_for(listen(a3s.work), HANG))
    # After the turn with a call, and after the run.
    assert [name for name, _ in forced] == ["a3s-sync_0"] * 2
    assert forced[-1][1] == b'{"type":"session_clo'


def test_a_run_whose_end_was_told_is_not_listed_as_going_on(
    a3s: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is closed later, here not before the list was asked for."""
    held = threading.Event()

    async def listen(work: Path) -> bytes:
        async with inside(work) as serving:
            disk_threads.later(lambda: held.wait(HANG))
            reader, writer = await serving.ask("/api/chat", {"message": "go", "sessionId": "s"})
            await reader.readuntil(b'{"type":"end"')
            assert serving.runs.live("s")
            listing, asking = await serving.ask("/api/sessions")
            await listing.readuntil(b"\r\n\r\n")
            rows = await listing.readuntil(b"]")
            asking.close()
            writer.close()
            held.set()
            return rows

    try:
        with scripted(a3s, monkeypatch, threading.Event(), [text("ok")]):
            rows = asyncio.run(asyncio.wait_for(listen(a3s.work), HANG))
    finally:
        held.set()
    (row,) = json.loads(rows)
    assert (row["id"], row["turns"], row["live"]) == ("s", 1, False)


def test_a_question_does_not_wait_for_ever(a3s: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert approvals.PATIENCE == 3600
    monkeypatch.setattr(approvals, "PATIENCE", 0.05)

    async def listen(work: Path) -> bytes:
        async with inside(work) as serving:
            reader, writer = await serving.ask("/api/chat", {"message": "go"})
            found = await reader.readuntil(b'{"type":"end"')
            writer.close()
            return found

    with scripted(a3s, monkeypatch, threading.Event(), [bash("touch made", "c1"), text("ok")]):
        found = asyncio.run(asyncio.wait_for(listen(a3s.work), HANG))
    assert b'"toolId":"c1","answer":"no","by":"nobody"' in found
    assert b"no answer came within 0.05 s" in found
    assert not (a3s.work / "made").exists()


def test_whoever_only_looks_is_not_kept(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("a", gate)])
    with serving.chat("go", sessionId="s") as stream:
        stream.take("text_delta")
        looked = serving.client.head("/api/sessions/s/events")
        assert (looked.status_code, looked.content) == (200, b"")
        gate.set()
        assert list(stream)
