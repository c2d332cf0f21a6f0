"""What `--on ray` says before it connects, and that nothing of Ray is imported otherwise."""

from __future__ import annotations

import ast
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ..support import ray_wheel
from ..support.a3s import Bench
from ..support.run import Result
from ..support.server import refusing_port
from .bench import BatchBench
from .laws import check_batch

PACKAGE = Path(__file__).parents[2] / "a3s_cli"
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}


def on_ray(batch: BatchBench, *args: str, python: str = sys.executable, **env: str) -> Result:
    batch.say(2)
    command = [python, "-m", "a3s_cli", "batch", "items.ndjson", "-m", "openai/m"]
    given = {**batch.model.environment(), "RAY_ADDRESS": None, **env}
    result = batch.bench.start([*command, *args], None, "none", False, env=given).finish()
    if result.stdout:
        check_batch(result.stdout, result.status)
    else:
        assert not (batch.work / "items.ndjson.batch").exists()
    return result


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed beside the tests")
def test_without_the_extra_it_says_how_to_add_it(batch: BatchBench) -> None:
    result = on_ray(batch, "--on", "ray", RAY_ADDRESS="127.0.0.2:6379")
    assert (result.status, result.stdout) == (78, b"")
    said = result.stderr.decode()
    assert "needs the package ray" in said and re.search(r"install .*\[ray\]", said)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "http://127.0.0.1:8265"])
def test_an_address_that_cannot_stream(batch: BatchBench, address: str) -> None:
    for result in (
        on_ray(batch, "--on", "ray", "--ray-address", address),
        on_ray(batch, "--on", "ray", RAY_ADDRESS=address),
    ):
        assert (result.status, result.stdout) == (2, b"")
        assert b"cannot stream" in result.stderr and b"ray job submit" in result.stderr


def test_an_address_without_the_engine(batch: BatchBench) -> None:
    result = on_ray(batch, "--ray-address", "127.0.0.1:6379")
    assert (result.status, result.stdout) == (2, b"")
    assert b"--ray-address needs --on ray" in result.stderr


def test_an_engine_that_is_unknown(batch: BatchBench) -> None:
    result = on_ray(batch, "--on", "rey")
    assert (result.status, result.stdout) == (2, b"")
    assert b"the engines are here, ray" in result.stderr


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("env", "status", "said"),
    [
        ({}, 2, "which cluster?"),
        ({"RAY_ADDRESS": "somewhere"}, 2, "expected HOST:PORT"),
        ({"RAY_ADDRESS": "192.0.2.1:6379"}, 78, "asks for no token"),
        ({"RAY_ADDRESS": "head.example:6379", "RAY_AUTH_MODE": "token"}, 78, "asks for no token"),
        ({"RAY_ADDRESS": "192.0.2.1:6379", **TOKEN, "RAY_AUTH_MODE": ""}, 78, "asks for no token"),
    ],
)
def test_a_cluster_that_is_not_asked(
    batch: BatchBench, env: dict[str, str], status: int, said: str
) -> None:
    result = on_ray(batch, "--on", "ray", python=ray_wheel.python(), **env)
    assert (result.status, result.stdout) == (status, b"")
    assert said in result.stderr.decode()


@pytest.mark.timeout(420)
def test_a_cluster_that_does_not_answer(batch: BatchBench) -> None:
    holder, port = refusing_port()
    address = f"127.0.0.1:{port}"
    result = on_ray(
        batch, "--on", "ray", "--ray-address", address, python=ray_wheel.python(), **TOKEN
    )
    holder.close()
    assert (result.status, result.last["code"]) == (69, "unavailable")
    assert f"no Ray cluster answers at {address}" in result.last["error"]
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.timeout(420)
def test_a_batch_here_imports_nothing_of_it(a3s: Bench, batch: BatchBench) -> None:
    batch.say(1)
    command = [ray_wheel.python(), "-X", "importtime", "-m", "a3s_cli", "batch", "items.ndjson"]
    env = batch.model.environment()
    result = a3s.start([*command, "-m", "openai/m"], None, "none", False, env=env).finish()
    assert result.status == 0
    modules = {line.rpartition(b"|")[2].strip() for line in result.stderr.splitlines()}
    assert b"a3s_cli.batch.pool" in modules
    assert {one for one in modules if b"ray" in one.replace(b".", b"_").split(b"_")} == set()


def test_ray_is_imported_in_two_files() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.partition(".")[0] == "ray" for name in names):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"batch/on_ray.py", "batch/ray_node.py"}
