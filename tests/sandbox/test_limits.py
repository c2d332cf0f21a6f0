"""The guard at its limits: a long history, a repository that hangs, a full disk, odd refs."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess  # noqa: TID251 - git makes the repositories
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from a3s_cli.guard.history import MOST_COMMITS, PATIENCE, History, Wanted
from a3s_cli.guard.plumbing import Plumbing

from .cage import PATH, USERS, Cage
from .test_guarded import names, run, user

OLD = Wanted(".envrc", ("file", b"old\n"))


def long_history(directory: Path, commits: int) -> str:
    """Make a repository whose first commit alone has the old content; return its tip."""
    subprocess.run(["git", "init", "-q", "-b", "main", directory], check=True)
    person = "committer n <e> {} +0000\ndata 1\nx\n"
    stream = f"commit refs/heads/main\n{person.format(1)}M 644 inline .envrc\ndata 4\nold\n\n"
    stream += f"commit refs/heads/main\n{person.format(2)}M 644 inline .envrc\ndata 4\nnew\n\n"
    stream += "".join(
        f"commit refs/heads/main\n{person.format(n)}\n" for n in range(3, commits + 1)
    )
    import_ = ["git", "-C", directory, "fast-import", "--quiet"]
    subprocess.run(import_, input=stream.encode(), check=True)
    tip = subprocess.run(
        ["git", "-C", directory, "rev-parse", "main"], check=True, capture_output=True, text=True
    )
    return tip.stdout.strip()


def asked(directory: Path, tip: str, patience: float) -> set[Wanted]:
    git = shutil.which("git")
    assert git

    async def ask() -> set[Wanted]:
        plumbing = Plumbing(git, f"{directory}/.git", lambda argv: nullcontext(([], [*argv])))
        try:
            return await History(plumbing, {tip: True}, patience=patience).has({OLD})
        finally:
            await plumbing.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(("commits", "found"), [(2_000, {OLD}), (MOST_COMMITS + 10, set())])
def test_how_far_back_is_looked(tmp_path: Path, commits: int, found: set[Wanted]) -> None:
    assert (MOST_COMMITS, PATIENCE) == (20_000, 2.0)
    tip = long_history(tmp_path, commits)
    assert asked(tmp_path, tip, patience=60) == found
    assert asked(tmp_path, tip, patience=0) == set()


class Hanging:
    """A repository in which nothing ever comes."""

    async def objects(self, names: Sequence[str]) -> AsyncIterator[tuple[str, bytes, bytes]]:
        await asyncio.Event().wait()
        yield names[0], b"", b""

    async def lines(self, arguments: Sequence[str], stdin: Sequence[str]) -> list[str]:
        await asyncio.Event().wait()
        return []


def test_after_two_seconds_the_answer_is_no() -> None:
    began = time.monotonic()
    assert asyncio.run(History(Hanging(), {"1" * 40: True}).has({OLD})) == set()
    assert time.monotonic() - began >= PATIENCE


FULL = """
import asyncio, os, subprocess, sys
from pathlib import Path
from a3s_cli.guard.asking import Asking
from a3s_cli.guard.guard import Guard
from a3s_cli.guard.record import Record
from a3s_cli.guard.restoring import Restoring

place = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], check=True)
tree = place / "tree"
tree.mkdir()
(tree / ".envrc").write_text("mine" * 100)
with open(place / "filler", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass

async def scene():
    record = Record(str(place / "record"))
    guard = Guard([str(tree)], record, Asking(record, None, None),
                  Restoring([str(tree)], record, str(place / "copies")))
    await guard.begin()
    print(guard.unrecorded)
    with open(tree / ".envrc", "r+b") as file:
        file.write(b"evil")
    [report] = (await guard.end()).reports
    print(report.kind, report.copy, report.failure, (tree / ".envrc").read_text() == "mine" * 100)
    guard.close()

asyncio.run(scene())
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """Neither the record nor a copy can be written, and what was there comes back."""
    command = ["unshare", "-m", *(() if os.geteuid() == 0 else ("-r",)), sys.executable, "-c", FULL]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        f"{tmp_path}/record: No space left on device",
        "put_back None None True",
    ], done.stderr


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_refs_in_a_format_that_is_not_read(cage: Cage) -> None:
    """With reftables no tip is known: what was there stays, and nothing else is believed."""
    user(
        cage,
        "git init -q -b main; echo 1 > .envrc; git add -A; git commit -qm one; git tag t;"
        " git config core.repositoryformatversion 1; git config extensions.refStorage reftable;"
        " mkdir .git/reftable; rm -rf .git/refs/tags .git/refs/heads/main"
        "; echo 'ref: refs/heads/.invalid' > .git/HEAD",
    )
    outcome = run(cage, "cat .envrc; echo evil > .envrc; mkdir -p d/.vscode; echo x > d/.vscode/x")
    assert outcome.output == "1\n"
    assert names(cage, outcome) == [".envrc", "d/.vscode/x"]
    assert (cage.work / ".envrc").read_text() == "1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may work in another user's directory")
@pytest.mark.parametrize("driver", ["root"], indirect=True)
def test_root_in_a_directory_of_somebody_else(cage: Cage, shared: Path) -> None:
    """As in a container with a mounted volume: commands work, and what they make is guarded."""
    for path in (cage.work, cage.file("theirs", "theirs\n")):
        os.chown(path, 12345, 12345)
    cage.work.chmod(0o700)
    environment = {"PATH": PATH, "HOME": str(cage.home), **cage.environ}
    script = (
        "import asyncio, sys; from pathlib import Path;"
        "from a3s_cli.sandbox.confinement import Confinement;"
        f"c = Confinement('require', workspace=Path({str(cage.work)!r}),"
        f" environment={environment});"
        "s = asyncio.run(c.sandbox()); out = [];\n"
        "async def receive(data): out.append(data)\n"
        "async def go():\n"
        f"    return await s.run(['bash', '-c', 'cat theirs; echo x > new; echo x > .envrc; id -u;'"
        f" 'mount -t tmpfs none /mnt && echo mounted'], cwd=Path({str(cage.work)!r}),"
        f" environment={environment}, timeout=30, receive=receive)\n"
        "print(asyncio.run(go()).exit_code); s.close(); print(b''.join(out).decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**environment, "PYTHONPATH": str(shared)}, cwd="/",
    )  # fmt: skip
    words = done.stdout.split()
    assert words[1:3] == ["theirs", "0"] and "mounted" not in words, done
    assert sorted(path.name for path in cage.work.iterdir()) == ["new", "theirs"]
