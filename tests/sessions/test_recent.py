"""Ten thousand sessions are as quick to find as ten, and the index may be lost at any time."""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251 - a process of its own, so that what it opens can be counted
import sys
import time
from pathlib import Path

import pytest

from a3s_cli.sessions.listing import summaries
from a3s_cli.sessions.store import Store

from . import talk

#: Counts the files that are opened to list the sessions and to find the newest.
COUNTED = """
import sys
from a3s_cli.sessions.listing import NEWEST, summaries
from a3s_cli.sessions.store import Store
store, opened = Store.find({"XDG_STATE_HOME": sys.argv[1]}), []
summaries(store, store.ids(), NEWEST), store.newest("/w")
def heard(event, given):
    if event == "open" and given[1] is None:  # what `open` tells itself has a mode
        opened.append(given[0])
sys.addaudithook(heard)
assert len(summaries(store, store.ids(), NEWEST)) == NEWEST
assert store.newest("/w") == "s0"
print(sum(str(one).endswith(".ndjson") for one in opened))
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return talk.store(tmp_path)


def made(store: Store, workspace: str = "/w", name: str | None = None) -> str:
    file = store.create(workspace, id=name)
    talk.run(file, "hello?", "hello.")
    file.close()
    return file.id


def ids(store: Store) -> list[str]:
    return store.ids()


@pytest.mark.parametrize("number", [60, 1500])
def test_only_what_is_shown_is_opened(store: Store, tmp_path: Path, number: int) -> None:
    data = store.path(made(store, name="s0")).read_bytes().replace(b'"cwd":"/w"', b'"cwd":"/x"')
    for one in range(1, number):
        store.path(f"s{one}").write_bytes(data)
    counted = subprocess.run(
        [sys.executable, "-c", COUNTED, str(tmp_path / "state")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert counted.stdout == "50\n"


def test_the_index_may_be_lost(store: Store) -> None:
    names = [made(store, name=name) for name in ("one", "two", "three")]
    assert ids(store) == names[::-1]
    shutil.rmtree(store.directory / ".recent")
    assert sorted(ids(store)) == sorted(names)
    # It was made good: another look finds it there.
    assert len(list((store.directory / ".recent").iterdir())) == 3
    for name in names:
        assert store.named(name) == name
    made(store, name="four")
    assert ids(store)[0] == "four"
    # The workspace of a session that has no entry is the one in which it was begun.
    shutil.rmtree(store.directory / ".recent")
    with pytest.raises(Exception, match="this directory has no session"):
        store.newest("/elsewhere")


def test_files_that_somebody_moved(store: Store) -> None:
    here, gone = made(store, name="here"), made(store, name="gone")
    store.path(gone).rename(store.path("renamed"))
    (store.directory / "notes.txt").write_text("mine")
    (store.directory / ".recent" / "rubbish").write_text("")
    assert sorted(ids(store)) == [here, "renamed"]
    assert sorted(row.id for row in summaries(store, store.ids(), None)) == [here, "renamed"]
    assert len(list((store.directory / ".recent").iterdir())) == 3


def test_what_has_not_changed_is_not_looked_at_again(store: Store) -> None:
    names = {made(store, name=name) for name in ("one", "two")}
    os.utime(store.directory, (1, 1))
    assert set(store.ids()) == names
    link = next((store.directory / ".recent").glob("*.one"))
    link.unlink()
    assert store.ids() == ["two"]
    os.utime(store.directory, (2, 2))
    assert set(store.ids()) == names
    names.add(made(store, name="three"))
    assert set(store.ids()) == names


def test_where_no_link_can_be_made(store: Store) -> None:
    names = {made(store, name=name) for name in ("one", "two")}
    shutil.rmtree(store.directory / ".recent")
    (store.directory / ".recent").write_text("in the way")
    os.utime(store.directory, (1, 1))
    assert set(store.ids()) == names
    names.add(made(store, name="three"))
    assert set(store.ids()) == names
    assert store.newest("/w") in names


def test_a_session_is_listed_once(store: Store) -> None:
    first, second = made(store, name="first"), made(store, name="second")
    for _ in range(5):
        file, _ = store.resume(first, "/elsewhere")
        talk.run(file, "more?", "more.")
        file.close()
    assert ids(store) == [first, second]
    assert len(list((store.directory / ".recent").iterdir())) == 2


def test_what_a_list_says(store: Store) -> None:
    file = store.create("/w", id="mine")
    talk.run(file, "what is it?", "that.", turns=2)
    talk.run(file, "and now?", "this.", first=3)
    spill = file.spill()
    assert spill is not None
    spill.write(b"x" * 5000)
    spill.finish()
    size = file.path.stat().st_size
    live = store.summary("mine")
    file.close()
    row = store.summary("mine")
    assert row == live and row is not None
    assert (row.id, row.workspace, row.model) == ("mine", "/w", "openai/test-model")
    assert (row.runs, row.turns, row.prompt, row.bytes) == (2, 5, "what is it?", size + 5000)
    assert row.created <= row.used
    # Without its last line, the turns are counted.
    data = file.path.read_bytes()
    file.path.write_bytes(data[: data.rstrip(b"\n").rfind(b"\n") + 1])
    counted = store.summary("mine")
    assert counted is not None and (counted.runs, counted.turns) == (None, 5)


@pytest.mark.parametrize("data", [b"\n", b"{", b"[]\n", b"\0" * 5000, b'{"type":"start"}\n' * 9])
def test_a_file_that_says_nothing_is_listed_all_the_same(store: Store, data: bytes) -> None:
    made(store, name="good")
    store.path("odd").write_bytes(data)
    rows = {row.id: row for row in summaries(store, store.ids(), None)}
    assert set(rows) == {"good", "odd"}
    assert (rows["odd"].turns, rows["odd"].prompt, rows["odd"].workspace) == (0, "", "")


def test_a_session_of_the_future_is_not_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was wrong once must not decide for years what is continued."""
    store, right = talk.store(tmp_path), time.time_ns
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time_ns", lambda: right() + 10**9 * 3600 * 24 * 5000)
        file = store.create("/w", id="future")
        talk.run(file, "one?", "one.")
        file.close()
    for name in ("one", "two"):
        file = store.create("/w", id=name)
        talk.run(file, "one?", "one.")
        file.close()
    assert store.newest("/w") == "two"
    assert store.ids() == ["two", "one", "future"]
    file, _ = store.resume("future", "/w")
    file.close()
    assert store.newest("/w") == "future"
