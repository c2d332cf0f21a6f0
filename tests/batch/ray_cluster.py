"""A Ray cluster of two nodes on this machine's loopback, with a token, and batches on it.

A head without a token is never started: Ray listens on every interface.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess  # noqa: TID251 - starts the nodes of a cluster
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..support import processes, ray_wheel
from ..support.a3s import Bench
from ..support.run import Run
from .bench import BatchBench
from .model import Model

#: The key that the nodes have, and no driver.
NODE_KEY = "sk-node-0123456789abcdef01"
#: Seconds that a node has to come up on a busy machine.
UP = 120.0
WORKER = "a3s_cli.batch.worker"


class Cluster:
    """The nodes: `127.0.0.2` is the head. Close it."""

    def __init__(self) -> None:
        # Short, because sockets lie in there.
        self.root = Path(tempfile.mkdtemp(prefix="a3s-ray-"))
        #: In the working directory of everything that runs on a node.
        self.mark = self.root.name
        self.home = self.root / "home"
        self.home.mkdir()
        self.token = secrets.token_hex(32)
        self.token_file = self.root / "token"
        self.token_file.write_text(self.token)
        self.token_file.chmod(0o600)
        self.port = _free_port()
        self.address = f"127.0.0.2:{self.port}"
        self.python = ray_wheel.python()
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            self._start("127.0.0.2", {}, "--head", "--port", str(self.port),
                        "--include-dashboard", "false", "--disable-usage-stats")  # fmt: skip
            self.add("127.0.0.3")
        except BaseException:
            self.close()
            raise

    def add(self, node: str, **env: str) -> None:
        """Start another node, with variables that the others do not have."""
        self._start(node, env, "--address", self.address)

    def remove(self, node: str) -> None:
        """End a node, unless it has ended."""
        process = self._nodes.pop(node)
        process.terminate()
        process.wait(20)

    def environment(self) -> dict[str, str]:
        """What a command needs in order to be let in."""
        return {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token_file),
            "RAY_ADDRESS": self.address,
        }

    def _start(self, node: str, more: dict[str, str], *arguments: str) -> None:
        log = self.root / f"{node}.log"
        # Where the suite is killed, no fixture ends a node: then the kernel does.
        ray = str(Path(self.python).with_name("ray"))
        command = ["setpriv", "--pdeathsig", "TERM", ray, "start", "--node-ip-address", node,
                   "--num-cpus", "1", "--object-store-memory", "80000000",
                   "--include-log-monitor", "false", "--temp-dir", str(self.root / node[-1]),
                   "--block", *arguments]  # fmt: skip
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env |= more | {"HOME": str(self.home), "RAY_USAGE_STATS_ENABLED": "0", "MARK": self.mark}
        env |= {k: v for k, v in self.environment().items() if k != "RAY_ADDRESS"}
        assert env["RAY_AUTH_MODE"] == "token" and self.token_file.stat().st_size == 64
        with open(log, "wb") as file:
            self._nodes[node] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=env, cwd=self.home,
            )  # fmt: skip
        deadline = time.monotonic() + UP
        while b"Ray runtime started" not in log.read_bytes():
            assert time.monotonic() < deadline and self._nodes[node].poll() is None, log.read_text()
            time.sleep(0.1)

    def configure(self, model: Model, more: str = "") -> None:
        """Write the configuration of the nodes, which no driver knows."""
        path = self.home / ".a3s/config.acl"
        path.parent.mkdir(parents=True, exist_ok=True)
        provider = f'api_key = "{NODE_KEY}"\n  base_url = "{model.url}"'
        path.write_text(f'providers "openai" {{\n  {provider}\n}}\n{more}')
        path.chmod(0o600)

    def workers(self, node: str = "") -> list[int]:
        """The workers of batches on a node, or on all."""
        return [one.pid for one in processes.survivors(self.mark) if f"{WORKER} " in one.command
                and one.command.endswith(node)]  # fmt: skip

    def wait_until_empty(self, seconds: float) -> list[int]:
        """Wait for the last worker to go; return those that did not."""
        deadline = time.monotonic() + seconds
        while (left := self.workers()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def ports(self) -> list[str]:
        """The ports on which the nodes listen."""
        held = set()
        for one in processes.survivors(self.mark):
            for descriptor in Path(f"/proc/{one.pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    held.add(os.readlink(descriptor))
        listening = []
        for name in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in held:
                    listening.append(str(int(fields[1].rpartition(":")[2], 16)))
        return sorted(listening)

    def kill(self, pid: int) -> None:
        processes.send(pid, signal.SIGKILL, self.mark)

    def raylet(self, node: str) -> int:
        (found,) = [one.pid for one in processes.survivors(self.mark)
                    if "/raylet/raylet " in one.command
                    and self._is_below(one.pid, self._nodes[node].pid)]  # fmt: skip
        return found

    @staticmethod
    def _is_below(pid: int, parent: int) -> bool:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == parent

    def close(self) -> None:
        for node in reversed(self._nodes.values()):
            if node.poll() is None:
                node.terminate()
        for node in self._nodes.values():
            try:
                node.wait(20)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait(10)
        if processes.wait_until_gone(self.mark, 15):
            processes.clean_up(self.mark)
        shutil.rmtree(self.root, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.2", 0))
        port: int = one.getsockname()[1]
        return port


class RayBench(BatchBench):
    """Batches on the cluster."""

    def __init__(self, bench: Bench, model: Model, cluster: Cluster) -> None:
        super().__init__(bench, model)
        self.cluster = cluster
        cluster.configure(model)

    def spawn(self, *args: str, **options: Any) -> Run:
        env = {**self.model.environment(), **self.cluster.environment(), **options.pop("env", {})}
        command: Sequence[str] = [self.cluster.python, "-m", "a3s_cli", "batch", *args]
        return self.bench.start(
            [*command, "-m", "openai/m", "--on", "ray"], None, "none", False, env=env, **options
        )
