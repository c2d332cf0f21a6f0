"""A workspace is unpacked as it was, and a patch brings every change back: laws, with real git."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import subprocess  # noqa: TID251 - git applies the patches
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.batch.brief import Brief
from a3s_cli.errors import ConfigError, Unavailable, UsageError
from a3s_cli.run.request import RunRequest
from a3s_cli.shipping import archive, patch
from a3s_cli.shipping.archive import Archive, pack
from a3s_cli.shipping.depot import Depot
from a3s_cli.values import replace

from ..support.a3s import proofs

ENVIRONMENT = {"PATH": os.environ["PATH"]}
#: What a tree holds, by path: bytes of a file, `True` for one that can be executed, or a link.
Content = bytes | tuple[bytes, bool] | str
Tree = dict[str, Content]


def write(root: Path, tree: Tree) -> None:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
            continue
        data, executable = content if isinstance(content, tuple) else (content, False)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o644)


def read(root: Path) -> Tree:
    found: Tree = {}
    for directory, below, files in os.walk(root):
        if ".git" in below:
            below.remove(".git")
        for name in (*files, *below):
            path = Path(directory, name)
            if path.is_symlink():
                found[str(path.relative_to(root))] = os.readlink(path)
            elif path.is_file():
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                data = path.read_bytes()
                found[str(path.relative_to(root))] = (data, True) if executable else data
    return found


@contextlib.asynccontextmanager
async def unpacked(archive: Archive, cache: Path) -> AsyncIterator[Depot]:
    async def fetch() -> AsyncIterator[bytes]:
        for place in range(0, len(archive.data), 1000):
            yield archive.data[place : place + 1000]

    environment = {**ENVIRONMENT, "XDG_CACHE_HOME": str(cache)}
    depot = Depot(archive.sha256, "project", environment)
    await depot.fill(fetch)
    yield depot
    depot.close()
    assert list((cache / "a3s/shipped").iterdir()) == []


def applied(before: Path, data: bytes) -> Tree:
    """The tree after git has applied a patch to it."""
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    env = {**ENVIRONMENT, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
           "GIT_CEILING_DIRECTORIES": str(before.parent)}  # fmt: skip
    if data:
        subprocess.run(command, input=data, cwd=before, env=env, check=True)
    return read(before)


def changed(before: Tree, after: Tree, place: Path) -> tuple[Tree, dict[str, str]]:
    """Ship one tree, turn its copy into the other one, and apply what comes back."""
    source = place / "project"
    source.mkdir()
    write(source, before)

    async def work() -> dict[str, str]:
        archive = pack(source, lambda _: False)
        async with unpacked(archive, place / "cache") as depot:
            assert read(depot.tree) == before
            async with depot.copy() as copy:
                for name in os.listdir(copy.root):
                    if name != ".git":
                        path = copy.root / name
                        path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(
                            path
                        )
                write(copy.root, after)
                return await patch.changes(copy, depot.git, lambda _: False)

    said = asyncio.run(work())
    return applied(source, patch.unpacked(said["patch"]) if "patch" in said else b""), said


NAMES = st.sampled_from(["a", "b.txt", "d/a", "d/b c", 'd/e/ü"q"', "-n", "d/e/tab\tx", "HEAD", "e"])
FILES = st.one_of(
    st.sampled_from([b"", b"one\n", b"one\ntwo\n", b"no end", b"cr\r\n", b"\xff\xfe", b"\0bin\0"]),
    st.binary(max_size=300),
    st.lists(st.sampled_from([b"x\n", b"y\r\n", b"diff --git a/a b/a\n", b"+++ b/x\n"]), max_size=9)
    .map(b"".join),
)  # fmt: skip
CONTENT = st.one_of(
    FILES,
    st.tuples(FILES, st.just(True)),
    st.sampled_from(["a", "d/a", "missing"]),
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    found = draw(st.dictionaries(NAMES, CONTENT, max_size=6))
    # A path is a file or a directory.
    return {n: c for n, c in found.items() if not any(m.startswith(f"{n}/") for m in found)}


@settings(max_examples=proofs(60), deadline=None)
@given(before=trees(), after=trees())
def test_what_comes_back_turns_the_one_tree_into_the_other(
    before: Tree, after: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("shipped")
    found, said = changed(before, after, place)
    assert found == after
    assert bool(said) == (before != after)


def test_names_that_other_systems_take_for_a_repository(tmp_path: Path) -> None:
    before: Tree = {"git~1": b"x", ".git /a": b"y", "\udcff": b"z"}
    after: Tree = {**before, "\udcff": b"new"}
    assert changed(before, after, tmp_path)[0] == after


def test_what_git_refuses_is_told(tmp_path: Path) -> None:
    write(tmp_path / "source", {".gitmodules": "elsewhere"})

    async def work() -> None:
        async with unpacked(pack(tmp_path / "source", lambda _: False), tmp_path / "cache"):
            raise AssertionError

    with pytest.raises(Unavailable, match=r"git add ended with status 128: .*\.gitmodules"):
        asyncio.run(work())


def sent(root: Path) -> tuple[list[str], tuple[str, ...]]:
    archive = pack(root, lambda _: False)
    return sorted(archive.names), archive.withheld


@pytest.mark.parametrize("version", ["2", "4"])
def test_what_git_knows_is_not_ignored(tmp_path: Path, version: str) -> None:
    write(tmp_path, {".gitignore": b"*.lock\nb/\n", "new.lock": b"", "b/new": b"", "d/a": b""})
    write(tmp_path, {"old.lock": b"", "b/c/old": b"", "b/link": "c/old", "gone.lock": b""})
    for command in (
        ["init", "-q"],
        ["update-index", "--index-version", version],
        ["add", "-f", "old.lock", "b/c/old", "b/link", "gone.lock"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, env=ENVIRONMENT, check=True)
    (tmp_path / "gone.lock").unlink()
    names = [".gitignore", "b", "b/c", "b/c/old", "b/link", "d", "d/a", "old.lock"]
    assert sent(tmp_path) == (names, ())
    assert sent(tmp_path / "b") == (["c", "c/old", "link", "new"], ())


def test_a_workspace_of_nothing_but_directories_may_be_too_large(tmp_path: Path) -> None:
    entries = [(str(number), "directory") for number in range(50_001)]
    with pytest.raises(UsageError, match="has 50001 files and 0 MiB"):
        archive._require_room(entries, tmp_path)  # type: ignore[arg-type]


def test_directories_with_names_of_secrets(tmp_path: Path) -> None:
    write(tmp_path, {".envs/a/b": b"", "id_tools/m.py": b"", "id_rsa": b"", "a/.env": b""})
    names = ["a", "id_tools", "id_tools/m.py"]
    assert sent(tmp_path) == (names, (".envs", "a/.env", "id_rsa"))


def test_attributes_and_settings_of_a_tree_change_no_byte(tmp_path: Path) -> None:
    attributes = b"* text=auto eol=lf\n*.x diff=evil filter=evil\nsecret -diff\n"
    before: Tree = {".gitattributes": attributes, "f.x": b"a\r\n", "secret": b"one\n"}
    after = {**before, "f.x": b"a\r\nb\r\n", "secret": b"two\n"}
    assert changed(before, after, tmp_path)[0] == after


def test_the_same_workspace_has_the_same_digest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, {"a": b"x", "d/b": (b"y", True), "l": "a"})
    os.utime(tmp_path / "two/a", (1, 1))
    (tmp_path / "two/a").chmod(0o600)
    one, two = (pack(tmp_path / name, lambda _: False) for name in ("one", "two"))
    assert one.sha256 == two.sha256
    (tmp_path / "two/a").chmod(0o700)
    assert pack(tmp_path / "two", lambda _: False).sha256 != one.sha256


def test_a_directory_that_became_a_link_brings_nothing_from_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"key": b"private\n", "more": b"private too\n"})
    source = tmp_path / "source"
    write(source, {"d/key": b"harmless\n"})

    async def work() -> dict[str, str]:
        archive = pack(source, lambda _: False)
        async with unpacked(archive, tmp_path / "cache") as depot, depot.copy() as copy:
            shutil.rmtree(copy.root / "d")
            (copy.root / "d").symlink_to(outside)
            return await patch.changes(copy, depot.git, lambda _: False)

    data = patch.unpacked(asyncio.run(work())["patch"])
    assert b"private" not in data
    assert applied(source, data) == {"d": str(outside)}


def spoil_by_size(root: Path) -> None:
    with open(root / "huge", "wb") as file:
        file.truncate(1 << 40)


def spoil_by_noise(root: Path) -> None:
    (root / "noise").write_bytes(os.urandom(17 << 20))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_by_size, "the changes are lost: the changed files have more than 256 MiB"),
        (spoil_by_noise, "the changes are lost: git wrote more than 16777216 bytes"),
    ],
)
def test_changes_that_fit_no_patch(tmp_path: Path, spoil: object, said: str) -> None:
    write(tmp_path / "source", {"a": b"x"})

    async def work() -> dict[str, str]:
        archive = pack(tmp_path / "source", lambda _: False)
        async with unpacked(archive, tmp_path / "cache") as depot, depot.copy() as copy:
            spoil(copy.root)  # type: ignore[operator]
            return await patch.changes(copy, depot.git, lambda _: False)

    assert asyncio.run(work()) == {"unpatched": said}


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "source", {"a": b"x", "d/b": b"y"})
    os.mkfifo(tmp_path / "source/fifo")

    async def work() -> tuple[Tree, dict[str, str]]:
        archive = pack(tmp_path / "source", lambda _: False)
        async with unpacked(archive, tmp_path / "cache") as depot, depot.copy() as copy:
            os.mkfifo(copy.root / "another")
            (copy.root / "d").chmod(0)
            return read(depot.tree), await patch.changes(copy, depot.git, lambda _: False)

    assert asyncio.run(work()) == ({"a": b"x", "d/b": b"y"}, {})


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator[tuple[Archive, dict[str, str]]]:
    write(tmp_path / "source", {"a": b"x"})
    cache = {**ENVIRONMENT, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    yield pack(tmp_path / "source", lambda _: False), cache
    assert list((tmp_path / "cache/a3s/shipped").iterdir()) == []


def test_it_is_fetched_once_and_removed_by_the_last(
    two_processes: tuple[Archive, dict[str, str]],
) -> None:
    archive, cache = two_processes
    fetched = []

    async def fetch() -> AsyncIterator[bytes]:
        fetched.append(1)
        yield archive.data

    async def work() -> None:
        one, two = (Depot(archive.sha256, "w", cache) for _ in range(2))
        await asyncio.gather(one.fill(fetch), two.fill(fetch))
        one.close()
        assert read(two.tree) == {"a": b"x"}
        two.close()
        assert not two.tree.exists()

    asyncio.run(work())
    assert len(fetched) == 1


def test_an_archive_that_is_damaged(two_processes: tuple[Archive, dict[str, str]]) -> None:
    archive, cache = two_processes

    async def fetch(data: bytes) -> AsyncIterator[bytes]:
        yield data

    for data, said in (
        (archive.data[:-9], "another digest"),
        (b"none", "incorrect header check"),
    ):
        depot = Depot(archive.sha256, "w", cache)
        with pytest.raises(Unavailable, match=said):
            asyncio.run(depot.fill(lambda data=data: fetch(data)))  # type: ignore[misc]
        depot.close()


def worked_on(place: Path, before: Tree, work: Callable[[Path], None]) -> dict[str, str]:
    """Ship a tree, and return what is said after something has worked in a copy of it."""
    write(place / "source", before)

    async def run() -> dict[str, str]:
        archive = pack(place / "source", lambda _: False)
        async with unpacked(archive, place / "cache") as depot, depot.copy() as copy:
            work(copy.root)
            return await patch.changes(copy, depot.git, lambda _: False)

    return asyncio.run(run())


def dig(root: Path) -> None:
    descriptor = os.open(root, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)


def test_a_tree_that_is_too_deep_for_a_path_is_removed(tmp_path: Path) -> None:
    # `unpacked` sees to it that nothing is left.
    said = worked_on(tmp_path, {"a": b"x"}, dig)
    assert said == {"unpatched": "the changes are lost: File name too long"}


def test_a_directory_that_took_the_place_of_another_one(tmp_path: Path) -> None:
    before: Tree = {f"{d}/{n}": d.encode() for d in ("one", "two") for n in range(200)}

    def swap(root: Path) -> None:
        # Long after the copy was made, so that only the move tells of the change.
        time.sleep(0.3)
        shutil.rmtree(root / "one")
        (root / "two").rename(root / "one")

    said = worked_on(tmp_path, before, swap)
    found = applied(tmp_path / "source", patch.unpacked(said["patch"]))
    assert found == {f"one/{n}": b"two" for n in range(200)}


@pytest.mark.parametrize("place", [".", "d", "d/b"])
def test_rights_that_were_taken_away_hide_no_change(tmp_path: Path, place: str) -> None:
    code = f"import os; open('d/b', 'w').write('new'); os.chmod({place!r}, 0)"
    script = """
