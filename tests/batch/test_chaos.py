"""Kills, signals, a reader that stalls or leaves, a disk that is full: nothing is lost or left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess  # noqa: TID251 - mounts a small disk
import time
from pathlib import Path

import pytest

from ..support import processes
from ..support.a3s import proofs
from ..support.run import PROMISE, SLACK
from ..support.terminal import Terminal
from .bench import BatchBench
from .laws import check_batch
from .model import Model

#: A command that ends the worker whose command it is, and no other process.
KILL_WORKER = (
    "p=$PPID; until grep -q batch.[w]orker /proc/$p/cmdline; do "
    "p=$(cut -d' ' -f4 /proc/$p/stat); [ $p -gt 1 ] || exit; done; kill -9 $p"
)


def workers(batch: BatchBench, driver: int) -> list[int]:
    """The workers of a driver that we have started."""
    try:
        told = Path(f"/proc/{driver}/task/{driver}/children").read_text().split()
    except OSError:
        return []
    return [int(pid) for pid in told if b"batch.worker" in _command(int(pid))]


def busiest(pids: list[int]) -> int:
    """The process with most sockets: a worker of whose items most wait for the model."""
    return max(pids, key=_sockets)


def _sockets(pid: int) -> int:
    number = 0
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            number += os.readlink(one).startswith("socket:")
    return number


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(batch: BatchBench, pid: int) -> None:
    try:
        processes.send(pid, signal.SIGKILL, batch.bench.mark)
    except ProcessLookupError:
        return


def run_with_killed_drivers(batch: BatchBench, number: int, kills: int) -> None:
    batch.say(number)
    printed: set[str] = set()
    for turn in range(kills):
        run = batch.spawn("items.ndjson", "--jobs", "16", "--no-session")
        wanted = number * (turn + 1) // (kills + 2)
        deadline = time.monotonic() + 600
        while batch.model.prompts.total() < wanted and run.process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(batch, run.pid)
        result = run.finish()
        assert processes.wait_until_gone(batch.bench.mark, PROMISE + SLACK) == []
        events = check_batch(result.stdout, None, whole=False)
        ends = [one["item"] for one in events if one["type"] == "item_end"]
        assert printed.isdisjoint(ends)
        printed.update(ends)
    last = batch.spawn("items.ndjson", "--jobs", "16", "--no-session").finish(600)
    events = check_batch(last.stdout, 0)
    assert printed.isdisjoint(one["item"] for one in events if one["type"] == "item_end")
    assert events[-1]["succeeded"] == number
    assert batch.texts("items.ndjson.batch") == {f"i{n}": str(n) for n in range(number)}


def test_a_killed_driver_is_resumed_without_loss_or_repetition(batch: BatchBench) -> None:
    run_with_killed_drivers(batch, proofs(1000), 4)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_ten_thousand_items_and_four_killed_drivers(batch: BatchBench) -> None:
    run_with_killed_drivers(batch, 10_000, 4)


def test_a_killed_driver_leaves_no_process(batch: BatchBench) -> None:
    sleeper = processes.sleeper()
    batch.items([{"prompt": f"run setsid {sleeper} & {sleeper}"}])
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off")
    run.wait_for_output(b'"tool_start"')
    processes.wait_until_alive(sleeper)
    kill(batch, run.pid)
    assert processes.wait_until_gone(sleeper, 1 + SLACK) == []
    assert processes.wait_until_gone(batch.bench.mark, 1 + SLACK) == []
    run.finish()


def test_a_killed_worker_loses_nothing(batch: BatchBench, model: Model) -> None:
    batch.items(
        [{"id": f"w{n}", "prompt": f"wait {n}"} for n in range(4)]
        + [{"id": f"i{n}", "prompt": f"say {n}"} for n in range(20)]
    )
    run = batch.spawn("items.ndjson", "--jobs", "6")
    model.wait_for_waiting(4)
    kill(batch, busiest(workers(batch, run.pid)))
    run.wait_for_output(b'"item_retry"')
    model.open()
    result = run.finish()
    events = check_batch(result.stdout, 0)
    lost = [one for one in events if one["type"] == "item_retry"]
    assert lost and all((one["code"], one["attempt"]) == ("worker_lost", 2) for one in lost)
    ends = {one["item"]: one for one in events if one["type"] == "item_end"}
    assert len(ends) == 24 and all(ends[one["item"]]["attempts"] == 2 for one in lost)


def test_an_item_that_kills_its_worker_takes_no_other_one_with_it(
    batch: BatchBench, model: Model
) -> None:
    batch.items(
        [{"id": f"w{n}", "prompt": f"wait {n}"} for n in range(7)]
        + [{"id": "bad", "prompt": f"run {KILL_WORKER}"}]
        + [{"id": f"i{n}", "prompt": f"say {n}"} for n in range(20)]
    )
    run = batch.spawn("items.ndjson", "--jobs", "8", "--allow", "bash", "--sandbox", "off")
    run.wait_for_output(b'"attempt":3')
    model.open()
    result = run.finish()
    events = check_batch(result.stdout, 75)
    ends = {one["item"]: one["exitCode"] for one in events if one["type"] == "item_end"}
    assert ends == {f"w{n}": 0 for n in range(7)} | {f"i{n}": 0 for n in range(20)}
    assert (events[-1]["pending"], events[-1]["codes"]) == (1, {"worker_lost": 1})


def test_with_one_attempt_an_interrupted_item_is_not_repeated(
    batch: BatchBench, model: Model
) -> None:
    batch.items([{"id": "w", "prompt": "wait 1"}, {"id": "i", "prompt": "say 1"}])
    run = batch.spawn("items.ndjson", "--attempts", "1")
    model.wait_for_waiting(1)
    kill(batch, run.pid)
    run.finish()
    processes.wait_until_gone(batch.bench.mark, PROMISE + SLACK)
    model.open()
    again = batch("items.ndjson", "--attempts", "1")
    ends = {one["item"]: one for one in again.of("item_end")}
    assert (ends["w"]["code"], ends["w"]["exitCode"]) == ("worker_lost", 75)
    assert again.status == 1
    assert model.prompts["wait 1"] == 1


def test_ctrl_c_writes_the_last_line_and_leaves_nothing(batch: BatchBench, model: Model) -> None:
    terminal = Terminal()
    sleeper = processes.sleeper()
    batch.items([{"prompt": f"run {sleeper}"}, {"prompt": "wait for it"}, {"prompt": "say hi"}])
    run = batch.spawn(
        "items.ndjson", "--allow", "bash", "--sandbox", "off", "--jobs", "3",
        terminal=terminal.side,
    )  # fmt: skip
    run.wait_for_output(b'"item_end"')
    run.wait_for_output(b'"tool_start"')
    processes.wait_until_alive(sleeper)
    model.wait_for_waiting(1)
    pressed = time.monotonic()
    terminal.type("\x03")
    result = run.finish()
    assert time.monotonic() - pressed < PROMISE + SLACK
    events = check_batch(result.stdout, None)
    assert result.exit_status == -signal.SIGINT
    last = events[-1]
    assert (last["code"], last["signal"], last["exitCode"]) == ("cancelled", "SIGINT", 130)
    cancelled = [one for one in events if one["type"] == "error" and "item" in one]
    assert [one["code"] for one in cancelled] == ["cancelled"] * 2
    assert processes.wait_until_gone(batch.bench.mark, SLACK) == []
    terminal.close()
    model.open()
    resumed = batch("items.ndjson", "--allow", "bash(true)")
    assert resumed.last["succeeded"] == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals(batch: BatchBench, model: Model, number: int) -> None:
    batch.items([{"prompt": "wait for it"}])
    run = batch.spawn("items.ndjson")
    model.wait_for_waiting(1)
    run.signal(number)
    result = run.finish()
    assert result.exit_status == -number
    assert check_batch(result.stdout, None)[-1]["signal"] == signal.Signals(number).name


def test_a_reader_that_leaves_ends_the_batch(batch: BatchBench, model: Model) -> None:
    batch.items([{"prompt": f"wait {n}"} for n in range(3)])
    read, write = os.pipe()
    run = batch.spawn("items.ndjson", stdout=write)
    os.close(write)
    model.wait_for_waiting(3)
    os.close(read)
    assert run.finish().exit_status == -signal.SIGPIPE
    assert processes.wait_until_gone(batch.bench.mark, SLACK) == []


def test_a_reader_that_stalls_stops_launches(batch: BatchBench, model: Model) -> None:
    number = 160
    word = "x" * 40_000
    batch.items({"id": f"i{n}", "prompt": f"say {n} {word}"} for n in range(number))
    read, write = os.pipe()
    run = batch.spawn("items.ndjson", "--no-session", stdout=write)
    os.close(write)
    before, calm = -1, 0
    deadline = time.monotonic() + 60
    while calm < 10:
        assert time.monotonic() < deadline
        now = model.prompts.total()
        calm = calm + 1 if now == before and now else 0
        before = now
        time.sleep(0.1)
    assert before < number // 2
    data = b""
    while piece := os.read(read, 1 << 20):
        data += piece
    os.close(read)
    events = check_batch(data, run.finish().status)
    assert events[-1]["succeeded"] == number


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_ends_the_batch_and_loses_nothing(batch: BatchBench, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        batch.say(300)
        result = batch("items.ndjson", "-d", str(disk / "kept"), "--no-session")
        assert (result.status, result.last["code"]) == (74, "output")
        done = {one["item"] for one in result.of("item_end")}
        assert 0 < len(done) < 300
        assert done <= batch.texts(str(disk / "kept")).keys()
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        again = batch("items.ndjson", "-d", str(disk / "kept"), "--no-session")
        assert (again.status, again.last["succeeded"]) == (0, 300)
        assert done.isdisjoint(one["item"] for one in again.of("item_end"))
        assert len(batch.texts(str(disk / "kept"))) == 300
    finally:
        subprocess.run(["umount", str(disk)], check=True)
