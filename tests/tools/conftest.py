from __future__ import annotations

from pathlib import Path

import pytest

from .desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The tools, in an empty workspace that has neighbours."""
    root = tmp_path / "work"
    root.mkdir()
    return Desk(root)
