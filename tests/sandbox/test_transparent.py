"""Ordinary commands do the same with and without a sandbox: status, output, tree, index, refs."""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251 - git says what it makes of a workspace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..support.a3s import proofs
from .cage import PATH, USERS, Cage, Driver
from .everyday import BASES, CORPUS

DATE = "2024-02-03T04:05:06 +0000"
ENVIRONMENT = {
    "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_DATE": DATE,
    "GIT_AUTHOR_NAME": "n",
    "GIT_AUTHOR_EMAIL": "e",
    "GIT_COMMITTER_NAME": "n",
    "GIT_COMMITTER_EMAIL": "e",
    "LC_ALL": "C.UTF-8",
    "npm_config_update_notifier": "false",
}
#: What git knows of a repository, as far as a command may have changed it.
QUESTIONS = (
    "for-each-ref",
    "ls-files -s",
    "status --porcelain --ignored",
    "stash list",
    "worktree list --porcelain",
    "config -l --local",
    "rev-parse HEAD --abbrev-ref HEAD",
)


class Yard:
    """The bases, built once, and a workspace that is one of them again and again."""

    def __init__(self, cage: Cage) -> None:
        self.cage = cage
        self.bases = cage.directory("bases")
        self.scratch = cage.directory("scratch")

    def prepare(self, base: str) -> None:
        kept = self.bases / base
        if not kept.exists():
            # At the path that it will have: git writes absolute paths into work trees.
            self._empty()
            outcome = self.run(BASES[base] or "true", plain=True)
            assert outcome[0] == 0, outcome
            shutil.copytree(self.cage.work, kept, symlinks=True)
        self._empty()
        subprocess.run(["cp", "-a", f"{kept}/.", self.cage.work], check=True)
        if os.geteuid() == 0:
            owner = f"{self.cage.driver.uid}:{self.cage.driver.uid}"
            subprocess.run(["chown", "-Rh", owner, self.cage.work], check=True)

    def _empty(self) -> None:
        for directory in (self.cage.work, self.scratch):
            for path in directory.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def run(self, command: str, **options: Any) -> tuple[int, str]:
        environment = {**ENVIRONMENT, "TMPDIR": str(self.scratch)}
        outcome = self.cage.bash(command, environment=environment, timeout=60, **options)
        assert not [report for report in outcome.reports if report[0] == "put_back"], outcome
        return outcome.status, outcome.output

    def state(self) -> dict[str, object]:
        """Everything in the workspace: files outside of repositories, and what git says."""
        found: dict[str, object] = {}
        repositories = []
        for top, directories, files in os.walk(self.cage.work):
            for name in sorted(directories):
                path = Path(top, name)
                found[str(path)] = (path.lstat().st_mode, path.is_symlink() and os.readlink(path))
            if ".git" in (*directories, *files) or "packed-refs" in files or "HEAD" in files:
                repositories.append(top)
            directories[:] = [name for name in directories if name != ".git"]
            inside = "HEAD" in files and "objects" in directories
            directories[:] = [] if inside else directories
            for name in [] if inside else files:
                path = Path(top, name)
                mode = path.lstat().st_mode
                content: object = os.readlink(path) if path.is_symlink() else mode
                if path.is_file() and not path.is_symlink():
                    content = path.read_bytes() if path.suffix not in _PACKED else None
                found[str(path)] = (mode, content)
        for repository in repositories:
            found[f"{repository} hooks"] = sorted(
                str(path.relative_to(repository)) for path in Path(repository).rglob("hooks/*")
            )
            for question in QUESTIONS:
                found[f"{repository} {question}"] = self._git(repository, question)
        return found

    def _git(self, repository: str, question: str) -> str:
        command = ["git", "-c", "safe.directory=*", *question.split()]
        done = subprocess.run(
            command, cwd=repository, capture_output=True, text=True, check=False,
            env={"PATH": PATH, "HOME": str(self.cage.home), "GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
        return done.stdout


#: Archives have times in them.
_PACKED = (".tar", ".tgz", ".zip", ".bundle", ".pyc", ".whl")


@pytest.fixture(scope="module")
def yard(driver: Driver, public: Path) -> Iterator[Yard]:
    import tempfile

    root = Path(tempfile.mkdtemp(prefix="yard-", dir=public))
    root.chmod(0o755)
    yield Yard(Cage(driver, root))


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
@pytest.mark.parametrize(("base", "command"), CORPUS[:: 2 if proofs(100) < 100 else 1])
def test_it_is_the_same(yard: Yard, base: str, command: str) -> None:
    yard.prepare(base)
    plain = yard.run(command, plain=True), yard.state()
    yard.prepare(base)
    confined = yard.run(command), yard.state()
    assert confined[0] == plain[0]
    assert confined[1] == plain[1]


def test_there_are_enough() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 120
