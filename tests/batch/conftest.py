from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.a3s import Bench
from .bench import BatchBench
from .model import Model


@pytest.fixture
def model() -> Iterator[Model]:
    served = Model()
    yield served
    served.close()


@pytest.fixture
def batch(a3s: Bench, model: Model) -> BatchBench:
    return BatchBench(a3s, model)
