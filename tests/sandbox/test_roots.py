"""What commands may write beyond the workspace: its work tree and the repository of it."""

from __future__ import annotations

import subprocess  # noqa: TID251 - git makes the repositories
from pathlib import Path

import pytest

from a3s_cli.sandbox.roots import writable

from .cage import USERS, Cage
from .test_guarded import IDENTITY, user


def git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    main = tmp_path / "main"
    (main / "sub/deep").mkdir(parents=True)
    git(main, "init", "-q")
    git(main, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "m")
    git(main, "worktree", "add", "-q", "../linked")
    return main


def test_the_work_tree_and_its_repository(tree: Path) -> None:
    linked = tree.parent / "linked"
    assert writable(str(tree), []) == [str(tree)]
    assert writable(str(tree / "sub/deep"), []) == [str(tree)]
    assert writable(str(linked), []) == [str(linked), str(tree / ".git")]
    assert writable(str(tree.parent), []) == [str(tree.parent)]


def test_a_home_is_never_laid_open(tree: Path) -> None:
    deep = tree / "sub/deep"
    for home in (tree, tree / "sub", tree / "sub/deep/me"):
        assert writable(str(deep), [str(home)]) == [str(deep)]
    # What was asked for is.
    assert writable(str(tree), [str(tree)]) == [str(tree)]


def test_a_pointer_is_followed_only_if_it_is_answered(tree: Path) -> None:
    attack = tree.parent / "attack"
    attack.mkdir()
    for target in (tree / ".git", tree / ".git/worktrees/linked", "/", "relative"):
        (attack / ".git").write_text(f"gitdir: {target}\n")
        assert writable(str(attack), []) == [str(attack)]


def test_a_submodule(tree: Path) -> None:
    git(tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tree), "mod")
    assert writable(str(tree / "mod"), []) == [str(tree / "mod"), str(tree / ".git/modules/mod")]


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_git_works_in_a_subdirectory_and_in_a_linked_tree(cage: Cage) -> None:
    user(
        cage,
        "git init -q -b main; mkdir sub; echo 1 > top; echo 1 > sub/f; git add -A;"
        " git commit -qm one; git checkout -qb other; echo 2 > top; git commit -qam two;"
        f" git checkout -q main; git worktree add -q {cage.outside}/linked other",
    )
    outcome = cage.bash(
        "echo n > n; git add n; git commit -qm n; git checkout -q other --ignore-other-worktrees;"
        " cat ../top; echo evil > ../.git/hooks/pre-commit; git status -s",
        workspace=cage.work / "sub", roots=writable(str(cage.work / "sub"), []),
        environment=IDENTITY,
    )  # fmt: skip
    assert (outcome.status, outcome.output) == (0, "2\n")
    assert [Path(path).name for path in outcome.put_back] == ["pre-commit"]
    linked = cage.outside / "linked"
    outcome = cage.bash(
        "echo n > n; git add n; git commit -qm n; git log --oneline | wc -l;"
        f" echo x > {cage.work}/new; echo evil > {cage.work}/.git/hooks/post-commit",
        workspace=linked, roots=writable(str(linked), []), environment=IDENTITY,
    )  # fmt: skip
    assert "3\n" in outcome.output and "Read-only file system" in outcome.output
    assert [Path(path).name for path in outcome.put_back] == ["post-commit"]
