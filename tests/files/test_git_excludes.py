"""Which of git's configurations name a file of ignore rules: the same as for git itself."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from a3s_cli.files.walk import WorkspaceTree
from a3s_cli.files.wildcards import Wildcard
from a3s_cli.files.workspace import Workspace

RULES = "*.one\n"


def git(directory: Path, *arguments: str) -> str:
    person = ("-c", "user.name=n", "-c", "user.email=e")
    command = ["git", "-C", str(directory), *person, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    for name in ("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def work(home: Path) -> Path:
    work = home.parent / "work"
    work.mkdir()
    git(work, "init", "-q")
    git(work, "commit", "-q", "--allow-empty", "-m", "x")
    return work


def compare(tree: Path, ignored: bool) -> None:
    """Hold what a search finds against what git does not ignore."""
    for name in ("a.one", "a.two", "sub/a.one", "sub/a.two"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).touch()
    told = git(tree, "ls-files", "-z", "-o", "--exclude-standard").split("\0")
    found = [
        str(entry.path.relative_to(tree))
        for entry in WorkspaceTree(Workspace(tree)).walk(tree, Wildcard("**"))
        if entry.kind == "file" and ".git" not in entry.path.parts
    ]
    assert sorted(found) == sorted(name for name in told if name)
    assert ("a.one" not in found) is ignored


@pytest.mark.parametrize(
    ("files", "ignored"),
    [
        ({".gitconfig": "[core]\n\texcludesFile = ~/ex\n", "ex": RULES}, True),
        ({".gitconfig": "[core] excludesfile = ~/ex\n", "ex": RULES}, True),
        ({".gitconfig": "[CORE] # c\nExcludesFile=~/ex\n", "ex": RULES}, True),
        ({".gitconfig": '[core]\nexcludesFile = "~/e x#1" ; c\n', "e x#1": RULES}, True),
        ({".gitconfig": '[core]\nexcludesFile = ~/"ex;a"\n', "ex;a": RULES}, True),
        ({".gitconfig": "[core]\nexcludesFile = ~/e\\\\x\n", "e\\x": RULES}, True),
        ({".gitconfig": "[core]\nexcludesFile = ~/\\\nex\n", "ex": RULES}, True),
        ({".gitconfig": '[core "x"]\nexcludesFile = ~/ex\n', "ex": RULES}, False),
        ({".gitconfig": "[core]\nexcludesFile =\n", ".config/git/ignore": RULES}, False),
        ({".gitconfig": "[user]\nname = n\n", ".config/git/ignore": RULES}, True),
        ({".config/git/config": "[core]\nexcludesFile = ~/ex\n", "ex": RULES}, True),
        ({".gitconfig": "[include]\npath = inc\n", "inc": "[core]\nexcludesFile=~/ex\n"}, False),
        (
            {
                ".gitconfig": "[include]\npath = inc\n",
                "inc": "[core]\nexcludesFile = ~/ex\n",
                "ex": RULES,
            },
            True,
        ),
        (
            {
                ".gitconfig": '[includeIf "gitdir:work/"]\npath = inc\n',
                "inc": "[core]\nexcludesFile = ~/ex\n",
                "ex": RULES,
            },
            True,
        ),
        (
            {
                ".gitconfig": '[includeIf "gitdir:~/work/"]\npath = inc\n',
                "inc": "[core]\nexcludesFile = ~/ex\n",
                "ex": RULES,
            },
            False,
        ),
    ],
)
def test_the_users_own(home: Path, work: Path, files: dict[str, str], ignored: bool) -> None:
    for name, content in files.items():
        (home / name).write_text(content)
    compare(work, ignored)


@pytest.mark.parametrize(
    "content", ["[core\nexcludesFile = ~/ex\n", "[include]\npath = .gitconfig\n"]
)
def test_what_git_refuses_names_nothing(home: Path, work: Path, content: str) -> None:
    (home / ".gitconfig").write_text(content)
    (home / "ex").write_text(RULES)
    assert not WorkspaceTree(Workspace(work)).rules(work).ignores("a.one", directory=False)


@pytest.mark.parametrize("where", ["{work}/ex", "ex", "~/ex"])
def test_the_repositorys_own(home: Path, work: Path, where: str) -> None:
    for directory in (home, work):
        (directory / "ex").write_text(RULES)
    git(work, "config", "core.excludesFile", where.format(work=work))
    compare(work, True)
    git(work, "worktree", "add", "-q", "../linked")
    compare(work.parent / "linked", where != "ex")


def test_a_working_trees_own(home: Path, work: Path) -> None:
    (home / "ex").write_text(RULES)
    git(work, "config", "extensions.worktreeConfig", "true")
    git(work, "worktree", "add", "-q", "../linked")
    linked = work.parent / "linked"
    git(linked, "config", "--worktree", "core.excludesFile", "~/ex")
    compare(linked, True)
    compare(work, False)


@pytest.mark.parametrize("name", ["other", "/dev/null"])
def test_another_file_for_the_user(
    home: Path, work: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitconfig").write_text("[core]\nexcludesFile = ~/ex\n")
    (home / "other").write_text("[core]\nexcludesFile = ~/two\n")
    (home / "ex").write_text(RULES)
    (home / "two").write_text("*.two\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.path.join(home, name))
    compare(work, False)


def test_a_pipe_does_not_block(home: Path, work: Path) -> None:
    os.mkfifo(home / "pipe")
    git(work, "config", "core.excludesFile", "~/pipe")
    assert not WorkspaceTree(Workspace(work)).rules(work).ignores("a.one", directory=False)
