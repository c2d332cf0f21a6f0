"""Files as they are: encodings, line ends, and what changed meanwhile; bytes are compared."""

from __future__ import annotations

import asyncio
import os

import pytest

from a3s_cli.tool_protocol import ToolError

from .desk import TOOLS, Desk

LATIN = b"caf\xe9 = 1\nna\xefve = 2\n"


def edited(desk: Desk, content: bytes, old: str, new: str) -> bytes:
    (desk.root / "f").write_bytes(content)
    desk.output("edit", file_path="f", old_string=old, new_string=new)
    return (desk.root / "f").read_bytes()


def written(desk: Desk, old: bytes, new: str) -> tuple[bytes, str]:
    (desk.root / "f").write_bytes(old)
    said = desk.output("write", file_path="f", content=new)
    return (desk.root / "f").read_bytes(), said


def test_one_byte_does_not_make_a_page_unreadable(desk: Desk) -> None:
    (desk.root / "f").write_bytes(LATIN)
    assert desk.output("read", file_path="f") == (
        "1\tcaf\ufffd = 1\n2\tna\ufffdve = 2\n[bytes that are not UTF-8 are shown as \ufffd]"
    )


def test_bytes_that_are_no_text_find_their_way_back(desk: Desk) -> None:
    assert edited(desk, LATIN, "caf\ufffd = 1", "caf\ufffd = 3") == b"caf\xe9 = 3\nna\xefve = 2\n"
    assert edited(desk, LATIN, "ve = 2", "ve = 3") == b"caf\xe9 = 1\nna\xefve = 3\n"
    assert edited(desk, LATIN, "caf\ufffd", "tea") == b"tea = 1\nna\xefve = 2\n"
    (desk.root / "f").write_bytes(LATIN)
    assert desk.error("edit", file_path="f", old_string="= 1", new_string="\ufffd") == (
        "f: new_string has 1 U+FFFD where old_string has 0: it is not clear which bytes are meant"
    )
    assert (desk.root / "f").read_bytes() == LATIN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_and_edited(desk: Desk, encoding: str) -> None:
    mark = "\ufeff".encode(encoding)
    (desk.root / "f").write_bytes(mark + "a é\r\nb\r\n".encode(encoding))
    assert desk.output("read", file_path="f") == "1\ta é\n2\tb\n[UTF-16; lines end in CRLF]"
    desk.output("edit", file_path="f", old_string="é\nb", new_string="ü\nc")
    assert (desk.root / "f").read_bytes() == mark + "a ü\r\nc\r\n".encode(encoding)


def test_write_keeps_how_a_file_was_written(desk: Desk) -> None:
    assert written(desk, b"\xef\xbb\xbfa\r\nb\r\n", "c\nd\n") == (
        b"\xef\xbb\xbfc\r\nd\r\n",
        "Wrote f: 9 bytes, 2 lines; UTF-8 with a byte order mark, as before;"
        " lines end in CRLF, as before.",
    )
    utf_16 = "\ufeffé\n".encode("utf-16-le")
    assert written(desk, utf_16, "ü\n")[0] == "\ufeffü\n".encode("utf-16-le")
    assert written(desk, LATIN, "x\n")[1].endswith("; bytes that were not UTF-8 are gone.")
    assert written(desk, b"a\r\nb\n", "x\n")[1].endswith(
        "; its line ends were mixed, and are now uniform."
    )
    assert written(desk, b"a\nb\n", "x\n") == (b"x\n", "Wrote f: 2 bytes, 1 line.")


def test_mixed_line_ends_are_found_as_they_are_shown(desk: Desk) -> None:
    mixed = b"a\r\nb\nc\r\nd\n"
    (desk.root / "f").write_bytes(mixed)
    assert desk.output("read", file_path="f") == (
        "1\ta\n2\tb\n3\tc\n4\td\n[some lines end in CRLF]"
    )
    assert edited(desk, mixed, "a\nb\nc\n", "x\ny\nz\n") == b"x\r\ny\nz\r\nd\n"
    assert edited(desk, mixed, "c", "c\nc") == b"a\r\nb\nc\r\nc\r\nd\n"
    (desk.root / "f").write_bytes(b"x\x0by\na\r\nb\n")
    assert desk.error("edit", file_path="f", old_string="bb", new_string="c").endswith(
        "; the nearest is line 3: b"
    ) or "line 3" in desk.error("edit", file_path="f", old_string=" b", new_string="c")


