"""read: pages, and what is no text."""

from __future__ import annotations

import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.a3s import proofs

from .desk import Desk


def test_numbers_lines(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one\ntwo\n\nfour")
    assert desk.output("read", file_path="a.txt") == "1\tone\n2\ttwo\n3\t\n4\tfour"


def test_pages_say_what_is_left(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("".join(f"line {number}\n" for number in range(1, 5001)))
    first = desk.output("read", file_path="a.txt").split("\n")
    assert len(first) == 2001
    assert first[0] == "   1\tline 1"
    assert first[1999] == "2000\tline 2000"
    assert first[2000] == "[lines 2001-5000 of 5000 follow: offset=2000]"
    assert desk.output("read", file_path="a.txt", offset=4998) == "4999\tline 4999\n5000\tline 5000"
    assert (
        desk.output("read", file_path="a.txt", offset=10, limit=1)
        == "11\tline 11\n[lines 12-5000 of 5000 follow: offset=11]"
    )


def test_a_page_is_never_cut_in_its_middle(desk: Desk) -> None:
    lines = [f"{number} {'x' * 100}" for number in range(1, 1001)]
    (desk.root / "a.txt").write_text("\n".join(lines))
    offset = 0
    seen: list[str] = []
    while True:
        output = desk.output("read", file_path="a.txt", offset=offset)
        assert len(output.encode()) < 48 * 1024
        *rows, last = output.split("\n")
        if not last.startswith("["):
            seen += [row.split("\t")[1] for row in [*rows, last]]
            break
        seen += [row.split("\t")[1] for row in rows]
        assert last == f"[lines {len(seen) + 1}-1000 of 1000 follow: offset={len(seen)}]"
        offset = len(seen)
    assert seen == lines


def test_a_long_line_is_cut(desk: Desk) -> None:
    (desk.root / "a.txt").write_text(
        "é" * 2000 + "\n" + "é" * 2001 + "\n" + "x" * 300_000 + "\nend"
    )
    assert desk.output("read", file_path="a.txt").split("\n") == [
        "1\t" + "é" * 2000,
        "2\t" + "é" * 2000 + "… [2 more bytes: column=2000]",
        "3\t" + "x" * 2000 + "… [298000 more bytes: column=2000]",
        "4\tend",
    ]


@settings(max_examples=proofs(100), deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r\ufeff"), max_size=50)),
    st.booleans(),
    st.integers(0, 12),
    st.integers(1, 5),
)
def test_pages_are_the_lines(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    final_newline: bool,
    offset: int,
    limit: int,
) -> None:
    desk = Desk(tmp_path_factory.mktemp("work"))
    (desk.root / "a").write_bytes("\n".join(lines).encode() + b"\n" * final_newline)
    real = lines if final_newline or (lines and lines[-1]) else lines[:-1]
    real = real or ([""] if final_newline else [])
    if offset >= len(real):
        assert offset == 0 or "past the end" in desk.error("read", file_path="a", offset=offset)
        return
    rows = desk.output("read", file_path="a", offset=offset, limit=limit).split("\n")
    shown = [row.split("\t", 1)[1] for row in rows if "\t" in row]
    assert shown == real[offset : offset + limit]
    left = len(real) - offset - len(shown)
    assert (left > 0) == rows[-1].endswith(f"follow: offset={offset + limit}]")


def test_crlf_and_byte_order_mark_are_not_shown(desk: Desk) -> None:
    (desk.root / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert desk.output("read", file_path="a.txt") == "1\tone\n2\ttwo\n[lines end in CRLF]"


def test_empty_file(desk: Desk) -> None:
    (desk.root / "a.txt").touch()
    assert desk.output("read", file_path="a.txt") == "a.txt is empty."
    assert desk.error("read", file_path="a.txt", offset=1) == (
        "offset 1 is past the end: a.txt has 0 lines"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\0\0",
        b"x" * 50_000 + b"\0",
    ],
    ids=["elf", "late NUL"],
)
def test_refuses_what_is_no_text(desk: Desk, content: bytes) -> None:
    (desk.root / "a.bin").write_bytes(content)
    if content.startswith(b"x"):
        # What is not shown of a line is not decoded.
        assert desk.output("read", file_path="a.bin").startswith("1\txxx")
        return
    assert desk.error("read", file_path="a.bin") == (
        f"a.bin is not UTF-8 text ({len(content)} bytes)"
    )


def test_missing_files_are_guessed(desk: Desk) -> None:
    (desk.root / "source").mkdir()
    (desk.root / "source" / "main.py").touch()
    assert desk.error("read", file_path="source/mian.py") == (
        "source/mian.py does not exist; did you mean source/main.py?"
    )
    assert desk.error("read", file_path="sorce/main.py") == (
        "sorce/main.py does not exist; did you mean source?"
    )
    assert desk.error("read", file_path="zzz") == "zzz does not exist"


def test_a_directory_is_not_read(desk: Desk) -> None:
    (desk.root / "sub").mkdir()
    for path, shown in (("sub", "sub"), ("", "."), (".", "."), (str(desk.root), ".")):
        assert desk.error("read", file_path=path) == f"{shown} is a directory: ls lists it"


def test_special_files_are_refused_at_once(desk: Desk) -> None:
    os.mkfifo(desk.root / "fifo")
    assert desk.error("read", file_path="fifo") == "fifo cannot be used: it is a FIFO, not a file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(desk.root / "sock"))
        assert "it is a socket" in desk.error("read", file_path="sock")
    assert "it is a FIFO" in desk.error("write", file_path="fifo", content="x")
    assert "it is a FIFO" in desk.error("edit", file_path="fifo", old_string="x", new_string="y")


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        (
            b"0123456789abcde\n" * 65536,
            "1\t0123456789abcde\n[lines 2-4194304 of 4194304 follow: offset=1]",
        ),
        (b"x" * 1024 * 1024, f"1\t{'x' * 2000}… [67106864 more bytes: column=2000]"),
    ],
    ids=["lines", "one line"],
)
def test_a_huge_file_costs_no_memory(desk: Desk, piece: bytes, shown: str) -> None:
    with (desk.root / "text").open("wb") as file:
        for _ in range(64):
            file.write(piece)
    output, peak = measured(lambda: desk.output("read", file_path="text", limit=1))
    assert output == shown
    assert peak < 16 * 1024 * 1024


