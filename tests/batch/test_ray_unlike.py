"""A node whose a3s is another than the driver's: the batch ends before any item runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support.a3s import Bench
from .model import Model
from .ray_cluster import Cluster, RayBench

pytestmark = pytest.mark.timeout(420)
PACKAGE = Path(__file__).parents[2] / "a3s_cli"
#: The node that is unlike the others.
ODD = "127.0.0.5"


@pytest.fixture
def batch(a3s: Bench, model: Model, cluster: Cluster) -> RayBench:
    return RayBench(a3s, model, cluster)


def another_version(package: Path) -> None:
    (package / "version.py").write_text('__version__ = "0.0.7"\n')


def a_version_without_ray(package: Path) -> None:
    (package / "batch/ray_node.py").unlink()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (another_version, rf"the node of worker {ODD}:\d+ has a3s 0\.0\.7, this machine "),
        (a_version_without_ray, "a node cannot start a worker: .*No module named 'a3s_cli.batch"),
    ],
)
def test_a_node_with_another_a3s(
    batch: RayBench, model: Model, changed: Callable[[Path], None], said: str
) -> None:
    """The node has a copy of the package on its path, which is changed."""
    copy = batch.cluster.root / changed.__name__
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, copy / "a3s_cli", ignore=ignored)
    changed(copy / "a3s_cli")
    batch.cluster.add(ODD, PYTHONPATH=str(copy))
    try:
        batch.say(12)
        result = batch("items.ndjson", "--jobs", "6")
    finally:
        batch.cluster.remove(ODD)
    assert (result.status, result.last["code"]) == (78, "config")
    assert re.match(said, result.last["error"]), result.last
    assert model.prompts.total() == 0
    assert b"on every node" in result.stderr


def test_nodes_that_lack_an_extra(batch: RayBench, model: Model) -> None:
    """Only where the driver runs can the module of the extra `local` be found."""
    extra = batch.cluster.root / "extra"
    extra.mkdir()
    (extra / "xllamacpp.py").touch()
    batch.say(12)
    result = batch("items.ndjson", env={"PYTHONPATH": str(extra)})
    assert (result.status, result.last["code"]) == (78, "config")
    said = r"worker 127\.0\.0\.[234]:\d+ lacks the extra local, which this process has"
    assert re.match(said, result.last["error"]), result.last
    assert model.prompts.total() == 0
