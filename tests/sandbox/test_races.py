"""Two runs in one tree: one exchanges directories for links while the other one mounts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from a3s_cli.sandbox.mounts import Expected, Mounted, compare, identity

from ..support.a3s import proofs
from .cage import USERS, Cage

#: Exchanges two names for as long as it runs.
SWAP = """
import ctypes, os, sys, time
libc, end = ctypes.CDLL(None), time.time() + float(sys.argv[3])
while time.time() < end:
    libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)
"""


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_a_nested_workspace_is_never_another_place(cage: Cage) -> None:
    """The outer run exchanges the inner run's workspace for a link to the home."""
    cage.file("victim", "mine\n", below=cage.home)
    inner = cage.directory("inner", below=cage.work)
    cage.file("here", "here\n", below=inner)
    (cage.work / "link").symlink_to(cage.home)
    seconds = proofs(8)
    swap = ["python3", "-c", SWAP, str(inner), str(cage.work / "link"), str(seconds)]
    from threading import Thread

    other = type(cage.driver)("nobody" if os.geteuid() == 0 else "self", _shared(cage))
    try:
        request = cage.request(swap)
        thread = Thread(target=lambda: other.ask(**request))
        thread.start()
        scripts = ["echo evil > victim; echo x > new; ls"] * proofs(40)
        for script in scripts:
            cage.driver.ask(
                **cage.request(["bash", "-c", script], workspace=inner, roots=[str(inner)])
            )
        thread.join(60)
    finally:
        other.close()
    assert (cage.home / "victim").read_text() == "mine\n"
    assert sorted(path.name for path in cage.home.iterdir()) == ["victim"]


def _shared(cage: Cage) -> Path:
    return Path(cage.root).parent / "shared"


def test_what_is_compared(tmp_path: Path) -> None:
    work, other = tmp_path / "work", tmp_path / "other"
    work.mkdir()
    other.mkdir()
    place = str(work)
    meant = {place: Expected(True, identity(place))}
    there = Mounted(frozenset(("rw",)), "ext4")
    root = os.open("/", os.O_RDONLY)
    try:
        assert compare({place: there}, meant, root) is None
        assert compare({}, meant, root) == place
        assert compare({place: there, str(other): there}, meant, root) == str(other)
        assert compare({place: there}, {place: Expected(True, identity(str(other)))}, root) == place
        assert compare({place: there}, {place: Expected(True, None)}, root) == place
        work.rmdir()
        work.symlink_to(other)
        assert compare({place: there}, {place: Expected(True, identity(place))}, root) == place
    finally:
        os.close(root)
