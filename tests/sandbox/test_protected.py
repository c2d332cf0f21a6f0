"""Protected paths under bash: read-only whether they exist or not, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251 - git prepares the repositories
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.files import protected
from a3s_cli.processes.supervisor import PLACEHOLDER

from ..support import processes
from .cage import NOBODY, PATH, Cage, Driver

NAMES = sorted(protected.DIRECTORIES | protected.FILES)


def repository(cage: Cage, directory: Path) -> Path:
    """A repository with one commit, of the cage's user."""
    for command in (
        "git init -q",
        "git -c user.name=n -c user.email=e commit -q --allow-empty -m one",
    ):
        subprocess.run(
            command.split(),
            cwd=directory,
            check=True,
            env={"PATH": PATH, "HOME": str(cage.home), "GIT_CONFIG_NOSYSTEM": "1"},
            **({"user": cage.driver.uid, "group": cage.driver.uid} if os.geteuid() == 0 else {}),
        )
    return directory / ".git"


def unchanged(cage: Cage, script: str, **options: object) -> str:
    """Run a script that must not change a thing; give what it says."""
    before = cage.tree()
    outcome = cage.bash(f"{script}\ntrue", **options)
    after = cage.tree()
    assert after == before, outcome.output
    return outcome.output


def test_nothing_that_is_missing_can_be_made(cage: Cage) -> None:
    lines = [
        f"echo x > {name}; mkdir -p {name}; echo x > {name}/x; ln -s /etc {name}; "
        f"mv -T ../work/{name} moved; rmdir {name}"
        for name in [*NAMES, ".git", ".git/hooks", ".git/config"]
    ]
    unchanged(cage, "\n".join([*lines, "git init; git -C . init .; rm -rf .git; mkdir .git"]))


def test_nothing_that_exists_can_be_changed(cage: Cage) -> None:
    for name in protected.DIRECTORIES:
        cage.file(f"{name}/old", "old\n")
    for name in protected.FILES:
        cage.file(name, "old\n")
    repository(cage, cage.work)
    lines = [
        f"echo x > {name}; echo x >> {name}; rm -rf {name}; mv {name} /tmp; mkdir {name}; "
        f"echo x > {name}/new; echo x > {name}/old; ln {name} linked; chmod 777 {name}; "
        f"sed -i s/old/new/ {name}; ln -sfnT /etc {name}"
        for name in [*NAMES, ".git/hooks", ".git/config", ".git/config.worktree"]
    ]
    unchanged(cage, "\n".join([*lines, "git config core.fsmonitor /bin/false; git remote add a b"]))


def test_a_parent_cannot_make_way(cage: Cage) -> None:
    repository(cage, cage.work)
    unchanged(
        cage,
        "mv .git x && mkdir .git && echo x > .git/config\n"
        "rmdir .git; rm -f .git; ln -sfnT /tmp .git\n"
        'cd ..; mv work x; mkdir work; cd work; python3 -c \'import os; os.rename(".git", "x")\'',
    )


def test_git_itself_goes_on_working(cage: Cage) -> None:
    repository(cage, cage.work)
    cage.file("a", "a\n")
    outcome = cage.bash(
        "export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e\n"
        "set -e; git status --short; git add -A; git commit -qm two; git checkout -q -b other\n"
        "git diff HEAD~1 --stat; git stash -q || true; git merge -q master; git gc -q\n"
        "git status --short; git rev-list --count HEAD; git submodule status"
    )
    expected = "?? a\n a | 1 +\n 1 file changed, 1 insertion(+)\n2\n"
    assert (outcome.status, outcome.output) == (0, expected)
    assert (cage.work / "a").exists()


def test_repositories_below_are_protected_too(cage: Cage) -> None:
    for name in ("sub", "group/project"):
        repository(cage, cage.directory(name, below=cage.work))
    output = unchanged(
        cage,
        "for r in sub group/project; do echo x > $r/.git/config; echo x > $r/.git/hooks/pre-commit;"
        " mv $r/.git $r/x; done; mv group other; git -C sub config a.b c",
    )
    assert "Read-only file system" in output


def test_a_repository_that_is_elsewhere(cage: Cage) -> None:
    """`.git` is a file that points to a directory of the workspace, as submodules have it."""
    gitdir = repository(cage, cage.work)
    gitdir.rename(cage.work / "real")
    cage.file(".git", "gitdir: real\n")
    unchanged(cage, "echo x > .git; rm .git; echo x > real/config; mv real x; rm -rf real/hooks")


def test_what_git_would_look_for_elsewhere(cage: Cage) -> None:
    """Nothing can be put there for git's sake: what is made is undone, and said."""
    repository(cage, cage.work)
    outcome = cage.bash("echo .. > .git/commondir; echo 'ref: refs/heads/x' > HEAD; mkdir refs")
    assert outcome.output.count("is protected: what the command did to it is undone") == 2
    names = set(cage.tree())
    assert not names & {".git/commondir", "HEAD"}
    assert sum(".a3s-" in name for name in names) == 2
    assert subprocess.run(["git", "-C", cage.work, "log"], check=False).returncode in (0, 128)


def test_a_repository_without_a_working_tree(cage: Cage) -> None:
    gitdir = repository(cage, cage.work)
    for path in gitdir.iterdir():
        path.rename(cage.work / path.name)
    gitdir.rmdir()
    unchanged(cage, "echo x > config; echo x > hooks/pre-commit; mv hooks x; rm config")


