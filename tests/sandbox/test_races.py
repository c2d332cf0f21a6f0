"""Two runs in one tree: one exchanges directories for links while the other one mounts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import subprocess  # noqa: TID251 - a sandbox to look at
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.sandbox.mounts import Expected, Identity, identity, identity_below, wrong

from ..serve.serving import Host, wait_until
from ..support.a3s import Bench, proofs
from ..support.replies import a_call, call, calls, text
from .cage import USERS, Cage, Driver

#: Exchanges two names until a file is there: in bursts, and once in a while, so that what
#: was looked at and what is mounted are each of the two for long enough.
SWAP = """
import ctypes, os, random, sys, time
libc, (one, other, end) = ctypes.CDLL(None), sys.argv[1:]
open(end + ".up", "w").close()
while not os.path.exists(end):
    burst = random.random() < 0.2
    for _ in range(200 if burst else 1):
        libc.renameat2(-100, one.encode(), -100, other.encode(), 2)
    time.sleep(0 if burst else random.uniform(0, 0.02))
"""
ONE_USER = pytest.mark.parametrize("driver", USERS[-1:], indirect=True)


@contextlib.contextmanager
def exchanging(cage: Cage, one: Path, other: Path, **options: Any) -> Iterator[None]:
    """Let another run's command exchange two names meanwhile."""
    driver = Driver("nobody" if os.geteuid() == 0 else "self", cage.root.parent / "shared")
    end = cage.work / "end"
    swap = ["python3", "-c", SWAP, str(one), str(other), str(end)]
    driver.tell(**cage.request(swap, timeout=3000, **options))
    try:
        wait_until(Path(f"{end}.up").exists)
        yield
    finally:
        cage.file("end")
        answer = driver.answer()
        driver.close()
    # It went on until it was told to end.
    assert answer["status"] == 0, answer


def runs(cage: Cage, count: int, script: str, **options: Any) -> str:
    """Run a script so often, as many commands of some runs, and return all that they said."""
    said = ""
    for at in range(0, count, 25):
        # Of every two runs one has three commands at work at once, which share what was seen.
        side = 3 if at % 2 else 1
        then = [["bash", "-c", script]] * (min(count - at, 25) - 1)
        said += cage.bash(script, then=then, side=side, **options).output
    return said


def nested(cage: Cage, count: int) -> None:
    """The outer run exchanges the inner run's workspace for a link to the home."""
    cage.file("victim", "mine\n", below=cage.home)
    inner = cage.directory("inner", below=cage.work)
    cage.file("here", "here\n", below=inner)
    (cage.work / "link").symlink_to(cage.home)
    with exchanging(cage, inner, cage.work / "link"):
        script = "echo evil > victim; echo x > new; ls"
        said = runs(cage, count, script, workspace=inner, roots=[str(inner)])
    print(f"{said.count('here')} of {count} were run, {said.count('replaced')} in no try")
    assert cage.tree(cage.home) == {"victim": "mine\n"}


def _log_in(directory: Path, owner: int = -1) -> None:
    """Create a key in a directory that is a link half of the time."""
    while True:
        with contextlib.suppress(OSError):
            here = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            break
    os.mkdir("gh", dir_fd=here)
    if os.geteuid() == 0:
        os.chown("gh", owner, owner, dir_fd=here)
    os.close(here)


def shared_home(cage: Cage, count: int) -> None:
    """Both runs work in a home; one exchanges a directory in which the other one hides keys."""
    own = {"HOME": str(cage.work)}
    cage.file(".config/note", "note\n")
    cage.file("victim", "mine\n", below=cage.outside)
    cage.directory("gh", below=cage.outside)
    cage.file("gh/hosts.yml", "OUTSIDE\n", below=cage.outside)
    (cage.work / "link").symlink_to("../outside")
    options = {"environ": own, "environment": own}
    with exchanging(cage, cage.work / ".config", cage.work / "link", **options):
        # Now there is something to hide, and what is around it is mounted; but the other run's
        # command has begun, without that mount in its way.
        _log_in(cage.work / ".config", cage.driver.uid)
        script = "echo evil > .config/victim; mkdir .config/new; ls .config"
        said = runs(cage, count, script, **options)
    print(f"{said.count('note')} of {count} were run, {said.count('replaced')} in no try")
    assert cage.tree(cage.outside) == {
        "victim": "mine\n", "gh": None, "gh/hosts.yml": "OUTSIDE\n",
    }  # fmt: skip


SCENES = {"nested": nested, "home": shared_home}


