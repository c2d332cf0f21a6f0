"""A command writes at every moment at which the guard works for another one.

The guard compares while commands of the same turn, or of another run, still write. Here
such a command writes between any two system calls of the guard, one moment after
the other, until there is none left; when it has ended too, all must be as it was.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from a3s_cli.guard.asking import Asking
from a3s_cli.guard.guard import Guard
from a3s_cli.guard.record import Record
from a3s_cli.guard.restoring import Restoring

#: The functions of C at which a command may come between: those that look at files or change them.
MOMENTS = frozenset(
    ("lstat", "stat", "scandir", "open", "read", "readlink", "unlink", "rename", "replace", "link")
) | {"symlink", "mkdir", "rmdir", "fchmod", "utime", "flock", "fsync"}


@pytest.fixture
def directory() -> Iterator[Path]:
    """Return a directory in memory, if there is one: the record is written a thousand times."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="a3s-test-", dir=memory) as found:
        yield Path(found).resolve()


def guard_of(tree: Path, record: Path) -> Guard:
    kept = Record(str(record))

    def confine(_: object) -> Any:
        raise AssertionError("there is no git to be confined")

    roots = [str(tree)]
    return Guard(
        roots, kept, Asking(kept, None, confine), Restoring(roots, kept, str(record / "copies"))
    )


@contextmanager
def at_moment(number: int, act: Callable[[], None]) -> Iterator[list[int]]:
    """Act before the call of this number, in whatever thread it comes; yield how many came."""
    seen = [0]
    over = False

    def look(_: FrameType, event: str, called: Any) -> None:
        # The threads of the loop keep it beyond the end.
        if over or event != "c_call" or getattr(called, "__name__", "") not in MOMENTS:
            return
        seen[0] += 1
        if seen[0] == number:
            act()

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield seen
    finally:
        over = True
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def exchange(path: Path, text: str) -> None:
    write(path.with_name("new"), text)
    path.with_name("new").replace(path)


#: What the commands do: the first before it ends, the other one while the first is compared.
SCENES: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "created": (
        lambda tree: write(tree / ".mcp.json", "evil one"),
        lambda tree: write(tree / ".mcp.json", "evil two"),
    ),
    "in place": (
        lambda tree: write(tree / ".envrc", "evi"),
        lambda tree: write(tree / ".envrc", "bad"),
    ),
    "renamed": (
        lambda tree: exchange(tree / ".envrc", "evi"),
        lambda tree: exchange(tree / ".envrc", "bad"),
    ),
    "removed": (
        lambda tree: (tree / ".envrc").unlink(),
        lambda tree: write(tree / ".envrc", "bad"),
    ),
    "deep": (
        lambda tree: write(tree / "a" / "b" / ".vscode" / "tasks.json", "evil one"),
        lambda tree: write(tree / "a" / "b" / ".vscode" / "tasks.json", "evil two"),
    ),
    "moved": (
        lambda tree: write(tree / "sub" / ".envrc", "evil"),
        lambda tree: write((tree / "sub").rename(tree / "bus") / ".mcp.json", "evil"),
    ),
    "nothing at first": (
        lambda tree: None,
        lambda tree: write(tree / "sub" / ".envrc", "bad"),
    ),
}


def protected(tree: Path) -> dict[str, str]:
    return {
        str(path.relative_to(tree)): path.read_text()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name in (".envrc", ".mcp.json", "tasks.json")
    }


def fresh(directory: Path) -> Path:
    tree = directory / "tree"
    write(tree / ".envrc", "old")
    write(tree / "sub" / ".envrc", "old")
    return tree


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("scene", SCENES)
def test_calls_side_by_side(directory: Path, scene: str, runs: int) -> None:
    first, second = SCENES[scene]

    async def one(number: int) -> int:
        place = directory / str(number)
        tree = fresh(place)
        before = protected(tree)
        guards = [guard_of(tree, place / "record") for _ in range(runs)]
        try:
            await guards[0].begin()
            await guards[-1].begin()
            first(tree)
            with at_moment(number, lambda: second(tree)) as seen:
                await guards[0].end()
            if seen[0] < number:
                second(tree)
            await guards[-1].end()
        finally:
            for guard in guards:
                guard.close()
        assert protected(tree) == before, f"the other one wrote before call {number}"
        # And what is remembered is what was there.
        late = guard_of(tree, place / "record")
        await late.begin()
        write(tree / ".envrc", "evil")
        await late.end()
        late.close()
        assert protected(tree) == before, f"the other one wrote before call {number}"
        return seen[0]

    number = 1
    while asyncio.run(one(number)) >= number:
        number += 1
    assert number > 5


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        yield content


