"""glob: patterns, order, bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from .desk import Desk

FILES = [
    ".github/ci.yml",
    ".gitignore",
    "README.md",
    "docs/a.md",
    "docs/deep/b.md",
    "node_modules/x/index.ts",
    "src/a.py",
    "src/app/[id]/page.tsx",
    "src/b/c.ts",
    "src/b/d.tsx",
    "src/b.ts",
]


@pytest.fixture
def files(desk: Desk) -> Desk:
    for name in FILES:
        (desk.root / name).parent.mkdir(parents=True, exist_ok=True)
        (desk.root / name).touch()
    (desk.root / ".gitignore").write_text("node_modules/\n")
    (desk.root / ".git").mkdir()
    (desk.root / ".git" / "config.md").touch()
    return desk


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.md", ".", ["README.md"]),
        ("**/*.md", ".", ["README.md", "docs/a.md", "docs/deep/b.md"]),
        ("docs/**", ".", ["docs/a.md", "docs/deep/b.md"]),
        ("docs/", ".", ["docs/a.md", "docs/deep/b.md"]),
        ("**/*.{ts,tsx}", ".", FILES[7:11]),
        ("src/{a.py,b/**}", ".", ["src/a.py", "src/b/c.ts", "src/b/d.tsx"]),
        ("*", "docs", ["docs/a.md"]),
        ("./src/?.py", ".", ["src/a.py"]),
        ("src//a.py", ".", ["src/a.py"]),
        ("src/[!b].*", ".", ["src/a.py"]),
        (r"src/app/\[id\]/*", ".", ["src/app/[id]/page.tsx"]),
        ("src/app/[id]/*.tsx", ".", ["src/app/[id]/page.tsx"]),
        ("**/[id]/*", ".", ["src/app/[id]/page.tsx"]),
        ("src/[ab]/*.ts", ".", ["src/b/c.ts"]),
        ("**/ci.yml", ".", [".github/ci.yml"]),
        ("**", ".", [name for name in FILES if "node_modules" not in name]),
        ("**/index.ts", "node_modules", ["node_modules/x/index.ts"]),
        ("**/b/**/*.ts", ".", ["src/b/c.ts"]),
    ],
)
def test_patterns(files: Desk, pattern: str, path: str, expected: list[str]) -> None:
    *found, summary = files.output("glob", pattern=pattern, path=path).split("\n")
    assert found == expected
    count = f"{len(expected)} file{'s' * (len(expected) != 1)}"
    assert summary in (f"[{count}]", f"[{count}; 1 ignored left out]")


def test_an_absolute_pattern_inside_is_understood(files: Desk) -> None:
    assert files.output("glob", pattern=f"{files.root}/*.md") == (
        "README.md\n[1 file; 1 ignored left out]"
    )


def test_nothing_found_is_no_failure(files: Desk) -> None:
    assert (
        files.output("glob", pattern="*.rs")
        == "No files match *.rs (**/*.rs searches below, too); 1 ignored left out."
    )
    assert files.output("glob", pattern="**/*.rs") == (
        "No files match **/*.rs; 1 ignored left out."
    )


@pytest.mark.parametrize(
    "pattern", ["../*", "src/../../x", "/etc/*", "{..,src}/*", "{a,/etc/passwd}", "**/.."]
)
def test_patterns_that_reach_out(files: Desk, pattern: str) -> None:
    assert files.error("glob", pattern=pattern) == (
        f"the pattern {pattern} reaches out of the directory that is searched"
    )


def test_broken_patterns(files: Desk) -> None:
    assert files.error("glob", pattern="a[b") == "the pattern a[b is not valid: a [ is never closed"
    assert "more than 256" in files.error("glob", pattern="{a,b}" * 9)


def test_links_count_when_they_lead_to_a_file_inside(files: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.md").touch()
    (files.root / "in.md").symlink_to("docs/a.md")
    (files.root / "out.md").symlink_to(tmp_path / "secret.md")
    (files.root / "dir.md").symlink_to("docs")
    (files.root / "dangling.md").symlink_to("nowhere")
    (files.root / "loop").symlink_to(".")
    assert files.output("glob", pattern="*.md") == (
        "README.md\nin.md\n[2 files; 1 ignored left out]"
    )
    assert "loop" not in files.output("glob", pattern="**")


def test_is_bounded(desk: Desk) -> None:
    for number in range(1100):
        (desk.root / f"{number:04}").touch()
    lines = desk.output("glob", pattern="*").split("\n")
    assert len(lines) == 1001
    assert lines[-1] == "[the first 1000 files; more match: narrow the pattern]"


def test_a_hostile_pattern_does_not_hang(desk: Desk) -> None:
    (desk.root / ("a" * 250)).touch()
    assert desk.output("glob", pattern="*a" * 60 + "b").startswith("No files match")
    deep = desk.root.joinpath(*["a"] * 60)
    deep.mkdir(parents=True)
    assert desk.output("glob", pattern="**/a/" * 60 + "b").startswith("No files match")
