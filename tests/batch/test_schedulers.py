"""The files in docs/batch.md: run where the scheduler can be had, else read by its schema."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess  # noqa: TID251 - other people's schedulers are started here
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support import processes
from .bench import BatchBench

DOCUMENT = (Path(__file__).parents[2] / "docs/batch.md").read_text()


def file(name: str) -> str:
    """The file of that name in the document."""
    found = re.search(
        rf"<!-- file: {re.escape(name)} -->\n```\w+\n(.*?)^```$", DOCUMENT, re.M | re.S
    )
    assert found, name
    return found[1]


def test_the_workflow_is_one_that_github_takes(tmp_path: Path) -> None:
    path = tmp_path / "batch.yml"
    path.write_text(file("batch-workflow.yml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    checked = subprocess.run(
        [*command, "vendor.github-workflows", str(path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_manifest_says_what_a_job_needs() -> None:
    job: dict[str, Any] = yaml.safe_load(file("batch.yaml"))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    fatal, node = spec["podFailurePolicy"]["rules"]
    assert fatal["action"] == "FailJob"
    # What passes is tried again, and so is a death by a signal.
    assert not {75, *range(128, 256)} & set(fatal["onExitCodes"]["values"])
    assert node == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    # A policy for failures needs pods that are not restarted in place.
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = spec["template"]["spec"]["containers"]
    assert fatal["onExitCodes"]["containerName"] == container["name"]
    assert f"/{spec['completions']}" in container["args"][0]


@pytest.mark.parametrize("index", [0, 1])
def test_the_manifest_s_command_runs_a_shard(batch: BatchBench, index: int) -> None:
    job: dict[str, Any] = yaml.safe_load(file("batch.yaml"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    batch.say(8)
    env = {**batch.model.environment(), "A3S_MODEL": "openai/m", "JOB_COMPLETION_INDEX": str(index)}
    command = [*container["command"], container["args"][0]]
    result = batch.bench.start(command, None, "none", True, env=env).finish()
    assert result.status == 0, result.stderr
    assert batch.texts("work") == {f"i{n}": str(n) for n in (index, index + 4)}


def test_the_line_for_parallel_runs_its_shards(batch: BatchBench) -> None:
    (line,) = re.findall(r"^parallel '(.*)' ::: 1 2 3 4$", DOCUMENT, re.M)
    batch.say(8)
    env = {**batch.model.environment(), "A3S_MODEL": "openai/m"}
    # What GNU parallel makes of it: the argument in place of the braces.
    for number in "13":
        command = ["sh", "-c", line.replace("{}", number)]
        assert batch.bench.start(command, None, "none", True, env=env).finish().status == 0
    assert batch.texts("work").keys() == {"i0", "i4", "i2", "i6"}


def test_the_sbatch_file_is_a_script() -> None:
    told = subprocess.run(
        ["bash", "-n", "-c", file("batch.sbatch")], capture_output=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, b"")


CONFIGURATION = """
ClusterName=bench
SlurmctldHost={host}
SlurmctldPort={ports[0]}
SlurmctldParameters=enable_configless
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool.%n
SlurmctldPidFile={root}/ctld.pid
SlurmdPidFile={root}/%n.pid
SlurmctldLogFile={root}/ctld.log
SlurmdLogFile={root}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/builtin
SelectType=select/linear
MpiDefault=none
ReturnToService=2
KillWait=1
SwitchType=switch/none
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES State=UP MaxTime=INFINITE
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")


class Slurm:
    """A cluster of two nodes on this machine. Close it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._daemons: list[subprocess.Popen[bytes]] = []
        for name in ("state", "spool.n1", "spool.n2"):
            (root / name).mkdir()
        host = socket.gethostname().partition(".")[0]
        self.configuration = root / "slurm.conf"
        self.configuration.write_text(
            CONFIGURATION.format(root=root, host=host, ports=_free_ports(3))
        )
        key = root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        root.chmod(0o755)
        self.environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        self._start(
            "munged", "--foreground", "--force", f"--socket={root}/munge.socket",
            f"--key-file={key}", f"--pid-file={root}/munge.pid", f"--log-file={root}/munge.log",
            f"--seed-file={root}/munge.seed",
        )  # fmt: skip
        _wait((root / "munge.socket").exists)
        self._start("slurmctld", "-D", "-f", str(self.configuration))
        for node in ("n1", "n2"):
            self._start("slurmd", "-D", "-N", node, "-f", str(self.configuration))
        _wait(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2")

    def _start(self, *command: str) -> None:
        log = (self.root / f"{command[0]}.out").open("ab")
        self._daemons.append(
            subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=self.environment, cwd=self.root,
            )
        )  # fmt: skip

    def run(self, *command: str, **options: Any) -> str:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False,
            env={**self.environment, **options.pop("env", {})}, **options,
        )  # fmt: skip
        return told.stdout

    def close(self) -> None:
        self.run("scancel", "--state=PENDING,RUNNING", "-u", "root")
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait(until: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "the cluster did not come to this"
        time.sleep(0.1)


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    if os.geteuid() or not all(map(shutil.which, PROGRAMS)):
        pytest.skip("Slurm is not installed, or this is not root")
    root = tmp_path / "slurm"
    root.mkdir()
    cluster = Slurm(root)
    yield cluster
    cluster.close()


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_shards_under_slurm_two_of_which_are_killed(batch: BatchBench, slurm: Slurm) -> None:
    """120 items in four shards on two nodes; two drivers are killed, and put into the queue."""
    batch.say(120)
    script = batch.work / "batch.sbatch"
    script.write_text(file("batch.sbatch"))
    strict = batch.model
    strict.rate = 20  # long enough to be killed in the middle
    env = {**batch.bench.environment(None), **batch.model.environment(), "A3S_MODEL": "openai/m"}
    kept = {name: value for name, value in env.items() if value is not None}
    told = slurm.run("sbatch", "--export=ALL", str(script), cwd=batch.work, env=kept)
    assert "Submitted batch job" in told
    for shard in (1, 2):
        journal = batch.work / f"work/shard-{shard}-of-4/journal.ndjson"
        _wait(lambda journal=journal: journal.exists() and b"item_end" in journal.read_bytes())
        mine = [
            one for one in processes.survivors(batch.bench.mark)
            if f"--shard {shard}/4" in one.command and "a3s_cli" in one.command
        ]  # fmt: skip
        assert mine, "the shard is over already"
        processes.send(mine[0].pid, signal.SIGKILL, batch.bench.mark)
    _wait(lambda: not slurm.run("squeue", "-h").strip(), 400)
    assert batch.texts("work") == {f"i{n}": str(n) for n in range(120)}
    logs = [(batch.work / f"shard-{shard}.ndjson").read_bytes() for shard in (1, 2, 3, 4)]
    assert [log.count(b'"batch_start"') for log in logs] == [2, 2, 1, 1]
