"""What `edit` and `write` leave in a file, byte by byte, and what `read` and `glob` say of it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from .desk import NO_RIPGREP, Desk

MARK = b"\xef\xbb\xbf"


def wide(text: str, encoding: str) -> bytes:
    return ("\ufeff" + text).encode(encoding)


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (MARK + b"a\nb", "a", "c", MARK + b"c\nb"),
        (MARK + b"a\nb\n", "a\nb", "c\nd", MARK + b"c\nd\n"),
        (MARK + b"a\nb\n", "\ufeffa", "\ufeffc", MARK + b"c\nb\n"),
        (wide("a\nb", "utf-16-le"), "b", "\U0001f600", wide("a\n\U0001f600", "utf-16-le")),
        (wide("a\nb\n", "utf-32-le"), "a", "xy", wide("xy\nb\n", "utf-32-le")),
        (wide("a\r\nb\r\n", "utf-32-be"), "a\nb", "c\nd", wide("c\r\nd\r\n", "utf-32-be")),
        (b"a\0b\nc\n", "c", "d", b"a\0b\nd\n"),
        (b"a\r\nb\nc\r\n", "b", "x\ny", b"a\r\nx\ny\nc\r\n"),
        (b"a\r\nb\nc\r\n", "a\nb\nc", "x\ny\nz", b"x\r\ny\nz\r\n"),
        (b"a\nb", "b", "c", b"a\nc"),
        (b"a\r\nb", "b", "c\nd", b"a\r\nc\r\nd"),
        (b"a\rb\rc\r", "b", "x", b"a\rx\rc\r"),
        (b"a\r\r\nb\r\n", "b", "c", b"a\r\r\nc\r\n"),
        (b"\xc0\xaf x\ny\n", "y", "z", b"\xc0\xaf x\nz\n"),
        (b"abc \xe2\x82\nq\n", "q", "r", b"abc \xe2\x82\nr\n"),
        ("a\u2028b\x0cc\n".encode(), "b\x0cc", "d", "a\u2028d\n".encode()),
        ("a\U0001f600b\n".encode(), "\U0001f600", "é", "aéb\n".encode()),
    ],
)
def test_edit(desk: Desk, before: bytes, old: str, new: str, after: bytes) -> None:
    (desk.root / "f").write_bytes(before)
    desk.output("edit", file_path="f", old_string=old, new_string=new)
    assert (desk.root / "f").read_bytes() == after


@pytest.mark.parametrize(
    ("before", "new", "after", "said"),
    [
        (b"a\nb\n", "c\n", b"c\n", ""),
        (b"a\r\nb\r\n", "c\nd", b"c\r\nd", "; lines end in CRLF, as before"),
        (b"a\r\nb\n", "c\n", b"c\n", "; its line ends were mixed, and are now uniform"),
        (b"a\rb\r", "c\nd\n", b"c\nd\n", "; its lines ended in CR, and no longer do"),
        (b"a\nb\n", "c\r\n", b"c\r\n", "; its lines ended in LF, and end in CRLF now"),
        (
            "é\n".encode("latin-1"),
            "è\n",
            "è\n".encode(),
            "; bytes that were not UTF-8 are gone",
        ),
        (
            wide("a\n", "utf-32-be"),
            "c\n",
            wide("c\n", "utf-32-be"),
            "; UTF-32 with a byte order mark, as before",
        ),
    ],
)
def test_write(desk: Desk, before: bytes, new: str, after: bytes, said: str) -> None:
    (desk.root / "f").write_bytes(before)
    output = desk.output("write", file_path="f", content=new)
    assert (desk.root / "f").read_bytes() == after
    assert output.partition(";")[2] == said.partition(";")[2] + "." * bool(said)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (wide("a\nb\n", "utf-32-le"), "1\ta\n2\tb\n[UTF-32]"),
        (b"a\rb\rc\r", "1\ta\rb\rc\n[carriage returns alone end no line here]"),
        (b"a\r\nb\n", "1\ta\n2\tb\n[some lines end in CRLF]"),
        ("a\u2028b\x0cc\nd\n".encode(), "1\ta\u2028b\x0cc\n2\td"),
        (b"\xff\xfe\x00\xd8a\x00\n\x00", "1\t\ufffda\n[UTF-16]"),
    ],
)
def test_read(desk: Desk, content: bytes, shown: str) -> None:
    (desk.root / "f").write_bytes(content)
    assert desk.output("read", file_path="f") == shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfea\x00\n", "f is UTF-16 that ends in the middle of a character"),
        (wide("a", "utf-32-le") + b"\0", "f is UTF-32 that ends in the middle of a character"),
        (b"\xff\xfe\0\0\0\0\x11\0a\0\0\0", "f is UTF-32 that contains an invalid character"),
        ("abc\n".encode("utf-16-le"), "f is not UTF-8 text (8 bytes)"),
        (b"a\0b\n", "f is not UTF-8 text (4 bytes)"),
    ],
)
def test_what_is_no_text_is_called_so(desk: Desk, content: bytes, said: str) -> None:
    (desk.root / "f").write_bytes(content)
    assert desk.error("read", file_path="f") == said
    assert (desk.root / "f").read_bytes() == content


@pytest.mark.parametrize(
    ("encoding", "path"),
    [
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-16-le", NO_RIPGREP),
        ("utf-32-le", NO_RIPGREP),  # which ripgrep takes for binary
        ("utf-32-be", NO_RIPGREP),
    ],
)
def test_grep_reads_what_a_mark_says(desk: Desk, path: str, encoding: str) -> None:
    (desk.root / "f").write_bytes(wide("one\ntwo é\n", encoding))
    found = Desk(desk.root, path).output("grep", pattern="two .$", path="f")
    assert found.split("\n")[0] in ("f:2: two é", "2: two é")


@pytest.mark.parametrize("mode", [0o600, 0o777, 0o1644, 0o2755, 0o4755])
def test_the_mode_stays(desk: Desk, mode: int) -> None:
    file = desk.root / "f"
    file.write_bytes(b"a\n")
    file.chmod(mode)
    desk.output("edit", file_path="f", old_string="a", new_string="b")
    assert (file.read_bytes(), file.stat().st_mode & 0o7777) == (b"b\n", mode)


def test_links_stay_links(desk: Desk) -> None:
    (desk.root / "f").write_bytes(b"a\n")
    for name, target in (("l1", "f"), ("l2", "l1"), ("new", "made")):
        os.symlink(target, desk.root / name)  # noqa: PTH211
    os.link(desk.root / "f", desk.root / "g")
    desk.output("edit", file_path="l2", old_string="a", new_string="b")
    desk.output("write", file_path="new", content="x")
    assert (desk.root / "g").read_bytes() == b"b\n"
    assert (desk.root / "l2").readlink() == Path("l1")
    assert (desk.root / "new").readlink() == Path("made")
    assert (desk.root / "made").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("ReadMe.MD", "readme.md"),
        ("Src/App.py", "src/app.py"),
        ("Src/Deep/App.py", "src/deep/app.py"),
        (unicodedata.normalize("NFD", "dé/é.txt"), "dé/é.txt"),
        ("a\u202fb.txt", "a b.txt"),
        ("src/handler.py", "src/handlr.py"),
        ("Src/handler.py", "src/handlr.py"),
    ],
)
def test_the_nearest_name(desk: Desk, there: str, asked: str) -> None:
    (desk.root / there).parent.mkdir(parents=True, exist_ok=True)
    (desk.root / there).write_text("x")
    said = desk.error("read", file_path=asked)
    assert said.partition("; ")[2].encode() == (
        f"did you mean {Desk(desk.root).context().workspace.show(desk.root / there)}?".encode()
    )


@pytest.mark.parametrize("tool", ["glob", "grep"])
@pytest.mark.parametrize(
    ("pattern", "sign"),
    [
        ("!(a)*", "!(…)"),
        ("+(a)", "+(…)"),
        ("a{1..2}", "{1..2}"),
        ("{a..c}1", "{a..c}"),
        ("!*.md", "!"),
        ("~/a*", "~"),
    ],
)
def test_what_only_a_shell_expands_is_refused(
    desk: Desk, tool: str, pattern: str, sign: str
) -> None:
    (desk.root / "a1").write_text("x")
    arguments = {"pattern": pattern} if tool == "glob" else {"pattern": "x", "glob": pattern}
    assert f"is not understood: {sign} has no meaning here" in desk.error(tool, **arguments)