def test_a_mapping_outlives_a_comparison(directory: Path) -> None:
    """What is written to a page that is dirty already gives the file no new time."""
    tree = fresh(directory)
    before = protected(tree)
    ref = tree / ".git" / "refs" / "heads" / "main"
    write(ref, f"{'1' * 40}\n")
    write(tree / ".git" / "HEAD", "ref: refs/heads/main\n")
    (tree / ".git" / "objects").mkdir()

    async def scene() -> None:
        guard = guard_of(tree, directory / "record")
        await guard.begin()
        await guard.begin()
        with mapped(tree / ".envrc") as content, mapped(ref) as tip:
            content[:], tip[:40] = b"old", b"1" * 40
            await guard.end()
            content[:], tip[:40] = b"bad", b"e" * 40
        await guard.end()
        guard.close()
        late = guard_of(tree, directory / "record")
        await late.begin()
        tips = late.record.repositories[str(tree / ".git")].tips
        assert tips == {"1" * 40: True, "e" * 40: False}
        await late.end()
        late.close()

    asyncio.run(scene())
    assert protected(tree) == before


def test_a_run_that_begins_meanwhile(directory: Path) -> None:
    """It does not take what another run's command is writing for the user's."""

    async def one(number: int) -> int:
        place = directory / str(number)
        tree = fresh(place)
        before = protected(tree)
        first, second = (guard_of(tree, place / "record") for _ in range(2))
        await first.begin()
        write(tree / ".envrc", "bad")
        with at_moment(number, lambda: write(tree / "a" / ".mcp.json", "evil")) as seen:
            await second.begin()
        write(tree / "a" / ".mcp.json", "evil")
        await first.end()
        first.close()
        await second.end()
        second.close()
        assert protected(tree) == before, f"it wrote before call {number}"
        return seen[0]

    number = 1
    while asyncio.run(one(number)) >= number:
        number += 1
    assert number > 5


def test_what_could_not_be_put_back_is_not_the_users(directory: Path) -> None:
    tree = fresh(directory)
    before = protected(tree)

    async def scene() -> None:
        guard = guard_of(tree, directory / "record")
        await guard.begin()
        (tree / ".envrc").write_text("bad")
        contents = directory / "record" / "contents"
        contents.rename(directory / "contents")
        [report] = (await guard.end()).reports
        assert (report.kind, report.failure) == ("put_back", "No such file or directory")
        (directory / "contents").rename(contents)
        await asyncio.sleep(0.05)  # longer than the clock of a file may lag
        await guard.begin()
        assert [report.failure for report in (await guard.end()).reports] == [None]
        guard.close()

    asyncio.run(scene())
    assert protected(tree) == before


@pytest.mark.parametrize("order", ["outer", "inner"])
@pytest.mark.parametrize("first", ["outer", "inner"])
def test_a_tree_in_another_one(directory: Path, first: str, order: str) -> None:
    """A run begins above or below one that is at work: what it finds there is not the user's."""
    tree = fresh(directory)
    before = protected(tree)
    roots = {"outer": tree, "inner": tree / "sub"}

    async def scene() -> None:
        guards = {
            name: guard_of(root, directory / "records" / name) for name, root in roots.items()
        }
        second = "inner" if first == "outer" else "outer"
        await guards[first].begin()
        write(tree / "sub" / ".envrc", "evil")
        write(tree / "sub" / "deep" / ".mcp.json", "evil")
        await guards[second].begin()
        write(tree / "sub" / ".envrc", "evil again")
        for name in (order, "inner" if order == "outer" else "outer"):
            await guards[name].end()
        # And once more, when nothing else is at work any more.
        await guards[first].begin()
        await guards[first].end()
        for guard in guards.values():
            guard.close()

    asyncio.run(scene())
    assert protected(tree) == before
    assert os.listdir(directory / "records" / "active") == []


def test_below_a_tree_in_which_everything_was_killed(directory: Path) -> None:
    tree = fresh(directory)
    write(tree / "sub" / "mine" / ".envrc", "mine")
    before = protected(tree)

    async def scene() -> None:
        outer = guard_of(tree, directory / "records" / "outer")
        await outer.begin()
        write(tree / "sub" / ".envrc", "evil")
        outer.record.close()
        await asyncio.sleep(2.2)  # beyond the moment in which the command may still have lived
        write(tree / "sub" / "mine" / ".envrc", "mine, later")
        inner = guard_of(tree / "sub", directory / "records" / "inner")
        await inner.begin()
        await inner.end()
        inner.close()

    asyncio.run(scene())
    assert protected(tree) == before | {"sub/mine/.envrc": "mine, later"}
