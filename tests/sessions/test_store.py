"""Beginning, finding, locking and removing sessions."""

from __future__ import annotations

import os
import resource
import signal
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from a3s_cli.errors import ExitStatus, SessionBusy, UsageError
from a3s_cli.sessions.file import NotKept
from a3s_cli.sessions.past import Past
from a3s_cli.sessions.store import Store

from ..support import descriptors, processes
from . import talk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return talk.store(tmp_path)


def made(store: Store, workspace: str = "/w", name: str | None = None) -> str:
    file = store.create(workspace, id=name)
    talk.run(file, "hello?", "hello.")
    file.close()
    return file.id


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_its_owners_alone(store: Store) -> None:
    before = os.umask(0)
    try:
        file = store.create("/w")
        talk.run(file, "hello?", "hello.")
        spill = file.spill()
        assert spill is not None
        spill.write(b"x")
        kept = spill.finish()
        file.close()
    finally:
        os.umask(before)
    assert kept is not None
    assert (mode(store.directory), mode(file.spilled)) == (0o700, 0o700)
    assert (mode(file.path), mode(kept.path)) == (0o600, 0o600)


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/a3s/sessions"),
        ({"HOME": "/h"}, "/h/.local/state/a3s/sessions"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/a3s/sessions"),
        ({"XDG_STATE_HOME": "", "HOME": "/h"}, "/h/.local/state/a3s/sessions"),
    ],
)
def test_where_it_is(environment: dict[str, str], place: str) -> None:
    assert Store.find(environment).directory == Path(place)


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_no_home(environment: dict[str, str]) -> None:
    with pytest.raises(NotKept, match="there is no home directory"):
        Store.find(environment)


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(NotKept, match="Not a directory"):
        talk.store(tmp_path).create("/w")
    with pytest.raises(UsageError):
        talk.store(tmp_path).newest("/w")
    assert talk.store(tmp_path).ids() == []


def test_ids_sort_by_time(store: Store) -> None:
    names = [made(store) for _ in range(20)]
    assert len(set(names)) == 20 and {len(name) for name in names} == {17}
    assert [name[:9] for name in names] == sorted(name[:9] for name in names)


@pytest.mark.parametrize("name", ["a", "A-1_2.3", "0" * 64, "x.ndjson", "a.d"])
def test_names_that_a_user_may_choose(store: Store, name: str) -> None:
    file, past = store.open(name, "/w")
    assert (file.id, past) == (name, Past())
    said = talk.run(file, "hello?", "hello.")
    file.close()
    file, past = store.open(name, "/w")
    assert past.messages == said
    file.close()
    assert store.newest("/w") == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "-c", ".hidden", "a b", "é", "a\n", "a\0", "0" * 65]
)
def test_names_that_nobody_may_choose(store: Store, name: str) -> None:
    for use in (store.open, store.resume):
        with pytest.raises(UsageError):
            use(name, "/w")
    with pytest.raises(UsageError):
        store.create("/w", id=name)
    with pytest.raises(UsageError):
        store.remove(name)
    assert not store.directory.exists()


def test_a_name_is_given_once(store: Store) -> None:
    made(store, name="mine")
    with pytest.raises(UsageError, match="already"):
        store.create("/w", id="mine")


def test_a_beginning_is_enough(store: Store) -> None:
    for name in ("alpha-1", "alpha-2", "beta-1"):
        made(store, name=name)
    assert store.named("beta") == "beta-1"
    assert store.named("alpha-2") == "alpha-2"
    for name, words in (("alpha", "2 sessions begin"), ("bet", "there is no"), ("", "there is no")):
        with pytest.raises(UsageError, match=words):
            store.named(name)
    # What cannot be undone wants the whole name.
    with pytest.raises(UsageError, match="there is no session 'beta'; the nearest: beta-1"):
        store.remove("beta")


def test_an_unknown_name(store: Store) -> None:
    made(store, name="nightly-build")
    with pytest.raises(UsageError) as caught:
        store.resume("nightly-biuld", "/w")
    assert str(caught.value) == ("there is no session 'nightly-biuld'; the nearest: nightly-build")
    assert caught.value.correction == ("nightly-biuld", "nightly-build")
    assert caught.value.exit_status == ExitStatus.USAGE


def test_the_newest_of_a_workspace(store: Store) -> None:
    with pytest.raises(UsageError, match="this directory has no session"):
        store.newest("/w")
    first, second, other = made(store), made(store), made(store, "/elsewhere")
    assert (store.newest("/w"), store.newest("/elsewhere")) == (second, other)
    file, _ = store.resume(first, "/w")
    assert store.newest("/w") == first
    file.close()
    file, _ = store.resume(second, "/elsewhere")
    file.close()
    assert (store.newest("/w"), store.newest("/elsewhere")) == (first, second)
    store.remove(second)
    assert store.newest("/elsewhere") == other


def test_one_writer_in_one_process(store: Store) -> None:
    file = store.create("/w")
    talk.run(file, "hello?", "hello.")
    with pytest.raises(SessionBusy, match=f"in use by process {os.getpid()}"):
        store.resume(file.id, "/w")
    with pytest.raises(SessionBusy):
        store.remove(file.id)
    file.close()
    again, _ = store.resume(file.id, "/w")
    again.close()