import asyncio, subprocess, sys
from pathlib import Path
from tests.shipping.test_roundtrip import *
def work(root):
    subprocess.run([sys.executable, "-c", sys.argv[2]], cwd=root, check=True)
said = worked_on(Path(sys.argv[1]), {"a": b"x", "d/b": b"y"}, work)
print(applied(Path(sys.argv[1]) / "source", patch.unpacked(said["patch"])))
"""
    # Root may read everything, unless it has dropped that right.
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [sys.executable, "-c", script, str(tmp_path), code]
    command = [*(drop if os.geteuid() == 0 else []), *command]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    assert told == "{'a': b'x', 'd/b': b'new'}\n"


def test_rules_around_the_cache_hide_no_change(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], env=ENVIRONMENT, check=True)
    (tmp_path / ".gitignore").write_text("*\n")

    def work(root: Path) -> None:
        shutil.rmtree(root / ".git")
        (root / "new").write_text("new")

    (tmp_path / "source").mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path / "source")], env=ENVIRONMENT, check=True)
    said = worked_on(tmp_path, {"a": b"x"}, work)
    assert b"b/new" in patch.unpacked(said["patch"])


def test_a_key_in_a_file_that_is_no_text(tmp_path: Path) -> None:
    write(tmp_path / "source", {"a": b"x"})

    async def work() -> dict[str, str]:
        archive = pack(tmp_path / "source", lambda _: False)
        async with unpacked(archive, tmp_path / "cache") as depot, depot.copy() as copy:
            (copy.root / "cache.db").write_bytes(b"\0\xffsk-bench-key\0")
            return await patch.changes(copy, depot.git, lambda text: "sk-bench-key" in text)

    assert asyncio.run(work()) == {"unpatched": "the changes are lost: a key stands in them"}


def test_runs_are_not_recorded_where_the_directory_is_not_seen(tmp_path: Path) -> None:
    write(tmp_path / "source", {"a": b"x"})
    batch = Brief(request=RunRequest(workspace=tmp_path), directory=tmp_path / "no", record=True)

    async def work() -> None:
        archive = pack(tmp_path / "source", lambda _: False)
        async with unpacked(archive, tmp_path / "cache") as depot:
            with pytest.raises(ConfigError, match=r"--record: .*/no is not there"):
                batch.at(depot)
            assert not replace(batch, record=False).at(depot).keep_sessions

    asyncio.run(work())