@ONE_USER
@pytest.mark.parametrize("scene", SCENES)
def test_a_mount_is_never_of_another_place(cage: Cage, scene: str) -> None:
    SCENES[scene](cage, proofs(80))


@pytest.mark.heavy
@pytest.mark.timeout(2400)
@ONE_USER
@pytest.mark.parametrize("scene", SCENES)
def test_ten_thousand_times(cage: Cage, scene: str) -> None:
    SCENES[scene](cage, 5_000)


@pytest.fixture
def host(public: Path) -> Iterator[Host]:
    bench = Bench(public)
    host = Host(bench)
    yield host
    host.close()
    bench.close()


def two_sessions(host: Host, count: int) -> None:
    """Two runs of one server in one home: as above, through the whole program."""
    work, outside = host.bench.work, host.bench.root / "outside"
    for directory in (work / ".config", outside / "gh"):
        directory.mkdir(parents=True)
    (work / ".config/note").touch()
    (outside / "victim").write_text("mine\n")
    (work / "link").symlink_to("../outside")
    swap = shlex.join(["python3", "-c", SWAP, ".config", "link", "end"])
    evil = "echo evil > .config/victim; mkdir .config/new-{}; ls .config"
    turns = [
        calls(
            *(a_call("bash", {"command": evil.format(n)}) for n in range(at, min(at + 10, count)))
        )
        for at in range(0, count, 10)
    ]
    script = [call("bash", {"command": swap, "timeout": 2_000_000}), *turns, text("b"), text("a")]
    own = {"HOME": str(work), "XDG_CONFIG_HOME": None}
    serving = host.serve(script, "--allow", "bash", "--sandbox", "require", env=own)
    with serving.chat("exchange", sessionId="a") as stream:
        stream.take("tool_start")
        wait_until((work / "end.up").exists)
        _log_in(work / ".config")
        events = serving.ask("be there", sessionId="b")
        (work / "end").touch()
        stream.take("end")
    assert sum(event["type"] == "tool_end" for event in events) == count
    assert {path.name for path in outside.rglob("*")} == {"victim", "gh"}
    assert (outside / "victim").read_text() == "mine\n"


def test_two_sessions_of_one_server(host: Host) -> None:
    two_sessions(host, proofs(30))


@pytest.fixture
def confined(public: Path) -> Iterator[tuple[int, Path]]:
    """The pid of a process to which `work`, and in it `mine` and `link`, are mounted."""
    place = Path(tempfile.mkdtemp(dir=public))
    for name in ("work/mine", "work/other", "outside", "work/hidden"):
        (place / name).mkdir(parents=True)
    work = str(place / "work")
    argv = ["bwrap", "--unshare-user", "--die-with-parent", "--json-status-fd", "1"]
    argv += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", work, work]
    argv += ["--bind", f"{work}/mine", f"{work}/mine", "--tmpfs", f"{work}/hidden"]
    argv += ["--remount-ro", "/proc", "sh", "-c", "read x >&2"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdout and process.stdin
        yield json.loads(process.stdout.readline())["child-pid"], place
        process.stdin.close()


def test_what_is_compared(confined: tuple[int, Path]) -> None:
    pid, place = confined
    work, mine, hidden = (str(place / name) for name in ("work", "work/mine", "work/hidden"))
    meant = {one: Expected(True, identity(one)) for one in (work, mine)}
    meant[hidden] = Expected(True, None)

    def compared(**more: Expected) -> str | None:
        return asyncio.run(wrong(pid, meant | {str(place / k): v for k, v in more.items()}))

    assert compared() is None
    other = str(place / "outside")
    assert compared(outside=Expected(False, identity(other))) == other
    assert compared(work=Expected(True, identity(other))) == work
    assert compared(work=Expected(False, identity(work))) == work
    assert compared(work=Expected(True, None)) == work
    assert asyncio.run(wrong(pid, {work: meant[work], hidden: meant[hidden]})) == mine
    # What is exchanged afterwards takes its mount along: it is never taken for the other one's.
    (place / "work/other").rename(f"{mine}-2")
    Path(mine).rename(f"{work}/gone")
    Path(f"{mine}-2").rename(mine)
    assert compared() == mine
    Path(mine).rename(f"{work}/other")
    Path(mine).symlink_to("gone")
    assert identity_below_work(place, "mine") is None
    assert compared() == mine


def identity_below_work(place: Path, name: str) -> Identity | None:
    root = os.open(place / "work", os.O_PATH)
    try:
        return identity_below(root, name)
    finally:
        os.close(root)
