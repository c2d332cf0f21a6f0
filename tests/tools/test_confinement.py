"""Nothing outside of the workspace is read or changed: by any spelling, and in no race."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess  # noqa: TID251  # the corpus prepares its cases with shell scripts
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.tool_protocol import ToolError
from tests.support.a3s import proofs

from ..support.corpus import ROOT, absent
from .desk import NO_RIPGREP, TOOLS, Desk

#: What our tools call the corpus's arguments.
ARGUMENTS = {
    "read": {"path": "file_path"},
    "write": {"path": "file_path"},
    "edit": {"path": "file_path", "old": "old_string", "new": "new_string"},
}
#: Expectations that are about the tools; the others are about rules and the sandbox.
OURS = (
    *("not_allowed", "error", "error_or_truncated", "no_outside_results", "treated_as_pattern"),
    "allowed_or_documented",
)
#: What an edit replaces by what, in turns, so that the file does not grow; outside it would too.
THERE_AND_BACK = (("\n", "!\n"), ("!\n", "\n"))
ROUNDS = proofs(2000)


def cases() -> list[dict[str, Any]]:
    path = ROOT / "path_escape.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())["cases"]
    return [
        case
        for case in found
        if case["tool"] in TOOLS and case["expected"] in OURS and "mount" not in case["setup"]
    ]


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.mark.skipif(not cases(), reason=absent("path_escape.json"))
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_corpus(case: dict[str, Any], tmp_path: Path) -> None:
    desk, outside = Desk(tmp_path / "w"), tmp_path / "o"
    variables = {"W": str(desk.root), "O": str(outside), "PATH": os.environ["PATH"]}

    def shell(script: str) -> str:
        command = ["bash", "-c", script]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        return done.stdout

    shell(case["setup"])
    names = ARGUMENTS.get(case["tool"], {})
    arguments = {
        names.get(name, name): value
        if "\0" in value
        else shell(f"cat <<END\n{value}\nEND\n").removesuffix("\n")
        for name, value in case["args"].items()
    }
    before = tree(outside)
    for path in ("", NO_RIPGREP):
        desk.path = path
        try:
            result = desk.call(case["tool"], **arguments)
        except ToolError as error:
            assert "SENTINEL-OUT" not in str(error)
        else:
            assert case["expected"] not in ("not_allowed", "error")
            if case["expected"] != "allowed_or_documented":
                assert "SENTINEL-OUT" not in (result.output or "")
    assert tree(outside) == before


def _swap_directory(root: Path, outside: Path) -> None:
    """Make `d` a directory and a link to the outside, in turns, for ever."""
    directory, aside = root / "d", root / "aside"
    while True:
        try:
            directory.rename(aside)
            directory.symlink_to(outside)
            directory.unlink()
            aside.rename(directory)
        except OSError:  # a tool has made a `d` of its own meanwhile
            if aside.exists():
                if directory.is_symlink():
                    directory.unlink()
                shutil.rmtree(directory, ignore_errors=True)
                aside.rename(directory)


def _swap_file(root: Path, outside: Path) -> None:
    """Make `d/f` a file and a link to the outside, in turns, for ever."""
    while True:
        (root / "link").symlink_to(outside / "f")
        (root / "link").rename(root / "d/f")
        (root / "file").write_text("inside\n")
        (root / "file").rename(root / "d/f")


@pytest.fixture(params=[_swap_directory, _swap_file], ids=["directory", "file"])
def race(desk: Desk, request: pytest.FixtureRequest) -> Iterator[tuple[Desk, Path]]:
    """A workspace in which `d` or `d/f` is swapped for a symlink to a directory outside."""
    outside = desk.root.parent / "outside"
    for place, text in ((desk.root / "d", "inside\n"), (outside, "SECRET\n")):
        place.mkdir()
        (place / "f").write_text(text)
    (outside / "only-outside").touch()
    swapper = multiprocessing.get_context("fork").Process(
        target=request.param, args=(desk.root, outside)
    )
    swapper.start()
    yield desk, outside
    swapper.kill()
    swapper.join(10)
    assert tree(outside) == {"f": b"SECRET\n", "only-outside": b""}


def attempt(desk: Desk, name: str, arguments: dict[str, Any]) -> bool:
    """Call a tool; whether it succeeded. Nothing from outside may be in what it says."""
    try:
        output = desk.call(name, **arguments).output or ""
    except ToolError as error:
        output = str(error)
        done = False
    else:
        done = True
    assert "SECRET" not in output
    assert "only-outside" not in output
    return done


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("read", [{"file_path": "d/f"}]),
        ("write", [{"file_path": "d/f", "content": "written\n"}]),
        (
            "edit",
            [{"file_path": "d/f", "old_string": a, "new_string": b} for a, b in THERE_AND_BACK],
        ),
        ("ls", [{"path": "d"}]),
        ("glob", [{"pattern": "**"}]),
    ],
    ids=["read", "write", "edit", "ls", "glob"],
)
def test_a_swapped_link_never_leads_out(
    race: tuple[Desk, Path], name: str, calls: list[dict[str, Any]]
) -> None:
    desk, _ = race
    done = [attempt(desk, name, arguments) for arguments in islice(cycle(calls), ROUNDS)]
    # A busy machine may leave no moment in which all is in place: the race goes on until one came.
    assert any(done) or any(attempt(desk, name, one) for one in islice(cycle(calls), 50 * ROUNDS))


@pytest.mark.parametrize("path", ["", NO_RIPGREP], ids=["ripgrep", "worker"])
def test_a_swapped_link_never_shows_lines(race: tuple[Desk, Path], path: str) -> None:
    desk, _ = race
    desk.path = path
    for _ in range(max(10, ROUNDS // 50)):
        attempt(desk, "grep", {"pattern": "SECRET|inside"})


def test_the_race_is_real(race: tuple[Desk, Path]) -> None:
    desk, _ = race
    for _ in range(1_000_000):
        try:
            if (desk.root / "d" / "f").read_text() == "SECRET\n":
                return
        except OSError:
            continue
    raise AssertionError("no attempt reached the outside: the other tests prove nothing")
