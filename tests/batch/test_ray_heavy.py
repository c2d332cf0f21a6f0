"""Full sizes on a Ray cluster: a thousand items with kills, a node that dies, lag and cost."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess  # noqa: TID251 - reads a batch's lines as they come
import time
from collections.abc import Iterator

import pytest

from ..support import processes
from ..support.a3s import Bench
from ..support.run import SLACK
from .laws import check_batch
from .model import Model
from .ray_cluster import Cluster, RayBench

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800)]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


@pytest.fixture
def batch(a3s: Bench, model: Model, cluster: Cluster) -> RayBench:
    return RayBench(a3s, model, cluster)


def test_a_thousand_items_three_workers_and_the_driver_killed(batch: RayBench) -> None:
    number = 1000
    batch.say(number)
    run = batch.spawn("items.ndjson", "--jobs", "16", "--no-session")
    for turn in range(3):
        deadline = time.monotonic() + 300
        while batch.model.prompts.total() < (turn + 1) * 200:
            assert time.monotonic() < deadline and run.process.poll() is None
            time.sleep(0.01)
        while not (found := batch.cluster.workers()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        batch.cluster.kill(found[0])
    while batch.model.prompts.total() < 800:
        assert time.monotonic() < deadline and run.process.poll() is None
        time.sleep(0.01)
    processes.send(run.pid, signal.SIGKILL, batch.bench.mark)
    killed = time.monotonic()
    cut = run.finish()
    assert batch.cluster.wait_until_empty(2 + SLACK) == []
    print(f"the driver's workers were gone after {time.monotonic() - killed:.2f} s")
    before = check_batch(cut.stdout, None, whole=False)
    done = {one["item"] for one in before if one["type"] == "item_end"}
    assert 0 < len(done) < number
    rest = batch.spawn("items.ndjson", "--jobs", "16", "--no-session").finish(600)
    after = check_batch(rest.stdout, 0)
    assert done.isdisjoint(one["item"] for one in after if one["type"] == "item_end")
    assert batch.texts("items.ndjson.batch") == {f"i{n}": str(n) for n in range(number)}


def test_a_node_dies_and_its_items_are_done_elsewhere(batch: RayBench, cluster: Cluster) -> None:
    sleepers = {f"s{n}": processes.sleeper(15) for n in range(6)}
    batch.items({"id": name, "prompt": f"run {one}"} for name, one in sleepers.items())
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off", "--jobs", "6")
    deadline = time.monotonic() + 120
    while bytes(run._out).count(b'{"type":"tool_start"') < len(sleepers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for one in sleepers.values():
        processes.wait_until_alive(one)
    begun = [json.loads(line) for line in bytes(run._out).splitlines() if b'"tool_start"' in line]
    there = [one["item"] for one in begun if one["worker"].startswith("127.0.0.3:")]
    assert 0 < len(there) < 6
    workers = cluster.workers("127.0.0.3")
    cluster.kill(cluster.raylet("127.0.0.3"))
    killed = time.monotonic()
    while set(workers) & set(cluster.workers()):
        assert time.monotonic() < killed + 5 + SLACK
        time.sleep(0.02)
    print(f"the node's workers were gone after {time.monotonic() - killed:.2f} s")
    run.wait_for_output(b'"item_retry"')
    print(f"its items were tried again after {time.monotonic() - killed:.2f} s")
    events = check_batch(run.finish(180).stdout, 0)
    retried = {one["item"] for one in events if one["type"] == "item_retry"}
    assert retried == set(there)
    assert events[-1]["succeeded"] == 6


def test_a_node_that_comes_back_gets_items_again(batch: RayBench, cluster: Cluster) -> None:
    """A node dies and comes back while the other one is busy; what is launched then runs there."""
    work = ["wait"] * 6 + ["run sleep 0.5"] * 30
    batch.items({"id": f"i{n}", "prompt": one} for n, one in enumerate(work))
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off", "--jobs", "6")
    batch.model.wait_for_waiting(6, 120)
    before = cluster.workers("127.0.0.3")
    cluster.kill(cluster.raylet("127.0.0.3"))
    run.wait_for_output(b'"item_retry"', 60)
    cluster.remove("127.0.0.3")
    cluster.add("127.0.0.3")
    begun = time.monotonic()
    while not (found := cluster.workers("127.0.0.3")):
        assert time.monotonic() < begun + 120
        time.sleep(0.02)
    print(f"the node that came back had a worker after {time.monotonic() - begun:.2f} s")
    batch.model.open()
    events = check_batch(run.finish(120).stdout, 0)
    assert events[-1]["succeeded"] == 36
    assert set(before).isdisjoint(found)
    told = {one["worker"] for one in events if one["type"] == "start"}
    assert {f"127.0.0.3:{pid}" for pid in (*before, *found)} <= told


def lags_and_seconds(batch: RayBench, engine: str, turn: int) -> tuple[list[int], float]:
    """The milliseconds from each event to its arrival, and the seconds from first to last."""
    env = batch.bench.environment(None) | batch.cluster.environment()
    env |= {name: str(value) for name, value in batch.model.environment().items()}
    command = [batch.cluster.python, "-m", "a3s_cli", "batch", "items.ndjson", "-m", "openai/m"]
    command += ["-d", f"{engine}-{turn}", "--allow", "bash", "--jobs", "16", "--on", engine]
    read = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, cwd=batch.work)
    assert read.stdout
    lags, first, last = [], 0.0, 0.0
    for line in read.stdout:
        last = time.time()
        event = json.loads(line)
        if "worker" in event:
            first = first or last
            lags.append(round(last * 1000) - event["ts"])
    assert read.wait(60) == 0
    return lags, last - first


@pytest.mark.parametrize(
    ("prompt", "turns", "most"),
    [
        pytest.param("pause 1", 6, 1.25, id="a model that takes a second"),
        pytest.param("run echo one; echo two; echo three", 8, 1.6, id="nothing but processor"),
    ],
)
def test_lag_and_cost_beside_the_same_items_here(
    batch: RayBench, prompt: str, turns: int, most: float
) -> None:
    """Run the same items here and there by turns; say the figures, and hold them loosely.

    The machine may be busy with other things: so the turns are short, two neighbours are
    compared, and the median counts. The nodes share its processors with all that is measured.
    """
    batch.items({"id": f"i{n}", "prompt": prompt} for n in range(64))
    lags: list[int] = []
    ratios = []
    for turn in range(turns):
        taken = {}
        for engine in ("ray", "here") if turn % 2 else ("here", "ray"):
            found, taken[engine] = lags_and_seconds(batch, engine, turn)
            lags += found if engine == "ray" else []
        ratios.append(taken["ray"] / taken["here"])
    p50, p95 = statistics.median(lags), statistics.quantiles(lags, n=20)[-1]
    cost, load = statistics.median(ratios), os.getloadavg()[0]
    told = " ".join(f"{one:.2f}" for one in sorted(ratios))
    print(f"lag p50 {p50:.0f} ms, p95 {p95:.0f} ms; time × {cost:.2f} ({told}), load {load:.1f}")
    assert p95 < 500 and cost < most