@pytest.mark.parametrize("tool", ["edit", "write"])
def test_a_file_that_changed_meanwhile_is_not_overwritten_unseen(desk: Desk, tool: str) -> None:
    context = desk.context()
    arguments = {
        "edit": {"file_path": "f", "old_string": "a", "new_string": "b"},
        "write": {"file_path": "f", "content": "b"},
    }[tool]

    def call(name: str, given: dict[str, str]) -> str:
        try:
            return str(asyncio.run(TOOLS[name].run(given, context)).output)
        except ToolError as error:
            return str(error)

    (desk.root / "f").write_text("a")
    call("read", {"file_path": "f"})
    (desk.root / "f").write_text("a, by others")
    os.utime(desk.root / "f", (1, 1))
    assert call(tool, arguments) == "f has changed on disk since it was last read: read it again"
    assert (desk.root / "f").read_text() == "a, by others"
    call("read", {"file_path": "f"})
    assert call(tool, arguments).startswith(("Edited f", "Wrote f"))
    # What the tools wrote themselves is known.
    assert call("write", {"file_path": "f", "content": "c"}).startswith("Wrote f")


def test_any_column_can_be_read(desk: Desk) -> None:
    (desk.root / "f").write_text("x" * 5000 + "é here" + "y" * 5000 + "\nshort\n")
    assert desk.output("read", file_path="f", column=5000, limit=1).startswith("1\té here")
    rows = desk.output("read", file_path="f", column=10_004).split("\n")
    assert rows == ["1\tyy", "2\t"]


@pytest.mark.parametrize("path", ["", "/nonexistent"])
def test_grep_shows_the_match_in_a_long_line(desk: Desk, path: str) -> None:
    desk.path = path
    (desk.root / "f.js").write_text("a" * 9000 + "needle" + "b" * 9000 + "\n")
    row = desk.output("grep", pattern="needle").split("\n")[0]
    start = "a" * 100 + "needle" + "b" * 394
    assert row == f"f.js:1: [column 8900] …{start}… [8606 more bytes]"


def test_a_name_that_looks_like_a_pattern_is_that_file(desk: Desk) -> None:
    (desk.root / "app" / "[id]").mkdir(parents=True)
    (desk.root / "app" / "[id]" / "page.tsx").write_text("x\n")
    (desk.root / "app" / "i").mkdir()
    (desk.root / "app" / "i" / "page.tsx").write_text("x\n")
    name = "app/[id]/page.tsx"
    assert desk.output("glob", pattern=name) == f"{name}\n[1 file]"
    assert desk.output("grep", pattern="x", glob=name) == f"{name}:1: x\n[1 match in 1 file]"
    name, other = "app/[id]/p*.tsx", "app/i/page.tsx"
    found = f"{name.replace('p*', 'page')}:1: x\n{other}:1: x\n[2 matches in 2 files]"
    assert desk.output("grep", pattern="x", glob=name) == found
    for tool, arguments in (("glob", {}), ("grep", {"pattern": "x"})):
        key = "pattern" if tool == "glob" else "glob"
        said = desk.error(tool, **{**arguments, key: "!(a)*"})
        assert "is not understood: !(…) has no meaning here" in said


@pytest.mark.parametrize(("asked", "there"), [("README.MD", "readme.md"), ("cafe\u0301", "café")])
def test_a_missing_file_is_found_in_any_case_and_form(desk: Desk, asked: str, there: str) -> None:
    (desk.root / there).write_text("x")
    assert desk.error("read", file_path=asked) == f"{asked} does not exist; did you mean {there}?"


def test_glob_says_what_it_leaves_out(desk: Desk) -> None:
    (desk.root / ".gitignore").write_text("*.log\n")
    for name in ("a.log", "b.log", "c"):
        (desk.root / name).touch()
    assert desk.output("glob", pattern="c") == "c\n[1 file; 2 ignored left out]"
    assert "; 2 ignored left out" in desk.output("glob", pattern="*.log")
