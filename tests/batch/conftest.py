from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.a3s import Bench
from .bench import BatchBench
from .model import Model
from .ray_cluster import Cluster
from .slurm import PROGRAMS, Slurm


@pytest.fixture
def model() -> Iterator[Model]:
    served = Model()
    yield served
    served.close()


@pytest.fixture
def strict() -> Iterator[Model]:
    """A model that allows five requests a second."""
    served = Model(rate=5, headers={"retry-after-ms": "200"})
    yield served
    served.close()


@pytest.fixture
def batch(a3s: Bench, model: Model) -> BatchBench:
    return BatchBench(a3s, model)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of Ray, which takes seconds to come up, for all tests that leave it whole."""
    made = Cluster()
    yield made
    made.close()


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    if os.geteuid() or not all(map(shutil.which, PROGRAMS)):
        pytest.skip("Slurm is not installed, or this is not root")
    root = tmp_path / "slurm"
    root.mkdir()
    cluster = Slurm(root)
    yield cluster
    cluster.close()
