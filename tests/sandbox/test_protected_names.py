"""Which paths the file tools refuse: by name, at any depth, in any case."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.files.protected import DIRECTORIES, FILES, protected


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (".git/hooks/pre-commit", ".git"),
        (".git/config", ".git"),
        (".GIT/config", ".git"),
        (".g\u200cit/config", ".git"),
        (".git", ".git"),
        ("sub/module/.git/config", ".git"),
        (".envrc", ".envrc"),
        ("a/b/.Envrc", ".envrc"),
        (".vscode/tasks.json", ".vscode"),
        ("packages/a/.IDEA/x/y", ".idea"),
        (".a3s/config.acl", ".a3s"),
        (".mcp.json", ".mcp.json"),
        (".bashrc", ".bashrc"),
        (".gitmodules", ".gitmodules"),
        ("HEAD", "HEAD"),
        ("HEAD/x", "HEAD"),
        ("src/HEAD", None),
        ("head", None),
        ("config", None),
        ("hooks/x", None),
        (".github/workflows/ci.yml", None),
        (".gitignore", None),
        (".gitattributes", None),
        (".envrc/x", None),
        ("git/config", None),
        ("x.vscode", None),
        ("", None),
    ],
)
def test_names(tmp_path: Path, path: str, place: str | None) -> None:
    assert protected(tmp_path, tmp_path / path) == place


def test_every_name_that_is_listed(tmp_path: Path) -> None:
    for name in DIRECTORIES:
        assert protected(tmp_path, tmp_path / name / "x") == name
        assert protected(tmp_path, tmp_path / name.upper()) == name
    for name in FILES:
        assert protected(tmp_path, tmp_path / "deep" / name.upper()) == name


def test_outside_is_not_its_business(tmp_path: Path) -> None:
    assert protected(tmp_path / "work", tmp_path / ".bashrc") is None


def test_a_repository_that_is_elsewhere(tmp_path: Path) -> None:
    for name in ("real/HEAD", "real/objects/x", ".git"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("gitdir: ./real\n")
    assert protected(tmp_path, tmp_path / "real/config") == ".git"
    assert protected(tmp_path, tmp_path / "real.txt") is None


def test_a_repository_without_a_working_tree(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "HEAD").touch()
    assert protected(tmp_path, tmp_path / "hooks/post-receive") == "hooks"
    assert protected(tmp_path, tmp_path / "config") == "config"
    assert protected(tmp_path, tmp_path / "description") is None