def test_a_protected_link_is_put_back(cage: Cage) -> None:
    cage.file("settings/tasks.json", "old\n")
    (cage.work / ".vscode").symlink_to("settings")
    cage.own(cage.work / ".vscode")
    before = cage.tree()
    outcome = cage.bash(
        "rm .vscode; mkdir .vscode; echo x > .vscode/x; echo x > settings/tasks.json"
    )
    assert "what the command did to it is undone" in outcome.output
    after = cage.tree()
    kept = {name for name in after if name.startswith(".vscode.a3s-")}
    assert {name: after[name] for name in after if name not in kept} == before
    assert len(kept) == 2


def test_a_protected_link_to_nowhere_or_outside(cage: Cage) -> None:
    cage.file("profile", "old\n", below=cage.outside)
    for name, target in ((".envrc", "missing"), (".profile", str(cage.outside / "profile"))):
        (cage.work / name).symlink_to(target)
        cage.own(cage.work / name)
    unchanged(cage, "echo x > .envrc; echo x > missing; echo x > .profile; echo x > .mcp.json")
    assert cage.tree(cage.outside) == {"profile": "old\n"}


def test_another_case_of_a_name_that_exists(cage: Cage) -> None:
    cage.file(".VSCode/tasks.json", "old\n")
    unchanged(cage, "echo x > .VSCode/tasks.json; mv .VSCode x")


def test_files_that_a_run_must_not_touch(cage: Cage) -> None:
    record = cage.file("logs/run.ndjson", "{}\n")
    key = cage.file("key.acl", "secret\n")
    output = unchanged(
        cage,
        "cat logs/run.ndjson key.acl; echo x >> logs/run.ndjson; rm logs/run.ndjson; mv logs x;"
        "echo x > key.acl; rm key.acl; mv key.acl x",
        read_only_files=[str(record)],
        hidden_files=[str(key)],
    )
    assert output.startswith("{}\n") and "secret" not in output


def test_commands_side_by_side_share_what_holds_a_place(cage: Cage) -> None:
    """The first to end must not take it from the others."""
    first = ["bash", "-c", "sleep 0.2"]
    attack = "sleep 0.6; echo x > .envrc; mkdir .vscode; echo x > .vscode/x; rmdir .idea; true"
    before = cage.tree()
    cage.run(first, ["bash", "-c", attack], first)
    assert cage.tree() == before


def test_what_a_crash_left_behind_is_cleared_away(cage: Cage) -> None:
    for name in (".envrc", ".git"):
        cage.directory(name, below=cage.work).chmod(PLACEHOLDER)
    cage.directory(".vscode", below=cage.work)
    cage.bash("chmod u+w .git; mkdir .git/hooks; echo x > .git/config; true")
    assert cage.tree() == {".vscode": None}


@pytest.fixture
def busy(cage: Cage, shared: Path) -> Iterator[Driver]:
    """Another process of ours, that has a command running."""
    user = {0: "root", NOBODY: "nobody"}[cage.driver.uid] if os.geteuid() == 0 else "self"
    other = Driver(user, shared)
    other.tell(**cage.request(["bash", "-c", f"touch up; setsid {processes.sleeper()} & sleep 99"]))
    deadline = time.monotonic() + 20
    while not (cage.work / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (cage.work / ".envrc").is_dir()
    yield other
    other.process.kill()
    other.process.wait(20)


def test_nothing_is_left_when_we_are_killed(cage: Cage, busy: Driver) -> None:
    busy.process.send_signal(signal.SIGKILL)
    assert processes.wait_until_gone(cage.mark, 10) == []
    assert cage.tree() == {"up": ""}


def test_nobody_survives_who_holds_the_tree(cage: Cage, busy: Driver) -> None:
    """The placeholders do, until the next command."""
    holders = [one for one in processes.survivors(cage.mark) if "supervisor.py" in one.command]
    processes.send(holders[0].pid, signal.SIGKILL, cage.mark)
    assert processes.wait_until_gone(cage.mark, 10) == []
    assert (cage.work / ".envrc").stat().st_mode & 0o7777 == PLACEHOLDER
    cage.bash("rm up")
    assert cage.tree() == {}


def test_a_workspace_that_is_our_home(cage: Cage) -> None:
    """There the keys are in the workspace: hidden, and none can be put where none is."""
    cage.file(".ssh/id", "secret\n")
    cage.file(".netrc", "secret\n")
    cage.file(".config/gh/hosts.yml", "secret\n")
    cage.file(".bashrc", "old\n")
    home = {"HOME": str(cage.work), "XDG_CACHE_HOME": str(cage.directory("elsewhere"))}
    output = unchanged(
        cage,
        "cat .ssh/* .netrc .config/gh/*; echo x > .ssh/authorized_keys; mv .ssh x; mv .config x;"
        "mkdir -p .aws .config/a3s .a3s; echo x > .config/a3s/config.acl; echo x > .aws/config;"
        "echo x > .bashrc; echo x > .zshrc; echo x > .netrc; ls -A .ssh; echo seen",
        environ=home,
        environment={"HOME": str(cage.work)},
    )
    assert "secret" not in output
    assert output.endswith("seen\n")
