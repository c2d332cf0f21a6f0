"""A Slurm cluster of two nodes on this machine."""

from __future__ import annotations

import os
import socket
import subprocess  # noqa: TID251 - other people's scheduler is started here
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        wait_until((root / "munge.socket").exists)
        self._start("slurmctld", "-D", "-f", str(self.configuration))
        for node in ("n1", "n2"):
            self._start("slurmd", "-D", "-N", node, "-f", str(self.configuration))
        wait_until(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2")

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


def wait_until(until: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something that a cluster does."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "the cluster did not come to this"
        time.sleep(0.1)