def test_a_sparse_file_costs_no_memory(desk: Desk) -> None:
    with (desk.root / "sparse").open("wb") as file:
        file.truncate(50 * 1024**3)
    error, peak = measured(lambda: desk.error("read", file_path="sparse"))
    assert "is not UTF-8 text" in error
    assert peak < 16 * 1024 * 1024


def measured(call: Callable[[], str]) -> tuple[str, int]:
    """Return the output and its peak memory: the process's own peak includes other tests."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        said = call()
        return said, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_names_that_are_not_utf8_are_shown_escaped(desk: Desk) -> None:
    name = b"caf\xe9\n.txt"
    try:
        (desk.root / os.fsdecode(name)).write_text("x\n")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for tool, arguments in (("ls", {}), ("glob", {"pattern": "*"}), ("grep", {"pattern": "x"})):
        assert "caf\\xe9\\n.txt" in desk.output(tool, **arguments)
    assert desk.output("read", file_path=os.fsdecode(name)) == "1\tx"
    result = desk.call("write", file_path=os.fsdecode(name), content="y")
    assert result.path == f"{desk.root}/caf\\xe9\\n.txt"


def test_symlinks_inside_are_followed(desk: Desk) -> None:
    (desk.root / "real").write_text("x")
    (desk.root / "link").symlink_to("real")
    Path(desk.root / "dir").symlink_to(desk.root)
    assert desk.output("read", file_path="dir/link") == "1\tx"
