"""write: whole files, atomically."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import stat
import tempfile
import threading
from pathlib import Path

from .desk import Desk


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_creates_a_file_and_its_directories(desk: Desk) -> None:
    result = desk.call("write", file_path="a/b/c.txt", content="één\ntwo")
    path = desk.root / "a/b/c.txt"
    assert path.read_bytes() == "één\ntwo".encode()
    assert result.output == "Wrote a/b/c.txt: 9 bytes, 2 lines."
    assert result.path == str(path)
    assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert names(path.parent) == ["c.txt"]


def test_keeps_the_mode_and_honours_the_umask(desk: Desk) -> None:
    script = desk.root / "run.sh"
    script.write_text("old")
    script.chmod(0o751)
    desk.call("write", file_path="run.sh", content="new")
    assert (script.read_text(), stat.S_IMODE(script.stat().st_mode)) == ("new", 0o751)
    before = os.umask(0o027)
    try:
        desk.call("write", file_path="sub/new", content="")
    finally:
        os.umask(before)
    assert stat.S_IMODE((desk.root / "sub/new").stat().st_mode) == 0o640
    assert stat.S_IMODE((desk.root / "sub").stat().st_mode) == 0o750


def test_keeps_the_owner(desk: Desk) -> None:
    (desk.root / "a").touch()
    if os.geteuid() == 0:
        os.chown(desk.root / "a", 12345, 54321)
    before = (desk.root / "a").stat()
    desk.call("write", file_path="a", content="x")
    after = (desk.root / "a").stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_a_read_only_file_stays() -> None:
    with tempfile.TemporaryDirectory() as place:
        desk = Desk(Path(place).resolve())
        desk.root.chmod(0o777)
        (desk.root / "a").write_text("old")
        (desk.root / "a").chmod(0o444)
        child = multiprocessing.get_context("fork").Process(
            target=_overwrite_as_nobody, args=(desk,)
        )
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert (desk.root / "a").read_text() == "old"


def _overwrite_as_nobody(desk: Desk) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    assert desk.error("write", file_path="a", content="new") == "a: it is read-only"


def test_writes_through_a_link(desk: Desk) -> None:
    (desk.root / "real").write_text("old")
    (desk.root / "link").symlink_to("real")
    result = desk.call("write", file_path="link", content="new")
    assert (desk.root / "link").is_symlink()
    assert (desk.root / "real").read_text() == "new"
    assert result.path == str(desk.root / "real")
    (desk.root / "dangling").symlink_to("sub/target")
    desk.call("write", file_path="dangling", content="there")
    assert (desk.root / "sub/target").read_text() == "there"


def test_a_hard_link_elsewhere_keeps_its_content(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("old")
    os.link(tmp_path / "outside", desk.root / "a")
    desk.call("write", file_path="a", content="new")
    assert (tmp_path / "outside").read_text() == "old"


def test_refuses_what_is_no_file(desk: Desk) -> None:
    (desk.root / "sub").mkdir()
    (desk.root / "file").touch()
    assert desk.error("write", file_path="sub", content="x") == "sub is a directory: ls lists it"
    assert desk.error("write", file_path="", content="x") == ". is a directory: ls lists it"
    assert "needs the path of a file" in desk.error("write", file_path="new/", content="x")
    assert "not a directory" in desk.error("write", file_path="file/below", content="x")
    assert names(desk.root) == ["file", "sub"]


def test_a_lone_surrogate_is_not_written(desk: Desk) -> None:
    assert desk.error("write", file_path="a", content="ok \ud800") == (
        "content is not Unicode text: it holds a lone surrogate at character 3"
    )
    assert names(desk.root) == []


def test_a_full_disk_leaves_the_old_file(desk: Desk) -> None:
    import resource

    (desk.root / "a").write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert "a: file too large" in desk.error("write", file_path="a", content="x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert names(desk.root) == ["a"]
    assert (desk.root / "a").read_text() == "old"


def test_readers_see_old_or_new(desk: Desk) -> None:
    contents = [char * 300_000 for char in "ab"]
    (desk.root / "a").write_text(contents[0])
    done = threading.Event()
    seen: set[str] = set()

    def watch() -> None:
        while not done.is_set():
            seen.add((desk.root / "a").read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for count in range(60):
        desk.call("write", file_path="a", content=contents[count % 2])
    done.set()
    watcher.join(10)
    assert seen <= set(contents)


def _write_forever(root: Path) -> None:
    desk = Desk(root)
    while True:
        for char in "ab":
            desk.call("write", file_path="a", content=char * 400_000)


def test_killed_at_any_moment_leaves_old_or_new(desk: Desk) -> None:
    (desk.root / "a").write_text("b" * 400_000)
    for pause in range(12):
        writer = multiprocessing.get_context("fork").Process(
            target=_write_forever, args=(desk.root,)
        )
        writer.start()
        writer.join(0.02 + pause * 0.003)
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(10)
        assert (desk.root / "a").read_text() in ("a" * 400_000, "b" * 400_000)
