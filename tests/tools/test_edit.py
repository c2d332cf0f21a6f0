"""edit: exact, unique, and nothing else in the file changes."""

from __future__ import annotations

import hashlib
import stat
from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.a3s import proofs

from .desk import Desk


def edit(desk: Desk, content: bytes, old: str, new: str, **more: bool) -> bytes:
    (desk.root / "f").write_bytes(content)
    desk.output("edit", file_path="f", old_string=old, new_string=new, **more)
    return (desk.root / "f").read_bytes()


def test_replaces_the_one_place(desk: Desk) -> None:
    (desk.root / "a.py").write_text("x = 1\ny = 2\n")
    (desk.root / "a.py").chmod(0o700)
    result = desk.call("edit", file_path="a.py", old_string="y = 2", new_string="y = 3\nz = 4")
    assert (desk.root / "a.py").read_text() == "x = 1\ny = 3\nz = 4\n"
    assert result.output == "Edited a.py: 1 replacement, at line 2."
    assert result.path == str(desk.root / "a.py")
    assert result.sha256 == hashlib.sha256(b"x = 1\ny = 3\nz = 4\n").hexdigest()
    assert stat.S_IMODE((desk.root / "a.py").stat().st_mode) == 0o700


def test_more_than_one_place_is_refused(desk: Desk) -> None:
    (desk.root / "a").write_text("a\nb\n" * 7)
    assert desk.error("edit", file_path="a", old_string="a", new_string="c") == (
        "old_string occurs 7 times in a, at lines 1, 3, 5, 7, 9, …: "
        "add lines around it to make it unique, or set replace_all"
    )
    assert (desk.root / "a").read_text() == "a\nb\n" * 7
    assert edit(desk, b"aXbXc", "X", "", replace_all=True) == b"abc"


def test_overlapping_places_are_more_than_one(desk: Desk) -> None:
    (desk.root / "a").write_text("aaa")
    assert "occurs 2 times" in desk.error("edit", file_path="a", old_string="aa", new_string="b")


def test_what_does_not_occur_gets_a_hint(desk: Desk) -> None:
    (desk.root / "a.py").write_text("def run(self):\n    return self.value\n\nprint('done')\n")

    def error(old: str) -> str:
        return desk.error("edit", file_path="a.py", old_string=old, new_string="x")

    assert error("    return self.valeu") == (
        "old_string does not occur in a.py; the nearest is line 2:     return self.value"
    )
    assert error("def run(self):\n  return self.value\n").endswith(
        "; the nearest is line 2:     return self.value"
    )
    assert error("@@@@") == "old_string does not occur in a.py"


def test_useless_calls_are_refused(desk: Desk) -> None:
    (desk.root / "a").write_text("x")
    assert desk.error("edit", file_path="a", old_string="", new_string="y") == (
        "old_string is empty: use write to create or replace a whole file"
    )
    assert "the same" in desk.error("edit", file_path="a", old_string="x", new_string="x")
    assert desk.error("edit", file_path="b", old_string="x", new_string="y").startswith(
        "b does not exist"
    )


@pytest.mark.parametrize(
    ("content", "old", "new", "expected"),
    [
        (b"a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", b"x\r\ny\r\nz\r\nc\r\n"),
        (b"a\r\nb", "b", "c\nd", b"a\r\nc\r\nd"),
        (b"a\r\nb\r\n", "a\r\nb", "x\r\ny", b"x\r\ny\r\n"),
        (b"a\nb\r\n", "a\nb", "x\ny", b"x\ny\r\n"),
        (b"\xef\xbb\xbfa\n", "a", "b", b"\xef\xbb\xbfb\n"),
        (b"caf\xe9 old \xff\0", "old", "new", b"caf\xe9 new \xff\0"),
        ("prix: 3 €".encode(), "3 €", "4 €", "prix: 4 €".encode()),
        (b"no newline", "newline", "end", b"no end"),
    ],
)
def test_the_rest_stays_as_it_is(
    desk: Desk, content: bytes, old: str, new: str, expected: bytes
) -> None:
    assert edit(desk, content, old, new) == expected


@settings(max_examples=proofs(60), deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.text("ab€ \t", min_size=1, max_size=6))
def test_an_edit_can_be_undone(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes, new: str
) -> None:
    desk = Desk(tmp_path_factory.mktemp("work"))
    old = "<the-one-place>"
    content = head + old.encode() + tail
    changed = edit(desk, content, old, f"[{new}]unique")
    assert changed == head + f"[{new}]unique".encode() + tail
    assert edit(desk, changed, f"[{new}]unique", old) == content


#: What took minutes, deaf to the run's deadline: content, old, new, what the call says.
HEAVY = {
    "more places than can be changed": (
        b"x" * 20_000_000, "x", "y",
        "old_string occurs more than 100000 times in f: add lines around it, or use bash to "
        "change it",
    ),
    "a result that is too large": (
        b"x\n" * 50_000, "x", "y" * 100_000,
        "f would be larger than 64 MiB: use bash to change it",
    ),
    "line ends that all fit but the last": (
        b"\r\n" * 2_000_000, "\n" * 20_000 + "b", "y", "old_string does not occur in f",
    ),
    "long lines of the same letters": (
        "\n".join("".join(Random(n).choices("abcdefgh ", k=3000)) for n in range(1500)).encode(),
        "".join(Random(5000).choices("abcdefgh ", k=3000)), "y", "old_string does not occur in f",
    ),
    "lines that all fit": (
        b"a\n" * 5000, "a\n" * 4000 + "b", "y",
        "old_string does not occur in f; the nearest is line 201: a",
    ),
    "bytes that are no text": (
        b"\xff" * 200_000 + b"\r\n", "\ufffd" * 20_000 + "\nb", "y",
        "old_string does not occur in f",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEAVY)
def test_work_is_bounded(desk: Desk, name: str) -> None:
    content, old, new, said = HEAVY[name]
    (desk.root / "f").write_bytes(content)
    before = process_time()
    error = desk.error("edit", file_path="f", old_string=old, new_string=new, replace_all=True)
    assert error.partition("; the nearest")[0] == said.partition("; the nearest")[0]
    # Processor time, of which other processes take none; before, each took over 15 s.
    assert process_time() - before < 5


def test_crlf_counts_once_and_maps_back(desk: Desk) -> None:
    content = b"one\r\n\r\ntwo\nthree\r\n"
    assert edit(desk, content, "\ntwo", "\n2") == b"one\r\n\r\n2\nthree\r\n"
    assert edit(desk, content, "two\nthree\n", "2\n3\n") == b"one\r\n\r\n2\n3\r\n"
    assert edit(desk, content, "\n", "|", replace_all=True) == b"one||two|three|"
