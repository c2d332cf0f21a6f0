"""The line around the workspace: where paths lead, and that nothing crosses it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.files.workspace import Workspace, printable
from tests.support.a3s import proofs


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name in ("work/sub", "work2", "outside"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("work/in", "work/sub/deep", "work2/f", "outside/secret"):
        (tmp_path / name).write_text(name)
    for name, target in {
        "to_in": "in",
        "to_sub": "sub",
        "to_outside": "../outside",
        "to_secret": str(tmp_path / "outside/secret"),
        "chain": "to_secret",
        "loop": "loop",
        "to_root": "/",
        "back": "../work/in",
    }.items():
        (tmp_path / "work" / name).symlink_to(target)
    return Workspace(tmp_path / "work")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("in", "in"),
        ("", "."),
        (".", "."),
        ("./sub//../in", "in"),
        ("sub/", "sub"),
        ("to_in", "in"),
        ("to_sub/deep", "sub/deep"),
        ("to_sub/../in", "in"),
        ("back", "in"),
        ("../work/in", "in"),
        ("new/file", "new/file"),
        ("~", "~"),
        ("$HOME", "$HOME"),
        ("to_root{root}/in", "in"),
        ("{root}/in", "in"),
        ("{root}/../work/./in", "in"),
        ("/proc/self/root{root}/in", "in"),
    ],
)
def test_inside(workspace: Workspace, path: str, expected: str) -> None:
    found = workspace.resolve(path.replace("{root}", str(workspace.root)))
    assert found.inside
    assert found.path == workspace.root / expected


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../outside/secret",
        "sub/../../outside/secret",
        "to_outside",
        "to_outside/secret",
        "to_outside/new",
        "to_secret",
        "chain",
        "to_root",
        "to_sub/../../outside",
        "/",
        "/etc/passwd",
        "{root}2/f",
        "{root}/../work2/f",
        "~/../../outside/secret",
        "file://{root}/in",
        "http://example.com",
        "in\0",
        "in\0/../../outside",
        "\ud800",
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/../../../../../../../etc",
        "/proc/thread-self/root/etc",
        "/dev/fd/0",
        "/dev/stdin",
        "/dev/null",
        "/dev/tty",
    ],
)
def test_outside(workspace: Workspace, path: str) -> None:
    found = workspace.resolve(path.replace("{root}", str(workspace.root)))
    assert not found.inside


def test_an_endless_link_is_an_error_when_opened(workspace: Workspace) -> None:
    found = workspace.resolve("loop")
    with pytest.raises(OSError):
        workspace.open_file(found.path)
    for number in range(3000):
        (workspace.root / f"n{number}").symlink_to(f"n{number + 1}")
    found = workspace.resolve("n0")
    with pytest.raises(OSError):
        workspace.open_file(found.path)


@pytest.mark.parametrize(
    "path", ["to_secret", "to_outside/secret", "to_in", "sub/../in", "../outside"]
)
def test_an_unresolved_path_is_never_opened(workspace: Workspace, path: str) -> None:
    with pytest.raises(OSError):
        workspace.open_file(workspace.root / path)
    with pytest.raises(OSError):
        workspace.replace(workspace.root / path, b"x")
    with pytest.raises(OSError), workspace.directory(workspace.root / path):
        pass
    assert (workspace.root.parent / "outside/secret").read_text() == "outside/secret"
    assert (workspace.root / "in").read_text() == "work/in"


def test_a_path_outside_is_never_opened(workspace: Workspace) -> None:
    for path in ("/etc/passwd", "/", str(workspace.root.parent / "work2/f")):
        with pytest.raises(OSError):
            workspace.open_file(Path(path))


def test_the_root_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    workspace = Workspace(tmp_path / "link")
    assert workspace.root == tmp_path.resolve() / "real"
    assert workspace.resolve(f"{tmp_path}/link/x").inside


def test_no_descriptor_is_left_open(workspace: Workspace) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for path in ("in", "sub/deep", "nope/x", "to_secret", "sub", "loop", "in/x"):
        try:
            workspace.open_file(workspace.root / path).close()
        except OSError:
            continue
    for path in ("in", "sub", "in/x", "to_secret", "a/b/c"):
        try:
            workspace.replace(workspace.root / path, b"x")
        except OSError:
            continue
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_deeper_than_any_path_may_be_long(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    deep = workspace.root.joinpath(*["d" * 200] * 30, "f")
    workspace.replace(deep, b"here")
    with workspace.open_file(deep) as file:
        assert file.read() == b"here"


NAMES = st.sampled_from(
    ["in", "sub", "..", ".", "", "to_in", "to_sub", "to_outside", "chain", "loop", "x"]
)


@settings(max_examples=proofs(300), deadline=None)
@given(st.lists(NAMES, max_size=8).map("/".join), st.booleans())
def test_inside_means_what_the_system_means(
    tmp_path_factory: pytest.TempPathFactory, path: str, absolute: bool
) -> None:
    base = tmp_path_factory.getbasetemp() / "law"
    if not base.exists():
        (base / "work/sub").mkdir(parents=True)
        (base / "outside").mkdir()
        for name in ("work/in", "work/sub/in", "outside/in"):
            (base / name).touch()
        for name, target in (("to_in", "in"), ("to_sub", "sub"), ("to_outside", "../outside")):
            (base / "work" / name).symlink_to(target)
        (base / "work/chain").symlink_to("to_outside/in")
        (base / "work/loop").symlink_to("loop")
    workspace = Workspace(base / "work")
    path = f"{workspace.root}/{path}" if absolute else path
    found = workspace.resolve(path)
    assert found.inside == found.path.is_relative_to(workspace.root)
    try:
        real = (workspace.root / path).stat()
    except OSError:
        return
    assert os.path.samestat(real, found.path.stat())
    assert not any(parent.is_symlink() for parent in (found.path, *found.path.parents))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("a\nb\tc\x1b[31m", "a\\nb\\tc\\x1b[31m"),
        ("\udce9\udcff", "\\xe9\\xff"),
        ("\ud800\u2028\x85", "\\ud800\\u2028\\x85"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