def test_one_writer_among_processes(store: Store) -> None:
    """The holder is named; when it is killed, its lock is gone with it."""
    name = made(store)

    def hold(tell: Callable[[], None]) -> None:
        file, _ = store.resume(name, "/w")
        tell()
        signal.pause()
        file.close()

    child, ready = talk.forked(hold)
    try:
        assert descriptors.piece(ready, 1) == b"."
        with pytest.raises(
            SessionBusy, match=f"the session {name} is in use by process {child}$"
        ) as busy:
            store.resume(name, "/w")
        assert (busy.value.code, busy.value.exit_status) == ("busy", ExitStatus.TEMPORARY)
    finally:
        os.kill(child, signal.SIGKILL)
        processes.reap(child)
        os.close(ready)
    file, past = store.resume(name, "/w")
    assert len(past.messages) == 4
    file.close()


def test_an_unused_session_leaves_nothing(store: Store) -> None:
    store.create("/w").close()
    assert [path.name for path in store.directory.iterdir()] == [".recent"]
    assert store.ids() == []


def test_a_dropped_session_is_unlocked(store: Store) -> None:
    name = made(store)
    file, _ = store.resume(name, "/w")
    del file
    file, _ = store.resume(name, "/w")
    file.close()


def test_a_full_disk(store: Store) -> None:
    """What does not fit is not kept, what was kept is whole, and nothing is raised."""
    name = made(store)
    size = store.path(name).stat().st_size

    def write(tell: Callable[[], None]) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file, _ = store.resume(name, "/w")
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, size + 1000))
        talk.run(file, "more?", "more." * 1000)
        assert file.failure is not None and "File too large" in str(file.failure)
        assert file.spill() is None
        file.close()
        tell()

    child, ready = talk.forked(write)
    processes.reap(child)
    assert descriptors.piece(ready, 1) == b"."
    os.close(ready)
    data = store.path(name).read_bytes()
    assert size < len(data) <= size + 1000 and data.endswith(b"\n")
    file, past = store.resume(name, "/w")
    assert talk.valid(past.messages) and len(past.messages) >= 4
    file.close()


def test_a_file_that_was_removed_meanwhile(store: Store) -> None:
    file = store.create("/w")
    file.path.unlink()
    talk.run(file, "hello?", "hello.")
    assert "was removed" in str(file.failure)
    file.close()


def test_a_place_that_can_only_be_read() -> None:
    """A user who may not write there can continue, with a notice that nothing is saved."""
    with TemporaryDirectory() as root:
        store = talk.store(Path(root))
        name = made(store)
        store.path(name).chmod(0o444)
        for directory in (Path(root), store.directory, store.directory / ".recent"):
            directory.chmod(0o555)

        def read(tell: Callable[[], None]) -> None:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(65534)
            file, past = store.resume(name, "/w")
            assert file.failure is not None and "Permission denied" in str(file.failure)
            assert len(past.messages) == 4
            talk.run(file, "more?", "more.")
            file.close()
            assert (store.ids(), store.newest("/w")) == ([name], name)
            with pytest.raises(NotKept, match="Permission denied"):
                store.create("/w")
            tell()

        size = store.path(name).stat().st_size
        child, told = talk.forked(read)
        processes.reap(child)
        assert descriptors.piece(told, 1) == b"."
        os.close(told)
        assert store.path(name).stat().st_size == size
        for directory in (Path(root), store.directory, store.directory / ".recent"):
            directory.chmod(0o755)


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_a_file_that_is_none(store: Store, tmp_path: Path, kind: str) -> None:
    made(store)
    path = store.path("odd")
    if kind == "link":
        (tmp_path / "other").write_bytes(b"")
        path.symlink_to(tmp_path / "other")
    else:
        path.mkdir()
    with pytest.raises(UsageError, match="the session odd: "):
        store.resume("odd", "/w")


def test_a_big_value_is_kept_beside_it(store: Store) -> None:
    file = store.create("/w")
    talk.run(file, "hello?", "hello.")
    for _ in range(2):
        spill = file.spill()
        assert spill is not None
        spill.write(b"one ")
        spill.write(b"two")
        kept = spill.finish()
        assert kept is not None
        digest = sha256(b"one two").hexdigest()
        assert kept == (file.spilled / digest, 7, digest)
        assert kept.path.read_bytes() == b"one two"
    for discarded in (file.spill(), file.spill()):
        assert discarded is not None
        discarded.write(b"x")
    discarded.discard()
    del discarded
    assert [path.name for path in file.spilled.iterdir()] == [digest]
    file.close()
    store.remove(file.id)
    assert [path.name for path in store.directory.iterdir()] == [".recent"]
    assert list((store.directory / ".recent").iterdir()) == []


def test_lines_are_stdouts_own(store: Store) -> None:
    file = store.create("/w")
    line = b'{"type":"text_delta","seq":1,"ts":2,"text":"x"}\n'
    file.write(line * 3)
    file.close()
    assert file.path.read_bytes() == line * 3
