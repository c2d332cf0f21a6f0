"""Two runs in one tree: one exchanges directories for links while the other one mounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from a3s_cli.sandbox.mounts import Expected, Mounted, compare, identity

from ..support.a3s import proofs
from .cage import USERS, Cage, Driver

#: Exchanges two names until a file is there.
SWAP = """
import ctypes, os, sys
libc, (one, other, end) = ctypes.CDLL(None), sys.argv[1:]
open(end + ".up", "w").close()
while not os.path.exists(end):
    for _ in range(200):
        libc.renameat2(-100, one.encode(), -100, other.encode(), 2)
"""
ONE_USER = pytest.mark.parametrize("driver", USERS[-1:], indirect=True)


@contextmanager
def exchanging(cage: Cage, one: Path, other: Path, **options: Any) -> Iterator[None]:
    """Let another run's command exchange two names meanwhile."""
    driver = Driver("nobody" if os.geteuid() == 0 else "self", cage.root.parent / "shared")
    end = cage.work / "end"
    swap = ["python3", "-c", SWAP, str(one), str(other), str(end)]
    thread = Thread(target=lambda: driver.ask(**cage.request(swap, timeout=2000, **options)))
    thread.start()
    try:
        for _ in range(2000):
            if Path(f"{end}.up").exists():
                break
            thread.join(0.01)
        yield
    finally:
        cage.file("end")
        thread.join(60)
        driver.close()
    assert not thread.is_alive() and Path(f"{end}.up").exists()


def runs(cage: Cage, count: int, script: str, **options: Any) -> tuple[str, list[str]]:
    """Run a script so often, as many commands of one run; return its outputs and what was so."""
    outputs, mounted = "", []
    while count > 0:
        then = [["bash", "-c", script]] * (min(count, 50) - 1)
        outcome = cage.bash(script, then=then, **options)
        outputs += outcome.output
        mounted += [line for line in outcome.output.splitlines() if line.startswith("a3s:")]
        count -= 50
    return outputs, mounted


def nested(cage: Cage, count: int) -> None:
    """The outer run exchanges the inner run's workspace for a link to the home."""
    cage.file("victim", "mine\n", below=cage.home)
    inner = cage.directory("inner", below=cage.work)
    cage.file("here", "here\n", below=inner)
    (cage.work / "link").symlink_to(cage.home)
    with exchanging(cage, inner, cage.work / "link"):
        script = "echo evil > victim; echo x > new; ls"
        runs(cage, count, script, workspace=inner, roots=[str(inner)])
    assert cage.tree(cage.home) == {"victim": "mine\n"}


def shared_home(cage: Cage, count: int) -> None:
    """Both runs work in a home; one exchanges a directory in which the other one hides keys."""
    own = {"HOME": str(cage.work)}
    cage.file(".config/note", "note\n")
    cage.file("victim", "mine\n", below=cage.outside)
    cage.directory("gh", below=cage.outside)
    cage.file("gh/hosts.yml", "OUTSIDE\n", below=cage.outside)
    (cage.work / "link").symlink_to(cage.outside)
    options = {"environ": own, "environment": own}
    with exchanging(cage, cage.work / ".config", cage.work / "link", **options):
        # It is hidden from now on, and was not mounted when the other run's command began.
        keys = next(p for p in (cage.work / ".config", cage.work / "link") if not p.is_symlink())
        script = "echo evil > .config/victim; mkdir .config/new; cat .config/gh/*; ls .config"
        runs(cage, count, script, **options)
        del keys
    assert cage.tree(cage.outside) == {
        "victim": "mine\n", "gh": None, "gh/hosts.yml": "OUTSIDE\n",
    }  # fmt: skip


SCENES = {"nested": nested, "home": shared_home}


@ONE_USER
@pytest.mark.parametrize("scene", SCENES)
def test_a_mount_is_never_of_another_place(cage: Cage, scene: str) -> None:
    SCENES[scene](cage, proofs(300))


@pytest.mark.heavy
@pytest.mark.timeout(2400)
@ONE_USER
@pytest.mark.parametrize("scene", SCENES)
def test_ten_thousand_times(cage: Cage, scene: str) -> None:
    SCENES[scene](cage, 5_000)


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
