"""Batches on a Ray cluster: the same stream, results and verdicts; kills; what is hidden.

It is heavy to start a cluster, so what needs none is in `test_ray_refusals.py`, and full
sizes are in `test_ray_heavy.py`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support import processes
from ..support.a3s import Bench
from ..support.run import PROMISE, SLACK, Result, Run
from .bench import set_traps
from .laws import Event, check_batch
from .model import Model
from .ray_cluster import NODE_KEY, Cluster, RayBench

pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def batch(a3s: Bench, model: Model, cluster: Cluster) -> Iterator[RayBench]:
    yield RayBench(a3s, model, cluster)
    assert cluster.wait_until_empty(PROMISE + SLACK) == []


def kill(batch: RayBench, run: Run) -> Result:
    processes.send(run.pid, signal.SIGKILL, batch.bench.mark)
    return run.finish()


def ends(events: list[Event]) -> list[str]:
    return [one["item"] for one in events if one["type"] == "item_end"]


def test_killed_workers_and_drivers_lose_nothing(batch: RayBench, model: Model) -> None:
    number = 60
    batch.items(
        {"id": f"i{n}", "prompt": f"wait {n}" if n in (30, 31, 32, 33) else f"say {n}"}
        for n in range(number)
    )
    run = batch.spawn("items.ndjson", "--jobs", "6")
    model.wait_for_waiting(4, 120)
    victim, *_ = batch.cluster.workers()
    batch.cluster.kill(victim)
    run.wait_for_output(b'"item_retry"')
    model.wait_for_waiting(5)
    cut = kill(batch, run)
    assert batch.cluster.wait_until_empty(PROMISE + SLACK) == []
    before = check_batch(cut.stdout, None, whole=False)
    lost = [one for one in before if one["type"] == "item_retry"]
    assert lost and {one["code"] for one in lost} == {"worker_lost"}
    model.open()
    rest = batch("items.ndjson", "--jobs", "6")
    assert (rest.status, rest.stderr) == (0, b"")
    assert (rest.events[0]["engine"], rest.last["succeeded"]) == ("ray", number)
    assert set(ends(before)).isdisjoint(ends(rest.events))
    assert batch.texts("items.ndjson.batch") == {f"i{n}": str(n) for n in range(number)}
    told = {one["worker"] for one in before + rest.events if "worker" in one}
    nodes = {one.rpartition(":")[0] for one in told}
    assert nodes >= {"127.0.0.2", "127.0.0.3"}
    assert all(one.rpartition(":")[2].isdigit() for one in told)
    # The nodes have a key of their own, and the driver's stayed where it was.
    assert model.keys == {NODE_KEY}


def test_ctrl_c_ends_tools_on_every_node(batch: RayBench) -> None:
    sleeper = processes.sleeper()
    batch.items({"id": f"s{n}", "prompt": f"run {sleeper}"} for n in range(4))
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off", "--jobs", "4")
    run.wait_for_output(b'"tool_start"', 120)
    processes.wait_until_alive(sleeper)
    pressed = time.monotonic()
    run.signal(signal.SIGINT)
    result = run.finish()
    assert time.monotonic() - pressed < PROMISE + SLACK
    assert result.exit_status == -signal.SIGINT
    last = check_batch(result.stdout, None)[-1]
    assert (last["code"], last["signal"], last["exitCode"]) == ("cancelled", "SIGINT", 130)
    assert processes.wait_until_gone(sleeper, SLACK) == []


def test_a_killed_driver_leaves_no_tool(batch: RayBench) -> None:
    sleeper = processes.sleeper()
    batch.items([{"prompt": f"run setsid {sleeper} & {sleeper}"}])
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off")
    run.wait_for_output(b'"tool_start"', 120)
    processes.wait_until_alive(sleeper)
    kill(batch, run)
    assert processes.wait_until_gone(sleeper, PROMISE + SLACK) == []


#: What a command tries: the environments of others, the token, and the sockets of Ray.
THIEF = """
env
cat /proc/[0-9]*/environ | tr '\\0' '\\n'
cat {token} ~/.ray/auth_token
find / -xdev \\( -name auth_token -o -type s \\) 2>/dev/null
ls /tmp/ray {root}
python3 knock.py {ports}
"""
#: Connects to every socket of Ray whose name the kernel tells, and asks its ports over HTTP.
KNOCK = """
import http.client, socket, sys

named = [line.split()[-1] for line in open("/proc/net/unix") if "/sockets/" in line]
for path in named:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("let in by", path)
    except OSError:
        pass
for port in map(int, sys.argv[1:]):
    for path in ("/api/version", "/api/jobs/", "/nodes?view=summary", "/api/cluster_status"):
        asked = http.client.HTTPConnection("127.0.0.2", port, timeout=1)
        try:
            asked.request("GET", path)
            if asked.getresponse().status == 200:
                print("let in by", port, path)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            asked.close()
