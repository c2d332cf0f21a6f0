"""A cluster that lets in everyone is refused, whatever the way to it, before it learns anything.

No head without a token is ever started: what answers strangers here says what a head says
to whom it lets in, and is no cluster. That a real head with a token answers none of them is
asked of the real one.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess  # noqa: TID251 - asks the kernel for a route
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.batch.ray_access import NODES, require_token
from a3s_cli.errors import Unavailable
from a3s_cli.transport.strangers import answers_strangers

from ..support import ray_wheel
from ..support.run import Result
from .bench import BatchBench
from .ray_cluster import Cluster

pytestmark = pytest.mark.timeout(420)
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


#: What the health check of a head answers to anyone: headers, a message and the end.
LETS_IN = (
    frame(4, 0, 0, b"")
    + frame(1, 4, 1, b"\x88@\x0ccontent-type\x10application/grpc")
    + frame(0, 0, 1, b"\x00\x00\x00\x00\x02\x08\x01")
    + frame(1, 5, 1, b"@\x0bgrpc-status\x010")
)


class Door:
    """A port that gives every visitor the same answer, and remembers what they said."""

    def __init__(self, host: str, answer: bytes) -> None:
        self._server = socket.create_server((host, 0))
        self.port: int = self._server.getsockname()[1]
        self.heard: list[bytes] = []
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._server.accept()
            except OSError:
                return
            with visitor, contextlib.suppress(OSError):
                visitor.settimeout(5)
                if heard := visitor.recv(1 << 16):
                    self.heard.append(heard)
                    visitor.sendall(self._answer)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def door() -> Iterator[Door]:
    """A head that answers strangers on every interface, as Ray does without a token."""
    made = Door("0.0.0.0", LETS_IN)
    yield made
    made.close()


def outward() -> str:
    """The address of this machine that others reach."""
    told = subprocess.run(
        ["ip", "-4", "route", "get", "198.51.100.1"], capture_output=True, text=True, check=True
    ).stdout.split()
    return told[told.index("src") + 1]


def on_ray(batch: BatchBench, *args: str, **env: str | None) -> Result:
    """A batch on Ray, in a process namespace without anyone else's cluster."""
    batch.say(2)
    alone = ["bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--unshare-pid"]
    alone += ["--proc", "/proc", "--die-with-parent", "--"]
    command = [*alone, ray_wheel.python(), "-m", "a3s_cli", "batch", "items.ndjson", *args]
    given: dict[str, Any] = {**batch.model.environment(), "RAY_ADDRESS": None, **env}
    run = batch.bench.start([*command, "-m", "openai/m", "--on", "ray"], None, "none", False,
                            env=given)  # fmt: skip
    return run.finish(120)


@pytest.mark.parametrize("token", [{}, TOKEN], ids=["without a token", "with a token"])
@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "outward", "0.0.0.0"])
def test_a_head_that_answers_strangers(
    batch: BatchBench, door: Door, host: str, token: dict[str, str]
) -> None:
    address = f"{outward() if host == 'outward' else host}:{door.port}"
    result = on_ray(batch, RAY_ADDRESS=address, **token)
    assert result.status == 78
    assert "asks for no token" in result.stderr.decode() and address in result.stderr.decode()
    # It is asked at all where the address may serve, and learns neither batch nor token.
    assert len(door.heard) == (host in ("127.0.0.2", "localhost") or token != {})
    for one in door.heard:
        assert one.startswith(b"PRI * HTTP/2.0") and NODES.encode() in one
        assert b"authorization" not in one and b"items.ndjson" not in one


def test_a_head_that_only_this_machine_reaches() -> None:
    """On loopback alone, it may answer everyone."""
    door = Door("127.0.0.2", LETS_IN)
    require_token(f"127.0.0.2:{door.port}")
    door.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 No\r\n\r\n", b"", bytes(1 << 16)])
def test_what_is_no_head(answer: bytes) -> None:
    door = Door("127.0.0.2", answer)
    with pytest.raises(Unavailable, match=f"no Ray cluster answers at 127.0.0.2:{door.port}: "):
        require_token(f"127.0.0.2:{door.port}")
    door.close()


@pytest.mark.parametrize("variable", [None, "auto"])
def test_the_cluster_that_this_machine_was_a_node_of(
    batch: BatchBench, tmp_path: Path, variable: str | None
) -> None:
    """`auto` leads to where the last `ray start` has left its head's address."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("192.0.2.1:6379")
    found = {"RAY_ADDRESS": variable, "RAY_TMPDIR": str(tmp_path)}
    result = on_ray(batch, *(() if variable else ("--ray-address", "auto")), **found)
    assert result.status == 78
    assert b"there is no token for 192.0.2.1:6379" in result.stderr


def test_no_cluster_at_all(batch: BatchBench, tmp_path: Path) -> None:
    result = on_ray(batch, "--ray-address", "auto", RAY_TMPDIR=str(tmp_path))
    assert result.status == 69
    assert b"Could not find any running Ray instance" in result.stderr


@pytest.mark.parametrize(
    ("variable", "status", "told"),
    [
        ("192.0.2.1:6379", 78, b"there is no token for 192.0.2.1:6379"),
        ("ray://127.0.0.1:10001", 2, b"ray:// cannot stream"),
        ("local", 2, b"expected HOST:PORT"),
    ],
)
def test_auto_means_the_variable_where_there_is_one(
    batch: BatchBench, variable: str, status: int, told: bytes
) -> None:
    result = on_ray(batch, "--ray-address", "auto", RAY_ADDRESS=variable)
    assert (result.status, result.stdout) == (status, b"")
    assert told in result.stderr


def test_a_real_head_answers_no_stranger(cluster: Cluster) -> None:
    def ask(method: str) -> bool:
        return answers_strangers("127.0.0.2", cluster.port, method, 5)

    assert not ask(NODES)
    # So an answer would have been seen: this one is given to every client.
    assert ask("/grpc.health.v1.Health/Check")


def test_a_cluster_whose_token_is_not_told(batch: BatchBench, cluster: Cluster) -> None:
    """Ray would try for twenty seconds."""
    result = on_ray(batch, RAY_ADDRESS=cluster.address)
    assert result.status == 78
    said = f"the Ray cluster at {cluster.address} asks for a token, and there is none here"
    assert said in result.stderr.decode() and b"RAY_AUTH_MODE=token" in result.stderr


def test_an_address_that_ray_changes(batch: BatchBench) -> None:
    """127.0.0.1 means for Ray the address of this machine that others reach."""
    door = Door("127.0.0.1", LETS_IN)
    result = on_ray(batch, RAY_ADDRESS=f"127.0.0.1:{door.port}")
    door.close()
    assert result.status == 78
    assert f"there is no token for {outward()}:{door.port}" in result.stderr.decode()
