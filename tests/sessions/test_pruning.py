"""Old sessions go, the oldest first; what is in use stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from a3s_cli.sessions.pruning import prune, prune_if_due
from a3s_cli.sessions.store import Store

from . import talk

DAY = 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return talk.store(tmp_path)


def made(store: Store, name: str, days: float, spilled: int = 0) -> int:
    """A session that was used so many days ago; gives its size."""
    file = store.create("/w", id=name)
    talk.run(file, "hello?", "hello.")
    if spilled:
        spill = file.spill()
        assert spill is not None
        spill.write(os.urandom(spilled))
        spill.finish()
    file.close()
    when = time.time() - days * DAY
    os.utime(file.path, (when, when))
    return file.path.stat().st_size + spilled


def ids(store: Store) -> set[str]:
    return set(store.ids())


def test_what_nobody_has_used_for_a_month(store: Store) -> None:
    sizes = [made(store, name, days) for name, days in (("a", 31), ("b", 30.01), ("c", 29.9))]
    pruned = prune(store)
    assert (pruned.ids, pruned.bytes) == (["a", "b"], sum(sizes[:2]))
    assert ids(store) == {"c"}
    assert len(list((store.directory / ".recent").iterdir())) == 1


def test_what_is_too_much(store: Store) -> None:
    size = made(store, "oldest", 3, spilled=10_000)
    small = made(store, "middle", 2)
    made(store, "newest", 1)
    total = size + 2 * small
    assert prune(store, largest=total).ids == []
    assert prune(store, largest=total - 1).ids == ["oldest"]
    assert not (store.directory / "oldest.d").exists()
    assert prune(store, largest=0).ids == ["middle", "newest"]
    assert ids(store) == set()


def test_what_is_in_use_stays(store: Store) -> None:
    made(store, "used", 100)
    made(store, "old", 50)
    file, _ = store.resume("used", "/w")
    os.utime(file.path, (0, 0))
    assert prune(store, largest=0).ids == ["old"]
    talk.run(file, "still there?", "yes.")
    file.close()
    assert ids(store) == {"used"}


def test_what_belongs_to_nobody(store: Store) -> None:
    made(store, "a", 0, spilled=10)
    (store.directory / "gone.d").mkdir()
    (store.directory / "gone.d" / "x").write_text("x")
    (store.directory / "notes.txt").write_text("mine")
    prune(store)
    names = {path.name for path in store.directory.iterdir()}
    assert names == {".recent", "a.d", "a.ndjson", "notes.txt"}


def test_once_a_day(store: Store) -> None:
    prune_if_due(store)  # there is nothing yet, not even a place
    made(store, "a", 31)
    prune_if_due(store)
    # The first look has nothing to hold the clock against.
    assert ids(store) == {"a"}
    mark = store.directory / ".recent" / ".pruned"
    os.utime(mark, (time.time() - DAY - 1,) * 2)
    prune_if_due(store)
    assert ids(store) == set()
    made(store, "b", 31)
    prune_if_due(store)
    assert ids(store) == {"b"}


def test_one_look_by_a_wrong_clock_prunes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store.create("/w", id="kept")
    talk.run(file, "one?", "one.")
    file.close()
    prune_if_due(store)
    right = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: right() + 3600 * 24 * 5000)
        prune_if_due(store)
    prune_if_due(store)
    assert store.ids() == ["kept"]
