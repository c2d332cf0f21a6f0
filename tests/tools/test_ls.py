"""ls: sorted, marked, bounded, without what git ignores."""

from __future__ import annotations

import os

from .desk import Desk


def test_lists_a_directory(desk: Desk) -> None:
    (desk.root / "b.txt").write_text("12345")
    (desk.root / "a").mkdir()
    (desk.root / ".hidden").touch()
    (desk.root / "link").symlink_to("/etc")
    os.mkfifo(desk.root / "pipe")
    (desk.root / "x.log").touch()
    (desk.root / ".gitignore").write_text("*.log\n")
    assert desk.output("ls") == (
        "        6 .gitignore\n"
        "        0 .hidden\n"
        "        - a/\n"
        "        5 b.txt\n"
        "        - link@\n"
        "        - pipe?\n"
        "[6 entries; 1 left out by .gitignore]"
    )
    assert desk.output("ls", path="a") == "[0 entries]"


def test_an_ignored_directory_can_be_listed_by_name(desk: Desk) -> None:
    (desk.root / "build").mkdir()
    (desk.root / "build" / "out").touch()
    (desk.root / ".gitignore").write_text("build/\nout\n")
    assert desk.output("ls", path="build") == "        0 out\n[1 entry]"


def test_is_bounded(desk: Desk) -> None:
    for number in range(1200):
        (desk.root / f"{number:04}").touch()
    lines = desk.output("ls").split("\n")
    assert lines[0] == "        0 0000"
    assert lines[999] == "        0 0999"
    assert lines[1000:] == ["[1000 of 1200 entries shown]"]


def test_a_file_is_listed(desk: Desk) -> None:
    (desk.root / "a").write_text("abc")
    assert desk.output("ls", path="a") == "        3 a\n[1 file]"
    assert desk.error("ls", path="a/b") == "a/b: a part of this path is not a directory"