print("knocked at", len(sys.argv) - 1, "ports and", len(named), "sockets")
"""


def test_a_confined_command_sees_nothing_of_ray(batch: RayBench, cluster: Cluster) -> None:
    (cluster.home / ".ray").mkdir(exist_ok=True)
    (cluster.home / ".ray/auth_token").write_text(cluster.token)
    ports = cluster.ports()
    script = THIEF.format(token=cluster.token_file, root=cluster.root, ports=" ".join(ports))
    (batch.work / "thief.sh").write_text(script)
    (batch.work / "knock.py").write_text(KNOCK)
    batch.items([{"prompt": "run sh thief.sh"}])
    result = batch("items.ndjson", "--allow", "bash", "--sandbox", "require")
    assert result.status == 0, result.last
    lines = "".join(one["text"] for one in result.of("tool_output_delta")).splitlines()
    assert any(one.startswith("PATH=") for one in lines)
    assert [one for one in lines if cluster.token in one or NODE_KEY in one] == []
    assert [one for one in lines if one.startswith("RAY_")] == []
    assert [one for one in lines if one.startswith("/") and "sockets/" in one] == []
    # The kernel tells the names of sockets, and ports are open; neither lets anyone in.
    assert [one for one in lines if one.startswith("let in")] == []
    (knocked,) = [one for one in lines if one.startswith("knocked at")]
    assert len(ports) >= 4 and knocked.startswith(f"knocked at {len(ports)} ports")


def test_a_node_with_other_rules_is_refused(batch: RayBench, model: Model) -> None:
    batch.cluster.configure(model, 'permissions {\n  deny = ["bash(curl *)"]\n}\n')
    batch.say(3)
    result = batch("items.ndjson")
    assert (result.status, result.last["code"]) == (78, "config")
    assert "other permission rules" in result.last["error"]
    assert model.prompts.total() == 0


def test_the_model_is_chosen_where_the_batch_begins(batch: RayBench, model: Model) -> None:
    """It is sent, also where it comes from a variable, which is not."""
    batch.cluster.configure(model, 'default_model = "openai/other"\n')
    batch.say(4)
    command = [batch.cluster.python, "-m", "a3s_cli", "batch", "items.ndjson", "--on", "ray"]
    env = {**batch.model.environment(), **batch.cluster.environment(), "A3S_MODEL": "openai/m"}
    result = batch.bench.start(command, None, "none", False, env=env).finish(120)
    begun = [one for one in check_batch(result.stdout, 0) if one["type"] == "start"]
    assert [one["model"] for one in begun] == ["openai/m"] * 4


def test_nothing_is_imported_from_a_workspace(batch: RayBench) -> None:
    trapped = set_traps(batch.work)
    batch.say(2)
    command = [str(Path(batch.cluster.python).with_name("a3s")), "batch", "items.ndjson"]
    env = {**batch.model.environment(), **batch.cluster.environment()}
    command += ["-m", "openai/m", "--on", "ray"]
    result = batch.bench.start(command, None, "none", False, env=env).finish(120)
    assert result.status == 0, result.stderr
    assert not trapped.exists()
    assert json.loads(result.stdout.splitlines()[-1])["succeeded"] == 2


def test_a_node_that_joins_late_gets_items(batch: RayBench, model: Model) -> None:
    """Both nodes are busy when a third one joins; what is launched then runs there, too."""
    work = ["wait"] * 6 + ["run sleep 0.5"] * 18
    batch.items({"id": f"i{n}", "prompt": one} for n, one in enumerate(work))
    run = batch.spawn("items.ndjson", "--allow", "bash", "--sandbox", "off", "--jobs", "6")
    model.wait_for_waiting(6, 120)
    batch.cluster.add("127.0.0.4")  # and it stays: nothing that runs on this cluster minds
    deadline = time.monotonic() + 120
    while not batch.cluster.workers("127.0.0.4"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    model.open()
    events = check_batch(run.finish(60).stdout, 0)
    begun = [one["worker"].partition(":")[0] for one in events if one["type"] == "start"]
    assert (len(begun), events[-1]["succeeded"]) == (24, 24)
    assert set(begun) == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}


def wait_until_unshipped(cluster: Cluster) -> None:
    deadline = time.monotonic() + PROMISE + SLACK
    while any((cluster.home / ".cache/a3s/shipped").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_shipped_workspace_is_unpacked_on_every_node(batch: RayBench, cluster: Cluster) -> None:
    project = batch.work / "project"
    project.mkdir()
    # More than some pieces, and what deflating cannot shrink.
    (project / "noise").write_bytes(os.urandom(3_000_000))
    (project / ".env").write_text("KEY=private")
    batch.items({"id": f"i{n}", "prompt": f"run sleep 0.2; touch f{n}; ls -a"} for n in range(8))
    places = ("items.ndjson", "--ship", "project", "-d", str(batch.work / "away"))
    allowed = ("--allow", "bash", "--sandbox", "require", "--jobs", "8")
    result = batch(*places, *allowed)
    assert result.status == 0, result.last
    nodes = {one["worker"].rpartition(":")[0] for one in result.of("start")}
    assert nodes >= {"127.0.0.2", "127.0.0.3"}
    for one in result.of("item_end"):
        patch = Path(one["patch"]).read_text()
        assert patch.splitlines()[1:] == ["new file mode 100644", "index 0000000..e69de29"]
    seen = {one["text"] for one in result.of("tool_output_delta")}
    assert not any(".env" in text for text in seen) and any("noise" in text for text in seen)
    assert cluster.wait_until_empty(PROMISE + SLACK) == []
    wait_until_unshipped(cluster)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_leaves_no_copy_on_a_node(
    batch: RayBench, cluster: Cluster, number: signal.Signals
) -> None:
    (batch.work / "project").mkdir()
    sleeper = processes.sleeper()
    batch.items({"id": f"s{n}", "prompt": f"run {sleeper}"} for n in range(4))
    allowed = ("--allow", "bash", "--sandbox", "off")
    run = batch.spawn("items.ndjson", "--ship", "project", *allowed)
    run.wait_for_output(b'"tool_start"', 120)
    processes.wait_until_alive(sleeper)
    processes.send(run.pid, number, batch.bench.mark)
    run.finish()
    assert processes.wait_until_gone(sleeper, PROMISE + SLACK) == []
    assert cluster.wait_until_empty(PROMISE + SLACK) == []
    wait_until_unshipped(cluster)
