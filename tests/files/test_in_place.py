"""Writing where a rename is impossible or loses something, and what a kill leaves behind."""

from __future__ import annotations

import os
import signal
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
