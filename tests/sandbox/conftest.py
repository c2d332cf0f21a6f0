from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.sandbox.probe import Probe

from ..support import processes
from .cage import USERS, Cage, Driver, share


@pytest.fixture(scope="session")
def public() -> Iterator[Path]:
    """A directory that every user can reach and that is seen from inside, as /tmp is not."""
    places = ("/srv", "/opt", "/var/lib", str(Path.home()))
    place = next(place for place in places if os.access(place, os.W_OK))
    directory = Path(tempfile.mkdtemp(prefix="a3s-test-", dir=place))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def shared(public: Path) -> Path:
    probe = Probe(os.environ, public)
    if not probe.answer(10):
        pytest.skip(f"no sandbox here: {probe.reason}")
    return share(public / "shared")


@pytest.fixture(scope="session", params=USERS)
def driver(request: pytest.FixtureRequest, shared: Path) -> Iterator[Driver]:
    driver = Driver(request.param, shared)
    yield driver
    driver.close()


@pytest.fixture
def cage(driver: Driver, public: Path) -> Iterator[Cage]:
    root = Path(tempfile.mkdtemp(prefix="cage-", dir=public))
    root.chmod(0o755)
    cage = Cage(driver, root)
    yield cage
    left = processes.wait_until_gone(cage.mark, 5)
    processes.clean_up(cage.mark)
    assert not left, left
