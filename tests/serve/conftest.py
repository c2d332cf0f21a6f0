"""A server to talk to: the real binary on a free port, answered by a scripted model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.a3s import Bench
from .serving import Host


@pytest.fixture
def host(a3s: Bench) -> Iterator[Host]:
    """Starts servers: `host.serve(script, *options)`. What it leaves running fails the test."""
    host = Host(a3s)
    yield host
    host.close()
