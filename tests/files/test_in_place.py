"""Writing where a rename is impossible or loses something, and what a kill leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251 - a mount of its own needs a process of its own
import sys
import tempfile
from pathlib import Path

import pytest

from a3s_cli.files import in_place
from a3s_cli.files.workspace import Workspace


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_names_inside_stay_one_file_and_names_outside_are_left(root: Path) -> None:
    (root / "a").write_text("old")
    os.link(root / "a", root / "b")
    Workspace(root).replace(root / "a", b"new")
    assert (root / "b").read_text() == "new" and (root / "a").samefile(root / "b")
    os.link(root / "a", root.parent / "outside")
    Workspace(root).replace(root / "a", b"newer")
    assert (root.parent / "outside").read_text() == "new"
    assert os.listdir(in_place.directory()) == []


def test_a_directory_that_cannot_be_written() -> None:
    # Not below pytest's own directory, which is closed to the user that root becomes.
    with tempfile.TemporaryDirectory() as place:
        work = Path(place).resolve() / "work"
        work.mkdir()
        (work / "a").write_text("old and long")
        (work / "a").chmod(0o666)
        Path(place).chmod(0o777)
        work.chmod(0o555)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                os.environ["XDG_STATE_HOME"] = str(Path(place) / "state")
                Workspace(work).replace(work / "a", b"new")
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert (work / "a").read_text() == "new"
        assert os.listdir(work) == ["a"]
        work.chmod(0o755)


@pytest.mark.parametrize("half", [True, False])
def test_a_kill_leaves_a_journal_that_restores_the_file(root: Path, half: bool) -> None:
    (root / "a").write_bytes(b"old content\n")
    os.link(root / "a", root / "b")
    child = os.fork()
    if child == 0:
        try:
            # It dies between writing the file and saying so, or in the middle of writing.
            real = os.pwrite if half else os.ftruncate
            before = (root / "a").stat().st_ino

            def die(descriptor: int, *given: object) -> int:
                if os.fstat(descriptor).st_ino == before:
                    if half:
                        real(descriptor, b"new", 0)
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(descriptor, *given)  # type: ignore[arg-type]

            setattr(os, "pwrite" if half else "ftruncate", die)
            Workspace(root).replace(root / "a", b"new content that is longer\n")
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert len(os.listdir(in_place.directory())) == 1
    with Workspace(root).open_file(root / "b") as file:
        assert file.read() in (b"old content\n", b"new content that is longer\n")
    assert (root / "a").samefile(root / "b")
    assert os.listdir(in_place.directory()) == []


MOUNTED = """
import os, subprocess, sys
from pathlib import Path
from a3s_cli.files.workspace import Workspace

work, other = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "--bind", other, work / "a"], check=True)
before = os.stat(other)
Workspace(work).replace(work / "a", b"new and longer")
after = os.stat(work / "a")
print((work / "a").read_text(), other.read_text(), after.st_ino == before.st_ino, os.listdir(work))
"""


def test_a_file_that_is_mounted(root: Path) -> None:
    """As a container mounts one: no other file can take its place."""
    (root / "a").write_text("below")
    other = root.parent / "other"
    other.write_text("old")
    unshare = ["unshare", "-m", *(() if os.geteuid() == 0 else ("-r",))]
    done = subprocess.run(
        [*unshare, sys.executable, "-c", MOUNTED, root, other],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "new and longer new and longer True ['a']\n", done.stderr
    assert (root / "a").read_text() == "below"
    assert os.listdir(in_place.directory()) == []


def test_a_name_outside_is_kept_with_mode_and_content(root: Path) -> None:
    """Some of its names are in the workspace, one is not: the one that is edited leaves them."""
    (root / "a").write_text("old")
    (root / "a").chmod(0o640)
    os.link(root / "a", root / "b")
    os.link(root / "a", root.parent / "outside")
    Workspace(root).replace(root / "a", b"new")
    assert [path.read_text() for path in (root / "a", root / "b", root.parent / "outside")] == [
        "new", "old", "old",
    ]  # fmt: skip
    assert (root / "a").stat().st_mode & 0o777 == 0o640
