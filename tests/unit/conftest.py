"""Fixtures of the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A home and a project that hold nothing yet."""
    return House(tmp_path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty workspace."""
    return tmp_path
