"""grep: what is shown, by ripgrep and by the worker alike."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .desk import NO_RIPGREP, Desk

ENGINES = [
    pytest.param(
        "",
        id="ripgrep",
        marks=pytest.mark.skipif(shutil.which("rg") is None, reason="no rg (ripgrep)"),
    ),
    pytest.param(NO_RIPGREP, id="worker"),
]


@pytest.fixture(params=ENGINES)
def engine(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    desk.path = request.param
    return desk


def fill(desk: Desk, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = desk.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_matches_are_sorted_and_counted(engine: Desk) -> None:
    fill(engine, {"b.py": "x = 1\ny = x\n", "a/z.py": "x\n", "a.py": "no\n", ".hid/e.txt": "x"})
    assert engine.output("grep", pattern="x") == (
        ".hid/e.txt:1: x\na/z.py:1: x\nb.py:1: x = 1\nb.py:2: y = x\n[4 matches in 3 files]"
    )
    assert engine.output("grep", pattern="X") == "No matches."
    assert engine.output("grep", pattern="X", path="a", **{"-i": True}) == (
        "a/z.py:1: x\n[1 match in 1 file]"
    )
    assert engine.output("grep", pattern="y", path="b.py") == "b.py:2: y = x\n[1 match in 1 file]"


def test_context_and_groups(engine: Desk) -> None:
    lines = [f"line {number}" for number in range(1, 21)]
    lines[1] = lines[3] = lines[13] = "hit"
    fill(engine, {"a": "\n".join(lines), "b": "hit\nafter\n"})
    assert engine.output("grep", pattern="^hit$", context=1).split("\n") == [
        "a-1- line 1",
        "a:2: hit",
        "a-3- line 3",
        "a:4: hit",
        "a-5- line 5",
        "--",
        "a-13- line 13",
        "a:14: hit",
        "a-15- line 15",
        "--",
        "b:1: hit",
        "b-2- after",
        "[4 matches in 2 files]",
    ]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.py", ["a.py", "src/b.py", "src/deep/c.py"]),
        ("src/*.py", ["src/b.py"]),
        ("src/**/*.py", ["src/b.py", "src/deep/c.py"]),
        ("*.{js,txt}", ["src/d.js", "t.txt"]),
        ("[ab].py", ["a.py", "src/b.py"]),
        ("\\!*.py", []),
        ("**", ["a.py", "src/b.py", "src/d.js", "src/deep/c.py", "t.txt"]),
        ("src/", ["src/b.py", "src/d.js", "src/deep/c.py"]),
        ("skip.py", []),
    ],
)
def test_glob_chooses_files(engine: Desk, glob: str, expected: list[str]) -> None:
    names = ("a.py", "src/b.py", "src/deep/c.py", "src/d.js", "t.txt", "skip.py")
    fill(engine, dict.fromkeys(names, "x\n") | {".gitignore": "skip.py\n"})
    found = engine.output("grep", pattern="^x$", glob=glob).split("\n")[:-1]
    assert found == [f"{name}:1: x" for name in expected]


def test_ignore_files_hold_as_in_git(engine: Desk) -> None:
    fill(
        engine,
        {
            ".gitignore": "*.log\n/build/\n!keep.log\n",
            "a.log": "x",
            "keep.log": "x",
            "build/out": "x",
            "sub/build/in": "x",
            "sub/.gitignore": "*.tmp\n",
            "sub/a.tmp": "x",
            "sub/a.log": "x",
            "sub/.ignore": "in\n",
            ".git/description": "x",
        },
    )
    everything = ["keep.log:1: x", "sub/build/in:1: x", "[2 matches in 2 files]"]
    assert engine.output("grep", pattern="x").split("\n") == everything
    assert engine.output("grep", pattern="x", path="sub").split("\n") == [
        "sub/build/in:1: x",
        "[1 match in 1 file]",
    ]
    assert engine.output("grep", pattern="x", path="build") == "build/out:1: x\n[1 match in 1 file]"
    assert engine.output("grep", pattern="x", path="a.log") == "a.log:1: x\n[1 match in 1 file]"


def test_the_enclosing_repository_counts(engine: Desk) -> None:
    (engine.root / ".git").mkdir()
    fill(
        engine,
        {".gitignore": "*.gen\n/pkg/dist\n", "pkg/a.gen": "x", "pkg/dist/b": "x", "pkg/c": "x"},
    )
    engine.root /= "pkg"
    assert engine.output("grep", pattern="x") == "c:1: x\n[1 match in 1 file]"
    assert engine.output("glob", pattern="**") == "c\n[1 file; 2 ignored left out]"


def test_secrets_are_passed_over_unless_named(engine: Desk) -> None:
    secrets = (".env", ".env.local", "deep/.npmrc", ".netrc", "k/server.PEM", "id_rsa", "k/id_work")
    fill(engine, dict.fromkeys((*secrets, "id_map.py"), "TOKEN=1\n") | {".git/config": "TOKEN=1"})
    assert engine.output("grep", pattern="TOKEN") == "id_map.py:1: TOKEN=1\n[1 match in 1 file]"
    for name in (*secrets, ".git/config"):
        assert engine.output("grep", pattern="TOKEN", path=name).startswith(f"{name}:1: TOKEN=1")
    assert engine.output("grep", pattern="TOKEN", path=".git") == "No matches."


def test_binary_files_are_passed_over(engine: Desk) -> None:
    fill(
        engine,
        {
            "a.bin": b"x\n\0",
            "late": b"x\n" + b"." * 9000 + b"\0\nx\n",
        },
    )
    assert engine.output("grep", pattern="^x$") == ("late:1: x\nlate:3: x\n[2 matches in 1 file]")


def test_long_lines_are_cut(engine: Desk) -> None:
    fill(engine, {"a": "x" * 400_000 + "\ny" + "é" * 499 + "\nyé" + "é" * 499})
    assert engine.output("grep", pattern="[xy]").split("\n") == [
        "a:1: " + "x" * 500 + "… [399500 more bytes]",
        "a:2: y" + "é" * 499,
        "a:3: y" + "é" * 499 + "… [2 more bytes]",
        "[3 matches in 1 file]",
    ]


def test_output_is_bounded(engine: Desk) -> None:
    fill(engine, {f"{number:03}": "hit\n" * 10 for number in range(100)})
    lines = engine.output("grep", pattern="hit").split("\n")
    assert len(lines) == 501
    assert lines[:2] == ["000:1: hit", "000:2: hit"]
    assert lines[-1] == (
        "[the first 500 matches in 50 files; more follow: narrow pattern, path or glob]"
    )
    fill(engine, {"wide": ("x" * 490 + "\n") * 400})
    output = engine.output("grep", pattern="xx")
    assert 40_000 < len(output.encode()) < 48 * 1024
    assert "more follow" in output


def test_unusual_names(engine: Desk) -> None:
    fill(engine, {"-e": "x\n", "a:1: b\nc": "x\n", "é ü": "x\n"})
    assert engine.output("grep", pattern="x") == (
        "-e:1: x\na:1: b\\nc:1: x\né ü:1: x\n[3 matches in 3 files]"
    )
    assert engine.output("grep", pattern="x", path="-e") == "-e:1: x\n[1 match in 1 file]"


def test_an_option_is_a_pattern(engine: Desk, tmp_path: Path) -> None:
    (tmp_path / "patterns").write_text("secret\n")
    fill(engine, {"a": f"-f{tmp_path}/patterns\nsecret\n"})
    assert engine.output("grep", pattern=f"-f{tmp_path}/patterns").endswith("[1 match in 1 file]")


def test_links_are_not_followed(engine: Desk, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").write_text("SECRET\n")
    (engine.root / "dir").symlink_to(tmp_path / "out")
    (engine.root / "file").symlink_to(tmp_path / "out" / "secret")
    os.mkfifo(engine.root / "fifo")
    assert engine.output("grep", pattern="SECRET") == "No matches."
    assert "outside the workspace" in engine.error("grep", pattern="SECRET", path="file")
    assert "it is a FIFO" in engine.error("grep", pattern="x", path="fifo")


def test_nothing_there(engine: Desk) -> None:
    assert engine.error("grep", pattern="x", path="nope") == "nope does not exist"
    assert engine.output("grep", pattern="x") == "No matches."
    assert "not valid" in engine.error("grep", pattern="x", glob="[")


def test_a_catastrophic_pattern_is_killed(desk: Desk) -> None:
    desk.path, desk.timeout = NO_RIPGREP, 1.5
    fill(desk, {"a": "hit (x\n", "b": "a" * 60 + "!\n"})
    result = desk.call("grep", pattern="(x|x)+$|^(a|a)+$")
    assert (result.exit_code, result.reason) == (124, "timeout")
    assert result.output == (
        "a:1: hit (x\n[1 match in 1 file after 1.5 s; the search was stopped unfinished]"
    )


def test_a_program_in_the_workspace_is_never_run(desk: Desk) -> None:
    (desk.root / "bin").mkdir()
    program = desk.root / "bin" / "rg"
    program.write_text(f"#!/bin/sh\ntouch {desk.root}/ran\n")
    program.chmod(0o755)
    desk.path = str(desk.root / "bin")
    (desk.root / "a").write_text("x\n")
    assert desk.output("grep", pattern="^x") == "a:1: x\n[1 match in 1 file]"
    assert not (desk.root / "ran").exists()


def test_a_broken_ripgrep_is_none(desk: Desk, tmp_path: Path) -> None:
    program = tmp_path / "rg"
    program.write_text("#!/bin/sh\necho 'unknown option' >&2\nexit 2\n")
    program.chmod(0o755)
    desk.path = str(tmp_path)
    (desk.root / "a").write_text("x\n")
    assert desk.output("grep", pattern="x") == "a:1: x\n[1 match in 1 file]"


def test_an_engine_is_not_believed(desk: Desk, tmp_path: Path) -> None:
    (desk.root / "a").write_text("one\ntwo\n")
    (desk.root / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("one\n")
    program = tmp_path / "rg"
    records = (
        r"./a\0001:1:one\n./a\0002:1:other\n./../secret\0001:1:one\n./out\0001:1:one\n"
        r"./gone\0001:1:x\n"
    )
    program.write_text(f"#!/bin/sh\nprintf '{records}'\n")
    program.chmod(0o755)
    desk.path = f"{tmp_path}:/usr/bin:/bin"
    assert desk.output("grep", pattern="o") == "a:1: one\n[1 match in 1 file]"


def test_utf_16_and_marks(engine: Desk) -> None:
    """What has a mark is searched as the text that it is; what has none and NULs is binary."""
    text = "first é\r\nsecond\r\n"
    fill(
        engine,
        {
            "big": b"\xfe\xff" + text.encode("utf-16-be"),
            "little": b"\xff\xfe" + text.encode("utf-16-le"),
            "marked": b"\xef\xbb\xbf" + text.encode(),
            "plain": text,
            "unmarked": text.encode("utf-16-le"),
        },
    )
    names = ("big", "little", "marked", "plain")
    expected = [f"{name}:1: first é" for name in names]
    assert engine.output("grep", pattern="^first .$").split("\n") == [
        *expected,
        "[4 matches in 4 files]",
    ]
    assert engine.output("grep", pattern="second", path="little") == (
        "little:2: second\n[1 match in 1 file]"
    )
    assert engine.output("grep", pattern="é", context=1, glob="b*").split("\n") == [
        "big:1: first é",
        "big-2- second",
        "[1 match in 1 file]",
    ]
