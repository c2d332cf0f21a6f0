"""The clusters in docs/batch.md: two machines in six lines, and a Slurm job, word by word.

The two machines are two network namespaces with a wire between them: `MACHINES` says what is in
them. They share the disk and the processes' numbers; each has an address, a home and a
directory of Ray of its own. Of ssh and scp there are stand-ins. All of it ends with its
first process, and no other machine can reach it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support import processes, ray_wheel
from .bench import BatchBench
from .document import file
from .laws import check_batch
from .model import Model
from .ray_cluster import NODE_KEY, WORKER
from .slurm import Slurm, wait_until

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

MACHINES = """
set -eu
ip link set lo up
unshare --net sh -c 'echo $$ > {root}/pid; exec sleep infinity' &
until [ -s {root}/pid ]; do sleep 0.05; done
second=$(cat {root}/pid)
ip link add eth0 type veth peer name eth0 netns "$second"
ip address add 10.0.0.1/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.0.2
nsenter --net --target "$second" sh -euc '
  ip link set lo up
  ip address add 10.0.0.2/24 dev eth0
  ip link set eth0 up
  ip route add default via 10.0.0.1'
(cd {project} && exec {tests} -c '
import threading
from tests.batch.model import Model
Model(at=("10.0.0.1", 8000))
threading.Event().wait()') &
until : < /dev/tcp/10.0.0.1/8000; do sleep 0.1; done 2> /dev/null
set +e
. {root}/ray.sh
"""
#: Both are called with the machine's name first, and know the one that there is.
SSH = """#!/bin/sh
[ "$1" = second ] && shift || exit 255
exec nsenter --net --target "$(cat {root}/pid)" env -i PATH="$PATH" MARK={mark} \\
  HOME={root}/second RAY_TMPDIR={root}/2 sh -c 'cd && exec sh -c "$1"' sh "$*"
"""
SCP = """#!/bin/sh
exec cp "$1" "{root}/second/${{2#second:}}"
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose name marks what runs; its path is short, because sockets lie in it."""
    root = Path(tempfile.mkdtemp(prefix="a3s-ray-"))
    yield root
    processes.clean_up(root.name)
    shutil.rmtree(root, ignore_errors=True)


class Machines:
    """What both machines find on the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mark = root.name
        for name in ("first", "second", "bin"):
            (self.root / name).mkdir()
        for name, script in {"ssh": SSH, "scp": SCP}.items():
            path = self.root / "bin" / name
            path.write_text(script.format(root=self.root, mark=self.mark))
            path.chmod(0o755)
        for name in ("first", "second"):
            self._configure(self.root / name)
        project = Path(__file__).parents[2]
        script = MACHINES.format(root=self.root, project=project, tests=sys.executable)
        (self.root / "machines.sh").write_text(script)
        (self.root / "ray.sh").write_text(file("ray.sh"))

    def _configure(self, home: Path) -> None:
        """Give a machine its key, which the other one does not have."""
        path = home / ".a3s/config.acl"
        path.parent.mkdir()
        key = f"{NODE_KEY}-{home.name}"
        said = f'api_key = "{key}"\n  base_url = "http://10.0.0.1:8000/v1"'
        path.write_text(f'providers "openai" {{\n  {said}\n}}\n')
        path.chmod(0o600)

    def environment(self) -> dict[str, str | None]:
        """That of the first machine, where someone has logged in."""
        path = [str(self.root / "bin"), str(Path(ray_wheel.python()).parent), os.environ["PATH"]]
        return {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.root / "first"),
            "RAY_TMPDIR": str(self.root / "1"),
            "MARK": self.mark,
            "A3S_MODEL": "openai/m",
            "OPENAI_BASE_URL": None,
            "OPENAI_API_KEY": None,
        }


def test_two_machines_in_six_lines(batch: BatchBench, place: Path) -> None:
    machines = Machines(place)
    number = 24
    batch.say(number)
    apart = ["unshare", "--map-root-user", "--net", "--mount", "--pid", "--mount-proc"]
    command = [*apart, "--fork", "--kill-child", "bash", str(machines.root / "machines.sh")]
    env = machines.environment()
    result = batch.bench.start(command, None, "none", False, env=env).finish(300)
    assert result.exit_status == 0, result
    events = check_batch((batch.work / "stream.ndjson").read_bytes(), 0)
    assert events[-1]["succeeded"] == number
    assert batch.texts("items.ndjson.batch") == {f"i{n}": str(n) for n in range(number)}
    nodes = {one["worker"].partition(":")[0] for one in events if one["type"] == "start"}
    assert nodes == {"10.0.0.1", "10.0.0.2"}
    first, second = (machines.root / name / ".ray/auth_token" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    for path in (first, first.parent, second, second.parent):
        assert path.stat().st_mode & 0o77 == 0
    assert NODE_KEY not in json.dumps(events)
    assert processes.wait_until_gone(machines.mark, 10) == []


def test_a_cluster_inside_a_slurm_job(
    batch: BatchBench, model: Model, slurm: Slurm, place: Path
) -> None:
    """Two nodes of Slurm on this machine, instead of the four that the script asks for."""
    work = ["wait"] * 32 + ["pause 1"] * 64
    batch.items({"id": f"i{n}", "prompt": one} for n, one in enumerate(work))
    script = batch.work / "ray.sbatch"
    script.write_text(file("ray.sbatch"))
    env = {**batch.bench.environment(None), **model.environment(), "A3S_MODEL": "openai/m"}
    env |= {"RAY_TMPDIR": str(place), "MARK": place.name, "RAY_USAGE_STATS_ENABLED": "0"}
    env["PATH"] = f"{Path(ray_wheel.python()).parent}:{env['PATH']}"
    told = slurm.run("sbatch", "--nodes=2", "--export=ALL", str(script), cwd=batch.work, env=env)
    assert "Submitted batch job" in told
    model.wait_for_waiting(32, 180)
    wait_until(lambda: len(workers(batch.bench.mark)) == 2, 120)
    model.open()
    wait_until(lambda: not slurm.run("squeue", "-h").strip(), 120)
    assert processes.wait_until_gone(place.name, 10) == [], (batch.work / "batch.log").read_text()
    events = check_batch((batch.work / "stream.ndjson").read_bytes(), 0)
    assert events[-1]["succeeded"] == len(work)
    assert len({one["worker"] for one in events if one["type"] == "start"}) == 2


def workers(mark: str) -> list[processes.Survivor]:
    return [one for one in processes.survivors(mark) if f"{WORKER} " in one.command]
