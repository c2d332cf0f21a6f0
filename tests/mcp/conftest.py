from __future__ import annotations

import pytest

from ..support.a3s import Bench
from .bench import Scripted


@pytest.fixture
def scripted(a3s: Bench) -> Scripted:
    """Scripted servers in the bench's configuration."""
    return Scripted(a3s)
